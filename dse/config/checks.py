"""Checks of configuration keys, with the nearest right name in the message."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from dse.errors import DseError


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint such as ``; did you mean 'x'?`` or the list of known names."""
    names = [str(x) for x in known]
    close = difflib.get_close_matches(str(name), names, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(sorted(names))}"


def check_keys(owner: str, values: Mapping[str, Any], allowed: Iterable[str]) -> None:
    """Raise DseError for the first key of ``values`` that is not allowed."""
    allowed = list(allowed)
    for key in values:
        if key not in allowed:
            raise DseError(f"{owner} has no key {key!r}{nearest(str(key), allowed)}")
