"""Checks of values: each error names the owner, the key, the value and the rule."""

import math
from collections.abc import Sequence

from dse.errors import DseError

LARGEST = 2**53
"""Whole numbers above this are not what they say as a float."""

WIDEST = 1e30
"""No quantity of a machine is larger, or smaller than one over it."""


def is_number(value: object, *, integer: bool = False) -> bool:
    """Return whether a value is a finite number, and an integer if asked; true is none."""
    if isinstance(value, bool) or not isinstance(value, int if integer else (int, float)):
        return False
    return isinstance(value, int) or math.isfinite(value)


def _kind(*, integer: bool) -> str:
    return "an integer" if integer else "a number"


def check_number(
    owner: str, key: str, value: object, *, integer: bool, least: float = 0, most: float = math.inf
) -> None:
    """Raise DseError unless a value is a finite number above `least` and at most `most`."""
    if not is_number(value, integer=integer) or not least < value <= most:  # type: ignore[operator]
        upper = "" if most == math.inf else f" and at most {most:g}"
        raise DseError(
            f"{owner}.{key} must be {_kind(integer=integer)} above {least:g}{upper}, got {value!r}"
        )
    if integer and value > LARGEST:  # type: ignore[operator]
        raise DseError(f"{owner}.{key} must be at most 2^53, {LARGEST:,}, got {value!r}")
    if not integer and not 1 / WIDEST <= value <= WIDEST:  # type: ignore[operator]
        raise DseError(f"{owner}.{key} must be from {1 / WIDEST:g} to {WIDEST:g}, got {value!r}")


def check_positive(what: str, value: object, *, integer: bool, also: str = "") -> None:
    """Raise DseError unless a value is a number above 0 and below 2^62."""
    if not is_number(value, integer=integer) or not 0 < value < 2**62:  # type: ignore[operator]
        kind = _kind(integer=integer)
        raise DseError(f"{what} must be {kind} above 0{also}, got {value!r}")


def check_not_negative(what: str, value: object) -> None:
    """Raise DseError unless a value is a number of at least 0."""
    if not is_number(value) or value < 0:  # type: ignore[operator]
        raise DseError(f"{what} must be a number of at least 0, got {value!r}")


def check_share(owner: str, key: str, value: object) -> None:
    """Raise DseError unless a value is a share, from 0 to below 1."""
    if not is_number(value) or not 0 <= value < 1:  # type: ignore[operator]
        raise DseError(f"{owner}.{key} must be from 0 to below 1, got {value!r}")


def check_between(
    what: str, value: object, least: float, most: float, *, integer: bool = False
) -> None:
    """Raise DseError unless a value is a number from `least` to `most`."""
    if not is_number(value, integer=integer) or not least <= value <= most:  # type: ignore[operator]
        kind = _kind(integer=integer)
        raise DseError(f"{what} must be {kind} from {least:g} to {most:g}, got {value!r}")


def check_integer(owner: str, key: str, value: object, least: int, most: int) -> None:
    """Raise DseError unless a value is an integer from `least` to `most`."""
    if not is_number(value, integer=True) or not least <= value <= most:  # type: ignore[operator]
        raise DseError(f"{owner}.{key} must be an integer from {least} to {most}, got {value!r}")


def check_names(what: str, names: Sequence[str], known: Sequence[str], kind: str) -> None:
    """Raise DseError unless these are names of a kind, such as ``operand``, each named once."""
    for name in names:
        if name not in known:
            raise DseError(f"{what} must name {kind}s of {', '.join(known)}, got {name!r}")
    if len(set(names)) != len(names):
        raise DseError(f"{what} must name each {kind} once, got {list(names)}")


def check_switch(owner: str, key: str, value: object) -> None:
    """Raise DseError unless a value is true or false."""
    if not isinstance(value, bool):
        raise DseError(f"{owner}.{key} must be true or false, got {value!r}")
