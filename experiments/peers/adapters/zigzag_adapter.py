"""Asks ZigZag one question: see adapter.py.

Runs in ZigZag's own environment; imports nothing of this project. ZigZag generates a few spatial
mappings itself (one loop on each axis, divisors of the axis), and for each of them LOMA tries every
order of at most ``loop_factors`` factors of the loops, each operand with a tile of its own. All
evaluations are seen here: the one with the least DRAM bytes, and the one with the fewest cycles of
the array (ZigZag's own latency adds stalls that the question excludes).
"""

import logging
import tempfile
import time
from pathlib import Path
from typing import Any, ClassVar

from adapter import cpu_s, serve

started = time.process_time()
import yaml  # noqa: E402
from zigzag.mapping.data_movement import DataDirection, DataMoveAttr  # noqa: E402
from zigzag.mapping.temporal_mapping import TemporalMappingType  # noqa: E402
from zigzag.stages.evaluation.cost_model_evaluation import CostModelStage  # noqa: E402
from zigzag.stages.main import MainStage  # noqa: E402
from zigzag.stages.mapping.spatial_mapping_generation import (  # noqa: E402
    SpatialMappingGeneratorStage,
)
from zigzag.stages.mapping.temporal_mapping_generator_stage import (  # noqa: E402
    TemporalMappingGeneratorStage,
)
from zigzag.stages.parser.accelerator_parser import AcceleratorParserStage  # noqa: E402
from zigzag.stages.parser.workload_parser import WorkloadParserStage  # noqa: E402
from zigzag.stages.stage import Stage  # noqa: E402
from zigzag.stages.workload_iterator import WorkloadStage  # noqa: E402

IMPORT_CPU_S = time.process_time() - started

OWN = {"O": ("b", "g", "k", "oy", "ox"), "W": ("g", "k", "c", "fy", "fx")}
INPUT = ("b", "g", "c", "iy", "ix")
OPERANDS = {"I": "input", "W": "weight", "O": "output"}
WIDE_BITS = 10**9  # per cycle: the buffer never limits the array
HUGE_BITS = 10**13
GOALS = ("least traffic", "fewest cycles", "most traffic")


def workload(question: dict) -> list[dict]:
    """Return the layer as ZigZag writes it."""
    terms = {name: "".join(f"[{x}]" for x in own) for name, own in (OWN | {"I": INPUT}).items()}
    bits = question["bits"]
    return [
        {
            "id": 0,
            "name": "layer",
            "operator_type": "Conv",
            "equation": f"O{terms['O']}+=W{terms['W']}*I{terms['I']}",
            "dimension_relations": ["ix=1*ox+1*fx", "iy=1*oy+1*fy"],
            "loop_dims": [loop.upper() for loop in question["bounds"]],
            "loop_sizes": list(question["bounds"].values()),
            "operand_precision": {
                "W": bits["weight"],
                "I": bits["input"],
                "O": bits["psum"],
                "O_final": bits["output"],
            },
            "operand_source": {"I": 0, "W": 0},
        }
    ]


def memory(size_bits: int, cost: float, bits_per_cycle: int) -> dict:
    """Return a memory of all operands, with a cost for each access of so many bits."""
    ports = {
        "read": ["I1, tl", "I2, tl", "O, tl", "O, th"],
        "write": ["I1, fh", "I2, fh", "O, fh", "O, fl"],
    }
    return {
        "size": size_bits,
        "r_cost": cost,
        "w_cost": cost,
        "area": 0.0,
        "latency": 1,
        "operands": ["I1", "I2", "O"],
        "ports": [
            {
                "name": f"{kind[0]}_port_1",
                "type": kind,
                "bandwidth_min": 8,
                "bandwidth_max": bits_per_cycle,
                "allocation": allocation,
            }
            for kind, allocation in ports.items()
        ],
        "served_dimensions": ["D1", "D2"],
    }


def accelerator(question: dict) -> dict:
    """Return the machine as ZigZag writes it: energy is the number of DRAM bytes."""
    return {
        "name": "question",
        "memories": {
            "buffer": memory(question["buffer_bits"], 0.0, WIDE_BITS),
            "dram": memory(HUGE_BITS, 1.0, 8),
        },
        "operational_array": {
            "unit_energy": 0.0,
            "unit_area": 0.0,
            "dimensions": ["D1", "D2"],
            "sizes": question["axis_sizes"],
        },
    }


class Best(Stage):
    """Keeps the best evaluations, and the one with the most traffic, which has every kind of it."""

    kept: ClassVar[dict[str, Any]] = {}
    evaluated: ClassVar[int] = 0

    def run(self) -> Any:
        """Look at every evaluation of the stages below."""
        for found, _ in self.list_of_callables[0](self.list_of_callables[1:], **self.kwargs).run():
            Best.evaluated += 1
            traffic, cycles = dram_elements(found), cycles_of(found)
            values = (traffic, cycles), (cycles, traffic), (-traffic, cycles)
            for goal, value in zip(GOALS, values, strict=True):
                if goal not in Best.kept or value < Best.kept[goal][0]:
                    Best.kept[goal] = value, found
        yield Best.kept["least traffic"][1], None


def dram_elements(found: Any) -> int:
    """Return the elements that ZigZag counts between the DRAM and the buffer.

    Its energy of the DRAM counts one more read of every output that leaves as partial sums.
    """
    moves = [levels[-1] for levels in found.mapping.unit_mem_data_movement.values()]
    counts = [move.get_attribute(DataMoveAttr.DATA_ELEM_MOVE_COUNT) for move in moves]
    return sum(int(count.get(direction)) for count in counts for direction in DataDirection)


def cycles_of(found: Any) -> int:
    """Return the cycles of the array, without stalls."""
    return int(found.mapping_int.temporal_mapping.total_cycle)


def nodes_of(found: Any, axis_sizes: list[int]) -> list[dict]:
    """Return a mapping as the list of nodes that replay.py reads."""
    temporal = {
        op.name: levels for op, levels in found.mapping.temporal_mapping.mapping_dic_origin.items()
    }
    inside = next(
        levels[0]
        for op, levels in found.mapping.spatial_mapping.mapping_dict_origin.items()
        if op.name == "O"
    )
    tile: dict[str, int] = {}
    unrolled = []
    for axis, loop, count in _by_axis(inside, axis_sizes):
        unrolled.append({"unroll": loop, "size": tile.get(loop, 1), "axis": axis})
        tile[loop] = tile.get(loop, 1) * count
    order = [(dim.name.lower(), int(n)) for level in temporal["O"] for dim, n in level]
    nodes = unrolled  # innermost first
    stored = {name: len(levels[0]) for name, levels in temporal.items()}
    for place in range(len(order) + 1):
        nodes += [{"store": OPERANDS[name]} for name, at in stored.items() if at == place]
        if place < len(order):
            loop, count = order[place]
            nodes.append({"loop": loop, "size": tile.get(loop, 1)})
            tile[loop] = tile.get(loop, 1) * count
    return nodes[::-1]


def _by_axis(inside: Any, axis_sizes: list[int]) -> list[tuple[int, str, int]]:
    """Return axis, loop and count; ZigZag writes a loop on both axes as one product."""
    entries = [(dim.name.lower(), int(count)) for dim, count in inside]
    if len(entries) == 1 and entries[0][1] > axis_sizes[0]:
        loop, count = entries[0]
        entries = [(loop, axis_sizes[0]), (loop, count // axis_sizes[0])]
    return [(axis, loop, count) for axis, (loop, count) in enumerate(entries)]


def answer(question: dict, options: dict) -> dict:
    """Run LOMA once, over the spatial mappings that ZigZag generates."""
    logging.disable(logging.CRITICAL)
    parts = {
        "workload": workload(question),
        "accelerator": accelerator(question),
        "mapping": [{"name": "default", "memory_operand_links": {"O": "O", "W": "I2", "I": "I1"}}],
    }
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: str(Path(folder) / f"{name}.yaml") for name in parts}
        for name, part in parts.items():
            Path(paths[name]).write_text(yaml.safe_dump(part, sort_keys=False))
        before = cpu_s()
        stages = MainStage(
            [
                WorkloadParserStage,
                AcceleratorParserStage,
                WorkloadStage,
                Best,
                SpatialMappingGeneratorStage,
                TemporalMappingGeneratorStage,
                CostModelStage,
            ],
            **paths,
            loma_lpf_limit=options["loop_factors"],
            nb_mappings_generated=options["spatial_mappings"],
            loma_show_progress_bar=False,
            temporal_mapping_type=TemporalMappingType.UNEVEN,
            access_same_data_considered_as_no_access=True,
        )
        stages.run()
        spent = cpu_s() - before
    return {
        "cpu_s": spent,
        "understood": understood(Best.kept["least traffic"][1]),
        "num_evaluated": Best.evaluated,
        "mappings": [
            {
                "goal": goal,
                "dram_elements": dram_elements(one),
                "cycles": cycles_of(one),
                "nodes": nodes_of(one, question["axis_sizes"]),
            }
            for goal, (_, one) in Best.kept.items()
        ],
    }


def understood(found: Any) -> dict:
    """Return the question as ZigZag holds it after parsing."""
    layer, machine = found.layer, found.accelerator
    bits = {op.name: int(n) for op, n in layer.operand_precision.data.items()}
    sizes = {dim.name.lower(): int(n) for dim, n in layer.layer_dim_sizes.items()}
    levels = machine.memory_hierarchy.mem_level_list
    axes = machine.operational_array.dimension_sizes
    return {
        "bounds": sizes,
        "buffer_bits": min(level.memory_instance.size for level in levels),
        "axis_sizes": [int(axes[axis]) for axis in sorted(axes, key=lambda axis: axis.name)],
        "bits": {"input": bits["I"], "weight": bits["W"]}
        | {"output": bits["O_final"], "psum": bits["O"]},
    }


if __name__ == "__main__":
    serve(answer, "zigzag-dse", IMPORT_CPU_S)
