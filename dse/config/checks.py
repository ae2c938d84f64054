"""Checks of configuration keys, with the nearest right name in the message."""

from collections.abc import Iterable, Mapping
from typing import Any

from dse.errors import DseError, nearest

__all__ = ["check_keys", "nearest"]


def check_keys(owner: str, values: Mapping[str, Any], allowed: Iterable[str]) -> None:
    """Raise DseError for the first key of ``values`` that is not allowed."""
    allowed = list(allowed)
    for key in values:
        if key not in allowed:
            raise DseError(f"{owner} has no key {key!r}{nearest(str(key), allowed)}")
