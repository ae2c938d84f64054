"""Checks of configuration keys and values, with the nearest right name in the message."""

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any

from dse.checks import LARGEST, is_number
from dse.errors import DseError, nearest

__all__ = [
    "check_keys",
    "integer",
    "items",
    "mapping",
    "nearest",
    "number",
    "one_of",
    "require",
    "texts",
]


def check_keys(owner: str, values: Mapping[str, Any], allowed: Iterable[str]) -> None:
    """Raise DseError for the first key of ``values`` that is not allowed."""
    allowed = list(allowed)
    for key in values:
        if key not in allowed:
            raise DseError(f"{owner} has no key {key!r}{nearest(str(key), allowed)}")


def require(owner: str, values: Mapping[str, Any], keys: Sequence[str]) -> None:
    """Raise DseError for the first of these keys that has no value."""
    for key in keys:
        if values.get(key) is None:
            raise DseError(f"{owner} needs a value for {key!r}, got none")


def number(what: str, value: object, *, above_zero: bool = False) -> float:
    """Return a finite number that is not negative, or raise DseError naming it."""
    rule = "a finite number above 0" if above_zero else "a finite number, 0 or more"
    if not is_number(value) or value < 0 or (above_zero and value == 0):  # type: ignore[operator]
        raise DseError(f"{what} must be {rule}, got {value!r}")
    return value  # type: ignore[return-value]


def integer(what: str, value: object, *, least: int = 1) -> int:
    """Return a whole number, also where it is written as 1.0e6, or raise DseError naming it."""
    whole = isinstance(value, Integral) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole or value < least:  # type: ignore[operator]
        raise DseError(f"{what} must be a whole number, {least} or more, got {value!r}")
    if value > LARGEST:  # type: ignore[operator]
        raise DseError(f"{what} must be at most 2^53, {LARGEST:,}, got {value!r}")
    return int(value)  # type: ignore[call-overload]


def items(owner: str, key: str, values: Mapping[str, Any]) -> list[tuple[int, Any]]:
    """Return the places and values of a list, or raise DseError naming its key."""
    found = values[key]
    if isinstance(found, str) or not isinstance(found, Sequence):
        raise DseError(f"{owner}.{key} must be a list, got {found!r}")
    return list(enumerate(found))


def one_of(key: str, value: object, known: Sequence[str]) -> str:
    """Return a value that must be one of the known names."""
    if not isinstance(value, str) or value not in known:
        hint = nearest(str(value), known)
        hint = hint if "did you mean" in hint else ""
        raise DseError(f"{key} must be one of {', '.join(known)}, got {value!r}{hint}")
    return value


def texts(what: str, value: object) -> tuple[str, ...]:
    """Return a list of names as a tuple, or raise DseError naming it."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise DseError(f"{what} must be a list of names, got {value!r}")
    return tuple(str(x) for x in value)


def mapping(what: str, value: object, keys: Sequence[str]) -> Mapping[str, Any]:
    """Return a mapping that has none but these keys, or raise DseError naming it."""
    if not isinstance(value, Mapping):
        raise DseError(f"{what} must be a mapping of {', '.join(keys)}, got {value!r}")
    check_keys(what, value, keys)
    return value
