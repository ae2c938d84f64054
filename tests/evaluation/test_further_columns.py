"""Energy by part adds up; shared weights count once in a bound of their own."""

import pytest

import dse
from dse.columns import ENERGIES


@pytest.mark.parametrize("machine", ["flexible", "systolic", "nvdla", "snowflake"])
def test_parts_of_the_energy_add_up_for_the_network_and_its_layers(machine: str) -> None:
    result = dse.evaluate(dse.load_workload("tiny"), dse.load_accelerator(machine))
    parts = [getattr(result, name) for name in ENERGIES]
    assert sum(parts) == pytest.approx(result.energy_pj, rel=1e-12)
    assert all(part > 0 for part in parts)
    layers = result.layers
    assert layers[list(ENERGIES)].to_numpy().sum() == pytest.approx(result.energy_pj, rel=1e-12)
    assert list(layers)[-1] == "why"


def network(runs: int, *, is_sequential: bool) -> dse.Workload:
    """Return a matrix of 64 by 64 weights times a vector, in so many runs."""
    layer = dse.Layer(name="step", k=64, c=64, repeat=runs, sequential=is_sequential)
    return dse.Workload(name="steps", layers=(layer,))


def bounds(runs: int, *, is_sequential: bool) -> tuple[float, float]:
    """Return the bound of runs by themselves, and that with shared weights once. [bytes]."""
    result = dse.evaluate(
        network(runs, is_sequential=is_sequential), dse.load_accelerator("flexible")
    )
    row = result.layer_rows[0]
    return row["lower_bound_bytes"], row["lower_bound_shared_bytes"]


def test_weights_that_steps_share_count_once_in_the_bound_for_all_steps() -> None:
    step = 64 * 64 + 64 + 64
    assert bounds(10, is_sequential=True) == (10 * step, 64 * 64 + 10 * 128)


def test_weights_that_are_not_shared_count_each_time() -> None:
    step = 64 * 64 + 64 + 64
    assert bounds(10, is_sequential=False) == (10 * step, 10 * step)
