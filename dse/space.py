"""Design spaces: an accelerator, its knobs, and the grid of designs that they span.

A design is known by its index in the grid: the first knob turns slowest, as in
`itertools.product`, so the order is that of the knobs and of their values as written.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from operator import mul
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.arrays import IntArray
from dse.checks import check_positive
from dse.errors import DseError, nearest
from dse.frozen import FrozenDict
from dse.hardware import PARAMETERS, Accelerator
from dse.hardware.dram_rate import check_knobs
from dse.shown import short_repr
from dse.technology import Catalogue

Value = int | float | str
"""What a knob may be set to: a number, or the name of a DRAM part or technology."""

Columns = dict[str, NDArray[Any]]
"""Knob name to its values, of shape (designs,): int64, float64, or object for names."""

REAL_KNOBS = frozenset({"clock_hz", "dram_bytes_per_s"})
NAME_KNOBS = frozenset({"dram_part", "technology"})
FURTHER_KNOBS = ("batch", "technology")
"""Knobs that are not parameters of an accelerator."""


def knob_names(accelerator: Accelerator) -> tuple[str, ...]:
    """Return every name that a knob of a space of this accelerator may have."""
    return (*PARAMETERS, *accelerator.parameters, *FURTHER_KNOBS)


@dataclass(frozen=True, kw_only=True)
class Space:
    """A grid of designs.

    Attributes
    ----------
    accelerator
        The machine that is varied.
    knobs
        Knob name to its values, in order. A name is a parameter of the accelerator, ``batch``
        or ``technology``; units are those of the parameter.
    catalogue
        The DRAM parts and technologies that knobs may name.

    Raises
    ------
    DseError
        If there is no knob, a knob has an unknown name, no value, a value twice, or a value
        that is out of range, of the wrong kind or not in the catalogue.
    """

    name: str
    accelerator: Accelerator
    knobs: Mapping[str, tuple[Value, ...]]
    catalogue: Catalogue

    __repr__ = short_repr

    def __post_init__(self) -> None:
        knobs = {name: tuple(values) for name, values in self.knobs.items()}
        object.__setattr__(self, "knobs", FrozenDict(knobs))
        if not knobs:
            raise DseError(f"space {self.name!r}.knobs must have at least one knob, got none")
        for name, values in knobs.items():
            self._check_knob(name, values)
        self._check_clocks()
        check_knobs(f"space {self.name!r}.knobs", knobs)

    def _check_knob(self, name: str, values: tuple[Value, ...]) -> None:
        where = f"space {self.name!r}.knobs.{name}"
        if name not in knob_names(self.accelerator):
            hint = nearest(name, knob_names(self.accelerator))
            raise DseError(f"{where} is not a knob of {self.accelerator.name!r}{hint}")
        if not values:
            raise DseError(f"{where} must have at least one value, got none")
        for value in values:
            if name in NAME_KNOBS:
                self._check_name(where, name, value)
            else:
                check_positive(where, value, integer=name not in REAL_KNOBS)
        if len(set(values)) != len(values):
            twice = next(value for value in values if values.count(value) > 1)
            raise DseError(f"{where} must not repeat a value, got {twice!r} twice")

    def _check_clocks(self) -> None:
        """Check the fastest clock on each node, as every design of the grid is costed."""
        own = self.accelerator.clock_hz
        clock = max(float(x) for x in self.knobs.get("clock_hz", (own,)))
        names = self.knobs.get("technology", ())
        nodes = [self.catalogue.technologies[str(x)] for x in names]
        for node in nodes or [self.accelerator.technology]:
            node.check_clock(f"space {self.name!r}: clock_hz", clock)

    def _check_name(self, where: str, name: str, value: object) -> None:
        is_part = name == "dram_part"
        known = self.catalogue.dram_parts if is_part else self.catalogue.technologies
        if value not in known:
            kind = "DRAM parts" if is_part else "technologies"
            raise DseError(
                f"{where} must name {kind} of the catalogue, got {value!r}"
                f"{nearest(str(value), known)}"
            )

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each knob."""
        return tuple(len(values) for values in self.knobs.values())

    @property
    def size(self) -> int:
        """Number of designs; a Python integer, so it never overflows."""
        return math.prod(self.shape)

    @cached_property
    def strides(self) -> dict[str, int]:
        """By how much the index of a design grows with the place of each knob's value."""
        lengths = [1, *reversed(self.shape[1:])]
        return dict(zip(self.knobs, [*accumulate(lengths, mul)][::-1], strict=True))

    @cached_property
    def _values(self) -> Columns:
        return {name: _column(name, values) for name, values in self.knobs.items()}

    def columns(self, indices: IntArray) -> Columns:
        """Return the designs with these indices, one array for each knob.

        Parameters
        ----------
        indices : shape (designs,)
            Each 0..size-1.

        Raises
        ------
        IndexError
            If an index is outside the grid.
        """
        indices = np.asarray(indices, dtype=np.int64)
        if len(indices) and not (indices.min() >= 0 and indices.max() < self.size):
            raise IndexError(f"design indices must be from 0 to {self.size - 1}")
        result: Columns = {}
        rest = indices
        for name, values in reversed(self._values.items()):
            rest, place = np.divmod(rest, len(values))
            result[name] = values[place]
        return {name: result[name] for name in self.knobs}

    def indices(self, columns: Mapping[str, NDArray[Any]]) -> IntArray:
        """Return the indices of designs on the grid, of shape (designs,); see `columns`."""
        index: IntArray = np.zeros(len(next(iter(columns.values()))), dtype=np.int64)
        for name, values in self._values.items():
            column, place = columns[name], np.zeros(len(index), dtype=np.int64)
            if name in NAME_KNOBS:
                for number, value in enumerate(values):
                    place[column == value] = number
            else:
                order = np.argsort(values)
                place = order[np.searchsorted(values[order], column)]
            index = index * len(values) + place
        return index

    def chunks(self, designs: int) -> Iterator[IntArray]:
        """Yield the indices of all designs in order, at most `designs` at a time."""
        for start in range(0, self.size, designs):
            yield np.arange(start, min(start + designs, self.size), dtype=np.int64)

    def design(self, index: int) -> dict[str, Value]:
        """Return one design: knob name to value, as Python numbers and texts."""
        row = self.columns(np.array([index]))
        return {name: _plain(column[0]) for name, column in row.items()}

    def places(self, design: Mapping[str, Any]) -> tuple[int, ...]:
        """Return the position of each knob's value among its values.

        Raises
        ------
        DseError
            If the design lacks a knob or has a value that is not on the grid.
        """
        found = []
        for name, values in self.knobs.items():
            if name not in design:
                raise DseError(f"design must give knob {name!r} of space {self.name!r}")
            if design[name] not in values:
                raise DseError(
                    f"design {name} must be one of {', '.join(map(str, values))}, "
                    f"got {design[name]!r}"
                )
            found.append(values.index(design[name]))
        return tuple(found)

    def index(self, design: Mapping[str, Any]) -> int:
        """Return the index of a design; further keys, such as costs, are ignored.

        Raises
        ------
        DseError
            As `places`.
        """
        index = 0
        for place, length in zip(self.places(design), self.shape, strict=True):
            index = index * length + place
        return index


def _column(name: str, values: tuple[Value, ...]) -> NDArray[Any]:
    if name in NAME_KNOBS:
        return np.array(values, dtype=object)
    return np.array(values, dtype=np.float64 if name in REAL_KNOBS else np.int64)


def _plain(value: Any) -> Value:
    plain: Value = value.item() if isinstance(value, np.generic) else value
    return plain
