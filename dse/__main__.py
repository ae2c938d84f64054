"""``python -m dse``: the command line."""

from dse.cli import entry

entry()
