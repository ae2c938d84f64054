"""The errors that a user can cause; each names the key, the value and the rule."""

import difflib
from collections.abc import Iterable


class DseError(ValueError):
    """A mistake in an input: the message names the key, the value and the rule."""


class InfeasibleError(DseError):
    """A layer that fits a machine with no mapping: its smallest tiles exceed a buffer."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint such as ``; did you mean 'x'?`` or the list of known names."""
    names = [str(x) for x in known]
    close = difflib.get_close_matches(str(name), names, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(sorted(set(names)))}"
