"""Rules that the values of a machine must keep together, one function each."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from dse.checks import LARGEST, WIDEST, check_between, check_names, check_number, check_switch
from dse.errors import DseError
from dse.hardware.constraints import Unrolling
from dse.hardware.dram_rate import check_one
from dse.hardware.transfers import TRANSFERS
from dse.workload import OPERAND_LOOPS, OPERANDS

if TYPE_CHECKING:
    from dse.hardware.accelerator import Accelerator

HELD = {operand: OPERAND_LOOPS[operand] for operand in OPERANDS} | {"sum": OPERAND_LOOPS["output"]}
"""What an array pass may hold, and the loops of which it holds one step."""

SWITCHES = (
    *("padding_is_computed", "halo_is_kept", "partial_rows_are_fetched"),
    *("pooling_is_fused", "additions_are_fused"),
)
"""The rules of a machine that are true or false."""

BETWEEN_LAYERS = ("none", "tensors")
"""What may stay on the chip between layers: nothing, or whole tensors."""

COUNTS = ("array_rows", "array_columns", "macs", "buffer_bytes", "dram_channels")


def check_machine(chip: "Accelerator") -> None:
    """Raise DseError unless a machine keeps all rules; its parts have checked themselves."""
    for rule in _RULES:
        rule(chip, f"accelerator {chip.name!r}")


def _check_numbers(chip: "Accelerator", owner: str) -> None:
    check_number(owner, "clock_hz", chip.clock_hz, integer=False)
    chip.technology.check_clock(f"{owner}.clock_hz", chip.clock_hz)
    given = {key: getattr(chip, key) for key in COUNTS if getattr(chip, key) is not None}
    for key, value in {**given, **chip.parameters}.items():
        check_number(owner, key, value, integer=True)


def _check_transfers(chip: "Accelerator", owner: str) -> None:
    if chip.transfers not in TRANSFERS:
        rule = ", ".join(TRANSFERS)
        raise DseError(f"{owner}.transfers must be one of {rule}, got {chip.transfers!r}")


def _check_stationarity(chip: "Accelerator", owner: str) -> None:
    check_names(f"{owner}.stationarity", chip.stationarity, OPERANDS, "operand")
    if not chip.stationarity:
        raise DseError(f"{owner}.stationarity must name at least one operand, got none")


def _check_held_in_array(chip: "Accelerator", owner: str) -> None:
    """Check what a pass holds; sums have steps of their own if it holds them until finished."""
    if chip.held_in_array not in HELD:
        rule = ", ".join(HELD)
        raise DseError(f"{owner}.held_in_array must be one of {rule}, got {chip.held_in_array!r}")
    if chip.held_in_array != "sum":
        return
    own = HELD["sum"]
    for loops in _straddling(chip):
        if own & set(loops) and not own >= set(loops):
            raise DseError(
                f"{owner}.array must not flatten loops of the output with c, fy or fx, but in "
                f"whole_sets, where held_in_array is sum, got [{','.join(loops)}]"
            )


def _check_fill_cycles(chip: "Accelerator", owner: str) -> None:
    fill = chip.fill_cycles
    if not isinstance(fill, str):
        check_number(owner, "fill_cycles", fill, integer=True, least=-1)
    elif fill != "array" and fill not in [axis.size for axis in chip.array]:
        raise DseError(
            f"{owner}.fill_cycles must be an integer, array, or the parameter that sizes an axis, "
            f"got {fill!r}"
        )


def _check_switches(chip: "Accelerator", owner: str) -> None:
    for key in SWITCHES:
        check_switch(owner, key, getattr(chip, key))


def _check_pooling(chip: "Accelerator", owner: str) -> None:
    rate = chip.pooling_elements_per_cycle
    if rate is not None:
        check_number(owner, "pooling_elements_per_cycle", rate, integer=False)


def _check_launch(chip: "Accelerator", owner: str) -> None:
    check_between(f"{owner}.launch_s", chip.launch_s, 0, WIDEST)


def _check_array(chip: "Accelerator", owner: str) -> None:
    """Check that the array has a number of MACs."""
    if not chip.array:
        raise DseError(f"{owner}.array must have at least one axis, got none")
    for axis in chip.array:
        chip.number(axis.size, f"{owner}.array size")
    if chip.num_macs > LARGEST:
        raise DseError(
            f"{owner}.array must have at most 2^53, {LARGEST:,} MACs, got {chip.num_macs:,}"
        )


def _check_links(chip: "Accelerator", owner: str) -> None:
    """Check links; k has steps of its own if the input, which passes for each, is limited."""
    what = f"{owner}.array_bits_per_cycle"
    for buffer in chip.buffers:
        for operand, bits in buffer.array_bits_per_cycle:
            check_names(what, (operand,), OPERANDS, "operand")
            check_number(what, operand, bits, integer=True)
            if operand not in buffer.holds:
                raise DseError(
                    f"{what} must be of operands that the buffer {buffer.name!r} holds, got "
                    f"{operand!r}"
                )
    if "input" not in dict(chip.array_bits_per_cycle):
        return
    for loops in _straddling(chip):
        if len(loops) > 1 and "k" in loops:
            raise DseError(
                f"{owner}.array must not flatten k with other loops, but in whole_sets, where "
                f"array_bits_per_cycle names input, which passes for each step of k, got "
                f"[{','.join(loops)}]"
            )


def _straddling(chip: "Accelerator") -> list[Unrolling]:
    """Return the choices of axes that flatten loops without whole sets."""
    return [loops for axis in chip.array if not axis.whole_sets for loops in axis.dims]


def _check_granules(chip: "Accelerator", owner: str) -> None:
    rounded = [loop for loops, _ in chip.granules for loop in loops]
    if len(set(rounded)) < len(rounded):
        raise DseError(f"{owner}.weight_granules must name each loop once, got {rounded}")


def _check_constraints(chip: "Accelerator", owner: str) -> None:
    own = chip.constraints
    for one in (own, *(layer for _, layer in own.layers)):
        for operand in one.stationarity:
            if operand not in chip.stationarity:
                raise DseError(
                    f"{owner}.constraints.stationarity must be of {list(chip.stationarity)}, "
                    f"which the machine may keep in place, got {operand!r}"
                )
        check_unrolled(chip, f"{owner}.constraints.unrolled", one.unrolled)


def check_unrolled(chip: "Accelerator", what: str, unrolled: tuple[Unrolling | None, ...]) -> None:
    """Raise DseError unless these are choices of the axes, one for each, or none at all."""
    if unrolled and len(unrolled) != len(chip.array):
        raise DseError(
            f"{what} must have one item for each of the {len(chip.array)} axes of the array, "
            f"got {len(unrolled)}"
        )
    for axis, loops in zip(chip.array, unrolled, strict=False):
        if loops and loops not in axis.dims:
            choices = ", ".join(f"[{','.join(x)}]" for x in axis.dims)
            raise DseError(
                f"{what} must be of the choices of each axis, {choices}, or [] for none, got "
                f"[{','.join(loops)}]"
            )


def _check_buffers(chip: "Accelerator", owner: str) -> None:
    """Check that each operand is held by one memory on the chip, and each of those has a name."""
    for buffer in chip.buffers:
        chip.capacity_bytes(buffer, f"{owner}.buffers {buffer.name!r} bytes")
    names = [buffer.name for buffer in chip.buffers]
    if len(set(names)) != len(names):
        raise DseError(f"{owner}.buffers must have names of their own, got {names}")
    for operand in OPERANDS:
        holders = [buffer.name for buffer in chip.buffers if operand in buffer.holds]
        if len(holders) != 1:
            raise DseError(
                f"{owner}.buffers must hold each operand in exactly one buffer, "
                f"{operand} is held by {holders or 'none'}"
            )


def _check_dram(chip: "Accelerator", owner: str) -> None:
    check_one(owner, chip.dram_bytes_per_s, chip.dram_part)


def _check_schedule(chip: "Accelerator", owner: str) -> None:
    """Check that a schedule contradicts no other rule of the machine."""
    if chip.schedule is None:
        return
    if chip.transfers == "double_buffered":
        raise DseError(
            f"{owner}.transfers must be overlapped or serial with a schedule, which says what "
            f"of the buffer is free, got 'double_buffered'"
        )
    unused = {"fill_cycles": 0, "weight_granules": (), "array_bits_per_cycle": ()}
    for key, none in unused.items():
        if getattr(chip, key) != none:
            raise DseError(
                f"{owner}.{key} would change nothing with a schedule, which has rules of its "
                f"own for that, got {getattr(chip, key)!r}"
            )
    if not any({"input", "weight"} <= set(buffer.holds) for buffer in chip.buffers):
        held = [list(buffer.holds) for buffer in chip.buffers]
        raise DseError(
            f"{owner}.buffers must hold input and weight in one buffer with a schedule, got {held}"
        )


def _check_between_layers(chip: "Accelerator", owner: str) -> None:
    """Check what may stay on the chip between layers, and that there is a buffer for it."""
    if chip.between_layers not in BETWEEN_LAYERS:
        rule = ", ".join(BETWEEN_LAYERS)
        raise DseError(f"{owner}.between_layers must be one of {rule}, got {chip.between_layers!r}")
    if chip.between_layers == "none":
        return
    what = f"{owner}.between_layers = {chip.between_layers}"
    if chip.schedule is not None:
        raise DseError(f"{what} must be none where a schedule fixes the traffic of each layer")
    if not any({"input", "output"} <= set(buffer.holds) for buffer in chip.buffers):
        raise DseError(f"{what} needs a buffer that holds both input and output, got none")
    if not {"input", "output"} <= set(chip.dram.holds):
        carried = ", ".join(chip.dram.holds) or "nothing"
        raise DseError(f"{what} needs dram.carries with input and output, got {carried}")


_RULES: tuple[Callable[["Accelerator", str], None], ...] = (
    _check_numbers,
    _check_transfers,
    _check_stationarity,
    _check_fill_cycles,
    _check_switches,
    _check_pooling,
    _check_launch,
    _check_array,
    _check_links,
    _check_held_in_array,
    _check_granules,
    _check_constraints,
    _check_buffers,
    _check_dram,
    _check_schedule,
    _check_between_layers,
)
