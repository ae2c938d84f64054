"""Cycles of one fixed schedule, against SCALE-Sim: the part of the question that it can be asked.

SCALE-Sim searches nothing. Its cycles are those of F folds of a systolic array of R rows and C
columns that streams T vectors through each fold: F (2R + C + T - 2) - 1 with the weights or the
inputs held in the array, F (R + C + T - 2) - 1 with the outputs held. Here the layer is one tile of
a machine with the same loops on the same axes, and 2R + C - 2 or R + C - 2 fill cycles for each
pass: the same question, up to the one cycle that SCALE-Sim does not count at the end.

Its DRAM traffic is not compared: three buffers of fixed shares, each half for prefetching, and a
schedule that is not chosen, are another question.
"""

import json
import time
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

import dse
from dse.hardware import Accelerator
from dse.mapping.nest.mapping import evaluate_mapping
from experiments.peers.ours import layer_of
from experiments.peers.programs import FOLDER, LIMIT_CPU_S, python_of, run_adapter
from experiments.peers.question import AXIS_SIZES, PROBLEMS, bounds, question

PATH = FOLDER / "fixed_schedule.jsonl"
HELD = ("weight", "output")
WINDOW, PIXELS = ["c", "fy", "fx"], ["oy", "ox"]
ROWS, COLUMNS = AXIS_SIZES


def machine_of(held: str) -> Accelerator:
    """Return the systolic array that holds an operand, its buffer larger than any layer."""
    loading = ROWS if held == "weight" else 0
    rows = WINDOW if held == "weight" else PIXELS
    return dse.load_accelerator(
        "systolic",
        array=[{"size": "array_rows", "dims": [rows]}, {"size": "array_columns", "dims": ["k"]}],
        array_rows=ROWS,
        array_columns=COLUMNS,
        buffer_bytes=2**30,
        transfers="overlapped",
        held_in_array=held,
        stationarity=["input", "weight", "output"],
        fill_cycles=loading + ROWS + COLUMNS - 2,
    )


def ours(problem: str, held: str) -> tuple[int, float]:
    """Return the cycles of the layer as one tile, and the CPU seconds of finding them."""
    layer, machine = layer_of(problem), machine_of(held)
    before = time.process_time()
    axes = tuple(axis.dims[0] for axis in machine.array)
    order = tuple(layer.bounds)
    mapping = evaluate_mapping(layer, machine, tile=layer.bounds, order=order, axes=axes)
    return mapping.compute_cycles, time.process_time() - before


def closed_form(problem: str, held: str) -> int:
    """Return SCALE-Sim's cycles in closed form."""
    size = bounds(problem)
    window = size["c"] * size["fy"] * size["fx"]
    pixels = size["oy"] * size["ox"]
    on_rows, streamed = (window, pixels) if held == "weight" else (pixels, window)
    folds = -(-on_rows // ROWS) * -(-size["k"] // COLUMNS)
    loading = ROWS if held == "weight" else 0
    return folds * (loading + ROWS + COLUMNS + streamed - 2) - 1


def stored(path: Path = PATH) -> list[dict[str, Any]]:
    """Return the stored runs."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def run(environments: Path, path: Path = PATH) -> None:
    """Ask SCALE-Sim what is not answered yet, and store each answer as it comes."""
    known = {(x["problem"], x["held_in_array"]) for x in stored(path)}
    todo = [(problem, held) for problem in PROBLEMS for held in HELD]
    todo.sort(key=lambda asked: closed_form(*asked))  # the quick ones first
    for problem, held in tqdm([x for x in todo if x not in known], disable=None):
        sent = {"question": question(problem, 0), "options": {"held_in_array": held}}
        found = run_adapter(python_of("scalesim", environments), "scalesim", sent)
        with path.open("a", encoding="utf-8") as lines:
            record = {"problem": problem, "held_in_array": held, **found}
            lines.write(json.dumps(record) + "\n")


def table(records: list[dict[str, Any]]) -> pd.DataFrame:
    """Return SCALE-Sim's cycles, its closed form and ours, one row a problem and operand held."""
    rows = []
    for record in records:
        problem, held = record["problem"], record["held_in_array"]
        answer = record.get("answer", {})
        cycles, spent = ours(problem, held)
        rows.append(
            {
                "problem": problem,
                "held_in_array": held,
                "status": record["status"],
                "scalesim_cycles": answer.get("cycles"),
                "closed_form_cycles": closed_form(problem, held),
                "our_cycles": cycles,
                "scalesim_cpu_s": answer.get("cpu_s", LIMIT_CPU_S),
                "our_cpu_s": spent,
                "version": answer.get("version", ""),
                "date": record["date"],
                "load": record["load"],
            }
        )
    frame = pd.DataFrame(rows)
    return frame.astype({"scalesim_cycles": "Int64"}) if rows else frame
