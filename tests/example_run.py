"""A made-up but realistic run: a network like ResNet-50 and 5,096 designs, for plots and report.

Its costs are a rough roofline: good for the shape of a picture, and for nothing else.
"""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

CLOCK_HZ = 1e9
EFFICIENCY = 0.75
CAUSES = (
    "mac", "edge", "fill", "compulsory", "refetch", "dram_inefficiency", "first_last", "macless",
    "launch",
)  # fmt: skip
PARTS = {
    "lpddr4_3200_x16": 6.4e9,
    "lpddr4_3200_x32": 12.8e9,
    "lpddr4x_4266_x32": 17.064e9,
    "lpddr5_6400_x32": 25.6e9,
}
BUDGET = {"area_mm2": 8.0, "dram_bytes_per_s": 25.6e9, "throughput_per_s": 30.0}
OBJECTIVES = ("throughput_per_s", "area_mm2", "dram_bytes_per_s")


def shapes() -> list[dict[str, object]]:
    """Name, MACs and operand bytes of the layers of a network like ResNet-50."""
    rows = [_conv("conv1", 64, 3, 112, 7, 224), _other("pool1", 802816 + 200704)]
    width, size, channels = 64, 56, 64
    for stage, blocks in enumerate((3, 4, 6, 3), start=2):
        for block in range(blocks):
            name = f"conv{stage}_{block + 1}"
            rows.append(_conv(f"{name}.reduce", width, channels, size, 1, size))
            rows.append(_conv(f"{name}.conv3x3", width, width, size, 3, size))
            rows.append(_conv(f"{name}.expand", 4 * width, width, size, 1, size))
            if block == 0:
                rows.append(_conv(f"{name}.shortcut", 4 * width, channels, size, 1, size))
            rows.append(_other(f"{name}.add", 3 * 4 * width * size**2))
            channels = 4 * width
        width, size = 2 * width, size // 2
    return [*rows, _other("avgpool", 2048 * 50), _conv("fc", 1000, 2048, 1, 1, 1)]


def _conv(name: str, k: int, c: int, size: int, f: int, size_in: int) -> dict[str, object]:
    return {
        "name": name, "op": "mac", "macs": k * c * size**2 * f**2, "input": c * size_in**2,
        "weight": k * c * f**2, "output": k * size**2, "k": k,
    }  # fmt: skip


def _other(name: str, elements: int) -> dict[str, object]:
    return {"name": name, "op": "pool" if "pool" in name else "add", "macs": 0,
            "input": elements * 2 // 3, "weight": 0, "output": elements // 3, "k": 1}  # fmt: skip


def layers(*, side: int = 32, buffer_bytes: int = 524288, rate: float = 12.8e9) -> pd.DataFrame:
    """Layer rows of one design, with the columns of dse.evaluation.result."""
    return pd.DataFrame([_row(shape, side, buffer_bytes, rate) for shape in shapes()])


def _row(shape: dict, side: int, buffer_bytes: int, rate: float) -> dict[str, object]:
    compulsory = float(shape["input"] + shape["weight"] + shape["output"])
    smaller = max(1, min(shape["weight"], shape["input"]) * 2)
    passes = 1 + 0.6 * max(0.0, np.log2(smaller / buffer_bytes))
    dram = compulsory + (passes - 1) * (shape["input"] + 0.4 * shape["weight"])
    ideal = shape["macs"] / side**2 / CLOCK_HZ
    edge = ideal * (-(-shape["k"] // side) * side / shape["k"] - 1 + 0.04) if shape["macs"] else 0
    transfer = dram / rate / EFFICIENCY
    first_last = 0.03 * transfer if shape["macs"] else 0.0
    latency = max(ideal + edge + first_last, transfer)
    hidden = ideal + edge
    parts = [max(0.0, b - a) for a, b in zip(*_steps(hidden, compulsory, dram, rate), strict=True)]
    times = dict.fromkeys(CAUSES, 0.0)
    if shape["macs"]:
        times |= {"mac": ideal, "edge": edge, "compulsory": parts[0], "refetch": parts[1]}
        times |= {"dram_inefficiency": parts[2]}
        times |= {"first_last": max(0.0, latency - sum(times.values()))}
    else:
        times |= {"macless": transfer}
    bound = "no MACs" if not shape["macs"] else "memory" if transfer >= latency else "compute"
    return {
        "name": shape["name"], "op": shape["op"], "repeat": 1, "macs": shape["macs"],
        "cycles": latency * CLOCK_HZ, "latency_s": sum(times.values()), "dram_bytes": dram,
        "dram_bytes_input": dram - shape["weight"] - shape["output"],
        "dram_bytes_weight": shape["weight"], "dram_bytes_output": shape["output"],
        "dram_bytes_psum_write": 0, "dram_bytes_psum_read": 0,
        "operational_intensity": shape["macs"] / dram, "bound": bound,
        "utilisation": ideal / latency, "stationary": "weight" if shape["macs"] else "",
        "unrolled": f"k:{side} (c,fy,fx):{side}" if shape["macs"] else "", "order": "k c oy ox",
        **{f"tile_{loop}": 1 for loop in ("b", "g", "k", "c", "oy", "ox", "fy", "fx")},
        "footprint_bytes": min(compulsory, buffer_bytes / 2), "compulsory_bytes": compulsory,
        "lower_bound_bytes": compulsory + 0.8 * (dram - compulsory),
        **{f"time_{cause}_s": value for cause, value in times.items()},
        "why": f"{bound.capitalize()} bound: {ideal / latency:.0%} of its time is ideal MAC time.",
    }  # fmt: skip


def _steps(hidden: float, compulsory: float, dram: float, rate: float) -> tuple[list, list]:
    ends = [hidden, compulsory / rate, dram / rate, dram / rate / EFFICIENCY]
    ends = list(np.maximum.accumulate(ends))
    return ends[:-1], ends[1:]


def designs() -> pd.DataFrame:
    """Every design of the default space, costed roughly."""
    sides, parts = (8, 12, 16, 24, 32, 48, 64), list(PARTS)
    buffers = [int(65536 * 2 ** (i / 2)) for i in range(13)]
    grid = list(product(sides, sides, buffers, parts, (1, 2)))
    knobs = ["array_rows", "array_columns", "buffer_bytes", "dram_part", "dram_channels"]
    frame = pd.DataFrame(grid, columns=knobs)
    macs = frame.array_rows * frame.array_columns
    rate = frame.dram_part.map(PARTS) * frame.dram_channels
    skew = 1 + 0.08 * abs(np.log2(frame.array_rows / frame.array_columns))
    traffic = 34e6 + 90e6 * (65536 / frame.buffer_bytes) ** 0.7
    compute = 4.1e9 / macs / CLOCK_HZ * skew * (1 + macs**0.5 / 90)
    frame["latency_s"] = compute * 0.8 + np.maximum(0.2 * compute, traffic / rate / EFFICIENCY)
    frame["throughput_per_s"] = 1 / frame.latency_s
    frame["dram_bytes"] = frame["dram_bytes_per_inference"] = traffic
    frame["energy_pj"] = frame["energy_pj_per_inference"] = traffic * 64 + 4.1e9 * 0.6
    frame["area_mm2"] = 0.62 + macs * 0.00196 + frame.buffer_bytes / 1024 * 0.0033
    frame["power_w"] = frame.energy_pj * 1e-12 / frame.latency_s
    frame["dram_bytes_per_s"] = rate
    frame["cost_usd"] = 1 + frame.area_mm2 * 0.09 + rate / 6.4e9 * 1.5
    return frame.assign(feasible=_feasible(frame))


def _feasible(frame: pd.DataFrame) -> pd.Series:
    under = (frame.area_mm2 <= BUDGET["area_mm2"]) & (frame.dram_bytes_per_s <= 25.6e9)
    return under & (frame.throughput_per_s >= BUDGET["throughput_per_s"])


def front(frame: pd.DataFrame) -> pd.DataFrame:
    """Non-dominated feasible designs of the frame."""
    costs = frame[frame.feasible].drop_duplicates(list(OBJECTIVES))
    values = costs[list(OBJECTIVES)].to_numpy() * (-1, 1, 1)
    kept = [not ((values <= row).all(axis=1) & (values < row).any(axis=1)).any() for row in values]
    rows = costs[kept].drop(columns="feasible")
    return rows.sort_values(list(OBJECTIVES), ascending=[False, True, True], ignore_index=True)


def traffic(
    layer_names: tuple[str, ...] = ("conv2_1.conv3x3", "conv5_1.conv3x3", "conv1"),
) -> pd.DataFrame:
    """Curves as in traffic.csv: the network where ``layer`` is empty."""
    sizes = np.unique(np.geomspace(4096, 2**23, 60).astype(int))
    rows = []
    for name, least, knee in [("", 34e6, 6e5), *((n, 2e6, 1e5) for n in layer_names)]:
        for size in sizes:
            bytes_moved = least * (1 + max(0.0, (knee / size) ** 0.6 - 0.4))
            rows.append(
                (name, size, bytes_moved, least * (1 + 0.7 * (bytes_moved / least - 1)), least)
            )
    columns = ["layer", "buffer_bytes", "dram_bytes", "lower_bound_bytes", "compulsory_bytes"]
    return pd.DataFrame(rows, columns=columns)


def history(trials: int = 500) -> pd.DataFrame:
    """Share of the exact hypervolume against designs costed."""
    costed = np.arange(25, trials + 1, 25)
    return pd.DataFrame({"num_costed": costed, "hypervolume_share": 1 - 0.35 * 0.99**costed})


def write_run(folder: Path, *, task: str = "search") -> Path:
    """Write the files of a finished run, as the command line does."""
    is_search = task != "evaluate"
    rows, every = layers(), designs()
    best = front(every)
    row = best.sort_values("area_mm2", kind="stable").iloc[len(best) // 3]
    config = {
        "task": {"name": task}, "space": {"name": "edge"}, "mapper": {"objective": "latency_s"},
        "workload": {"name": "resnet50",
                     "bits": {"input": 8, "weight": 8, "output": 8, "psum": 32}},
        "accelerator": {"name": "flexible", "technology": "node28", "clock_hz": 1e9},
        "objectives": list(OBJECTIVES), "budget": BUDGET,
        "search": {"sampler": "nsga2", "trials": 500}, "seed": 0,
    }  # fmt: skip
    manifest = {
        "command": ["dse", f"task={task}", "budget.area_mm2=8"], "config": config, "seed": 0,
        "versions": {"python": "3.11.2", "numpy": "2.4"}, "git_commit": "0" * 40,
        "config_sha256": "ab" * 32, "inputs_sha256": {"conf/workload/resnet50": "cd" * 32},
        "date": "2026-11-30T12:00:00+00:00", "wall_s": 12.3,
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    if is_search:
        manifest |= {"front": "exact", "hypervolume_share": 0.987, "num_costed": 500,
                     "num_designs": len(every), "notes": []}  # fmt: skip
        every.to_parquet(folder / "designs.parquet", index=False)
        best.to_csv(folder / "front.csv", index=False)
        history().to_csv(folder / "history.csv", index=False)
        _write_json(folder / "pick.json", _pick(row, best))
    rows.to_csv(folder / "layers.csv", index=False)
    traffic().to_csv(folder / "traffic.csv", index=False)
    _write_json(folder / "summary.json", _summary(rows, row))
    _write_json(folder / "manifest.json", manifest)
    return folder


def _pick(row: pd.Series, best: pd.DataFrame) -> dict[str, object]:
    used = float(row.area_mm2)
    others = best[best.index != row.name].iloc[[len(best) // 2, 10]]
    changes = {f"{name}_change": 0.05 for name in (*OBJECTIVES, "latency_s")}
    step = {
        "resource": "buffer_bytes",
        "before": 262144,
        "after": 524288,
        "is_on_grid": True,
        **changes,
    }
    nothing = dict.fromkeys(changes, 0.0)
    return {
        "rule": "knee", "design": row.to_dict(), "runners_up": others.to_dict(orient="records"),
        "criterion": {"distance": 0.412}, "num_candidates": len(best), "equals": [],
        "binding": [{
            "budget": "area_mm2", "limit": 8.0, "value": used, "slack": 1 - used / 8,
            "is_binding": True, "resource": "array_rows", "before": 32, "after": 48,
            "improves": "latency_s", "gain": 0.12,
        }],
        "marginal": [
            {**step, "breaks": "", "no_effect": ""},
            {"resource": "clock_hz", "before": 1e9, "after": 1.1e9, "is_on_grid": False, **nothing,
             "breaks": "area_mm2", "no_effect": "every_layer_waits_for_dram"},
        ],
    }  # fmt: skip


def _summary(rows: pd.DataFrame, row: pd.Series) -> dict[str, object]:
    latency = float(rows.latency_s.sum())
    return {
        "workload": "resnet50", "batch": 1, "accelerator": "flexible", "buffer_bytes": 524288,
        "dram_efficiency": EFFICIENCY, "objective": "latency_s", "latency_s": latency,
        "throughput_per_s": 1 / latency, "dram_bytes": float(rows.dram_bytes.sum()),
        "dram_bytes_per_inference": float(rows.dram_bytes.sum()), "energy_pj": 5e9,
        "energy_pj_per_inference": 5e9, "area_mm2": float(row.area_mm2), "power_w": 0.4,
        "dram_bytes_per_s": 12.8e9, "cost_usd": 4.2, "num_macs": 1024, "peak_macs_per_s": 1.024e12,
        "warnings": ["area is extrapolated: 1,024 KiB of buffer is above the 512 KiB fitted"],
    }  # fmt: skip


def _write_json(path: Path, values: object) -> None:
    path.write_text(json.dumps(values, indent=2, default=str), encoding="utf-8")
