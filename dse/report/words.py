"""What a run tells on the terminal, in a few plain lines."""

from collections.abc import Mapping

import pandas as pd

from dse.cost.result import Evaluation
from dse.pick import Pick
from dse.plots.units import COSTS, design_text, number, percent, quantity, show
from dse.search import Study

NAME_WIDTH = 12


def pick_lines(pick: Pick) -> list[str]:
    """Return the pick in one sentence, what binds it, and its runners-up."""
    runners = [dict(row) for row in pick.runners_up.to_dict(orient="records")]
    return [
        _line("Pick", pick.reason),
        _line("Binding", _binding(pick)),
        *(_line(f"Runner-up {i}", design_with_costs(row)) for i, row in enumerate(runners, 1)),
    ]


def _binding(pick: Pick) -> str:
    parts = [
        f"{quantity(row['budget']).label.lower()} {show(row['budget'], row['value'])} "
        f"of {show(row['budget'], row['limit'])}"
        for row in pick.binding
    ]
    return ", ".join(parts) or "no budget binds the pick"


def design_with_costs(design: Mapping[str, object]) -> str:
    """Return a design's knobs, then its throughput, area and bandwidth bought."""
    shown = [
        name for name in ("throughput_per_s", "area_mm2", "dram_bytes_per_s") if name in design
    ]
    costs = ", ".join(show(name, design[name]) for name in shown)
    knobs = {key: x for key, x in design.items() if key in design and key not in COSTS}
    return f"{design_text(knobs)}: {costs}"


def study_lines(study: Study) -> list[str]:
    """Return how many designs were costed, and what the front is worth."""
    what = "exact" if study.exact else "sampled"
    found = ""
    if study.hypervolume_share is not None:
        share = percent(study.hypervolume_share, 1)
        found = f"; the study found {share} of its hypervolume with {study.num_costed:,} designs"
    text = f"{what}, {len(study.front):,} of {len(study.designs):,} designs{found}"
    return [_line("Front", text), *(_line("Note", note) for note in study.notes)]


def infeasible_lines(study: Study) -> list[str]:
    """Return that nothing meets the budget, and the designs that come nearest."""
    rows = [dict(row) for row in study.nearest.to_dict(orient="records")]
    knobs = list(study.space.knobs)
    return [
        _line("Pick", "none: no design meets the budget"),
        *(
            _line(
                f"Nearest {i}",
                f"{design_text({k: row[k] for k in knobs})}: misses {row.get('violates', '')}",
            )
            for i, row in enumerate(rows, 1)
        ),
    ]


def evaluation_lines(evaluation: Evaluation) -> list[str]:
    """Return the totals of one machine, and the layers that take longest."""
    layers = pd.DataFrame(evaluation.layer_rows)
    slowest = layers.nlargest(3, "latency_s")
    totals = (
        f"{show('latency_s', evaluation.latency_s)}, "
        f"{number(evaluation.throughput_per_s)} inferences/s, "
        f"{show('dram_bytes', evaluation.dram_bytes)} of DRAM traffic, "
        f"{show('energy_pj', evaluation.energy_pj)}, "
        f"{show('area_mm2', evaluation.area_mm2)} without DRAM interface"
    )
    network = evaluation.workload
    return [
        _line("Run", f"{network.name}, batch {network.batch}, on {evaluation.accelerator.name}"),
        _line("Result", totals),
        *(_line("Slow layer", f"{row['name']}: {row['why']}") for _, row in slowest.iterrows()),
        *(_line("Warning", text) for text in evaluation.warnings),
    ]


def _line(name: str, text: str) -> str:
    return f"{name:<{NAME_WIDTH}} {text}"
