"""Eyeriss v1: its networks with the zeros that were measured, for the tables of its paper."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

import dse

BITS = dict.fromkeys(("input", "weight", "output", "psum"), 16)


def packed_convolutions(network: str, batch: int, zeros: "pd.Series[float]") -> dse.Workload:
    """Return the convolutions of a network with the published shares of zeros.

    Parameters
    ----------
    zeros : shape (convolutions,)
        Of their inputs. The zeros of an output are those of the next input, of the last its own.
    """
    whole = dse.load_workload(network, batch=batch, bits=BITS)
    layers = [x for x in whole.layers if x.name.startswith("conv")]
    shares: Sequence[float] = [*zeros, zeros.iloc[-1]]
    packed = (
        replace(layer, input_zeros=own, output_zeros=after)
        for layer, own, after in zip(layers, shares, shares[1:], strict=False)
    )
    return replace(whole, layers=tuple(packed))
