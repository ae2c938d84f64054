"""Design spaces from the plain dicts of their YAML files."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dse.config.checks import check_keys, integer, mapping, number
from dse.errors import DseError
from dse.hardware import Accelerator
from dse.space import REAL_KNOBS, Space, Value
from dse.technology import Catalogue

KEYS = ("name", "source", "accelerator", "knobs")
RANGE_KEYS = ("low", "high", "step", "num", "log")
MOST_VALUES = 100_000
"""Values of one knob that are taken for meant; more are a slip in a range."""


def space_from(values: Mapping[str, Any], accelerator: Accelerator, catalogue: Catalogue) -> Space:
    """Build a space from the values of one conf/space YAML.

    Parameters
    ----------
    values
        ``name`` and ``knobs``: name to a list of values, or to a range, which is
        ``{low, high, step}`` or ``{low, high, num, log: true}``, both ends included.
    accelerator
        The machine that is varied; ``values`` only names it.
    catalogue
        The DRAM parts and technologies that knobs may name.

    Raises
    ------
    DseError
        If a key is unknown, a knob is no list and no range, or `Space` rejects it.
    """
    check_keys("space", values, KEYS)
    name = str(values.get("name") or "unnamed")
    knobs = values.get("knobs")
    if not isinstance(knobs, Mapping):
        raise DseError(f"space.knobs must be a mapping of knobs to their values, got {knobs!r}")
    given = {
        str(knob): knob_values(f"space.knobs.{knob}", str(knob), given)
        for knob, given in knobs.items()
    }
    return Space(name=name, accelerator=accelerator, knobs=given, catalogue=catalogue)


def knob_values(what: str, knob: str, given: object) -> tuple[Value, ...]:
    """Return the values of a knob: those of a list, or of a range."""
    if isinstance(given, Mapping):
        return _range(what, mapping(what, given, RANGE_KEYS), is_whole=knob not in REAL_KNOBS)
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise DseError(f"{what} must be a list of values or a range, got {given!r}")
    for value in given:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise DseError(f"{what} must hold numbers or names, got {value!r}")
    return tuple(_whole(value) if knob not in REAL_KNOBS else value for value in given)


def _whole(value: Value) -> Value:
    """Return 1.0e6 as the integer that it is, everything else unchanged."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _range(what: str, given: Mapping[str, Any], *, is_whole: bool) -> tuple[Value, ...]:
    low = number(f"{what}.low", given.get("low"), above_zero=True)
    high = number(f"{what}.high", given.get("high"), above_zero=True)
    if high < low:
        raise DseError(f"{what}.high must be at least low = {low:g}, got {high:g}")
    if ("step" in given) == ("num" in given) or ("step" in given and given.get("log")):
        raise DseError(f"{what} must have either step, or num with log: true or false")
    if "step" in given:
        step = number(f"{what}.step", given["step"], above_zero=True)
        count = int((high - low) / step * (1 + 1e-12)) + 1
        _check_count(what, count)
        points = low + step * np.arange(count)
    else:
        count = integer(f"{what}.num", given["num"])
        _check_count(what, count)
        points = (np.geomspace if given.get("log") else np.linspace)(low, high, count)
    if is_whole:
        return tuple(dict.fromkeys(round(x) for x in points.tolist()))
    return tuple(points.tolist())


def _check_count(what: str, count: int) -> None:
    if count > MOST_VALUES:
        raise DseError(f"{what} must have at most {MOST_VALUES} values, got {count}")
