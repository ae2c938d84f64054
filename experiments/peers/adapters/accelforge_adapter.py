"""Asks AccelForge one question: see adapter.py.

Runs in AccelForge's own environment; imports nothing of this project. The mapper explores loops
whose bounds do not divide (of the loops for which AccelForge can: not the image and the filter of
a convolution), any unrolling on both axes, and an order and a tile of its own for each operand:
the front of energy and latency, where a byte of DRAM traffic costs 1, and a MAC takes 1 cycle.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

from adapter import cpu_s, serve

started = time.process_time()
from accelforge import Metrics, Spec, set_n_parallel_jobs  # noqa: E402
from accelforge.frontend.mapping.mapping import Reservation, Spatial, Temporal  # noqa: E402
from accelforge.mapper.FFM.main import map_workload_to_arch  # noqa: E402

IMPORT_CPU_S = time.process_time() - started

OPERANDS = {"I": "input", "W": "weight", "O": "output"}
OWN = {"I": ("b", "g", "c"), "W": ("g", "k", "c", "fy", "fx"), "O": ("b", "g", "k", "oy", "ox")}

MOVES = [("I", "read"), ("W", "read"), ("O", "read"), ("O", "write")]

ARCHITECTURE = """
arch:
  nodes:
  - !Memory
    name: DRAM
    size: inf
    leak_power: 0
    area: 0
    tensors: {{keep: All}}
    actions:
    - {{name: read, energy: 0.125, throughput: inf}}
    - {{name: write, energy: 0.125, throughput: inf}}
  - !Memory
    name: Buffer
    size: {buffer_bits}
    leak_power: 0
    area: 0
    tensors: {{keep: All}}
    actions:
    - {{name: read, energy: 0, throughput: inf}}
    - {{name: write, energy: 0, throughput: inf}}
  - !Container
    name: Array
    spatial:
    - {{name: axis0, fanout: {axis_sizes[0]}}}
    - {{name: axis1, fanout: {axis_sizes[1]}}}
  - !Compute
    name: MAC
    leak_power: 0
    area: 0
    actions:
    - {{name: compute, energy: 0, throughput: 1}}
"""


def workload(question: dict) -> str:
    """Return the layer as AccelForge writes it; loops of one iteration are left out."""
    bounds = {loop: size for loop, size in question["bounds"].items() if size > 1}
    lines = ["workload:", "  iteration_space_shape:"]
    lines += [f"    {loop}: 0 <= {loop} < {size}" for loop, size in bounds.items()]
    bits = {"I": "input", "W": "weight", "O": "psum"}
    widths = ", ".join(f"{name}: {question['bits'][key]}" for name, key in bits.items())
    lines += [f"  bits_per_value: {{{widths}}}", "  einsums:", "  - name: Layer"]
    lines += ["    tensor_accesses:"]
    for name, own in OWN.items():
        ranks = {loop.upper(): loop for loop in own if loop in bounds}
        if name == "I":
            for axis in "yx":
                terms = [loop for loop in (f"o{axis}", f"f{axis}") if loop in bounds]
                ranks |= {f"I{axis.upper()}": " + ".join(terms)} if terms else {}
        inside = ", ".join(f"{rank}: {terms}" for rank, terms in ranks.items())
        output = ", output: true" if name == "O" else ""
        lines.append(f"    - {{name: {name}, projection: {{{inside}}}{output}}}")
    lines.append("    renames: {input: I, weight: W, output: O}")
    return "\n".join(lines) + "\n"


def understood(spec: Spec, question: dict) -> dict:
    """Return the question as AccelForge holds it after parsing."""
    evaluated = spec._spec_eval_expressions(einsum_name="Layer")
    nodes = {node.name: node for node in evaluated.arch.nodes}
    shape = evaluated.workload.get_iteration_space_shape_isl_string("Layer")
    widths = {t.name: t.bits_per_value for t in evaluated.workload.einsums[0].tensor_accesses}
    sizes = dict.fromkeys(question["bounds"], 1)
    for part in str(shape).split(" and "):
        _, loop, size = (word.strip() for word in part.replace("<=", "<").split("<"))
        sizes[loop] = int(size)
    return {
        "bounds": sizes,
        "buffer_bits": int(nodes["Buffer"].size),
        "axis_sizes": [int(axis.fanout) for axis in nodes["Array"].spatial],
        "bits": {"input": widths["I"], "weight": widths["W"], "output": widths["O"]}
        | {"psum": widths["O"]},
    }


def nodes_of(mapping: Any) -> list[dict]:
    """Return a mapping as the list of nodes that replay.py reads.

    A tile is where AccelForge reserves room for it: below the storage node, if the next loops only
    step through the tensor, so that each element moves once and a neighbour's halo stays.
    """
    nodes = []
    for node in mapping.nodes:
        if isinstance(node, Reservation) and node.resource == "Buffer":
            nodes += [{"store": OPERANDS[name]} for name in node.purposes]
        elif isinstance(node, Temporal):
            nodes.append({"loop": str(node.rank_variable), "size": tile(node)})
        elif isinstance(node, Spatial):
            place = {"axis": int(node.name[-1]), "size": tile(node)}
            nodes.append({"unroll": str(node.rank_variable)} | place)
    return nodes


def tile(loop: Any) -> int:
    """Return the size of the tiles of a loop."""
    return int(loop.tile_pattern.tile_shape)


def check(question: dict) -> dict:
    """Let AccelForge cost a given mapping with partial sums and halos, to compare the rules.

    Returns
    -------
    dict
        ``bounds`` and ``nodes`` of the mapping, ``dram_elements`` as AccelForge counts them.
    """
    bounds = dict.fromkeys(question["bounds"], 1) | {"k": 8, "c": 8, "oy": 12, "ox": 5}
    bounds |= {"fy": 3, "fx": 3}
    outside = [("c", 4), ("k", 4)], [("oy", 2)]
    steps = [loop(*one) for one in outside[0]]
    steps += ["  - !Storage {tensors: [W, I], component: Buffer}", loop(*outside[1][0])]
    steps += ["  - !Storage {tensors: [O], component: Buffer}"]
    steps += [loop(name, 1) for name, size in bounds.items() if size > 1]
    text = [
        "mapping:",
        "  nodes:",
        "  - !Storage {tensors: [I, W, O], component: DRAM}",
        *steps,
        "  - !Compute {einsum: Layer, component: MAC}",
    ]
    asked = question | {"bounds": bounds}
    spec = parsed(asked, "\n".join(text) + "\n")
    counts = spec.evaluate_mapping().data.iloc[0]
    bits = [counts[f"Layer<SEP>action<SEP>DRAM<SEP>{x}<SEP>{y}"] for x, y in MOVES]
    nodes = [{"loop": name, "size": size} for name, size in outside[0]]
    nodes += [{"store": "weight"}, {"loop": "oy", "size": 2}, {"store": "input"}]
    nodes += [{"store": "output"}]
    return {"bounds": bounds, "nodes": nodes, "dram_elements": float(sum(bits)) / 8}


def loop(name: str, size: int) -> str:
    """Return a loop as AccelForge writes it."""
    return f"  - !Temporal {{rank_variable: {name}, tile_shape: {size}}}"


def parsed(question: dict, mapping: str = "") -> Spec:
    """Return the question, and a mapping if there is one, read by AccelForge."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / f"{name}.yaml") for name in ("arch", "workload", "mapping")]
        texts = [ARCHITECTURE.format(**question), workload(question), mapping]
        for path, text in zip(paths, texts, strict=True):
            Path(path).write_text(text)
        return Spec.from_yaml(*(path for path, text in zip(paths, texts, strict=True) if text))


def answer(question: dict, options: dict) -> dict:
    """Run the mapper once and return the mappings on its front."""
    spec = parsed(question)
    spec.mapper.metrics = Metrics.ENERGY | Metrics.LATENCY
    spec.mapper.explore_imperfect_temporal_loops = options["imperfect_loops"]
    spec.mapper.explore_imperfect_spatial_loops = options["imperfect_loops"]
    set_n_parallel_jobs(1)
    before = cpu_s()
    found = map_workload_to_arch(spec, print_progress=False, eval_in_detail=False).data
    spent = cpu_s() - before
    return {
        "cpu_s": spent,
        "understood": understood(spec, question),
        "check": check(question),
        "mappings": [
            {
                "goal": "front",
                "dram_elements": float(row["Total<SEP>energy"]),
                "cycles": float(row["Total<SEP>latency"]),
                "nodes": nodes_of(row["Total<SEP>mapping"](_for_model=True)),
            }
            for _, row in found.iterrows()
        ],
    }


if __name__ == "__main__":
    serve(answer, "accelforge", IMPORT_CPU_S)
