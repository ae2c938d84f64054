"""Constants of process nodes and DRAM parts, each with its range and its source."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from dse.errors import DseError


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A constant with the range that its sources span.

    Attributes
    ----------
    value, low, high
        Best estimate and range, in the unit that the name of the constant says.
    source
        Who published it; ``[assume]`` where nobody did.
    date
        When it held, for what moves (prices); empty where that does not matter.

    Raises
    ------
    DseError
        Unless 0 <= low <= value <= high, all finite, and a source is named.
    """

    value: float
    low: float
    high: float
    source: str
    date: str = ""

    def __post_init__(self) -> None:
        if not all(math.isfinite(x) for x in (self.value, self.low, self.high)):
            raise DseError(f"constant value, low and high must be finite, got {self}")
        if not 0 <= self.low <= self.value <= self.high:
            raise DseError(
                f"constant must have 0 <= low <= value <= high, "
                f"got low {self.low}, value {self.value}, high {self.high}"
            )
        if not self.source:
            raise DseError(f"constant must name its source, got {self.source!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Technology:
    """Energy, area, leakage and price constants of one process node.

    Attributes
    ----------
    node_nm
        Name of the process node. [nm]
    area_fixed_mm2, area_mm2_per_mac, area_mm2_per_kib
        Area of a chip without its DRAM interface: fixed part, one 8-bit MAC with its datapath,
        one KiB of buffer. [mm2]
    area_fit_macs, area_fit_kib
        Least and most MACs and KiB of buffer that the area constants were fitted on; zeros
        where they were scaled from another node, not fitted.
    mac_pj
        Energy of one 8-bit MAC with its datapath and its share of the buffers. [pJ]
    leakage_w_per_mm2
        Power that does not follow the MACs: leakage and clock. [W/mm2]
    wafer_usd, defects_per_cm2
        Price of a 300 mm wafer and density of defects.

    Raises
    ------
    DseError
        If the node is not positive, or a range of the fit is not two ordered numbers.
    """

    name: str
    node_nm: float
    area_fixed_mm2: Constant
    area_mm2_per_mac: Constant
    area_mm2_per_kib: Constant
    area_fit_macs: tuple[int, int]
    area_fit_kib: tuple[int, int]
    mac_pj: Constant
    leakage_w_per_mm2: Constant
    wafer_usd: Constant
    defects_per_cm2: Constant

    def __post_init__(self) -> None:
        if not (math.isfinite(self.node_nm) and self.node_nm > 0):
            raise DseError(
                f"technology {self.name!r}.node_nm must be positive, got {self.node_nm!r}"
            )
        for key in ("area_fit_macs", "area_fit_kib"):
            fit = tuple(getattr(self, key))
            object.__setattr__(self, key, fit)
            if len(fit) != 2 or not 0 <= fit[0] <= fit[1]:
                raise DseError(
                    f"technology {self.name!r}.{key} must be [least, most] with "
                    f"0 <= least <= most, got {list(fit)}"
                )


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

    def __post_init__(self) -> None:
        for key in ("dram_parts", "technologies"):
            object.__setattr__(self, key, MappingProxyType(dict(getattr(self, key))))
