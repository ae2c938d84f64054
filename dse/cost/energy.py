"""Energy and power (dse/docs/model.md): MACs, DRAM bits, and what runs all the time."""

from collections.abc import Iterable
from math import fsum

import numpy as np

from dse.arrays import FloatArray, Numbers, flat_floats
from dse.compiling import compiled, inlined
from dse.hardware import Accelerator
from dse.technology import Constant
from dse.workload import Layer

UNNAMED_DRAM_PJ_PER_BIT = Constant(
    value=8,
    low=2,
    high=70,
    source="[assume] LPDDR4 of the Accelergy CACTI plug-in; range LPDDR5X to DDR3 of conf/dram",
)
"""Energy of a transferred bit where a machine gives a DRAM rate and no part. [pJ/bit]."""


def mac_scale(input_bits: Numbers, weight_bits: Numbers) -> FloatArray:
    """Return energy and area of a MAC relative to one of 8 by 8 bits.

    Parameters
    ----------
    input_bits, weight_bits : shape (...), broadcast together
        Bits of the two factors. [bits]

    Returns
    -------
    shape (...)
        Product of the bits over 64, fractions (shares of scales) left out; 1 exactly at 8 by 8.

    Notes
    -----
    Source: an array multiplier has a cell for each pair of bits. Horowitz, ISSCC 2014: a 32-bit
    multiplication takes 3.1 pJ, one of 8 bits 0.2 pJ, 15.5 times where the rule says 16; areas
    3495 and 282 um2 (recalled), 12.4 times. Adders grow slower (0.1 and 0.03 pJ), so the rule is
    high for wide operands and low for narrow ones.
    """
    return np.floor(np.asarray(input_bits, dtype=np.float64)) * np.floor(weight_bits) / 64


def scaled_macs(layers: Iterable[Layer]) -> float:
    """Return the MACs of all runs of layers, scaled to 8 by 8 bits by `mac_scale`. [MACs]."""
    return fsum(x.macs * x.repeat * float(mac_scale(x.input_bits, x.weight_bits)) for x in layers)


def dram_pj_per_bit(accelerator: Accelerator) -> float:
    """Return the energy of a transferred bit: the machine's own, its part's, or the assumed one.

    Returns
    -------
    float
        ``dram.pj_per_bit``, else that of ``dram_part``, else `UNNAMED_DRAM_PJ_PER_BIT`. [pJ/bit]
    """
    if accelerator.dram.pj_per_bit is not None:
        return accelerator.dram.pj_per_bit
    if accelerator.dram_part is not None:
        return accelerator.dram_part.pj_per_bit.value
    return UNNAMED_DRAM_PJ_PER_BIT.value


@inlined
def energy(
    macs_pj: float, dram_bits: float, latency_s: float, dram_pj_per_bit: float, leakage_w: float
) -> float:
    """Return MACs + DRAM bits * pJ + leakage * latency; see `energy_pj`. [pJ]."""
    if np.isinf(dram_bits) or np.isinf(latency_s):  # nothing fits; not inf * 0
        return np.inf
    return macs_pj + dram_bits * dram_pj_per_bit + leakage_w * latency_s * 1e12


@compiled
def _set_energies(
    macs_pj: FloatArray,
    dram_bits: FloatArray,
    latency_s: FloatArray,
    dram_pj_per_bit: FloatArray,
    leakage_w: FloatArray,
    energies: FloatArray,
) -> None:
    for index in range(len(energies)):
        energies[index] = energy(
            macs_pj[index],
            dram_bits[index],
            latency_s[index],
            dram_pj_per_bit[index],
            leakage_w[index],
        )


def energy_pj(
    macs: Numbers,
    dram_bits: Numbers,
    latency_s: Numbers,
    *,
    mac_pj: Numbers,
    dram_pj_per_bit: Numbers,
    leakage_w: Numbers,
) -> FloatArray:
    """Return MACs * pJ + DRAM bits * pJ + leakage * latency.

    Parameters
    ----------
    macs, dram_bits, latency_s : shape (...), broadcast together
        MACs, bits read and written, and time. [MACs, bits, s]
    mac_pj : shape (...)
        Energy of a MAC of the operands' bits: ``Technology.mac_pj`` times `mac_scale`. [pJ]
    dram_pj_per_bit : shape (...)
        Energy of a transferred bit. [pJ/bit]
    leakage_w : shape (...)
        Power that does not follow the MACs: ``leakage_w_per_mm2`` times the area. [W]

    Returns
    -------
    shape (...)
        Energy; inf where the latency or the bits are. [pJ]

    Notes
    -----
    Source: dse/docs/model.md. The constants' sources are in conf/technology and conf/dram.
    """
    macs_pj = np.asarray(macs, np.float64) * mac_pj
    shape, flat = flat_floats(macs_pj, dram_bits, latency_s, dram_pj_per_bit, leakage_w)
    energies = np.empty(flat[0].shape)
    _set_energies(flat[0], flat[1], flat[2], flat[3], flat[4], energies)
    return energies.reshape(shape)


def power_w(energy_pj: Numbers, latency_s: Numbers) -> FloatArray:
    """Return the average power, DRAM included.

    Parameters
    ----------
    energy_pj, latency_s : shape (...), broadcast together
        Energy and time of the same run. [pJ, s]

    Returns
    -------
    shape (...)
        Energy over latency; inf where the latency is, a design that nothing fits. [W]
    """
    energy, latency = np.asarray(energy_pj, np.float64), np.asarray(latency_s, np.float64)
    with np.errstate(invalid="ignore"):  # inf / inf
        power = energy * 1e-12 / latency
    return np.where(np.isinf(latency), np.inf, power)
