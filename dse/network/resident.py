"""What a machine keeps on the chip whole, since its DRAM does not carry it, against its room.

Maps that the DRAM does not carry pass from layer to layer on the chip: the input and the output of
each layer lie there whole at once. Weights that it does not carry lie there for good, those of all
layers together. Where the input is carried and the output is not, outputs leave another way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from dse.errors import DseError
from dse.hardware import Accelerator
from dse.hardware.memory import UNLIMITED_BYTES
from dse.network.as_run import LayerRun
from dse.workload import OPERANDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """What must lie on the chip whole, at its most.

    Attributes
    ----------
    operands
        The operands of which something does; none on a machine whose DRAM carries all.
    bits
        At the layer that needs most. [bits]
    layer
        Name of that layer.
    """

    operands: tuple[str, ...]
    bits: int
    layer: str


def kept_whole(chip: Accelerator) -> tuple[str, ...]:
    """Return the operands that lie on the chip whole."""
    missing = [x for x in OPERANDS if x not in chip.dram.holds]
    if "input" not in missing:  # what is read from the DRAM was written there, whichever way
        missing = [x for x in missing if x != "output"]
    return tuple(missing)


def resident(runs: Sequence[LayerRun], chip: Accelerator) -> Resident:
    """Return what layers as a machine runs them must keep on the chip whole.

    Parameters
    ----------
    runs, chip
        Layers in their places; of the machine only its DRAM counts.
    """
    operands = kept_whole(chip)
    if not operands or not runs:
        return Resident(operands=(), bits=0, layer="")
    always = sum(_weight_bits(run) for run in runs) if "weight" in operands else 0
    needs = [_map_bits(run, operands) for run in runs]
    most = max(needs)
    return Resident(operands=operands, bits=always + most, layer=runs[needs.index(most)].layer.name)


def room_for(operands: Sequence[str], chip: Accelerator) -> list[int]:
    """Return the places of the buffers that hold some of these operands."""
    return [i for i, buffer in enumerate(chip.buffers) if set(buffer.holds) & set(operands)]


def check_resident(runs: Sequence[LayerRun], chip: Accelerator) -> None:
    """Raise DseError unless what the DRAM does not carry fits on the chip whole."""
    need = resident(runs, chip)
    if not need.operands:
        return
    places = room_for(need.operands, chip)
    sizes = chip.buffer_sizes_bytes
    room = sum(sizes[i] for i in places)
    short = -(-need.bits // 8) - room
    if short <= 0 or any(sizes[i] == UNLIMITED_BYTES for i in places):
        return
    names = " and ".join(repr(chip.buffers[i].name) for i in places)
    raise DseError(
        f"no mapping of layer {need.layer!r} fits accelerator {chip.name!r}: its DRAM does not "
        f"carry {', '.join(need.operands)} (dram.carries), which take {room + short:,} bytes "
        f"whole; the room of {names} is {room:,}, {short:,} too few"
    )


def _weight_bits(run: LayerRun) -> int:
    """Return the bits of all weights of a layer that lie on the chip for good."""
    layer = run.layer
    if layer.weight_is_activation or layer.weight_is_shared:
        return 0
    copies = 1 if layer.sequential else run.count
    return layer.weight_elements * ceil(layer.weight_bits) * copies


def _map_bits(run: LayerRun, operands: Sequence[str]) -> int:
    """Return the bits of what one run of a layer reads and writes and the DRAM does not carry."""
    layer = run.layer
    if run.is_fused:
        return 0
    bits = 0
    if "input" in operands:
        bits += layer.read_elements * ceil(layer.input_bits) + layer.added_elements * ceil(
            layer.output_bits
        )
    if "output" in operands:
        bits += layer.written_elements * ceil(layer.output_bits)
    if "weight" in operands and layer.weight_is_activation:
        bits += layer.weight_elements * ceil(layer.weight_bits)
    return bits
