"""Asks SCALE-Sim for the cycles of one fixed schedule: see adapter.py.

Runs in SCALE-Sim's own environment; imports nothing of this project. SCALE-Sim chooses no mapping:
a dataflow says which operand stays in the array, and the layer is a matrix product whose window is
flattened. Its three buffers are as large as the layer, and its DRAM is not asked about.
"""

import tempfile
import time
from pathlib import Path

from adapter import cpu_s, serve

started = time.process_time()
from scalesim.scale_sim import scalesim  # noqa: E402

IMPORT_CPU_S = time.process_time() - started

DATAFLOWS = {"weight": "ws", "output": "os", "input": "is"}
LARGE_KIB = 65536

CONFIGURATION = """
[general]
run_name = layer

[architecture_presets]
ArrayHeight : {rows}
ArrayWidth : {columns}
IfmapSramSzkB : {kib}
FilterSramSzkB : {kib}
OfmapSramSzkB : {kib}
IfmapOffset : 0
FilterOffset : 10000000
OfmapOffset : 20000000
Dataflow : {dataflow}
Bandwidth : 10
ReadRequestBuffer : 64
WriteRequestBuffer : 64

[layout]
IfmapCustomLayout : False
IfmapSRAMBankBandwidth : 10
IfmapSRAMBankNum : 10
IfmapSRAMBankPort : 2
FilterCustomLayout : False
FilterSRAMBankBandwidth : 10
FilterSRAMBankNum : 10
FilterSRAMBankPort : 2

[sparsity]
SparsitySupport : false
SparseRep : ellpack_block
OptimizedMapping : false
BlockSize : 8
RandomNumberGeneratorSeed : 40

[run_presets]
InterfaceBandwidth : CALC
UseRamulatorTrace : False
"""


def layer(bounds: dict) -> str:
    """Return the layer as SCALE-Sim writes it: input, filter, channels, filters, stride."""
    rows, columns = (bounds[f"o{axis}"] + bounds[f"f{axis}"] - 1 for axis in "yx")
    sizes = [rows, columns, bounds["fy"], bounds["fx"], bounds["c"], bounds["k"], 1]
    return "Layer,H,W,FY,FX,C,K,Stride,\n" + ",".join(["layer", *map(str, sizes)]) + ",\n"


def answer(question: dict, options: dict) -> dict:
    """Simulate the layer once and return its cycles."""
    rows, columns = question["axis_sizes"]
    dataflow = DATAFLOWS[options["held_in_array"]]
    with tempfile.TemporaryDirectory() as folder:
        parts = {
            "machine.cfg": CONFIGURATION.format(
                rows=rows, columns=columns, kib=LARGE_KIB, dataflow=dataflow
            ),
            "layer.csv": layer(question["bounds"]),
            "layout.csv": "Layer,\n",
        }
        paths = [str(Path(folder) / name) for name in parts]
        for path, text in zip(paths, parts.values(), strict=True):
            Path(path).write_text(text)
        before = cpu_s()
        simulator = scalesim(
            save_disk_space=True,
            verbose=False,
            config=paths[0],
            topology=paths[1],
            layout=paths[2],
            input_type_gemm=False,
        )
        simulator.run_scale(top_path=folder)
        spent = cpu_s() - before
    found = simulator.runner.single_layer_sim_object_list[0]
    return {
        "cpu_s": spent,
        "understood": {
            "axis_sizes": [simulator.config.array_rows, simulator.config.array_cols],
            "macs": int(found.num_compute),
        },
        "cycles": int(found.total_cycles),
        "stall_cycles": int(found.stall_cycles),
    }


if __name__ == "__main__":
    serve(answer, "scalesim", IMPORT_CPU_S)
