"""What layers without MACs take, and what every run of a layer takes to start."""

from math import ceil

from dse.hardware import Accelerator
from dse.mapping.nest.dram_bits import added_bits, packed_bits
from dse.network.as_run import LayerRun


def macless_bits(run: LayerRun, chip: Accelerator) -> dict[str, int]:
    """Return the DRAM bits of a layer without MACs by operand. [bits].

    Each element of its operands moves once if the DRAM carries them, nothing if it is fused.
    """
    elements = {"input": run.layer.input_elements, "output": run.layer.output_elements}
    if run.is_fused:
        return dict.fromkeys(elements, 0)
    bits = {operand: packed_bits(run.layer, chip, operand, n) for operand, n in elements.items()}
    return bits | {"input": bits["input"] + added_bits(run.layer, chip)}


def pooling_cycles(run: LayerRun, chip: Accelerator) -> int:
    """Return the cycles that pooling takes, 0 for any other layer or where it is fused."""
    rate, layer = chip.pooling_elements_per_cycle, run.layer
    if layer.op != "pool" or run.is_fused or rate is None:
        return 0
    return ceil((layer.window_elements or layer.input_elements) / rate)


def launch_s(run: LayerRun, chip: Accelerator) -> float:
    """Return the time that a run of a layer takes to start; none where it is fused. [s]."""
    return 0.0 if run.is_fused else chip.launch_s
