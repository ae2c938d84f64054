"""Brute force over every place of every tensor of a small network, as between-layers.md says.

Shares no code with ``dse.network``: who reads what is given, masks and rooms are counted here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from math import ceil, inf
from random import Random

from dse.hardware import Accelerator
from dse.workload import Layer, Workload
from tests.oracle.brute import Cycles, Traffic, all_orders, all_tiles
from tests.oracle.cases import work
from tests.oracle.walk import (
    LOOPS,
    footprint_elements,
    input_elements,
    output_elements,
    weight_elements,
)

Place = tuple[str, int, int]
"""dram, chip, both or fetched; the readers from which and until which a tensor is held."""

Option = tuple[Mapping[str, int], Mapping[str, int], int]
"""One mapping: elements that move, elements of its tiles, cycles."""

Point = tuple[float, float]
"""Seconds and bits."""


@dataclass
class Net:
    """A small network: layers, and the tensors (layers that write) that each reads."""

    layers: list[Layer] = field(default_factory=list)
    reads: list[list[int]] = field(default_factory=list)

    def workload(self) -> Workload:
        """Return the same as the model wants it."""
        edges = tuple(
            (self.layers[n].name, self.layers[x].name)
            for n, names in enumerate(self.reads)
            for x in names
        )
        return Workload(name="random", layers=tuple(self.layers), edges=edges)

    def readers(self, tensor: int) -> list[int]:
        """Return the layers that read what a layer writes."""
        return [n for n, names in enumerate(self.reads) if tensor in names]

    def elements(self, tensor: int) -> int:
        """Return the elements that a layer writes."""
        layer = self.layers[tensor]
        return layer.k * layer.oy if layer.op == "mac" else layer.output_elements

    def bits(self, tensor: int) -> int:
        """Return the bits that a layer writes."""
        return self.elements(tensor) * self.layers[tensor].output_bits

    def read_elements(self, number: int) -> int:
        """Return all elements that a layer reads as input."""
        layer = self.layers[number]
        return layer.c * (layer.iy or 1) if layer.op == "mac" else layer.input_elements


def random_net(rng: Random, *, most_layers: int = 6, most_work: int = 1500) -> Net:
    """Draw a network of small layers with skips, branches, concatenations and additions."""
    net, bits = Net(), rng.choice([4, 8, 16])
    shapes: list[tuple[int, int]] = []  # channels and rows of what each layer writes
    rows = rng.choice([1, 2, 3, 4])
    own = {"input_bits": bits, "output_bits": bits, "weight_bits": rng.choice([4, 8])}
    for number in range(rng.randint(2, most_layers)):
        for _ in range(100):
            layer, read, shape = _draw(rng, number, shapes, rows, own)
            if layer.op != "mac" or work(layer) <= most_work:
                break
        else:
            layer, read = Layer(name=f"l{number}", k=2, oy=rows, **own), []
            shape = 2, rows
        net.layers.append(layer)
        net.reads.append(read)
        shapes.append(shape)
    # without any edge the model takes a network to be a chain
    return net if any(net.reads) else random_net(rng, most_layers=most_layers, most_work=most_work)


def _draw(
    rng: Random,
    number: int,
    shapes: Sequence[tuple[int, int]],
    rows: int,
    own: Mapping[str, int],
) -> tuple[Layer, list[int], tuple[int, int]]:
    name = f"l{number}"
    first = rng.choice(range(max(0, number - 3), number)) if number and rng.random() < 0.9 else None
    repeat = 2 if rng.random() < 0.05 else 1
    if first is None:
        k, c = rng.randint(1, 3), rng.randint(1, 3)
        layer = Layer(name=name, k=k, c=c, oy=rows, psum_bits=32, repeat=repeat, **own)
        return layer, [], (k, rows)
    channels, here = shapes[first]
    like = [n for n, shape in enumerate(shapes) if shape == shapes[first] and n != first]
    kind = rng.choice(["mac", "mac", "mac", "add", "activation", "pool"])
    if kind == "add" and like:
        read = sorted([first, rng.choice(like)])
        size = channels * here
        layer = Layer(name=name, op="add", input_elements=2 * size, output_elements=size, **own)
        return layer, read, (channels, here)
    if kind in ("activation", "pool"):
        left = here if kind == "activation" else max(1, here // 2)
        layer = Layer(
            name=name, op=kind, input_elements=channels * here, output_elements=channels * left,
            **own,
        )  # fmt: skip
        return layer, [first], (channels, left)
    beside = [n for n, shape in enumerate(shapes) if shape[1] == here and n != first]
    read = sorted([first, *rng.sample(beside, min(len(beside), rng.choice([0, 0, 1, 1, 2])))])
    c = sum(shapes[n][0] for n in read) + rng.choice([0, 0, 0, 1])
    taps, stride = rng.choice([(1, 1), (3, 1), (3, 2), (1, 2)])
    out = -(-here // stride)
    k = rng.randint(1, 3)
    layer = Layer(
        name=name, k=k, c=c, oy=out, fy=taps, stride_y=stride, pad_y=taps // 2, iy=here,
        psum_bits=rng.choice([16, 32]), repeat=repeat, **own,
    )  # fmt: skip
    return layer, read, (k, out)


def options(layer: Layer, chip: Accelerator) -> list[Option]:
    """Return every mapping of a layer, with the cycles of the best unrolling."""
    cycles, found = Cycles(layer, chip), []
    for tile in all_tiles(layer, chip):
        traffic, least = Traffic(layer, chip, tile), min(cycles.cycles(tile).values())
        elements = footprint_elements(layer, chip, tile)
        counts = {tuple(sorted(traffic.counts(x).items())) for x in all_orders(layer, chip, tile)}
        found += [(dict(one), elements, least) for one in counts]
    return found


class BruteForce:
    """All schedules of a network on a machine."""

    def __init__(self, net: Net, chip: Accelerator) -> None:
        self.net, self.chip = net, chip
        self.options = [options(x, chip) if x.op == "mac" else [] for x in net.layers]
        self.copies = 2 if chip.transfers == "double_buffered" else 1
        self.shared = next(
            n for n, x in enumerate(chip.buffers) if {"input", "output"} <= set(x.holds)
        )
        self._known: dict[object, list[Point]] = {}

    def places(self, tensor: int) -> Iterator[Place]:
        """Yield the places that a tensor may have."""
        readers = self.net.readers(tensor)
        yield "dram", -1, -1
        if not readers or any(self.net.layers[n].repeat > 1 for n in (tensor, *readers)):
            return
        yield "chip", tensor, readers[-1]
        for last in readers:
            yield "both", tensor, last
        for place, first in enumerate(readers):
            for last in readers[place + 1 :]:
                yield "fetched", first, last

    def schedules(self) -> Iterator[tuple[Place, ...]]:
        """Yield the places of all tensors, in every combination."""
        yield from product(*(list(self.places(n)) for n in range(len(self.net.layers))))

    def points(self, places: Sequence[Place]) -> list[list[Point]]:
        """Return for each layer the seconds and bits of its mappings that fit."""
        return [self._layer(number, places) for number in range(len(self.net.layers))]

    def held_bits(self, number: int, places: Sequence[Place]) -> int:
        """Count the bits of tensors that are on the chip while a layer runs."""
        net, layer = self.net, self.net.layers[number]
        held = [n for n, (_, first, last) in enumerate(places) if 0 <= first <= number <= last]
        total = sum(net.bits(n) for n in held)
        dying = [
            n
            for n in net.reads[number]
            if n in held and places[n][2] == number and net.bits(n) >= net.bits(number)
        ]
        if layer.op in ("add", "activation") and number in held and dying:
            total -= net.bits(number)
        return total

    def _layer(self, number: int, places: Sequence[Place]) -> list[Point]:
        net = self.net
        held = sum(
            net.elements(n) for n in net.reads[number]
            if self._is_held(places[n], number)
        )  # fmt: skip
        coming = [n for n in net.reads[number] if places[n][:2] == ("fetched", number)]
        fetched = sum(net.elements(n) for n in coming), sum(net.bits(n) for n in coming)
        stays = places[number][0] == "chip"
        key = number, held, fetched, stays, self.held_bits(number, places)
        if key not in self._known:
            self._known[key] = self._points(*key)
        return self._known[key]

    @staticmethod
    def _is_held(place: Place, number: int) -> bool:
        """Whether a tensor is on the chip already when a layer that reads it starts."""
        kind, first, last = place
        return kind != "dram" and first < number <= last

    def _points(
        self, number: int, held: int, fetched: tuple[int, int], stays: bool, bits_held: int
    ) -> list[Point]:
        layer, whole = self.net.layers[number], self.net.read_elements(number)
        left = Fraction(whole - held - fetched[0], whole)
        crossing = Fraction(whole - held, whole)
        if layer.op != "mac":
            room = 8 * self.chip.buffer_sizes_bytes[self.shared] - bits_held
            written = 0 if stays else layer.output_elements * layer.output_bits
            bits = ceil(left * whole * layer.input_bits) + fetched[1] + written
            return [self._point(0, bits, 0)] if room >= 0 else []
        found = []
        for counts, elements, cycles in self.options[number]:
            if not self._fits(layer, elements, left, bits_held):
                continue
            rows = counts["input"] // layer.c
            bits = rows * ceil(layer.c * layer.input_bits * left) + fetched[1]
            bits += counts["weight"] * layer.weight_bits
            bits += 0 if stays else counts["output"] * layer.output_bits
            bits += sum(counts.get(x, 0) for x in ("psum_write", "psum_read")) * layer.psum_bits
            ends = elements["input"] * ceil(layer.input_bits * crossing)
            ends += elements["weight"] * layer.weight_bits
            ends += 0 if stays else elements["output"] * layer.output_bits
            found.append(self._point(cycles, bits, ends))
        times = layer.repeat
        return _undominated([(x * times, y * times) for x, y in found])

    def _fits(
        self, layer: Layer, elements: Mapping[str, int], left: Fraction, bits_held: int
    ) -> bool:
        bits = {
            "input": layer.input_bits if left else 0,
            "weight": layer.weight_bits,
            "output": layer.psum_bits,
        }
        for place, buffer in enumerate(self.chip.buffers):
            room = 8 * self.chip.buffer_sizes_bytes[place]
            room -= bits_held if place == self.shared else 0
            if self.copies * sum(elements[x] * bits[x] for x in buffer.holds) > room:
                return False
        return True

    def _point(self, cycles: int, bits: int, ends: int) -> Point:
        chip = self.chip
        rate = 8 * chip.peak_dram_bytes_per_s * chip.dram.efficiency
        compute, transfer = cycles / chip.clock_hz, bits / rate
        if chip.transfers == "serial":
            return compute + transfer, bits
        exposed = min(ends / rate, transfer) if chip.transfers == "double_buffered" else 0
        return max(compute + exposed, transfer), bits

    def least(self, second: float, bit: float) -> float:
        """Return the least weighted sum of seconds and bits over all schedules; inf if none."""
        best = inf
        for places in self.schedules():
            total = 0.0
            for points in self.points(places):
                total += min((x * second + y * bit for x, y in points), default=inf)
            best = min(best, total)
        return best

    def totals(self) -> list[Point]:
        """Return seconds and bits of all schedules that no other matches or beats."""
        found: list[Point] = []
        for places in self.schedules():
            sums: list[Point] = [(0.0, 0.0)]
            for points in self.points(places):
                sums = _undominated([(x + a, y + b) for x, y in sums for a, b in points])
            found += sums
        return _undominated(found)


def _undominated(points: Sequence[Point]) -> list[Point]:
    kept: list[Point] = []
    for point in sorted(points):
        if not kept or point[1] < kept[-1][1]:
            kept.append(point)
    return kept


def lower_hull(points: Sequence[Point]) -> list[Point]:
    """Return the vertices of the lower left hull of undominated points, none nearly on a line."""
    hull: list[Point] = []
    for x, y in points:
        while len(hull) > 1:
            (ax, ay), (bx, by) = hull[-2:]
            if (by - ay) * (x - ax) < (y - ay) * (bx - ax) * (1 + 1e-9):  # falls are negative
                break
            hull.pop()
        hull.append((x, y))
    return hull


class Replay:
    """A literal walk of a schedule: what is on the chip and in the DRAM, layer by layer.

    Parameters
    ----------
    net, chip
        What runs, on what.
    held
        Names of the tensors on the chip while each layer runs.
    places
        Place of each tensor, by name.
    """

    def __init__(
        self,
        net: Net,
        chip: Accelerator,
        held: Sequence[Sequence[str]],
        places: Mapping[str, str],
    ) -> None:
        self.net, self.chip, self.places = net, chip, places
        names = [layer.name for layer in net.layers]
        self.held = [{names.index(x) for x in some} for some in held]
        self.on_chip: set[int] = set()
        self.in_dram: set[int] = set()

    def layer(self, number: int, row: Mapping[str, object]) -> tuple[float, int]:
        """Run a layer in the mapping of its row; return DRAM bytes, and the most bits in use."""
        net, layer, held = self.net, self.net.layers[number], self.held[number]
        bits, fetched = 0, set()
        for tensor in net.reads[number]:
            if tensor not in held:
                assert tensor in self.in_dram
            elif tensor not in self.on_chip:
                assert tensor in self.in_dram
                bits += net.bits(tensor)
                fetched.add(tensor)
        assert held <= self.on_chip | fetched | {number}
        left = net.read_elements(number)
        left -= sum(net.elements(x) for x in net.reads[number] if x in held)
        share = Fraction(left, net.read_elements(number))
        is_written = self.places[layer.name] != "chip"
        if is_written:
            self.in_dram.add(number)
        room = self._live_bits(number)
        if layer.op != "mac":
            bits += left * layer.input_bits
            bits += is_written * layer.output_elements * layer.output_bits
        else:
            moved, tiles = self._mapped(layer, row, share, is_written=is_written)
            bits, room = bits + moved, room + tiles
        self.on_chip = held
        return bits / 8 * layer.repeat, room

    def _live_bits(self, number: int) -> int:
        """Count the bits of tensors; an addition or an activation may write over a dying one."""
        net, held = self.net, self.held[number]
        later = self.held[number + 1] if number + 1 < len(self.held) else set()
        total = sum(net.bits(x) for x in held)
        dying = [
            x
            for x in net.reads[number]
            if x in held & self.on_chip - later and net.bits(x) >= net.bits(number)
        ]
        if net.layers[number].op in ("add", "activation") and number in held and dying:
            total -= net.bits(number)
        return total

    def _mapped(
        self, layer: Layer, row: Mapping[str, object], share: Fraction, *, is_written: bool
    ) -> tuple[int, int]:
        """Walk the tile loops; return DRAM bits, and bits that tiles take beside tensors."""
        tile = {loop: int(str(row[f"tile_{loop}"])) for loop in LOOPS}
        order = str(row["order"]).split()
        rows = input_elements(layer, self.chip, tile, order) // layer.c
        outputs = output_elements(layer, tile, order)
        bits = rows * ceil(layer.c * layer.input_bits * share)
        bits += weight_elements(layer, tile, order) * layer.weight_bits
        bits += is_written * outputs["output"] * layer.output_bits
        bits += (outputs["psum_write"] + outputs["psum_read"]) * layer.psum_bits
        elements = footprint_elements(layer, self.chip, tile)
        each = {"input": layer.input_bits if share else 0, "weight": layer.weight_bits}
        each["output"] = layer.psum_bits
        shared = next(x for x in self.chip.buffers if {"input", "output"} <= set(x.holds))
        copies = 2 if self.chip.transfers == "double_buffered" else 1
        return bits, copies * sum(elements[x] * each[x] for x in shared.holds)
