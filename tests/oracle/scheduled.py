"""A literal walk of a machine's own schedule: elements as sets of coordinates, chunks one by one.

Shares no code with ``dse.mapping``: what dse/docs/schedules.md says, done by hand.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import ceil, prod

from dse.hardware import Accelerator
from dse.workload import Layer

Element = tuple[int, ...]


@dataclass
class Walked:
    """What a walk counted: bits moved by operand, chunks, the operand that was kept."""

    kept: str
    chunks: int
    input_bits: int
    weight_bits: int
    output_bits: int


def padded(count: int, multiple: int) -> range:
    """Return so many places, filled up to a whole multiple."""
    places = list(range(count))
    while len(places) % multiple:
        places.append(len(places))
    return range(len(places))


def multiple_of(chip: Accelerator, what: str, loop: str) -> int:
    """Return what a loop is rounded up to."""
    return {k: dict(x) for k, x in chip.schedule.multiples}.get(what, {}).get(loop, 1)


def uses_winograd(layer: Layer, chip: Accelerator) -> bool:
    """Whether the filters of a layer are transformed."""
    own = chip.schedule.winograd
    steps = {layer.stride_y, layer.stride_x, layer.dilation_y, layer.dilation_x}
    is_square = own is not None and layer.fy == layer.fx == own.filter
    return is_square and steps == {1} and layer.c >= own.least_channels


def folds(layer: Layer, chip: Accelerator) -> tuple[int, int]:
    """Return the rows and columns that become channels."""
    is_folded = chip.schedule.strides_are_folded
    return (layer.stride_y, layer.stride_x) if is_folded else (1, 1)


def needed(layer: Layer, chip: Accelerator, axis: str) -> list[int]:
    """Return the rows or columns of the input that are read."""
    size = getattr(layer, f"i{axis}")
    if chip.schedule.strides_are_folded:
        return sorted({x // getattr(layer, f"stride_{axis}") for x in range(size)})
    outs, taps = range(getattr(layer, f"o{axis}")), range(getattr(layer, f"f{axis}"))
    stride, dilation = getattr(layer, f"stride_{axis}"), getattr(layer, f"dilation_{axis}")
    rows = {o * stride + f * dilation - getattr(layer, f"pad_{axis}") for o in outs for f in taps}
    if chip.partial_rows_are_fetched:
        rows = set(range(min(rows), max(rows) + 1))
    return sorted(x for x in rows if 0 <= x < size)


def input_rows(layer: Layer, chip: Accelerator) -> list[list[set[Element]]]:
    """Return the elements of each row of each image, channels of all groups together."""
    fold = folds(layer, chip)
    channels = padded(layer.g * layer.c * fold[0] * fold[1], multiple_of(chip, "input", "c"))
    columns = needed(layer, chip, "x")
    return [
        [set(product([b], [row], columns, channels)) for row in needed(layer, chip, "y")]
        for b in range(layer.b)
    ]


def kernels(layer: Layer, chip: Accelerator) -> list[set[Element]]:
    """Return the elements of each kernel, of all groups."""
    fold = folds(layer, chip)
    channels = padded(layer.c * fold[0] * fold[1], multiple_of(chip, "weight", "c"))
    if uses_winograd(layer, chip):
        side = chip.schedule.winograd.filter + chip.schedule.winograd.outputs - 1
        taps = list(product(range(side), range(side)))
    else:
        rows = {y * layer.dilation_y // fold[0] for y in range(layer.fy)}
        columns = {x * layer.dilation_x // fold[1] for x in range(layer.fx)}
        taps = sorted(product(rows, columns))
    places = padded(layer.k, multiple_of(chip, "weight", "k"))
    return [
        {(g, k, c, *tap) for c in channels for tap in taps} for g in range(layer.g) for k in places
    ]


def outputs(layer: Layer, chip: Accelerator) -> set[Element]:
    """Return the elements of the output, channels of all groups together."""
    channels = padded(layer.g * layer.k, multiple_of(chip, "output", "k"))
    return set(product(range(layer.b), range(layer.oy), range(layer.ox), channels))


def filter_rows(layer: Layer, chip: Accelerator) -> int:
    """Return the rows of input from the first to the last that a filter touches."""
    fold = folds(layer, chip)[0]
    touched = [tap * layer.dilation_y for tap in range(layer.fy)]
    return ceil((touched[-1] - touched[0] + 1) / fold)


def least_bits(layer: Layer, chip: Accelerator, operand: str, room: int) -> int:
    """Return what of an operand must be on chip while it streams, in a buffer of so many bits."""
    least = dict(chip.schedule.least)
    if operand == "weight":
        held = kernels(layer, chip)[: least.get("weight", 1)]
        bits = sum(map(len, held)) * layer.weight_bits
    else:
        rows = least.get("input", "filter")
        rows = filter_rows(layer, chip) if rows == "filter" else rows
        bits = sum(map(len, input_rows(layer, chip)[0][:rows])) * layer.input_bits
    share = dict(chip.schedule.least_share).get(operand)
    return bits if share is None else min(bits, int(Fraction(str(share)) * room))


def cut(units: list[int], room: int, granule: int, overlap: int) -> list[int] | None:
    """Return the bits of each chunk of consecutive units, or None if not one fits.

    Parameters
    ----------
    units
        Bits of each unit (row, kernel or bit) of one part.
    room
        Bits of the buffer that a chunk may take.
    granule
        Units that chunks grow by.
    overlap
        Units that a chunk holds of the one before, and fetches again.
    """
    if sum(units) <= room:
        return [sum(units)]
    chunks, start = [], 0
    while True:
        end = start + overlap
        while end < len(units) and (end - start + granule) * units[0] <= room:
            end += granule  # a whole one also where fewer units are left
        if end == start + overlap:
            return None
        chunks.append(sum(units[start:end]))
        if end >= len(units):
            return chunks
        start = end - overlap


def walk(layer: Layer, chip: Accelerator, buffer_bits: int) -> Walked | None:
    """Walk the schedule of a layer with a buffer of so many bits; None if nothing fits."""
    images, weights = input_rows(layer, chip), kernels(layer, chip)
    bits = {
        "input": sum(len(row) for rows in images for row in rows) * layer.input_bits,
        "weight": sum(map(len, weights)) * layer.weight_bits,
    }
    kept = chip.schedule.kept
    if kept == "smaller":
        kept = min(("input", "weight"), key=lambda x: bits[x])
    other = "weight" if kept == "input" else "input"
    room = buffer_bits - least_bits(layer, chip, other, buffer_bits)
    chunks = _chunks(layer, chip, kept, room)
    if chunks is None:
        return None
    moved = {kept: sum(chunks), other: bits[other] * len(chunks)}
    out = len(outputs(layer, chip)) * layer.output_bits
    return Walked(kept, len(chunks), moved["input"], moved["weight"], out)


def _chunks(layer: Layer, chip: Accelerator, kept: str, room: int) -> list[int] | None:
    granule = dict(chip.schedule.granule)
    if kept == "weight":
        units = [len(x) * layer.weight_bits for x in kernels(layer, chip)]
        return _cut(units, room, granule.get("weight"), 0)
    images = [[len(row) * layer.input_bits for row in rows] for rows in input_rows(layer, chip)]
    if sum(images[0]) <= room:  # whole images, as many as fit
        chunks = [0]
        for rows in images:
            if chunks[-1] + sum(rows) > room:
                chunks.append(0)
            chunks[-1] += sum(rows)
        return chunks
    stride = 1 if chip.schedule.strides_are_folded else layer.stride_y
    overlap = 0 if chip.halo_is_kept else max(filter_rows(layer, chip) - stride, 0)
    each = [_cut(rows, room, granule.get("input"), min(overlap, len(rows) - 1)) for rows in images]
    return None if None in each else [x for part in each for x in part]


def _cut(units: list[int], room: int, granule: int | None, overlap: int) -> list[int] | None:
    if granule is None:  # to the bit
        return cut([1] * sum(units), room, 1, overlap * units[0])
    return cut(units, room, granule, overlap)


def cycles(layer: Layer, chip: Accelerator) -> int:
    """Count the steps of the array, by hand."""
    fold = prod(folds(layer, chip))
    is_rounded = layer.oy * layer.ox > 1 or chip.schedule.vectors_are_rounded
    channels = padded(layer.c * fold, multiple_of(chip, "cycles", "c") if is_rounded else 1)
    places = padded(layer.k, multiple_of(chip, "cycles", "k") if is_rounded else 1)
    pairs = 1
    for axis in "yx":
        out, taps = getattr(layer, f"o{axis}"), getattr(layer, f"f{axis}")
        stride, dilation = getattr(layer, f"stride_{axis}"), getattr(layer, f"dilation_{axis}")
        pad, size = getattr(layer, f"pad_{axis}"), getattr(layer, f"i{axis}")
        pairs *= sum(
            chip.padding_is_computed or 0 <= o * stride + f * dilation - pad < size
            for o in range(out)
            for f in range(taps)
        )
    work = Fraction(layer.b * layer.g * len(places) * len(channels) * pairs, fold)
    if uses_winograd(layer, chip):
        own = chip.schedule.winograd
        work *= Fraction((own.filter + own.outputs - 1) ** 2, (own.filter * own.outputs) ** 2)
    return ceil(work / prod(chip.axis_sizes))
