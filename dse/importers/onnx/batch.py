"""Which dynamic dimensions of a file are the batch."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dse.errors import DseError, nearest
from dse.importers.onnx.file import parameter_name
from dse.importers.onnx.types import symbol_of

BATCH_NAMES = ("batch", "batch_size", "batchsize", "bs", "n", "b")

OTHER_NAMES = frozenset(
    {
        *("time", "times", "frame", "frames", "seq", "seqlen", "sequence", "len", "length"),
        *("step", "steps", "samples", "token", "tokens", "points", "nodes", "edges", "past"),
        *("height", "width", "channels", "h", "w", "t"),
    }
)
"""Words that say of a dimension that it is another one than the batch."""

AUTOMATIC = re.compile(r"unk__\d+|s\d+|\?|-1|None|DynamicDimension\.\d+|.*dynamic_axes_\d+", re.I)
"""Names that an exporter gives where its user gave none, each dimension another one."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A dynamic dimension of an input: its name, place, and whether the user named it."""

    name: str
    place: int
    is_named: bool


def batch_symbols(
    path: Path, inputs: Sequence[Any], given: Sequence[str], named: str | None
) -> frozenset[str]:
    """Return the dynamic dimensions that are the batch.

    The one that the user names; else the first one by its name, else the first of all, unless
    its name is that of something else. Others that come first in an input and have no name but
    an exporter's are the same batch. One whose size is given is none.

    Parameters
    ----------
    named
        As the user names it, ``none`` for no dimension, None if nothing is said.

    Raises
    ------
    DseError
        If no dynamic dimension has the name.
    """
    found = [x for value in inputs for x in _symbols(value)]
    free = [x for x in found if parameter_name(x.name) not in given]
    if named is not None:
        return _as_named(path, found, named)
    firsts = [x for x in free if x.place == 0]
    chosen = next((x for x in free if x.name.lower() in BATCH_NAMES), None)
    if chosen is None:
        chosen = next(iter(firsts), None)
        if chosen is not None and chosen.is_named and OTHER_NAMES & _words(chosen.name):
            return frozenset()
    if chosen is None:
        return frozenset()
    return frozenset({chosen.name, *(x.name for x in firsts if not x.is_named)})


def _as_named(path: Path, found: Sequence[Symbol], named: str) -> frozenset[str]:
    if named == "none":
        return frozenset()
    names = {parameter_name(x.name): x.name for x in found}
    if named not in names:
        raise DseError(
            f"{path} has no dynamic dimension {named!r} (import.batch){nearest(named, names)}"
        )
    return frozenset({names[named]})


def _symbols(value: Any) -> Iterator[Symbol]:
    for place, dim in enumerate(value.type.tensor_type.shape.dim):
        name = symbol_of(dim, value.name, place)
        if name is not None:
            is_named = bool(dim.dim_param) and not AUTOMATIC.fullmatch(name)
            yield Symbol(name, place, is_named)


def _words(name: str) -> set[str]:
    return set(re.split(r"[^a-z]+", name.lower()))
