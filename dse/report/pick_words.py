"""A pick in words: why it was chosen, which budget binds, what a step changes."""

from collections.abc import Callable, Mapping
from typing import Any

from dse.columns import column
from dse.pick.marginal import (
    EVERY_LAYER_WAITS_FOR_DRAM,
    NO_BETTER_MAPPING,
    NO_FEWER_STEPS,
    NO_LAYER_WAITS_FOR_DRAM,
    SAVED_BYTES_DO_NOT_COUNT,
)
from dse.plots.units import ARROW, lower_label, number, percent, show, show_knob

REASONS = {
    NO_LAYER_WAITS_FOR_DRAM: "no layer waits for the DRAM",
    EVERY_LAYER_WAITS_FOR_DRAM: "every layer waits for the DRAM: faster computation saves nothing",
    NO_FEWER_STEPS: "no layer that waits for the array needs fewer steps on a larger one",
    SAVED_BYTES_DO_NOT_COUNT: "it saves DRAM bytes, but no layer waits for those",
    NO_BETTER_MAPPING: "no mapping that it allows moves fewer DRAM bytes or takes fewer cycles",
}


def reason_text(pick: Mapping[str, Any]) -> str:
    """Return why a pick, as pick.json holds it, was chosen."""
    rule, count = pick["rule"], pick["num_candidates"]
    text = f"{rule}: {_CRITERIA[rule](pick['criterion'])} of {count:,} Pareto-optimal designs"
    equals = pick["equals"]
    if not equals:
        return text
    others = "; ".join(_knobs_text(knobs) for knobs in equals)
    designs = "design is" if len(equals) == 1 else "designs are"
    return f"{text}; {len(equals)} other {designs} as good in every objective: {others}"


def _knobs_text(knobs: Mapping[str, Any]) -> str:
    return ", ".join(f"{lower_label(name)} {show_knob(name, x)}" for name, x in knobs.items())


def _knee_text(criterion: Mapping[str, Any]) -> str:
    return f"nearest ({criterion['distance']:.3f}) to the best corner, in scaled logarithms,"


def _weighted_text(criterion: Mapping[str, Any]) -> str:
    weights = criterion["weights"].items()
    text = ", ".join(f"{lower_label(name)} {weight:g}" for name, weight in weights)
    return f"least weighted sum ({criterion['score']:.3f}; weights {text})"


def _lexicographic_text(criterion: Mapping[str, Any]) -> str:
    *names, last = criterion["order"]
    shares = criterion["tolerance"]
    steps = [f"within {100 * shares[x]:.3g} % of the best {lower_label(x)}" for x in names]
    return ", then ".join([*steps, f"the best {lower_label(last)}"])


_CRITERIA: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "knee": _knee_text,
    "weighted": _weighted_text,
    "lexicographic": _lexicographic_text,
}


def change_text(row: Mapping[str, Any]) -> str:
    """Return what a step changes: ``buffer 91 KiB → 128 KiB``."""
    before, after = row["before"], row["after"]
    if not row.get("is_on_grid", True):
        share = f"{number(100 * (after / before - 1))} %"
        return f"{show_knob(row['resource'], before)} {ARROW} +{share}"
    if isinstance(before, str):
        return f"{before} {ARROW} {after}"
    name = row["resource"]
    return f"{lower_label(name)} {show_knob(name, before)} {ARROW} {show_knob(name, after)}"


def binding_reason(row: Mapping[str, Any]) -> str:
    """Return why a budget binds, or that it does not."""
    if not row["is_binding"]:
        return "the least slack; no step breaks it"
    return f"{change_text(row)} would improve {lower_label(row['improves'])} by {_gain(row)}"


def _gain(row: Mapping[str, Any]) -> str:
    return f"{100 * row['gain']:.3g} %"


def budget_use(row: Mapping[str, Any]) -> str:
    """Return a budget with its value and its limit: ``783 mW of 1 W``."""
    name = row["budget"]
    return f"{show(name, row['value'])} of {show(name, row['limit'])}"


def label_of(row: Mapping[str, Any]) -> str:
    """Return the name of a budget as a column has it."""
    return column(str(row["budget"])).label


def no_effect_text(row: Mapping[str, Any]) -> str:
    """Return why a step improves no objective; empty if one does."""
    code = row.get("no_effect") or ""
    if not code:
        return ""
    saved = -float(row.get("dram_bytes_per_inference_change") or 0.0)
    if code == SAVED_BYTES_DO_NOT_COUNT and saved > 0:
        return (
            f"no effect: it saves {percent(saved, 1)} of the DRAM bytes, which no layer waits for"
        )
    return f"no effect: {REASONS[code]}"


def violation_text(row: Mapping[str, Any]) -> str:
    """Return which budgets a design misses, and by which share of each."""
    if not row.get("is_mapped", True):
        return "fits some layer with no mapping"
    suffix = "_violation"
    missed = [
        f"{lower_label(name[: -len(suffix)])} by {number(100 * share)} %"
        for name, share in row.items()
        if name.endswith(suffix) and share > 0
    ]
    return f"misses {' and '.join(missed)}" if missed else "misses no budget"
