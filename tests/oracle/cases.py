"""Random small layers and machines of every kind, and how to paste one into a test."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from math import factorial
from random import Random
from typing import Any

from dse.errors import DseError
from dse.hardware import TRANSFERS, Accelerator, Axis, Buffer, Constraints, Dram
from dse.technology import Constant, Technology
from dse.workload import Layer
from tests.oracle.brute import all_unrollings
from tests.oracle.walk import LOOPS, OWN

ZERO = Constant(value=0.0, low=0.0, high=0.0, source="[assume] tests")
MAC = Constant(value=0.25, low=0.25, high=0.25, source="[assume] tests")
LEAKAGE = Constant(value=0.05, low=0.05, high=0.05, source="[assume] tests")
AREA = Constant(value=0.5, low=0.5, high=0.5, source="[assume] tests")
TECHNOLOGY = Technology(
    name="tests",
    node_nm=28.0,
    area_fixed_mm2=AREA,
    area_mm2_per_mac=AREA,
    area_mm2_per_kib=AREA,
    area_fit_macs=(1, 10**9),
    area_fit_kib=(1, 10**9),
    mac_pj=MAC,
    leakage_w_per_mm2=LEAKAGE,
    wafer_usd=ZERO,
    defects_per_cm2=ZERO,
)

OPERANDS = ("input", "weight", "output")
OUTPUT = set(OWN["output"])
BITS = (4, 8, 16, 32)
BUFFERS = (
    (OPERANDS,),
    (("input", "output"), ("weight",)),
    (("output", "weight"), ("input",)),
    (("input", "weight"), ("output",)),
    (("input",), ("weight",), ("output",)),
)


def _dense(rng: Random, most: int) -> dict[str, int]:
    taps = rng.choice([2, 3, 3])
    return {
        "k": rng.randint(1, most),
        "c": rng.randint(1, most),
        **_image(rng, most, taps, pad=taps // 2),
    }


def _grouped(rng: Random, most: int) -> dict[str, int]:
    some = {"g": rng.randint(2, 3), "k": rng.randint(1, most), "c": rng.randint(1, most)}
    return some | _image(rng, most, rng.choice([1, 2, 3]), pad=rng.randint(0, 1))


def _depthwise(rng: Random, most: int) -> dict[str, int]:
    return {"g": rng.randint(2, most + 1)} | _image(rng, most, 3, pad=1, stride=rng.randint(1, 2))


def _matrix_product(rng: Random, most: int) -> dict[str, int]:
    return {loop: rng.randint(1, 2 * most + 1) for loop in ("oy", "k", "c")}


def _attention(rng: Random, most: int) -> dict[str, int]:
    sizes = {loop: rng.randint(1, most + 1) for loop in ("oy", "k", "c")}
    return sizes | {"g": rng.randint(2, 4), "weight_is_activation": True}


def _five_by_five(rng: Random, most: int) -> dict[str, int]:
    return {"k": rng.randint(1, 2), "c": rng.randint(1, 2)} | _image(rng, most, 5, pad=2)


def _seven_by_seven(rng: Random, most: int) -> dict[str, int]:
    return {"k": rng.randint(1, 2), "c": rng.randint(1, 2)} | _image(rng, most, 7, pad=3, stride=2)


def _dilated(rng: Random, most: int) -> dict[str, int]:
    dilation, taps = rng.choice([2, 2, 3]), rng.randint(2, 3)
    image = _image(rng, most, taps, pad=rng.randint(0, dilation), dilation=dilation)
    return {"k": rng.randint(1, most), "c": rng.randint(1, most)} | image


def _wide_stride(rng: Random, most: int) -> dict[str, int]:
    taps = rng.randint(1, 2)
    image = _image(rng, most, taps, pad=rng.randint(0, 1), stride=rng.randint(taps + 1, 4))
    return {"k": rng.randint(1, most), "c": rng.randint(1, most)} | image


def _anything(rng: Random, most: int) -> dict[str, int]:
    sizes = {loop: rng.choice([1, 1, 2, 3, most]) for loop in LOOPS}
    for axis in "yx":
        for key, limit in (("stride", 4), ("dilation", 3)):
            sizes[f"{key}_{axis}"] = rng.randint(1, limit)
        sizes[f"pad_{axis}"] = rng.randint(0, 4)
        sizes[f"i{axis}"] = rng.randint(1, 12)
    return sizes


def _image(
    rng: Random, most: int, taps: int, *, pad: int = 0, stride: int = 1, dilation: int = 1
) -> dict[str, int]:
    """Height and width: one of them is often 1, so that brute force stays fast."""
    sizes = {}
    flat = rng.choice(["y", "x", "x", ""])
    for axis in "yx":
        thin = axis == flat
        out = 1 if thin else rng.randint(1, most + 2)
        filt = 1 if thin and rng.random() < 0.7 else taps
        span = (out - 1) * stride + (filt - 1) * dilation + 1
        before = min(pad, span - 1) if filt > 1 else 0
        sizes |= {f"o{axis}": out, f"f{axis}": filt, f"stride_{axis}": stride}
        sizes |= {f"dilation_{axis}": dilation, f"pad_{axis}": before}
        sizes[f"i{axis}"] = max(1, span - before - rng.choice([before, before, 0, -1, before + 1]))
    return sizes


KINDS: tuple[Callable[[Random, int], dict[str, int]], ...] = (
    _dense,
    _grouped,
    _depthwise,
    _matrix_product,
    _attention,
    _five_by_five,
    _seven_by_seven,
    _dilated,
    _wide_stride,
    _anything,
)


def work(layer: Layer) -> int:
    """Count the steps of all walks: every tile in every order of the loops that it cuts."""
    of_cut_loops = [1] + [0] * len(LOOPS)  # steps of all tile sizes, by number of cut loops
    for bound in layer.bounds.values():
        cut = sum(-(-bound // size) for size in range(1, bound))
        for n in range(len(LOOPS), 0, -1):
            of_cut_loops[n] += of_cut_loops[n - 1] * cut
    return sum(factorial(n) * steps for n, steps in enumerate(of_cut_loops))


def random_layer(rng: Random, *, most_work: int = 20_000, most: int = 4) -> Layer:
    """Draw a layer of any kind whose brute force takes at most so many steps.

    Most loops of the layer are at most about `most` long.
    """
    for _ in range(200):
        sizes = rng.choice(KINDS)(rng, most)
        sizes["b"] = rng.choice([sizes.get("b", 1), 1, 1, 2, 3])
        bits = {f"{op}_bits": rng.choice(BITS) for op in OPERANDS}
        bits["psum_bits"] = rng.choice([bits["output_bits"], 2 * bits["output_bits"], 32, 24])
        try:
            layer = Layer(name="random", **sizes, **bits)  # type: ignore[arg-type]
        except DseError:
            continue  # _anything may draw a padding that no layer can have
        if work(layer) <= most_work:
            return layer
    return Layer(name="random", k=2, c=2, oy=2)


def random_chip(rng: Random) -> Accelerator:
    """Draw a machine: arrays of one to three axes, any rules, any split of the buffers."""
    array = tuple(_axis(rng) for _ in range(rng.choice([1, 2, 2, 3])))
    mixed = any(is_mixed(loops) for axis in array for loops in axis.dims)
    holds = rng.choice(BUFFERS)
    return Accelerator(
        name="random",
        clock_hz=1e9,
        array=array,
        buffers=tuple(
            Buffer(name=f"buffer{i}", bytes=rng.randint(4, 96), holds=held)
            for i, held in enumerate(holds)
        ),
        technology=TECHNOLOGY,
        dram=Dram(efficiency=rng.choice([1.0, 0.75]), holds=_carries(rng), pj_per_bit=8.0),
        dram_bytes_per_s=rng.choice([1e8, 1e9, 4e9, 3e10]),
        transfers=rng.choice(TRANSFERS),
        stationarity=rng.choice(
            [OPERANDS] * 4
            + [("weight",), ("output",), ("input",), ("input", "output"), ("weight", "output")]
        ),
        held_in_array=rng.choice(OPERANDS if mixed else (*OPERANDS, "sum")),
        fill_cycles=rng.choice([0, 0, 1, 5, "array"]),
        padding_is_computed=rng.random() < 0.5,
        halo_is_kept=rng.random() < 0.6,
        partial_rows_are_fetched=rng.random() < 0.3,
        constraints=_constraints(rng),
    )


def is_mixed(loops: tuple[str, ...]) -> bool:
    """Whether loops of the output and reduced ones are flattened together: no steps of sums."""
    return bool(OUTPUT & set(loops)) and not set(loops) <= OUTPUT


def _axis(rng: Random) -> Axis:
    choices = []
    for _ in range(rng.randint(1, 4)):
        num_loops = rng.choice([1, 1, 1, 2, 3])
        choices.append(tuple(rng.sample(LOOPS, num_loops)))
    return Axis(size=rng.randint(1, 6), dims=tuple(dict.fromkeys(choices)))


def _carries(rng: Random) -> tuple[str, ...]:
    if rng.random() < 0.7:
        return OPERANDS
    return tuple(op for op in OPERANDS if rng.random() < 0.6)


def _constraints(rng: Random) -> Constraints:
    if rng.random() < 0.7:
        return Constraints()
    least = {loop: rng.choice([2, 99]) for loop in rng.sample(LOOPS, rng.randint(0, 2))}
    most = {loop: rng.randint(1, 3) for loop in rng.sample(LOOPS, rng.randint(0, 2))}
    most = {loop: max(size, least.get(loop, 1)) for loop, size in most.items()}
    return Constraints(min_tile=tuple(least.items()), max_tile=tuple(most.items()))


def random_mapping(
    rng: Random, layer: Layer, chip: Accelerator
) -> tuple[dict[str, int], tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Draw any tile within the constraints, an order with some operand in place, an unrolling.

    The order may be any that keeps an allowed operand in place; its own loops are shuffled.
    """
    least, most = dict(chip.constraints.min_tile), dict(chip.constraints.max_tile)
    tile = {}
    for loop, bound in layer.bounds.items():
        low, high = min(least.get(loop, 1), bound), min(most.get(loop, bound), bound)
        tile[loop] = rng.choice([low, high, rng.randint(low, high)])
    loops = rng.sample(LOOPS, len(LOOPS))
    own = OWN[rng.choice(chip.stationarity)]
    order = sorted(loops, key=lambda loop: loop not in own)
    return tile, tuple(order), rng.choice(all_unrollings(chip))


def with_buffers(chip: Accelerator, sizes_bytes: tuple[int, ...], **changes: Any) -> Accelerator:
    """Return the machine with other buffer sizes, and other changes."""
    sized = zip(chip.buffers, sizes_bytes, strict=True)
    return replace(chip, buffers=tuple(replace(b, bytes=n) for b, n in sized), **changes)


def as_code(value: object) -> str:
    """Return the expression that builds a layer or a machine, without defaults."""
    if value == TECHNOLOGY:
        return "TECHNOLOGY"
    if is_dataclass(value):
        given = []
        for field in fields(value):
            own = getattr(value, field.name)
            factory = field.default_factory
            default = factory() if factory is not MISSING else field.default
            if isinstance(own, Mapping):
                own, default = dict(own), dict(default)  # type: ignore[call-overload]
            if own != default:
                given.append(f"{field.name}={as_code(own)}")
        return f"{type(value).__name__}({', '.join(given)})"
    if isinstance(value, tuple):
        items = [as_code(item) for item in value]
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    return repr(value)
