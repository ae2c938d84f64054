"""What a notebook shows: short texts, tables, plots."""

import pandas as pd
import pytest

import dse
from dse import DseError
from dse.config.accelerators import catalogue
from dse.evaluation.space_model import SpaceModel

MOST_LETTERS, MOST_LINES = 1000, 30


@pytest.fixture(scope="module")
def network():
    return dse.load_workload("resnet50")


@pytest.fixture(scope="module")
def chip():
    return dse.load_accelerator("systolic")


@pytest.fixture(scope="module")
def result(network, chip):
    return dse.evaluate(network, chip)


@pytest.fixture(scope="module")
def study():
    return dse.search(dse.load_workload("tiny"), dse.load_space("edge"), trials=30)


def test_texts_are_short(network, chip, result, study):
    space = dse.load_space("edge")
    known = catalogue()
    shown = [
        network, network.layers[0], chip, chip.dram, result, study, study.pick(), space, known,
        SpaceModel(network=network, space=space), dse.mapping_table(network.layers[3], chip),
        *known.technologies.values(), *known.dram_parts.values(),
    ]  # fmt: skip
    for x in shown:
        text = repr(x)
        assert text.startswith(type(x).__name__)
        assert len(text) <= MOST_LETTERS
        assert text.count("\n") < MOST_LINES


def test_a_text_says_what_is_not_the_default(network, chip, result):
    text = repr(dse.Layer(name="fc", k=10, c=20))
    assert text == "Layer(name='fc', k=10, c=20, iy=1, ix=1, batch_loop='b')"
    assert "layers=<" in repr(network)
    assert "name='resnet50'" in repr(network)
    assert f"latency_s={result.latency_s!r}" in repr(result)
    assert "workload=<Workload 'resnet50'>" in repr(result)
    assert "name='systolic'" in repr(chip)


def test_frames(network, chip, result, study):
    row = result.to_frame()
    assert row.shape[0] == 1
    assert row.loc[0, "latency_s"] == result.latency_s
    assert row.loc[0, "workload"] == "resnet50"
    assert row["energy_dram_pj"][0] == result.energy_dram_pj
    assert len(pd.concat([row, row], ignore_index=True)) == 2
    designs = study.to_frame()
    assert len(designs) == len(study.designs)
    assert designs["on_front"].sum() == len(study.front)
    best = designs[designs["on_front"]]
    assert sorted(best["latency_s"]) == sorted(study.front["latency_s"])
    assert sorted(best["cost_usd"]) == sorted(study.front["cost_usd"])
    mappings = dse.mapping_table(network.layers[3], chip).to_frame()
    assert list(mappings) == ["footprint_bytes", "dram_bytes", "compute_cycles"]
    assert len(mappings) > 1


def test_plots(result, study):
    axes = [
        dse.plot.roofline(result),
        dse.plot.time_by_cause(result),
        dse.plot.pareto(study),
        dse.plot.pareto(study, study.pick()),
    ]
    for ax in axes:
        assert ax.figure is not None
        assert ax.get_children()
    if len(study.history):
        assert dse.plot.convergence(study).lines
    exact = dse.search(dse.load_workload("tiny"), dse.load_space("edge"), sampler="exact")
    with pytest.raises(DseError, match="nothing was sampled"):
        dse.plot.convergence(exact)
