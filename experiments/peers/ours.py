"""What this project answers: one exact table for each problem, all buffer sizes at once.

Each measurement is that of a fresh process: compiled code is warmed up on another layer, then every
problem is asked once, so that nothing is found in a cache. ``python -m experiments.peers.ours``
prints one such measurement as JSON.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from statistics import median
from typing import Any

import numpy as np

import dse
from dse.hardware import Accelerator
from dse.mapping.nest.mapping import Mapping
from dse.mapping.table import MappingTable
from dse.workload import LOOPS, Layer
from experiments.peers.programs import machine
from experiments.peers.question import AXIS_SIZES, BITS, BUFFERS_KIB, PROBLEMS, bounds
from experiments.peers.replay import Node, replay

RULES = (True, False)
"""Whether halos are kept: peers differ in it, so both are answered."""

REPEATS = 5


def layer_of(problem: str) -> Layer:
    """Return a problem as a layer: an input without padding, all bits as asked."""
    bits = {f"{operand}_bits": width for operand, width in BITS.items()}
    return Layer(name=problem, **bounds(problem), **bits)


def chip_of(buffer_kib: int, *, halo_is_kept: bool) -> Accelerator:
    """Return the machine of the question."""
    return dse.load_accelerator(
        "flexible",
        array=[{"size": name, "dims": list(LOOPS)} for name in ("array_rows", "array_columns")],
        array_rows=AXIS_SIZES[0],
        array_columns=AXIS_SIZES[1],
        buffer_bytes=1024 * buffer_kib,
        transfers="overlapped",
        halo_is_kept=halo_is_kept,
    )


def answers(table: MappingTable, buffer_kib: int) -> dict[str, Mapping]:
    """Return the mapping with the least traffic, then fewest cycles, and the other way round."""
    fits = np.flatnonzero(table.footprint_bits[:, 0] <= 8192 * buffer_kib)
    traffic, cycles = table.dram_bits[fits], table.compute_cycles[fits]
    least = fits[np.lexsort((cycles, traffic))[0]]
    fastest = fits[np.lexsort((traffic, cycles))[0]]
    return {
        "least traffic": table.mapping(int(least)),
        "fewest cycles": table.mapping(int(fastest)),
    }


def nodes_of(mapping: Mapping) -> list[Node]:
    """Return a mapping of ours as the nodes that replay.py reads."""
    nodes: list[Node] = [{"loop": loop, "size": mapping.tile[loop]} for loop in mapping.order]
    nodes += [{"store": operand} for operand in BITS if operand != "psum"]
    together = dict.fromkeys(LOOPS, 1)
    for loops, size in zip(mapping.axes, mapping.axis_sizes, strict=True):
        for loop in loops:
            together[loop] *= size
    nodes += [{"loop": loop, "size": size} for loop, size in together.items()]
    for axis, (loops, size) in enumerate(zip(mapping.axes, mapping.axis_sizes, strict=True)):
        for loop in loops:
            together[loop] //= size
            nodes.append({"unroll": loop, "size": together[loop], "axis": axis})
    return nodes


def measured() -> dict[str, Any]:
    """Answer every problem once in this process.

    Returns
    -------
    dict
        ``warm_up_cpu_s``, and for each problem and rule ``cpu_s`` of the table and the answers.
    """
    started = time.process_time()
    for rule in RULES:
        other = Layer(name="other", k=5, c=6, oy=7, ox=9, fy=5, fx=2)
        answers(dse.mapping_table(other, chip_of(16, halo_is_kept=rule)), 16)
    found: dict[str, Any] = {"warm_up_cpu_s": time.process_time() - started, "rows": []}
    for problem in PROBLEMS:
        for rule in RULES:
            layer, chip = layer_of(problem), chip_of(BUFFERS_KIB[0], halo_is_kept=rule)
            before = time.process_time()
            table = dse.mapping_table(layer, chip)
            best = {size: answers(table, size) for size in BUFFERS_KIB}
            spent = time.process_time() - before
            found["rows"].append(
                {
                    "problem": problem,
                    "halo_is_kept": rule,
                    "cpu_s": spent,
                    "mappings": len(table.dram_bits),
                }
                | {"answers": [_shown(problem, rule, size, best[size]) for size in BUFFERS_KIB]}
            )
    return found


def _shown(problem: str, rule: bool, size: int, best: dict[str, Mapping]) -> dict[str, Any]:
    """Return what is answered for a buffer, walked as the mappings of the peers are."""
    shown: dict[str, Any] = {"buffer_kib": size}
    for goal, mapping in best.items():
        nodes = nodes_of(mapping)
        walked = replay(bounds(problem), nodes, halo_is_kept=rule)
        if walked.footprint > 1024 * size:
            raise RuntimeError(f"{problem}: our mapping does not fit {size} KiB")
        claimed = mapping.dram_bits // 8, mapping.compute_cycles
        if (walked.dram_elements, walked.cycles) != claimed:
            raise RuntimeError(f"{problem}: a walk finds {walked}, our model {claimed}")
        shown[goal] = {"dram_elements": walked.dram_elements, "cycles": walked.cycles}
    return shown


def measure() -> dict[str, Any]:
    """Answer every problem in fresh processes; CPU seconds are medians.

    Returns
    -------
    dict
        The machine, ``compile_cpu_s`` (a warm-up with nothing compiled before), ``warm_up_cpu_s``
        (with compiled code on disk), and ``rows``.
    """
    before = machine()
    with tempfile.TemporaryDirectory() as empty:
        cold = _child({"NUMBA_CACHE_DIR": empty})
    runs = [_child({}) for _ in range(REPEATS)]
    for place, row in enumerate(runs[0]["rows"]):
        row["cpu_s"] = median(run["rows"][place]["cpu_s"] for run in runs)
    return {
        **before,
        "version": version("chipfront"),
        "compile_cpu_s": cold["warm_up_cpu_s"],
        "warm_up_cpu_s": median(run["warm_up_cpu_s"] for run in runs),
        "rows": runs[0]["rows"],
    }


def _child(variables: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "experiments.peers.ours"],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


if __name__ == "__main__":
    print(json.dumps(measured()))
