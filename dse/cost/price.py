"""Price of the die and of the DRAM it needs. Prices are scenario inputs, not constants."""

import math

import numpy as np

from dse.arrays import FloatArray, Numbers
from dse.hardware import Accelerator
from dse.technology import Constant, Technology

WAFER_DIAMETER_MM = 300
CLUSTERING = 3
"""Exponent of the yield formula (TTM-CAS, Princeton, as used by LLMCompass)."""

UNNAMED_DRAM_USD_PER_BYTES_PER_S = Constant(
    value=0.375e-9,
    low=0.1e-9,
    high=1.0e-9,
    source="[assume] LPDDR4-3200 x32 of conf/dram, 4.8 USD for 12.8 GB/s",
)
"""Price of a DRAM rate where a machine gives a rate and no part. [USD s/byte]."""


def dies_per_wafer(area_mm2: Numbers) -> FloatArray:
    """Return the whole dies of a 300 mm wafer, as a real number.

    Parameters
    ----------
    area_mm2 : shape (...)
        Area of a die. [mm2]

    Returns
    -------
    shape (...)
        Wafer area over die area, less the dies cut by the edge; at least 0.

    Notes
    -----
    Source: A_w / A - pi * 300 / sqrt(2 A), as in TTM-CAS (Princeton) and LLMCompass.
    """
    area = np.asarray(area_mm2, np.float64)
    wafer_mm2 = math.pi * (WAFER_DIAMETER_MM / 2) ** 2
    return np.maximum(wafer_mm2 / area - math.pi * WAFER_DIAMETER_MM / np.sqrt(2 * area), 0)


def die_yield(area_mm2: Numbers, technology: Technology) -> FloatArray:
    """Return the share of dies without a defect.

    Parameters
    ----------
    area_mm2 : shape (...)
        Area of a die. [mm2]
    technology
        The node, with its defects per cm2.

    Returns
    -------
    shape (...)
        (1 + A D / c)^-c, above 0 and at most 1.

    Notes
    -----
    Source: negative binomial with clustering c = 3, as in TTM-CAS (Princeton) and LLMCompass.
    """
    defects = np.asarray(area_mm2, np.float64) / 100 * technology.defects_per_cm2.value
    one = 1 + defects / CLUSTERING
    return 1 / (one * one * one)  # not **: its last digit differs between arrays and scalars


def die_usd(area_mm2: Numbers, technology: Technology) -> FloatArray:
    """Return the price of a good die, without test, package and masks.

    Parameters
    ----------
    area_mm2 : shape (...)
        Area of a die. [mm2]
    technology
        The node, with its wafer price and defects.

    Returns
    -------
    shape (...)
        Wafer price over good dies; inf where no die fits the wafer. [USD]

    Notes
    -----
    Source: the wafer prices are a disputed estimate of 2020 with a range of 40 % (conf/technology).
    """
    good = dies_per_wafer(area_mm2) * die_yield(area_mm2, technology)
    with np.errstate(divide="ignore"):  # no die fits the wafer
        return technology.wafer_usd.value / good


def dram_usd(accelerator: Accelerator) -> float:
    """Return the price of the DRAM that the accelerator needs, all channels.

    Returns
    -------
    float
        Price of ``dram_part`` times its channels; of a rate without a part, the rate times
        `UNNAMED_DRAM_USD_PER_BYTES_PER_S`. [USD]
    """
    if accelerator.dram_part is not None:
        return accelerator.dram_part.usd.value * accelerator.dram_channels
    return accelerator.peak_dram_bytes_per_s * UNNAMED_DRAM_USD_PER_BYTES_PER_S.value
