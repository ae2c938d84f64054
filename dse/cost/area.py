"""Area of the chip without its DRAM interface, from constants fitted to published chips."""

import numpy as np

from dse.arrays import FloatArray, Numbers
from dse.technology import Technology

KIB = 1024


def area_mm2(
    num_macs: Numbers,
    buffer_bytes: Numbers,
    technology: Technology,
    *,
    scale: Numbers = 1.0,
) -> FloatArray:
    """Return fixed part + MACs * area of a MAC + KiB * area of a KiB.

    Parameters
    ----------
    num_macs, buffer_bytes : shape (...), broadcast together
        MACs of the array, and bytes of all buffers together. [MACs, bytes]
    technology
        The node, with the fitted constants.
    scale : shape (...)
        Area of a MAC relative to one of 8 by 8 bits: `dse.cost.energy.mac_scale`.

    Returns
    -------
    shape (...)
        Area without the DRAM interface (controller and PHY). [mm2]

    Notes
    -----
    Source: least squares over the NVDLA primer's table, see conf/technology; the worst row is
    7.6 % off at 28 nm and 9.0 % at 16 nm. `extrapolation_warnings` says where it is left.
    """
    return (
        technology.area_fixed_mm2.value
        + np.asarray(num_macs, np.float64) * scale * technology.area_mm2_per_mac.value
        + np.asarray(buffer_bytes, np.float64) / KIB * technology.area_mm2_per_kib.value
    )


def extrapolation_warnings(
    num_macs: Numbers,
    buffer_bytes: Numbers,
    technology: Technology,
    *,
    scale: Numbers = 1.0,
) -> tuple[str, ...]:
    """Return one plain line for each area constant that is used outside its fit.

    Parameters
    ----------
    num_macs, buffer_bytes, technology, scale
        As for `area_mm2`; of arrays the least and the most count.

    Returns
    -------
    tuple of str
        Empty if every value is inside the ranges of the fit.
    """
    macs, kib = np.asarray(num_macs), np.asarray(buffer_bytes) / KIB
    lines = [
        _outside(f"area of a MAC at {technology.name}", "MACs", macs, technology.area_fit_macs),
        _outside(f"area of a KiB at {technology.name}", "KiB", kib, technology.area_fit_kib),
    ]
    if np.any(np.asarray(scale) != 1):
        lines.append(
            f"area of a MAC at {technology.name} is for 8 by 8 bits; "
            f"for other bits it is scaled by their product"
        )
    return tuple(line for line in lines if line)


def _outside(what: str, unit: str, values: FloatArray, fit: tuple[int, int]) -> str:
    least, most = float(np.min(values)), float(np.max(values))
    if fit[0] <= least and most <= fit[1]:
        return ""
    used = f"{least:,g}" if least == most else f"{least:,g} to {most:,g}"
    if fit == (0, 0):
        return (
            f"{what} was fitted on no chip (it is scaled from another node), used at {used} {unit}"
        )
    return f"{what} is extrapolated: fitted from {fit[0]:,} to {fit[1]:,} {unit}, used at {used}"
