"""The public names of the package, used as the README shows them."""

import importlib
import inspect

import numpy as np
import pandas as pd
import pytest

import dse

KNOBS = {"array_rows": (8, 16), "buffer_bytes": (65536, 131072)}


@pytest.mark.parametrize("name", dse.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert inspect.getdoc(getattr(dse, name))


def test_search_is_one_thing() -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("dse.search")
    assert callable(dse.search)


def test_a_session_from_network_to_pick() -> None:
    network, chip = dse.load_workload("tiny", batch=2), dse.load_accelerator("flexible")
    result = dse.evaluate(network, chip)
    assert isinstance(result.layers, pd.DataFrame)
    assert result.layers["latency_s"].sum() == pytest.approx(result.latency_s)
    table = dse.mapping_table(network.layers[0], chip)
    mapping = table.best("dram_bytes", chip)
    assert sum(mapping.dram_bytes.values()) <= table.curve()["dram_bytes"].iloc[0]
    space = dse.Space(name="few", accelerator=chip, knobs=KNOBS, catalogue=space_catalogue())
    study = dse.search(network, space, trials=4, seed=0, budget={"area_mm2": 4})
    assert study.exact
    assert study.pick(rule="knee").design["area_mm2"] <= 4


def space_catalogue() -> dse.Catalogue:
    return dse.load_space("edge").catalogue


def test_numbers_of_numpy_are_numbers() -> None:
    chip = dse.load_accelerator("flexible", buffer_bytes=np.int64(65536), clock_hz=np.float32(2e8))
    assert (chip.buffer_bytes, chip.clock_hz) == (65536, 2e8)
    assert type(chip.with_parameters(buffer_bytes=np.int64(32768)).buffer_bytes) is int
    assert dse.load_workload("tiny", batch=np.int64(2)).batch == 2
    space = dse.load_space("edge", knobs={"array_rows": np.array([8, 16])})
    assert space.knobs["array_rows"] == (8, 16)
    with pytest.raises(dse.DseError, match="accelerator 'flexible'"):
        dse.load_accelerator("flexible", buffer_bytes={1, 2})
