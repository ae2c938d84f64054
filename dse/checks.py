"""Checks of values: each error names the owner, the key, the value and the rule."""

import math

from dse.errors import DseError

LARGEST = 2**53
"""Whole numbers above this are not what they say as a float."""

WIDEST = 1e30
"""No quantity of a machine is larger, or smaller than one over it."""


def check_number(
    owner: str, key: str, value: object, *, integer: bool, least: float = 0, most: float = math.inf
) -> None:
    """Raise DseError unless a value is a finite number above `least` and at most `most`."""
    kind = "an integer" if integer else "a number"
    wrong_type = isinstance(value, bool) or not isinstance(value, int if integer else (int, float))
    if wrong_type or not math.isfinite(value) or not least < value <= most:  # type: ignore[arg-type,operator]
        upper = "" if most == math.inf else f" and at most {most:g}"
        raise DseError(f"{owner}.{key} must be {kind} above {least:g}{upper}, got {value!r}")
    if integer and value > LARGEST:  # type: ignore[operator]
        raise DseError(f"{owner}.{key} must be at most 2^53, {LARGEST:,}, got {value!r}")
    if not integer and not 1 / WIDEST <= value <= WIDEST:  # type: ignore[operator]
        raise DseError(f"{owner}.{key} must be from {1 / WIDEST:g} to {WIDEST:g}, got {value!r}")


def check_share(owner: str, key: str, value: object) -> None:
    """Raise DseError unless a value is a share, from 0 to below 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise DseError(f"{owner}.{key} must be from 0 to below 1, got {value!r}")


def check_integer(owner: str, key: str, value: object, least: int, most: int) -> None:
    """Raise DseError unless a value is an integer from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise DseError(f"{owner}.{key} must be an integer from {least} to {most}, got {value!r}")
