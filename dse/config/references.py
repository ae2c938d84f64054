"""Interpolations of YAML files: keys and arithmetic on them, and what they expand to."""

import re
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from omegaconf import OmegaConf

from dse.errors import DseError

MOST_REFERENCES = 32
DEEPEST_ARITHMETIC = 8
LONGEST_CHAIN = 12
"""Keys that refer to each other in turn."""

MOST_EXPANDED = 2_000_000
"""Values of a configuration with its interpolations resolved."""

LARGEST_RESULT = 2**62

_KEY = r"\.*[A-Za-z_]\w*(?:\.\w+|\[\d+\])*"
_NUMBER = r"\s*-?\d+(?:\.\d+)?\s*"
_INNERMOST = re.compile(
    rf"\$\{{(?:\s*({_KEY})\s*|(?:mul|add|sub|floor_div):{_NUMBER}(?:,{_NUMBER})*)\}}"
)
_ANY_KEY = re.compile(rf"\$\{{\s*({_KEY})\s*\}}")


def references(text: str) -> list[str]:
    """Return the keys that an interpolation refers to.

    >>> references("${mul:${...seq_len},768}")
    ['...seq_len']

    Raises
    ------
    DseError
        If the text is not one interpolation, of a key or of ``mul``, ``add``, ``sub`` or
        ``floor_div`` of keys and numbers.
    """
    found: list[str] = []
    rest = text.strip()
    for _ in range(DEEPEST_ARITHMETIC):
        found += [match[1] for match in _INNERMOST.finditer(rest) if match[1] is not None]
        rest, count = _INNERMOST.subn("0", rest)
        if not count:
            break
    if rest != "0" or len(found) > MOST_REFERENCES:
        raise DseError(
            f"an interpolation must be ${{KEY}}, or mul, add, sub or floor_div of at most "
            f"{MOST_REFERENCES} keys and numbers, got {text[:60]!r}"
        )
    return found


def check_expansion(values: Any) -> None:
    """Raise DseError if a configuration would become too large when it is resolved.

    Parameters
    ----------
    values
        Plain dicts and lists, interpolations in them unresolved.
    """
    try:
        total = _Expansion(values).size(values, (), 0)
    except RecursionError:
        total = MOST_EXPANDED + 1
    if total > MOST_EXPANDED:
        raise DseError(
            f"interpolations must stand for at most {MOST_EXPANDED:,} values, in chains of at "
            f"most {LONGEST_CHAIN} keys"
        )


class _Expansion:
    """Sizes of the parts of a configuration with interpolations resolved."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._sizes: dict[tuple[str, ...], int] = {}

    def size(self, value: Any, path: tuple[str, ...], chain: int) -> int:
        """Return how many values there are at a place when all is resolved."""
        if isinstance(value, Mapping):
            parts = [(str(key), part) for key, part in value.items()]
        elif isinstance(value, list):
            parts = [(str(place), part) for place, part in enumerate(value)]
        elif isinstance(value, str) and "${" in value:
            keys = _ANY_KEY.findall(value)
            return 1 + sum(self._target(path, key, chain + 1) for key in keys)
        else:
            return 1
        return 1 + sum(self.size(part, (*path, key), chain) for key, part in parts)

    def _target(self, path: tuple[str, ...], key: str, chain: int) -> int:
        if chain > LONGEST_CHAIN:
            raise RecursionError
        place = _absolute(path, key)
        if place not in self._sizes:
            self._sizes[place] = 0  # a cycle is found, and told, where it is resolved
            self._sizes[place] = self.size(_at(self._root, place), place, chain)
        return self._sizes[place]


def _absolute(path: tuple[str, ...], key: str) -> tuple[str, ...]:
    """Return the place that a key means: dots count containers, from the one that has the key."""
    name = key.lstrip(".")
    num_dots = len(key) - len(name)
    parts = tuple(x for x in re.split(r"[.\[\]]+", name) if x)
    base = path[: max(len(path) - num_dots, 0)] if num_dots else ()
    return (*base, *parts)


def _at(root: Any, place: Sequence[str]) -> Any:
    value = root
    for part in place:
        if isinstance(value, Mapping):
            value = {str(key): x for key, x in value.items()}.get(part)
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def register_resolvers() -> None:
    """Register the arithmetic that YAML may use: ``${mul:${..heads},${..head_dim}}``."""
    for name, function in (
        ("mul", lambda *factors: _number(prod(_numbers(factors)))),
        ("add", lambda *terms: _number(sum(_numbers(terms)))),
        ("sub", lambda first, second: _number(_numbers([first])[0] - _numbers([second])[0])),
        ("floor_div", lambda first, second: _divided(*_numbers([first, second]))),
    ):
        if not OmegaConf.has_resolver(name):
            OmegaConf.register_new_resolver(name, function)


def _divided(first: float, second: float) -> float:
    if second == 0:
        raise DseError(f"floor_div must have a divisor other than 0, got {first} and 0")
    return first // second


def _numbers(values: Sequence[object]) -> list[Any]:
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise DseError(f"arithmetic must be of numbers, got {str(value)[:60]!r}")
    return list(values)


def _number(value: Any) -> Any:
    if not -LARGEST_RESULT <= value <= LARGEST_RESULT:
        raise DseError("arithmetic must give a number below 2^62")
    return value
