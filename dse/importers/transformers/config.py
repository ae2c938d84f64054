"""A config.json with its keys checked, and what is made of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dse.errors import DseError
from dse.importers.transformers.layers import Item
from dse.workload import LARGEST_BOUND


@dataclass(frozen=True, slots=True)
class Config:
    """A config.json, its keys checked as they are read."""

    path: Path
    values: Mapping[str, Any]

    def number(self, *keys: str, default: int | None = None) -> int:
        """Return the first of these keys that is given, a whole number from 0."""
        for key in keys:
            value = self.values.get(key)
            if value is None:
                continue
            if (
                isinstance(value, bool)
                or not isinstance(value, int)
                or not 0 <= value <= LARGEST_BOUND
            ):
                rule = f"must be a whole number from 0 to {LARGEST_BOUND}"
                raise DseError(f"{self.path}: {key} {rule}, got {value!r}")
            return value
        if default is None:
            raise DseError(f"{self.path}: needs a value for {keys[0]!r}, got none")
        return default

    def positive(self, *keys: str, default: int | None = None) -> int:
        """Return the first of these keys that is given, a whole number from 1."""
        value = self.number(*keys, default=default)
        if value < 1:
            raise DseError(f"{self.path}: {keys[0]} must be at least 1, got {value}")
        return value

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Return a key that is true or false."""
        value = self.values.get(key)
        return default if value is None else bool(value)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens that are computed, and those that they attend to."""

    queries: int
    context: int


@dataclass(frozen=True, slots=True)
class Made:
    """Layers of a network, the learned elements of what is not run, and what to know of it."""

    items: list[Item]
    idle: int = 0
    notes: tuple[str, ...] = ()
