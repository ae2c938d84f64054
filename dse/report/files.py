"""Files of a run folder: each appears whole or not at all, and holds no text that acts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dse.errors import DseError

_BIDIRECTIONAL = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_CONTROL = "".join(map(chr, (*range(9), 11, 12, *range(14, 32), *range(127, 160))))
_ESCAPES = {ord(x): f"\\u{ord(x):04x}" for x in _BIDIRECTIONAL + _CONTROL}


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a place to write a file; it takes the path's place, never that of a link's target.

    Raises
    ------
    DseError
        Naming the file, if it cannot be written.
    """
    draft = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        if path.parent.is_symlink():
            raise DseError(f"{path.parent} must be a folder, not a link to another one")
        yield draft
        draft.replace(path)
    except OSError as error:
        raise DseError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file, in UTF-8; what would change how text is shown is spelt out."""
    with replacing(path) as draft:
        draft.write_text(shown(text), encoding="utf-8")


def shown(text: str) -> str:
    r"""Return a text with control codes and marks of direction spelt out.

    >>> shown("a\x1b[31mb")
    'a\\u001b[31mb'
    """
    return text.translate(_ESCAPES)
