"""Process nodes: energy, area, leakage and price constants."""

import math
from dataclasses import dataclass

from dse.errors import DseError
from dse.shown import short_repr
from dse.technology.constants import Constant


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
    max_clock_hz
        The fastest clock of a processor of the node, above which no machine is taken; its low end
        is the fastest of an array of MACs. None where it is not known. [Hz]

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
    max_clock_hz: Constant | None = None

    __repr__ = short_repr

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

    def check_clock(self, what: str, clock_hz: float) -> None:
        """Raise DseError if a clock is faster than any of the node; `what` says whose it is."""
        if self.max_clock_hz is not None and clock_hz > self.max_clock_hz.value:
            raise DseError(
                f"{what} must be at most {self.max_clock_hz.value:g}, the fastest clock of "
                f"{self.name} (technology.max_clock_hz), got {clock_hz:g}"
            )
