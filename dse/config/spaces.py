"""A design space and the settings of a search, from the plain dicts of their YAML files."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from dse.checks import check_switch
from dse.config.checks import check_keys, integer, nearest, number
from dse.errors import DseError
from dse.hardware import Accelerator
from dse.space import NAME_KNOBS, REAL_KNOBS, Space, Value, knob_names
from dse.technology import Catalogue

LARGEST_RANGE = 100_000
"""Values of one knob that are taken for meant; more are a slip in a range."""

SEARCH_KEYS = ("sampler", "trials", "enumerate_limit", "progress", "options")


def space_from(values: Mapping[str, Any], accelerator: Accelerator, catalogue: Catalogue) -> Space:
    """Build a space from the values of one conf/space YAML.

    A knob is a list of values and ranges, one range or one value; null does not turn it. A range is
    ``{low, high, step}`` or ``{low, high, num, log: true}``, both ends included; ``multiple``
    rounds to multiples of a number.

    Parameters
    ----------
    values
        ``name``, ``accelerator`` (which the caller has built) and ``knobs``.
    accelerator, catalogue
        The machine that is varied, and what its knobs may name.

    Raises
    ------
    DseError
        If a key or knob is unknown, or a value is wrong.
    """
    owner = "space"
    check_keys(owner, values, ("name", "accelerator", "knobs", "source"))
    knobs = values.get("knobs")
    if not isinstance(knobs, Mapping):
        raise DseError(f"{owner}.knobs must be a mapping of knobs to values, got {knobs!r}")
    known = knob_names(accelerator)
    for name in knobs:
        if name not in known:
            raise DseError(f"{owner} has no knob {name!r}{nearest(str(name), known)}")
    return Space(
        name=str(values.get("name", "space")),
        accelerator=accelerator,
        knobs={
            str(name): knob_values(f"{owner}.knobs.{name}", str(name), given)
            for name, given in knobs.items()
            if given is not None
        },
        catalogue=catalogue,
    )


def knob_values(where: str, name: str, given: object) -> tuple[Value, ...]:
    """Return the values of a knob, its ranges spelled out.

    Parameters
    ----------
    where
        Name of the key in messages.
    name
        The knob, which says whether values are integers, numbers or names.
    given
        A list of values and ranges, one range, or one value.

    Raises
    ------
    DseError
        If a range is wrong or a value is not of the knob's kind.
    """
    items = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    found: list[Value] = []
    for item in items:
        if isinstance(item, Mapping):
            found += _range(where, item, integers=name not in REAL_KNOBS | NAME_KNOBS)
        elif name in NAME_KNOBS:
            found.append(str(item))
        else:
            found.append(_number(where, item, integers=name not in REAL_KNOBS))
    return tuple(found)


def _number(where: str, value: object, *, integers: bool) -> Value:
    return integer(where, value) if integers else float(number(where, value, above_zero=True))


def _range(where: str, given: Mapping[str, Any], *, integers: bool) -> list[Value]:
    check_keys(where, given, ("low", "high", "step", "num", "log", "multiple"))
    low, high = (
        number(f"{where}.{key}", given.get(key), above_zero=True) for key in ("low", "high")
    )
    if low > high:
        raise DseError(f"{where}.low = {low:g} must be at most {where}.high = {high:g}")
    if (given.get("step") is None) == (given.get("num") is None):
        raise DseError(f"{where} must have either step or num, got {dict(given)}")
    if given.get("num") is not None:
        values = _spaced(where, given, low, high)
    else:
        values = _stepped(where, given, low, high)
    if given.get("multiple") is not None:
        multiple = number(f"{where}.multiple", given["multiple"], above_zero=True)
        values = [max(round(value / multiple), 1) * multiple for value in values]
    if integers:
        return list(dict.fromkeys(round(value) for value in values))  # near steps may coincide
    return list(values)


def _stepped(where: str, given: Mapping[str, Any], low: float, high: float) -> list[float]:
    if given.get("log"):
        raise DseError(f"{where}.log needs num, got step = {given['step']!r}")
    step = number(f"{where}.step", given["step"], above_zero=True)
    count = math.floor((high - low) / step * (1 + 1e-12)) + 1
    if count > LARGEST_RANGE:
        raise DseError(f"{where}.step must give at most {LARGEST_RANGE} values, got {count}")
    return [low + place * step for place in range(count)]


def _spaced(where: str, given: Mapping[str, Any], low: float, high: float) -> list[float]:
    num, log = integer(f"{where}.num", given["num"]), given.get("log", False)
    check_switch(where, "log", log)
    if num > LARGEST_RANGE or (num == 1) != (low == high):
        raise DseError(
            f"{where}.num must be from 2 to {LARGEST_RANGE}, or 1 where low equals high, got {num}"
        )
    shares = [place / max(num - 1, 1) for place in range(num)]
    inner = [low * (high / low) ** x if log else low + (high - low) * x for x in shares]
    return [low, *inner[1:-1], high][:num]


def search_from(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of `dse.exploration.run_search` that one conf/search YAML gives.

    Raises
    ------
    DseError
        If a key is unknown, or a value is not of its kind.
    """
    check_keys("search", values, SEARCH_KEYS)
    options = {} if values.get("options") is None else values["options"]
    progress = values.get("progress", True)
    if not isinstance(options, Mapping):
        raise DseError(f"search.options must be a mapping of options to values, got {options!r}")
    check_switch("search", "progress", progress)
    least = {"trials": 1, "enumerate_limit": 0}
    numbers = {
        key: integer(f"search.{key}", values[key], least=least[key])
        for key in least
        if values.get(key) is not None
    }
    sampler = {"sampler": str(values["sampler"])} if values.get("sampler") is not None else {}
    return {**sampler, **numbers, "progress": progress, "options": dict(options)}
