"""How long tables, look-ups and exact fronts take, and how that grows.

CPU seconds of this process, the least of some runs; nothing is kept between runs, and what Numba
compiles is compiled before. Slow (minutes), and only worth reading from a machine that does nothing
else, so not among the experiments that ``python -m experiments`` runs:

    python -m experiments.speed

writes speed.csv (every measurement), .md (the table) and .png (growth).
"""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from importlib.metadata import version
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import dse
from dse.hardware import Accelerator
from dse.mapping.store import forget
from dse.plots.style import MARKERS, SERIES, look, new_figure, title
from dse.space import Space
from dse.workload import Workload
from experiments.comparison import FOLDER

PATH = FOLDER / "speed.csv"
SIZES = (8, 16, 32, 64, 128, 256)
NUM_BUFFERS, NUM_RATES = 32, 32
MANY_BUFFERS, MANY_RATES = 1000, 2778
RUNS = 3
ONE_MACHINE = ("resnet50", "flexible"), ("resnet50", "snowflake"), ("vgg16", "tpu_v1")

COLUMNS = ["what", "count", "cpu_s", "wall_s"]


def any_axis() -> Accelerator:
    """Return the flexible machine with k, c, oy and ox on either axis."""
    chip = dse.load_accelerator("flexible")
    dims = (("k",), ("c",), ("oy",), ("ox",))
    return replace(chip, array=tuple(replace(axis, dims=dims) for axis in chip.array))


def timed(run: Callable[[], object], *, runs: int = RUNS, cold: bool = True) -> tuple[float, float]:
    """Return the least CPU seconds and the least wall seconds of some runs."""
    cpu, wall = [], []
    for _ in range(runs):
        if cold:
            forget()
        start = time.process_time(), time.perf_counter()
        run()
        cpu.append(time.process_time() - start[0])
        wall.append(time.perf_counter() - start[1])
    return min(cpu), min(wall)


def all_tables(network: Workload, chip: Accelerator) -> None:
    """Compute the table of every layer on every array."""
    for rows in SIZES:
        for columns in SIZES:
            sized = chip.with_parameters(array_rows=rows, array_columns=columns)
            for layer in network.layers:
                if layer.has_macs:
                    dse.mapping_table(layer, sized)


def grid(chip: Accelerator, num_buffers: int, num_rates: int) -> Space:
    """Return 36 arrays with buffers from 16 KiB to 8 MiB and rates from 1 to 100 GB/s."""
    buffers = np.unique(np.geomspace(2**14, 2**23, num_buffers).astype(int)).tolist()
    knobs = {
        "array_rows": SIZES,
        "array_columns": SIZES,
        "buffer_bytes": tuple(buffers),
        "dram_bytes_per_s": tuple(np.geomspace(1e9, 1e11, num_rates).tolist()),
    }
    catalogue = dse.load_space("edge").catalogue
    return Space(name="grid", accelerator=chip, knobs=knobs, catalogue=catalogue)


def random_designs(count: int) -> pd.DataFrame:
    """Return designs in random order: half as many rates as designs, up to 10,000 buffers."""
    rng = np.random.default_rng(0)
    buffers = np.unique((2 ** rng.uniform(15, 23, 14_000)).astype(np.int64))
    buffers = rng.permutation(buffers)[:10_000]
    rates = 10 ** rng.uniform(9, 11, max(count // 2, 1))
    columns = {
        "buffer_bytes": rng.choice(buffers, count),
        "dram_bytes_per_s": rng.choice(rates, count),
    }
    return pd.DataFrame(columns)


def default_run() -> tuple[float, float, float]:
    """Run `dse`; return the wall seconds until it tells its pick, CPU and wall seconds in all."""
    with TemporaryDirectory() as place:
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        command = [sys.executable, "-c", "from dse.cli import entry; entry()"]
        with subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            picks = [time.perf_counter() for line in process.stdout if line.startswith("Pick")]
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return picks[0] - start, cpu, wall


def measurements() -> Iterator[tuple[str, int, float, float]]:
    """Yield what was measured, of how many, CPU seconds, wall seconds."""
    network, chip = dse.load_workload("resnet50"), any_axis()
    small = random_designs(5000)
    dse.evaluate_designs(network, chip, small)  # compiles
    dse.evaluate_designs(network, chip, small[:10])
    least = [min(part) for part in zip(*(default_run() for _ in range(RUNS)), strict=True)]
    yield "the default run, to its pick", 5096, float("nan"), least[0]
    yield "the default run, to its end", 5096, least[1], least[2]
    for name, machine in ONE_MACHINE:
        one, own = dse.load_workload(name), dse.load_accelerator(machine)
        dse.evaluate(one, own)  # compiles
        yield (
            f"{name} on {machine}, cold, layers",
            len(one.layers),
            *timed(partial(dse.evaluate, one, own)),
        )
    yield "whole tables of 36 arrays, cold", 36, *timed(lambda: all_tables(network, chip), runs=1)
    sizes = (NUM_BUFFERS, NUM_RATES), (MANY_BUFFERS, MANY_RATES)
    for space in (grid(chip, *size) for size in sizes):
        search = partial(dse.search, network, space, sampler="exact", enumerate_limit=space.size)
        yield "exact front, cold, of designs", space.size, *timed(search, runs=2)
    dse.evaluate_designs(network, chip, small)
    for count in (10_000, 30_000, 100_000, 300_000, 1_000_000, 2_000_000, 4_000_000):
        designs = random_designs(count)
        run = timed(partial(dse.evaluate_designs, network, chip, designs), runs=5, cold=False)
        yield "designs looked up", count, *run
    distinct = dse.load_workload("googlenet").layers
    distinct = list({layer.key: layer for layer in distinct if layer.has_macs}.values())
    ten = random_designs(10)
    for count in (1, 2, 4, 8, 16, 30, len(distinct)):
        part = Workload(name="part", layers=tuple(distinct[:count]), source="", batch=1)
        run = timed(partial(dse.evaluate_designs, part, chip, ten))
        yield "distinct layers, cold", count, *run
    for count in (30, 100, 300, 1000):
        layers = tuple(
            replace(distinct[place % 30], name=f"layer{place}") for place in range(count)
        )
        part = Workload(name="part", layers=layers, source="", batch=1)
        run = timed(partial(dse.evaluate_designs, part, chip, ten))
        yield "layers, 30 of them distinct, cold", count, *run


def markdown(found: pd.DataFrame) -> str:
    """Return the table, with versions, date and load."""
    lines = ["| what | count | CPU s | wall s |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {what} | {count:,} | {cpu:.3g} | {wall:.3g} |".replace("nan", "")
        for what, count, cpu, wall in found[COLUMNS].itertuples(index=False)
    ]
    first = found.iloc[0]
    lines.append(f"\n{first['versions']}; {first['date']}; load {first['load']:.1f} at the start.")
    return "\n".join(lines) + "\n"


def figure(found: pd.DataFrame) -> Figure:
    """Draw the growth in designs and in layers."""
    with look():
        drawn = new_figure(10.0, 5.0)
        title(
            drawn,
            "Time grows with designs and distinct layers, and not with layers that repeat",
            "ResNet-50 on one array, warm (left); GoogLeNet's layers, cold (right). Grey: linear.",
        )
        left, right = drawn.subplots(1, 2)
        panels = {
            "designs looked up": left,
            "distinct layers, cold": right,
            "layers, 30 of them distinct, cold": right,
        }
        for place, (name, ax) in enumerate(panels.items()):
            rows = found[found["what"] == name]
            ax.plot(
                rows["count"], rows["cpu_s"], label=name, marker=MARKERS[place], color=SERIES[place]
            )
        for ax, name in ((left, "designs looked up"), (right, "distinct layers, cold")):
            last = found[found["what"] == name].iloc[-1]
            ends = np.array([found[found["what"] == name]["count"].min(), last["count"]])
            ax.plot(ends, last["cpu_s"] * ends / last["count"], color="0.7", zorder=0)
            ax.set(xscale="log", yscale="log", ylabel="CPU time (s)")
            ax.legend()
        left.set(xlabel="Designs")
        right.set(xlabel="Layers")
    return drawn


def main() -> None:
    """Measure, and write the table and the plot."""
    load = os.getloadavg()[0]
    found = pd.DataFrame(list(measurements()), columns=COLUMNS)
    packages = ("chipfront", "numpy", "numba", "moocore")
    found["versions"] = ", ".join(f"{name} {version(name)}" for name in packages)
    found["date"], found["load"] = date.today().isoformat(), load
    found.to_csv(PATH, index=False, float_format="%.6g", lineterminator="\n")
    text = markdown(found)
    PATH.with_suffix(".md").write_text(text, encoding="utf-8")
    figure(found).savefig(PATH.with_suffix(".png"), dpi=150, metadata={"Software": None})
    print(text)


if __name__ == "__main__":
    main()
