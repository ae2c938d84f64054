"""The cost model of a space is one object: it can be copied, and sent to another process."""

import copy
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import dse
from dse.errors import DseError
from dse.evaluation.space_model import SpaceModel

COST_IN_ANOTHER_PROCESS = """
import pickle, sys
model, indices = pickle.load(sys.stdin.buffer)
pickle.dump(model.costs(model.space.columns(indices)), sys.stdout.buffer)
"""
INDICES = np.arange(0, 5096, 97)


def model_of(space: str = "edge", objective: str = "latency_s") -> SpaceModel:
    network = dse.load_workload("tiny")
    return SpaceModel(network=network, space=dse.load_space(space), objective=objective)


@pytest.mark.parametrize("copied", [lambda x: pickle.loads(pickle.dumps(x)), copy.deepcopy])
@pytest.mark.parametrize("space", ["edge", "datacentre", "nvdla", "always_on"])
def test_copies_are_equal(space: str, copied) -> None:
    model = model_of(space)
    other = copied(model)
    assert other == model
    assert other is not model
    assert dict(other.space.knobs) == dict(model.space.knobs)


@pytest.mark.parametrize("name", ["eyeriss", "tpu_v1", "nvdla", "snowflake", "vta"])
def test_machines_survive_pickling(name: str) -> None:
    chip = dse.load_accelerator(name)
    assert pickle.loads(pickle.dumps(chip)) == chip
    with pytest.raises(TypeError):
        chip.parameters["array_rows"] = 3


def test_a_model_costs_the_same_in_another_process() -> None:
    model = model_of()
    sent = pickle.dumps((model, INDICES))
    command = [sys.executable, "-c", COST_IN_ANOTHER_PROCESS]
    root = Path(__file__).parents[2]
    found = subprocess.run(command, input=sent, capture_output=True, check=True, cwd=root)
    received, own = pickle.loads(found.stdout), model.costs(model.space.columns(INDICES))
    assert list(received) == list(own)
    for name, values in own.items():
        assert np.array_equal(received[name], values), name


def test_a_problem_can_be_sent_too() -> None:
    problem = dse.search(
        model_of().network, model_of().space, sampler="exact", progress=False
    ).costs_of
    assert pickle.loads(pickle.dumps(problem))(model_of().space.columns(INDICES[:1]))


def test_only_the_least_time_has_a_grid() -> None:
    assert model_of().has_time_grid
    assert replace(model_of(), slack=0.01).has_time_grid
    slower = model_of(objective="edp")
    assert not slower.has_time_grid
    assert not model_of("nvdla").has_time_grid  # its schedule leaves nothing to the mapper
    with pytest.raises(DseError, match="has no time grid"):
        slower.time_grid({}, {})
