"""The criteria of the mappings that are looked up of a layer."""

from dse.evaluation.overheads import macless_bits, pooling_cycles
from dse.hardware import Accelerator
from dse.mapping.layer_on_array import LayerOnArray
from dse.mapping.points import Criteria
from dse.mapping.question import Question
from dse.mapping.store import answer
from dse.network.as_run import LayerRun


def criteria_of(run: LayerRun, chip: Accelerator, question: Question) -> Criteria:
    """Return the criteria of the mappings of a layer that answer a question.

    A layer without MACs has one mapping, which takes no room.
    """
    if not run.layer.has_macs:
        bits = sum(macless_bits(run, chip).values())
        return Criteria.of_one(len(chip.buffers), bits, pooling_cycles(run, chip))
    return answer(LayerOnArray.of(run.layer, chip), question).criteria
