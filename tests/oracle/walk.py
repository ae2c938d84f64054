"""A literal walk of the tile loops of one mapping: dse/docs/model.md#mapping, done by hand.

Shares no code with ``dse.mapping`` or ``dse.cost``: the loops and the own loops of the operands
are written here again. Elements are counted as sets of coordinates, so nothing is closed-form.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from math import ceil, prod

from dse.hardware import Accelerator
from dse.workload import Layer
from tests.oracle.packing import packed, share

LOOPS = ("b", "g", "k", "c", "oy", "ox", "fy", "fx")
OWN = {
    "input": ("b", "g", "c", "oy", "ox", "fy", "fx"),
    "weight": ("g", "k", "c", "fy", "fx"),
    "output": ("b", "g", "k", "oy", "ox"),
}
REDUCED = ("c", "fy", "fx")

Tile = dict[str, int]
"""The size of the tile of each loop."""

Step = dict[str, range]
"""One tile: the part of each loop that it covers."""

Unrolled = tuple[tuple[str, ...], ...]
"""For each axis of the array the loops that it unrolls, () if unused."""


def ceil_div(a: int, b: int) -> int:
    """Return the quotient rounded up."""
    return (a + b - 1) // b


def cuts(layer: Layer, tile: Tile) -> dict[str, list[range]]:
    """Return the tiles of each loop, the last one with its real size."""
    return {
        loop: [
            range(start, min(start + tile[loop], getattr(layer, loop)))
            for start in range(0, getattr(layer, loop), tile[loop])
        ]
        for loop in LOOPS
    }


def steps(layer: Layer, tile: Tile, order: Sequence[str]) -> Iterator[tuple[dict[str, int], Step]]:
    """Yield the indices and the parts of all tiles, in the order of the loops, outermost first."""
    assert sorted(order) == sorted(LOOPS), order
    tiles = cuts(layer, tile)
    for chosen in product(*(list(enumerate(tiles[loop])) for loop in order)):
        index = {loop: number for loop, (number, _) in zip(order, chosen, strict=True)}
        part = {loop: piece for loop, (_, piece) in zip(order, chosen, strict=True)}
        yield index, part


def touched(layer: Layer, axis: str, outs: range, taps: range, *, runs: bool) -> set[int]:
    """Rows (axis y) or columns (axis x) that the MACs of a tile touch, padding included.

    With `runs` (``partial_rows_are_fetched``) also everything between the first and the last.
    """
    stride, dilation = getattr(layer, f"stride_{axis}"), getattr(layer, f"dilation_{axis}")
    pad = getattr(layer, f"pad_{axis}")
    positions = {out * stride + tap * dilation - pad for out in outs for tap in taps}
    return set(range(min(positions), max(positions) + 1)) if runs else positions


def real(layer: Layer, axis: str, positions: set[int]) -> set[int]:
    """Those rows or columns that are not padding."""
    return {position for position in positions if 0 <= position < getattr(layer, f"i{axis}")}


def real_pairs(layer: Layer, axis: str, outs: range, taps: range) -> int:
    """Pairs of an output row and a filter row whose input row is not padding; likewise columns."""
    stride, dilation = getattr(layer, f"stride_{axis}"), getattr(layer, f"dilation_{axis}")
    pad, size = getattr(layer, f"pad_{axis}"), getattr(layer, f"i{axis}")
    return sum(0 <= out * stride + tap * dilation - pad < size for out in outs for tap in taps)


def input_coordinates(layer: Layer, chip: Accelerator, part: Step) -> set[tuple[int, ...]]:
    """Return the elements of the input that a tile needs from the DRAM."""
    runs = chip.partial_rows_are_fetched
    rows = real(layer, "y", touched(layer, "y", part["oy"], part["fy"], runs=runs))
    columns = real(layer, "x", touched(layer, "x", part["ox"], part["fx"], runs=runs))
    return set(product(part["b"], part["g"], part["c"], rows, columns))


def coordinates(part: Step, operand: str) -> set[tuple[int, ...]]:
    """Return the elements of the weight or the output of a tile."""
    return set(product(*(part[loop] for loop in OWN[operand])))


def index_of(index: dict[str, int], operand: str) -> tuple[int, ...]:
    """Return the indices of the own loops of an operand."""
    return tuple(index[loop] for loop in OWN[operand])


def is_halo_step(before: dict[str, int] | None, now: dict[str, int]) -> bool:
    """Whether the input tile is the next one along oy, or along ox, all other indices equal."""
    if before is None:
        return False
    changed = [loop for loop in OWN["input"] if now[loop] != before[loop]]
    return changed in (["oy"], ["ox"]) and now[changed[0]] == before[changed[0]] + 1


def input_elements(layer: Layer, chip: Accelerator, tile: Tile, order: Sequence[str]) -> int:
    """Input elements fetched."""
    fetched, held_index, held = 0, None, set()
    for index, part in steps(layer, tile, order):
        if held_index is None or index_of(index, "input") != index_of(held_index, "input"):
            needed = input_coordinates(layer, chip, part)
            keeps = chip.halo_is_kept and is_halo_step(held_index, index)
            fetched += len(needed - held) if keeps else len(needed)
            held_index, held = index, needed
    return fetched


def weight_elements(layer: Layer, tile: Tile, order: Sequence[str]) -> int:
    """Weight elements fetched."""
    fetched, held_index = 0, None
    for index, part in steps(layer, tile, order):
        if held_index is None or index_of(index, "weight") != index_of(held_index, "weight"):
            fetched += len(coordinates(part, "weight"))
            held_index = index
    return fetched


def output_elements(layer: Layer, tile: Tile, order: Sequence[str]) -> dict[str, int]:
    """Output elements written, and partial sums written and read back."""
    counts = {"output": 0, "psum_write": 0, "psum_read": 0}
    macs_done: dict[tuple[int, ...], int] = {}  # of each element of the tile
    all_macs = prod(getattr(layer, loop) for loop in REDUCED)
    held: set[tuple[int, ...]] = set()
    held_key: tuple[int, ...] | None = None

    def leave() -> None:
        if held_key is not None:
            complete = macs_done[held_key] == all_macs
            counts["output" if complete else "psum_write"] += len(held)

    for index, part in steps(layer, tile, order):
        key = index_of(index, "output")
        if key != held_key:
            leave()
            held_key, held = key, coordinates(part, "output")
            if key in macs_done:  # it was here before, so it left as partial sums
                counts["psum_read"] += len(held)
        macs_done[key] = macs_done.get(key, 0) + prod(len(part[loop]) for loop in REDUCED)
    leave()
    assert set(macs_done.values()) == {all_macs}
    return counts


def whole_sets(
    layer: Layer, loops: tuple[str, ...], size: int
) -> list[tuple[tuple[str, ...], int]]:
    """Split an axis whose sets do not straddle into loops with places of their own."""
    if len(loops) < 2:
        return [(loops, size)]
    places = min(size, getattr(layer, loops[0]))
    return [(loops[:1], places), *whole_sets(layer, loops[1:], size // places)]


def places(
    layer: Layer, chip: Accelerator, unrolled: Unrolled
) -> list[tuple[tuple[str, ...], int]]:
    """Return the loops of each used axis and its size; of an axis of whole sets loop by loop."""
    return [
        part
        for loops, axis, size in zip(unrolled, chip.array, chip.axis_sizes, strict=True)
        for part in (whole_sets(layer, loops, size) if axis.whole_sets else [(loops, size)])
        if loops
    ]


def tile_cycles(layer: Layer, chip: Accelerator, part: Step, unrolled: Unrolled) -> int:
    """Cycles of one tile: its steps on the array, and the fills of its passes.

    A pass that holds sums until they are finished ends in the tile that finishes them.
    """
    axes = places(layer, chip, unrolled)
    on_axes = [loop for loops, _ in axes for loop in loops]
    counts = {}  # of each group of loops that is counted together
    held = chip.held_in_array
    own = OWN["output" if held == "sum" else held]
    is_finished = all(part[loop].stop == getattr(layer, loop) for loop in REDUCED)
    passes = 1 if held != "sum" or is_finished else 0
    for loops, size in axes:
        if len(loops) > 1:
            counts[loops] = ceil_div(prod(len(part[loop]) for loop in loops), size)
            passes *= counts[loops] if set(loops) & set(own) else 1
    flattened = {loop for loops in counts for loop in loops}
    for loop in LOOPS:
        if loop not in flattened:
            factor = prod(size for loops, size in axes if loops == (loop,))
            counts[(loop,)] = ceil_div(len(part[loop]), factor)
            passes *= counts[(loop,)] if loop in own else 1
    for axis in "yx":
        out, tap = f"o{axis}", f"f{axis}"
        if not chip.padding_is_computed and out not in on_axes and tap not in on_axes:
            pairs = real_pairs(layer, axis, part[out], part[tap])
            if out in own and tap in own:  # the passes are those pairs too
                passes = passes // (counts[(out,)] * counts[(tap,)]) * pairs
            counts[(out,)], counts[(tap,)] = pairs, 1
    return prod(counts.values()) + chip.fill_cycles_per_pass * passes


def input_bits(layer: Layer, chip: Accelerator, part: Step, unrolled: Unrolled) -> int:
    """Bits of a tile's inputs that pass to the array: all of them for each step along k."""
    at_once = prod(size for loops, size in places(layer, chip, unrolled) if loops == ("k",))
    runs, elements = chip.partial_rows_are_fetched, layer.input_bits
    for axis in "yx":
        at = touched(layer, axis, part[f"o{axis}"], part[f"f{axis}"], runs=runs)
        elements *= len(real(layer, axis, at))
    for loop in "bgc":
        elements *= len(part[loop])
    return elements * ceil_div(len(part["k"]), at_once)


def waiting_cycles(
    layer: Layer,
    chip: Accelerator,
    parts: Iterable[tuple[Step, int]],
    busy: int,
    unrolled: Unrolled,
) -> int:
    """Cycles of all tiles, of which the array is busy for some, with its waiting for buffers.

    `parts` are tiles, and how many there are of each.
    """
    bits = {"weight": layer.weight_bits, "output": layer.psum_bits}
    moved, rates = dict.fromkeys(OWN, 0), dict(chip.array_bits_per_cycle)
    for part, times in parts:
        for operand in bits:
            moved[operand] += times * prod(len(part[loop]) for loop in OWN[operand]) * bits[operand]
        if "input" in rates:
            moved["input"] += times * input_bits(layer, chip, part, unrolled)
    if "input" in rates:
        busy = max(busy, ceil_div(moved["input"], rates["input"]))
    if "output" in rates:
        busy = max(busy, ceil_div(moved["output"], rates["output"]))
    return busy + (ceil_div(moved["weight"], rates["weight"]) if "weight" in rates else 0)


def footprint_elements(layer: Layer, chip: Accelerator, tile: Tile) -> dict[str, int]:
    """Elements of the nominal tile of each operand, rows and columns on padding included."""
    runs = chip.partial_rows_are_fetched
    rows = touched(layer, "y", range(tile["oy"]), range(tile["fy"]), runs=runs)
    columns = touched(layer, "x", range(tile["ox"]), range(tile["fx"]), runs=runs)
    return {
        "input": tile["b"] * tile["g"] * tile["c"] * len(rows) * len(columns),
        "weight": prod(tile[loop] for loop in OWN["weight"]),
        "output": prod(tile[loop] for loop in OWN["output"]),
    }


def footprint_bits(layer: Layer, chip: Accelerator, tile: Tile) -> tuple[int, ...]:
    """Bits that the nominal tiles take in each buffer; an output takes its partial sums' bits."""
    elements = footprint_elements(layer, chip, tile)
    bits = {"input": layer.input_bits, "weight": layer.weight_bits, "output": layer.psum_bits}
    return tuple(
        sum(elements[operand] * bits[operand] for operand in buffer.holds)
        for buffer in chip.buffers
    )


def first_last_bits(layer: Layer, chip: Accelerator, tile: Tile) -> int:
    """Bits of the nominal input and weight tiles and of the nominal output tile when written."""
    elements = footprint_elements(layer, chip, tile)
    bits = {"input": layer.input_bits, "weight": layer.weight_bits, "output": layer.output_bits}
    return sum(elements[x] * ceil(bits[x] * share(layer, chip, x)) for x in chip.dram.holds)


def walk(
    layer: Layer, chip: Accelerator, tile: Tile, order: Sequence[str], unrolled: Sequence[object]
) -> dict[str, object]:
    """Walk the tile loops of a mapping and count all that the model counts.

    Parameters
    ----------
    tile
        Size of the tile of each loop. [elements]
    order
        All loops, outermost first.
    unrolled
        For each axis of the array a tuple of loops, () if it is unused.

    Returns
    -------
    dict
        ``elements`` and ``bits`` by operand (input, weight, output, psum_write, psum_read; bits
        of operands that the DRAM carries, else 0), ``dram_bits``, ``compute_cycles``,
        ``footprint_bits`` of each buffer, ``first_last_bits``, ``macs``.
    """
    axes: Unrolled = tuple(tuple(loops) for loops in unrolled)  # type: ignore[call-overload]
    elements = {
        "input": input_elements(layer, chip, tile, order),
        "weight": weight_elements(layer, tile, order),
        **output_elements(layer, tile, order),
    }
    bits = {
        operand: packed(layer, chip, operand, count) * (operand_of(operand) in chip.dram.holds)
        for operand, count in elements.items()
    }
    parts = [part for _, part in steps(layer, tile, order)]
    return {
        "elements": elements,
        "bits": bits,
        "dram_bits": sum(bits.values()),
        "compute_cycles": waiting_cycles(
            layer,
            chip,
            [(part, 1) for part in parts],
            sum(tile_cycles(layer, chip, part, axes) for part in parts),
            axes,
        ),
        "footprint_bits": footprint_bits(layer, chip, tile),
        "first_last_bits": first_last_bits(layer, chip, tile),
        "macs": sum(prod(len(piece) for piece in part.values()) for part in parts),
    }


def operand_of(kind: str) -> str:
    """Return the operand that a kind of traffic belongs to: partial sums belong to the output."""
    return "output" if kind.startswith("psum") else kind


def compulsory_bits(layer: Layer, chip: Accelerator) -> int:
    """Input elements that some MAC reads, weights and outputs, each once, if carried. [bits]."""
    whole = {loop: range(getattr(layer, loop)) for loop in LOOPS}
    rows = real(layer, "y", touched(layer, "y", whole["oy"], whole["fy"], runs=False))
    columns = real(layer, "x", touched(layer, "x", whole["ox"], whole["fx"], runs=False))
    elements = {
        "input": layer.b * layer.g * layer.c * len(rows) * len(columns),
        "weight": len(coordinates(whole, "weight")),
        "output": len(coordinates(whole, "output")),
    }
    plain = replace(chip, weight_granules=())
    return sum(packed(layer, plain, operand, elements[operand]) for operand in chip.dram.holds)
