"""What the DRAM does not carry lies on the chip whole, or the machine is refused."""

from dataclasses import replace

import numpy as np
import pytest

import dse
from dse.errors import DseError
from dse.evaluation.model import design_costs, evaluate
from dse.evaluation.space_model import SpaceModel
from dse.hardware import Accelerator
from dse.network.as_run import layer_runs
from dse.network.resident import resident
from dse.technology import Catalogue
from dse.workload import Layer, Workload

CONV = Layer(name="conv", k=64, c=64, oy=56, ox=56, fy=3, fx=3, pad_y=1, pad_x=1)
ONE = Workload(name="one", layers=(CONV,))
MAP_BYTES = 56 * 56 * 64


def machine(*carries: str, room: int) -> Accelerator:
    """Return the flexible machine with one buffer and a DRAM that carries these operands."""
    chip = dse.load_accelerator("flexible", buffer_bytes=room)
    return replace(chip, dram=replace(chip.dram, holds=carries))


def test_input_and_output_of_a_layer_fit_together_or_the_layer_is_named() -> None:
    assert evaluate(ONE, machine("weight", room=2 * MAP_BYTES)).dram_bytes == 64 * 64 * 9
    with pytest.raises(DseError, match=r"'conv'.*input, output \(dram.carries\).*401,408 bytes.*"):
        evaluate(ONE, machine("weight", room=4096))
    with pytest.raises(DseError, match=r"401,407, 1 too few"):
        evaluate(ONE, machine("weight", room=2 * MAP_BYTES - 1))


def test_weights_of_all_layers_fit_together() -> None:
    chip = machine("input", "output", room=2 * 64 * 64 * 9)
    two = Workload(name="two", layers=(CONV, replace(CONV, name="next")))
    assert evaluate(two, chip).dram_bytes_per_inference == 4 * MAP_BYTES
    three = Workload(name="three", layers=(replace(CONV, repeat=2), replace(CONV, name="next")))
    with pytest.raises(DseError, match="36,864 too few"):
        evaluate(three, chip)
    steps = Layer(name="step", k=256, c=256, repeat=50, sequential=True)
    assert resident(layer_runs(Workload(name="rnn", layers=(steps,)), chip), chip).bits == 8 * 2**16


def test_outputs_alone_leave_another_way() -> None:
    assert evaluate(ONE, machine("input", "weight", room=8192)).dram_bytes > 0


def test_maps_of_a_published_machine() -> None:
    chip = dse.load_accelerator("tpu_v1")
    big = dse.load_workload("vgg16", batch=128)
    with pytest.raises(DseError, match=r"'conv1_2'.*822,083,584 bytes"):
        evaluate(big, chip)


def test_designs_without_room_cost_inf() -> None:
    rooms = np.array([4096, 2 * MAP_BYTES - 1, 2 * MAP_BYTES, 4 * MAP_BYTES])
    catalogue = Catalogue(dram_parts={}, technologies={})
    costs = design_costs(
        ONE, machine("weight", room=4096), {"buffer_bytes": rooms}, catalogue=catalogue
    )
    assert np.isinf(costs["latency_s"]).tolist() == [True, True, False, False]
    assert np.isinf(costs["dram_bytes"]).tolist() == [True, True, False, False]


def test_such_a_space_has_no_time_grid() -> None:
    space = dse.load_space("edge")
    chip = replace(space.accelerator, dram=replace(space.accelerator.dram, holds=("weight",)))
    model = SpaceModel(network=ONE, space=replace(space, accelerator=chip))
    assert not model.has_time_grid
    with pytest.raises(DseError, match="no time grid"):
        model.time_grid({}, {})
