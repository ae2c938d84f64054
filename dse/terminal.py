"""What is told on a terminal: whatever becomes of it, the run goes on."""

import codecs
import os
import sys
from contextlib import suppress

from dse.report.files import shown

_ASCII = {"²": "^2", "µ": "u", "×": "x", "∞": "inf", "–": "-", "→": "->", "≈": "~"}  # noqa: RUF001
_HANDLER = "chipfront"


def prepare_streams() -> None:
    """Have standard streams that are closed, or cannot hold a character, lose nothing but text."""
    codecs.register_error(_HANDLER, _in_ascii)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_HANDLER)


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_ASCII.get(x, "?") for x in text), error.end


def say(lines: list[str], *, is_error: bool = False) -> None:
    """Print lines; if nobody reads them any more, go on in silence."""
    stream = sys.stderr if is_error else sys.stdout
    if not lines or stream is None:
        return
    try:
        print("\n".join(shown(line) for line in lines), file=stream, flush=True)
    except (OSError, ValueError):  # closed, or its disk is full
        silence("stderr" if is_error else "stdout")


def silence(name: str) -> None:
    """Let a standard stream go nowhere, so that no further write to it fails."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, getattr(sys, name).fileno())
        os.close(nowhere)
