"""``python -m dse`` and ``dse``: the command line."""

import signal
import sys


def run() -> None:
    """Run the command line and exit with its status."""
    # while its code loads there is nothing to end in order, and nothing to tell
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from dse.cli import main
    from dse.terminal import prepare_streams

    prepare_streams()
    status = main()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is written
    sys.exit(status)


if __name__ == "__main__":
    run()
