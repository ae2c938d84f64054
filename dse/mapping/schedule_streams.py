"""What a machine's own schedule moves and computes of a layer, in closed form.

The rules are those of `dse.hardware.schedule.Schedule`; derivation in dse/docs/schedules.md.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np

from dse.arrays import IntArray
from dse.hardware import Accelerator
from dse.hardware.schedule import FILTER, Schedule, Winograd
from dse.mapping.nest.dram_bits import added_bits, packed_bits
from dse.mapping.nest.input_rows import SpatialAxis, real_pairs, real_rows
from dse.workload import Layer


def _up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """What a schedule makes of a layer, before the buffer is known.

    Attributes
    ----------
    kept
        "input" or "weight": what is read once, in chunks, while the other one streams.
    dram_bits
        Bits of all of "input", "weight", "output" and "added" inputs, each moved once. [bits]
    parts
        Parts of the kept operand that no chunk spans unless it holds them whole (images). [1..]
    part_bits, overlap_bits, unit_bits
        Of a part on chip; what neighbouring chunks of a part share and fetch again; what chunks are
        whole multiples of, beside the overlap. [bits]
    overlap_dram_bits
        The overlap in the DRAM. [bits]
    least_bits
        Least of the streaming operand on chip. [bits]
    least_share
        Share of the buffer that this need not exceed; None for all of it.
    cycles, ideal_cycles
        Of the array; ideal without what is rounded up.
    """

    kept: str
    dram_bits: dict[str, int]
    parts: int
    part_bits: int
    overlap_bits: int
    unit_bits: int
    overlap_dram_bits: int
    least_bits: int
    least_share: Fraction | None
    cycles: int
    ideal_cycles: float

    def traffic_bits(self, chunks: IntArray) -> IntArray:
        """Return the DRAM bits with so many chunks, shape (...)."""
        once = sum(self.dram_bits.values())
        other = self.dram_bits["weight" if self.kept == "input" else "input"]
        again = np.maximum(chunks - self.parts, 0) * self.overlap_dram_bits
        return once + (chunks - 1) * other + again


def streams(layer: Layer, chip: Accelerator, schedule: Schedule) -> Streams:
    """Return what the machine's schedule makes of a layer with MACs."""
    form = _Form(layer, chip, schedule)
    elements = {"input": form.input_elements, "weight": form.weight_elements}
    bits = {
        "input": elements["input"] * ceil(layer.input_bits),
        "weight": elements["weight"] * ceil(layer.weight_bits),
    }
    kept = schedule.kept
    if kept == "smaller":
        kept = "weight" if bits["weight"] < bits["input"] else "input"
    dram = {x: packed_bits(layer, chip, x, n) for x, n in elements.items()}
    output = packed_bits(layer, chip, "output", form.output_elements)
    whole = Fraction(form.output_elements, layer.map_elements)  # rounded up as outputs are
    dram |= {"output": output, "added": ceil(added_bits(layer, chip) * whole)}
    row = form.row_elements * ceil(layer.input_bits)
    kernel = form.kernel_elements * ceil(layer.weight_bits)
    granule, shares = dict(schedule.granule), dict(schedule.least_share)
    other = "weight" if kept == "input" else "input"
    share = Fraction(str(shares[other])) if other in shares else None
    is_input = kept == "input"
    overlap = form.overlap_rows if is_input else 0
    return Streams(
        kept=kept,
        dram_bits=dram,
        parts=layer.b if is_input else 1,
        part_bits=bits[kept] // (layer.b if is_input else 1),
        overlap_bits=overlap * row,
        unit_bits=(row if is_input else kernel) * granule[kept] if kept in granule else 1,
        overlap_dram_bits=packed_bits(layer, chip, "input", overlap * form.row_elements),
        least_bits=form.least_kernels * kernel if is_input else form.least_rows * row,
        least_share=share,
        cycles=form.cycles,
        ideal_cycles=form.ideal_cycles,
    )


class _Form:
    """A layer in the machine's own form: folded strides, rounded channels, Winograd weights."""

    def __init__(self, layer: Layer, chip: Accelerator, schedule: Schedule) -> None:
        self.layer, self.chip, self.schedule = layer, chip, schedule
        folds = schedule.strides_are_folded
        self.fold = {x: getattr(layer, f"stride_{x}") if folds else 1 for x in "yx"}
        self.channels = layer.c * self.fold["y"] * self.fold["x"]
        self.winograd = _winograd(layer, schedule)

    def _rows(self, axis: str) -> int:
        """Return the rows of input in the DRAM: all of them where strides are folded."""
        if self.schedule.strides_are_folded:
            return -(-int(getattr(self.layer, f"i{axis}")) // self.fold[axis])
        runs = self.chip.partial_rows_are_fetched
        spatial = SpatialAxis.of(self.layer, axis, whole_runs=runs)
        return int(real_rows(spatial, np.array([0]), np.array([spatial.out]), 0, spatial.taps)[0])

    def _span(self, axis: str) -> int:
        """Return the rows of input, folded, from the first to the last tap of one output."""
        taps, dilation = getattr(self.layer, f"f{axis}"), getattr(self.layer, f"dilation_{axis}")
        return -(-((taps - 1) * dilation + 1) // self.fold[axis])

    @property
    def row_elements(self) -> int:
        """Elements of a row of input: its columns times the channels of all groups, rounded."""
        multiple = self.schedule.multiple("input", "c")
        return self._rows("x") * _up(self.layer.g * self.channels, multiple)

    @property
    def input_elements(self) -> int:
        return self.layer.b * self._rows("y") * self.row_elements

    @property
    def kernel_elements(self) -> int:
        """Elements of the weights of one output channel, rounded, in Winograd form if used."""
        channels = _up(self.channels, self.schedule.multiple("weight", "c"))
        if self.winograd is not None:
            return channels * self.winograd.tile**2
        return channels * self._taps("y") * self._taps("x")

    def _taps(self, axis: str) -> int:
        """Return the taps of a filter, folded: those that fall on one folded row are one."""
        taps, dilation = getattr(self.layer, f"f{axis}"), getattr(self.layer, f"dilation_{axis}")
        return min(int(taps), (int(taps) - 1) * dilation // self.fold[axis] + 1)

    @property
    def kernels(self) -> int:
        return self.layer.g * _up(self.layer.k, self.schedule.multiple("weight", "k"))

    @property
    def weight_elements(self) -> int:
        return self.kernels * self.kernel_elements

    @property
    def output_elements(self) -> int:
        layer = self.layer
        channels = _up(layer.g * layer.k, self.schedule.multiple("output", "k"))
        return layer.b * layer.oy * layer.ox * channels

    @property
    def least_rows(self) -> int:
        least = dict(self.schedule.least).get("input", FILTER)
        return min(self._span("y") if least == FILTER else int(least), self._rows("y"))

    @property
    def least_kernels(self) -> int:
        return min(int(dict(self.schedule.least).get("weight", 1)), self.kernels)

    @property
    def overlap_rows(self) -> int:
        """Rows that two neighbouring chunks of input need both, unless they are kept."""
        if self.chip.halo_is_kept:
            return 0
        stride = 1 if self.schedule.strides_are_folded else self.layer.stride_y
        return min(max(self._span("y") - stride, 0), self._rows("y") - 1)

    @property
    def _positions(self) -> Fraction:
        """(output, filter) pairs of rows and columns of all images, fewer with Winograd."""
        layer = self.layer
        pairs = [getattr(layer, f"o{x}") * getattr(layer, f"f{x}") for x in "yx"]
        if not self.chip.padding_is_computed:
            pairs = [real_pairs(SpatialAxis.of(layer, x, whole_runs=False)) for x in "yx"]
        share = Fraction(1) if self.winograd is None else self.winograd.macs_share
        return layer.b * layer.g * pairs[0] * pairs[1] * share

    @property
    def cycles(self) -> int:
        """Cycles of the array, rounded up once; every MAC works on any channel."""
        layer, fold = self.layer, self.fold["y"] * self.fold["x"]
        rounds = layer.oy * layer.ox > 1 or self.schedule.vectors_are_rounded
        multiples = [self.schedule.multiple("cycles", x) if rounds else 1 for x in "ck"]
        channels = Fraction(_up(self.channels, multiples[0]), fold)
        kernels = _up(layer.k, multiples[1])
        return ceil(self._positions * channels * kernels / self.chip.num_macs)

    @property
    def ideal_cycles(self) -> float:
        return float(self._positions * self.layer.c * self.layer.k / self.chip.num_macs)


def _winograd(layer: Layer, schedule: Schedule) -> Winograd | None:
    """Return the Winograd form where a layer takes it: square filters without stride."""
    own = schedule.winograd
    if own is None or (layer.fy, layer.fx) != (own.filter, own.filter):
        return None
    steps = (layer.stride_y, layer.stride_x, layer.dilation_y, layer.dilation_x)
    return own if steps == (1, 1, 1, 1) and layer.c >= own.least_channels else None
