"""The comparison with peers: a walk of any mapping, the stored answers, and what is quoted."""

import csv
import json
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest

import dse
from dse.workload import Layer
from experiments.peers import answers, fixed_schedule, ours, report
from experiments.peers.programs import FOLDER, PEERS, pinned
from experiments.peers.question import BITS, BUFFERS_KIB, PROBLEMS, bounds, differences, question
from experiments.peers.replay import OWN, replay
from experiments.peers.table import QUANTITIES, best, comparison, lower_bound, walk
from tests.oracle.walk import LOOPS
from tests.oracle.walk import walk as oracle

ROOT = Path(__file__).parents[1]
RECORDS = answers.stored()
OURS = json.loads((FOLDER / "ours.json").read_text(encoding="utf-8"))
ANSWERED = [record for record in RECORDS if record["status"] == "answered"]


def named(record: dict[str, Any]) -> str:
    return f"{record['peer']}-{record['problem']}-{record['buffer_kib']}"


def test_problems_are_those_of_the_published_optima() -> None:
    with (ROOT / "tests" / "data" / "mapping_optima.csv").open(newline="") as lines:
        for row in csv.DictReader(lines):
            assert bounds(row["problem"]) == {loop: int(row[loop]) for loop in LOOPS}
            assert row["stride"] == "1"
            assert int(row["buffer_kib"]) in BUFFERS_KIB


def test_a_peer_that_was_asked_something_else_is_noticed() -> None:
    asked = question("gemm_512", 64)
    assert not differences(asked, dict(asked))
    assert differences(asked, asked | {"buffer_bits": 1}) == [
        "buffer_bits: asked 524288, the peer has 1"
    ]


@pytest.mark.parametrize("seed", range(60))
def test_walk_of_equal_tiles_is_that_of_the_oracle(seed: int) -> None:
    rng = Random(seed)
    size = {loop: rng.choice([1, 2, 3, 4]) for loop in LOOPS}
    size |= {"g": 1, "oy": rng.randint(1, 6), "ox": rng.randint(1, 5)}
    layer = Layer(name="any", **size, **{f"{x}_bits": bits for x, bits in BITS.items()})
    chip = ours.chip_of(16, halo_is_kept=rng.random() < 0.5)
    tile = {loop: rng.randint(1, size[loop]) for loop in LOOPS}
    order, axes = rng.sample(LOOPS, 8), [(rng.choice(LOOPS),), (rng.choice(LOOPS),)]
    mapping = dse.mapping.nest.mapping.evaluate_mapping(
        layer, chip, tile=tile, order=order, axes=axes
    )
    found = replay(layer.bounds, ours.nodes_of(mapping), halo_is_kept=chip.halo_is_kept)
    wanted = oracle(layer, chip, tile, order, axes)
    assert found.elements == wanted["elements"]
    assert found.cycles == wanted["compute_cycles"]
    assert (8 * found.footprint,) == wanted["footprint_bits"]


def test_walk_of_a_tile_for_each_operand() -> None:
    nodes = [
        {"store": "weight"},  # all 4 x 6 weights stay
        {"loop": "oy", "size": 2},
        {"store": "output"},  # 2 x 4 outputs
        {"loop": "c", "size": 4},
        {"store": "input"},  # 2 x 4 inputs, then 2 x 2
        {"unroll": "k", "size": 1, "axis": 0},
        {"loop": "c", "size": 3},
    ]
    size = dict.fromkeys(LOOPS, 1) | {"k": 4, "c": 6, "oy": 5}
    found = replay(size, nodes, halo_is_kept=True)
    assert found.elements == {
        "input": 30,
        "weight": 24,
        "output": 20,
        "psum_write": 0,
        "psum_read": 0,
    }
    assert found.footprint == 24 + 8 + 8
    assert found.unrolled == {0: 4}
    assert found.cycles == 5 * 6


def test_walk_counts_partial_sums_both_ways_and_halos() -> None:
    nodes = [{"loop": "c", "size": 1}, {"loop": "oy", "size": 2}, *({"store": x} for x in OWN)]
    size = dict.fromkeys(LOOPS, 1) | {"c": 3, "oy": 4, "fy": 3}
    kept, again = (replay(size, nodes, halo_is_kept=rule) for rule in (True, False))
    assert (again.elements["input"], kept.elements["input"]) == (3 * (4 + 4), 3 * (4 + 2))
    taps = [{"loop": "c", "size": 1}, {"loop": "fy", "size": 1}, *({"store": x} for x in OWN)]
    both = replay(size, taps, halo_is_kept=True, along_filter=True)
    assert both.elements["input"] == 3 * (4 + 2)
    assert kept.elements["output"] == 4
    assert kept.elements["psum_write"] == kept.elements["psum_read"] == 8


def test_a_mapping_that_stores_an_operand_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="stored once"):
        replay(bounds("gemm_512"), [{"store": x} for x in (*OWN, "input")], halo_is_kept=True)
    nodes = [{"unroll": "k", "size": 32, "axis": 0}, *({"store": x} for x in OWN)]
    with pytest.raises(ValueError, match="below an unrolled loop"):
        replay(bounds("gemm_512"), nodes, halo_is_kept=True)


@pytest.mark.parametrize("record", ANSWERED, ids=named)
def test_peer_was_asked_the_same_and_counts_traffic_as_we_do(record: dict[str, Any]) -> None:
    asked = question(record["problem"], record["buffer_kib"])
    wanted = {key: asked[key] for key in ("bounds", "buffer_bits", "axis_sizes", "bits")}
    assert not differences(wanted, record["answer"]["understood"])
    for mapping in record["answer"]["mappings"]:
        assert walk(record, mapping["nodes"]).dram_elements == mapping["dram_elements"]
    if "check" in record["answer"]:  # a given mapping with halos and partial sums
        check, kept = record["answer"]["check"], PEERS[record["peer"]].halo_is_kept
        found = replay(check["bounds"], check["nodes"], halo_is_kept=kept)
        assert found.dram_elements == check["dram_elements"]
        assert found.elements["psum_read"] > 0
        other = replay(check["bounds"], check["nodes"], halo_is_kept=not kept)
        assert other.dram_elements != found.dram_elements


@pytest.mark.parametrize("record", ANSWERED, ids=named)
def test_no_traffic_is_below_the_bound(record: dict[str, Any]) -> None:
    assert best(record)["dram_elements"][0] >= lower_bound(record["problem"], record["buffer_kib"])


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("halo_is_kept", ours.RULES, ids=["kept", "fetched again"])
def test_our_stored_answers_are_those_of_today(problem: str, halo_is_kept: bool) -> None:
    chip = ours.chip_of(BUFFERS_KIB[0], halo_is_kept=halo_is_kept)
    table = dse.mapping_table(ours.layer_of(problem), chip)
    stored = next(
        row
        for row in OURS["rows"]
        if row["problem"] == problem and row["halo_is_kept"] == halo_is_kept
    )
    for size, row in zip(BUFFERS_KIB, stored["answers"], strict=True):
        for goal, mapping in ours.answers(table, size).items():
            assert mapping.dram_bits == 8 * row[goal]["dram_elements"]
            assert mapping.compute_cycles == row[goal]["cycles"]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return comparison(OURS, RECORDS)


def test_written_table_is_that_of_the_stored_answers(table: pd.DataFrame) -> None:
    stored = pd.read_csv(FOLDER / "comparison.csv", keep_default_na=False)
    assert list(stored.columns) == list(table.columns)
    for column in ("problem", "buffer_kib", "peer", "setting", "losses", "differences"):
        assert stored[column].tolist() == table[column].tolist(), column
    for key in (f"{whose}_{x}" for whose in ("peer", "walked", "our") for x in QUANTITIES):
        assert stored[key].astype(str).tolist() == [
            "" if pd.isna(x) else str(x) for x in table[key]
        ]


def test_peers_find_no_less_but_for_a_reason(table: pd.DataFrame) -> None:
    for _, row in table[table["losses"] != ""].iterrows():
        assert all("larger space" in loss for loss in row["losses"].split("; ")), row["losses"]
    assert not table["differences"].str.contains("not known").any()


def test_ours_takes_the_least_cpu_time(table: pd.DataFrame) -> None:
    with_filter = table["problem"].isin([x for x in PROBLEMS if bounds(x)["fy"] > 1])
    assert (table.loc[with_filter, "ratio"] >= 100).all()
    assert (table.loc[~with_filter, "ratio"] >= 30).all()


def test_the_page_quotes_the_table() -> None:
    text = report.markdown(comparison(OURS, RECORDS), OURS).strip()
    assert (FOLDER / "comparison.md").read_text(encoding="utf-8").strip() == text
    page = ROOT / "experiments" / "README.md"
    assert text in page.read_text(encoding="utf-8"), "renew with: python .ci/write_pages"


def test_fixed_schedule_is_that_of_scalesim_but_for_its_last_cycle() -> None:
    found = fixed_schedule.table(fixed_schedule.stored())
    answered = found[found["status"] == "answered"]
    assert len(answered)
    assert (answered["scalesim_cycles"] == answered["closed_form_cycles"]).all()
    assert (found["our_cycles"] == found["closed_form_cycles"] + 1).all()


@pytest.mark.parametrize("environment", ["accelforge", "zigzag", "scalesim"])
def test_packages_are_pinned_and_name_no_place(environment: str) -> None:
    lines = pinned(environment).read_text(encoding="utf-8").splitlines()
    assert "Python 3." in lines[0]
    assert lines[1:]
    assert all(line.count("==") == 1 and "://" not in line for line in lines[1:])
