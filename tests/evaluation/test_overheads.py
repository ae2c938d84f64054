"""Time besides transfers and MACs: the launch of each run of a layer, and pooling that computes."""

import pandas as pd
import pytest

import dse
from dse.workload import Layer, Workload

FC = Layer(name="fc", k=64, c=64)
STEPS = Layer(name="steps", k=64, c=64, repeat=5, sequential=True)
POOL = Layer(
    name="pool", op="pool", input_elements=4096, output_elements=1024, window_elements=9000
)
NETWORK = Workload(name="three", layers=(FC, STEPS, POOL))
LAUNCH_S = 3e-6


def latencies(**changes: object) -> pd.Series:
    """Latency of each layer on a machine that differs in something."""
    chip = dse.load_accelerator("flexible", **changes)
    rows = dse.evaluate(NETWORK, chip).layers.set_index("name")
    causes = [column for column in rows if str(column).startswith("time_")]
    pd.testing.assert_series_equal(
        rows[causes].sum(axis=1), rows["latency_s"], check_names=False, rtol=1e-12
    )
    return rows["latency_s"]


def test_each_run_of_a_layer_is_launched() -> None:
    more = latencies(launch_s=LAUNCH_S) - latencies()
    assert more.to_list() == pytest.approx([LAUNCH_S, 5 * LAUNCH_S, LAUNCH_S])
    assert latencies(launch_s=0).equals(latencies())


@pytest.mark.parametrize(
    ("transfers", "rate", "expected_cycles"),
    [
        ("overlapped", 16, 563),  # 9000 / 16, rounded up
        ("double_buffered", 16, 563),
        ("double_buffered", 1e6, 0),  # the transfer takes longer
        ("serial", 16, 563 + 512),
    ],
)
def test_pooling_takes_its_windows_over_its_rate(
    transfers: str, rate: float, expected_cycles: int
) -> None:
    wide = {"dram_bytes_per_s": 10e9, "clock_hz": 1e9, "dram": {"efficiency": 1.0}}
    found = latencies(transfers=transfers, pooling_elements_per_cycle=rate, **wide)
    transfer_cycles = 5120 / 10  # 4096 read, 1024 written
    assert transfer_cycles == 512
    assert found["pool"] == pytest.approx(max(expected_cycles, transfer_cycles) / 1e9)
    assert latencies(transfers=transfers, **wide)["pool"] == pytest.approx(transfer_cycles / 1e9)


def test_many_designs_have_the_same_overheads() -> None:
    chip = dse.load_accelerator("flexible", launch_s=LAUNCH_S, pooling_elements_per_cycle=0.5)
    designs = pd.DataFrame({"clock_hz": [1e9, 2e9], "batch": [1, 3]})
    costs = dse.evaluate_designs(NETWORK, chip, designs)
    for row, design in designs.iterrows():
        alone = dse.evaluate(
            NETWORK.with_batch(int(design["batch"])),
            chip.with_parameters(clock_hz=design["clock_hz"]),
        )
        assert costs["latency_s"][row] == pytest.approx(alone.latency_s, rel=1e-12)
        assert costs["energy_pj"][row] == pytest.approx(alone.energy_pj, rel=1e-12)


def test_what_is_fused_is_not_launched() -> None:
    conv = Layer(name="conv", k=16, c=3, oy=16, ox=16)
    network = Workload(name="two", layers=(conv, POOL))
    chip = dse.load_accelerator(
        "flexible", launch_s=LAUNCH_S, pooling_is_fused=True, pooling_elements_per_cycle=1
    )
    rows = dse.evaluate(network, chip).layers
    assert rows["latency_s"].iloc[1] == 0
    costs = dse.evaluate_designs(network, chip, pd.DataFrame({"clock_hz": [chip.clock_hz]}))
    assert costs["latency_s"][0] == pytest.approx(rows["latency_s"].sum(), rel=1e-12)


def test_only_pooling_has_windows() -> None:
    assert POOL.with_batch(3).window_elements == 27000
    with pytest.raises(dse.DseError, match="window_elements must be an integer from 0 to 0"):
        Layer(name="add", op="add", input_elements=8, window_elements=9)
