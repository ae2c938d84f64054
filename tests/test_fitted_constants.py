"""Each constant that was fitted on a published row follows from that row again."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

import dse
from dse.config.catalogue import catalogue
from experiments import (
    bitbrick2024_yolov5s,
    culurciello2017_networks,
    dagli2023_googlenet,
    moreau2019_vta,
    nvdla,
    wang2017_layers,
    xilinx2021_layers,
)
from experiments.comparison import DATA, FOLDER
from experiments.nvdla2017_silicon import MACS_PER_FRAME
from experiments.snowflake import OPERATIONS_PER_MAC
from experiments.snowflake import network as snowflake_network

PRINTED = 6e-4
"""Constants are written with three digits, rounded or cut."""


def machine_file(name: str) -> dict[str, Any]:
    """Return the values of a machine of the experiments."""
    return yaml.safe_load((FOLDER / "machines" / f"{name}.yaml").read_text(encoding="utf-8"))


def vta_row(constant: str) -> pd.Series:
    """Return the row of VTA that a constant was fitted on."""
    return moreau2019_vta._TABLE.loc[moreau2019_vta.FITTED_ON[constant]]


def test_launch_of_vta_is_what_its_smallest_call_takes_besides():
    row = vta_row("launch")
    without = dse.load_accelerator("vta", launch_s=0)
    assert row["seconds"] - moreau2019_vta.latency_s(row, without) == pytest.approx(35e-6, abs=5e-7)
    assert dse.load_accelerator("vta").launch_s == 35e-6


def test_efficiency_of_vta_is_that_at_which_its_layer_takes_the_measured_time():
    row, chip = vta_row("efficiency"), dse.load_accelerator("vta")
    low, high = 0.1, 1.0
    while high - low > 1e-6:  # more efficiency never takes longer
        middle = (low + high) / 2
        tried = dse.load_accelerator("vta", dram={"efficiency": middle})
        is_slow = moreau2019_vta.latency_s(row, tried) > row["seconds"]
        low, high = (middle, high) if is_slow else (low, middle)
    assert low == pytest.approx(chip.dram.efficiency, abs=PRINTED)


def test_cycles_of_vta_in_august_are_those_of_its_layer_with_most_outputs():
    assert moreau2019_vta.cycles_of_august() == 87


def test_efficiency_of_the_dpu_is_that_of_fc7():
    efficiency, _ = xilinx2021_layers.fitted("latency_s")
    assert dse.load_accelerator("dpu").dram.efficiency == pytest.approx(efficiency, abs=PRINTED)


def test_efficiency_of_pipecnn_is_that_of_fc6():
    efficiency = wang2017_layers.fitted_efficiency(wang2017_layers.MEDIUM)
    assert machine_file("pipecnn")["dram"]["efficiency"] == pytest.approx(efficiency, abs=PRINTED)


def test_rate_of_rk3588_is_the_bytes_of_each_row_over_its_dram_cycles():
    rows = bitbrick2024_yolov5s._ROWS
    rows = rows[rows["ddr_cycles"] > 0]
    per_cycle = rows["rw_kib_of_next_row"] * 1024 / rows["ddr_cycles"]  # both have slipped
    chip = dse.load_accelerator(bitbrick2024_yolov5s.MACHINE_FILE)
    rate = chip.dram_bytes_per_s / chip.clock_hz  # its DRAM cycles are those of the NPU
    np.testing.assert_allclose(per_cycle, rate, rtol=1e-3)


def test_a_node_of_rk3588_starts_in_what_its_concat_takes_besides():
    measured_s = bitbrick2024_yolov5s._NODES.loc["Concat_70", "time_us"] / 1e6
    chip = dse.load_accelerator(bitbrick2024_yolov5s.MACHINE_FILE)
    layers = dse.evaluate(bitbrick2024_yolov5s.network(), chip).layers.set_index("name")
    start_s = measured_s - layers.loc["Concat_70", "latency_s"]
    assert start_s == pytest.approx(54e-6, abs=5e-7)


def test_rate_of_xavier_is_that_of_its_last_module():
    rate = dagli2023_googlenet.fitted_rate()
    assert rate == pytest.approx(16.0e9, rel=5e-3)


def test_efficiency_of_snowflake_is_the_rate_of_its_linear_layer_over_the_ideal():
    items = pd.read_csv(DATA / "snowflake_system.csv").set_index("item")["value"]
    linear = snowflake_network("linear")
    peak = dse.load_accelerator("snowflake", dram={"efficiency": 1.0})
    ideal = 2 * linear.macs / dse.evaluate(linear, peak).latency_s
    own = dse.load_accelerator("snowflake").dram.efficiency
    assert float(items["performance_linear"]) * 1e9 / ideal == pytest.approx(own, abs=PRINTED)


def test_pooling_of_snowflake_takes_what_the_theoretical_times_of_modules_leave():
    chip = dse.load_accelerator("snowflake")
    rows = culurciello2017_networks.stages("googlenet")
    mac_s = rows["operations"] / (OPERATIONS_PER_MAC * chip.num_macs * chip.clock_hz)
    elements = (rows["ideal_s"] - mac_s) * chip.pooling_elements_per_cycle * chip.clock_hz
    published_s = culurciello2017_networks.PUBLISHED.loc["googlenet", "ideal_s"]
    modules = [name for name in rows.index if name.startswith("inception")]
    left_cycles = (published_s - mac_s)[modules].sum() * chip.clock_hz
    assert elements[modules].sum() / left_cycles == pytest.approx(16, rel=0.05)
    assert chip.pooling_elements_per_cycle == 16


def area_of_node(node: str, column: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a node's constants of area, those of relative least squares, and the terms."""
    rows = nvdla.sizes().dropna(subset=column)
    terms = np.stack([np.ones(len(rows)), rows["macs"], rows["conv_buffer_kib"]], axis=1)
    terms = terms.astype(float) / rows[column].to_numpy()[:, None]
    own = catalogue().technologies[node]
    stated = (own.area_fixed_mm2, own.area_mm2_per_mac, own.area_mm2_per_kib)
    found = np.linalg.lstsq(terms, np.ones(len(rows)), rcond=None)[0]
    return np.array([x.value for x in stated]), found, terms


def test_area_of_node28_is_the_relative_least_squares_of_the_primer():
    stated, found, _ = area_of_node("node28", "area_28nm_mm2")
    np.testing.assert_allclose(stated, found, rtol=3e-3)


def test_area_of_node16_errs_as_little_as_the_relative_least_squares_of_the_primer():
    """Four rows leave three constants loose: others in print err 2 % more in the sum of squares."""
    stated, found, terms = area_of_node("node16", "area_16nm_mm2")
    errors = [float(np.square(terms @ x - 1).sum()) for x in (stated, found)]
    assert errors[0] == pytest.approx(errors[1], rel=0.02)
    np.testing.assert_allclose(stated, found, rtol=0.05)


def test_power_of_node16_is_the_relative_least_squares_of_the_primer():
    rows = nvdla.sizes().dropna(subset="area_16nm_mm2")
    macs_per_s = (rows["published_fps"] * MACS_PER_FRAME).to_numpy()
    power = rows["power_average_16nm_mw"].to_numpy() / 1e3
    terms = np.stack([macs_per_s * 1e-12, rows["area_16nm_mm2"].to_numpy()], axis=1)
    found = np.linalg.lstsq(terms / power[:, None], np.ones(len(rows)), rcond=None)[0]
    own = catalogue().technologies["node16"]
    stated = [own.mac_pj.value, own.leakage_w_per_mm2.value]
    np.testing.assert_allclose(stated, found, rtol=0.03)  # two digits
