"""DRAM parts as they are bought, and the catalogue of parts and nodes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from dse.errors import DseError
from dse.frozen import FrozenDict
from dse.shown import short_repr
from dse.technology.constants import Constant
from dse.technology.nodes import Technology


@dataclass(frozen=True, slots=True, kw_only=True)
class DramPart:
    """One DRAM device or module as it is bought.

    Attributes
    ----------
    bytes_per_s
        Peak rate of one channel: width times transfer rate over 8. [bytes/s]
    burst_bytes
        Bytes of one burst; recorded, its effect is in the efficiency. [bytes]
    pj_per_bit
        Energy of a transferred bit. [pJ/bit]
    usd
        Price of one channel. [USD]
    source
        Where the rate is published.
    """

    name: str
    bytes_per_s: float
    burst_bytes: int
    pj_per_bit: Constant
    usd: Constant
    source: str

    def __post_init__(self) -> None:
        for key in ("bytes_per_s", "burst_bytes"):
            value = getattr(self, key)
            if not (math.isfinite(value) and value > 0):
                raise DseError(f"DRAM part {self.name!r}.{key} must be positive, got {value!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The DRAM parts and process nodes that an accelerator or a space may name.

    Attributes
    ----------
    dram_parts, technologies
        By name; read-only.
    """

    dram_parts: Mapping[str, DramPart]
    technologies: Mapping[str, Technology]

    __repr__ = short_repr

    def __post_init__(self) -> None:
        for key in ("dram_parts", "technologies"):
            object.__setattr__(self, key, FrozenDict(getattr(self, key)))
