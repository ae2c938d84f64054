"""GRU and LSTM layers of DeepBench on three GPUs: time of a step at batch 1, 2 and 4.

Source: Narang and Diamos, DeepBench, github.com/baidu-research/DeepBench, results/inference/server,
workbooks of TitanXp, 1080Ti and TitanX Pascal, fp32. Copied in data/rnn.csv. The peak rates of
their DRAMs (547.6, 484.4 and 480 GB/s) are recalled; only their product with the fitted efficiency
matters. The benchmark leaves out the products with the inputs.

Each step waits for a launch, 6 or 7 us: the time of the smallest product that the same benchmark
timed on the device (512 x 512, not counted anywhere). Fitted: the share of the peak rate that is
delivered, one number a device, on the step of the GRU of 2816 at batch 1, the largest, which is not
counted. The rest is predicted: other sizes, and the law over batch (a batch of 4 takes hardly
longer than 1, so that throughput grows with the batch).

Where several numbers of steps were measured, step_s is the time of the longest run less that of the
shortest, over the steps between them. Where one was, single_run_s is the whole run over its steps,
which asks the model for more than it has: a run contains what a call costs besides its steps. That
is no constant: our steps taken off, it is 0.03 to 0.1 ms after 1 step, 0.04 to 1.6 ms after 25, 1
to 2 ms after 50, 0.2 to 0.8 ms after 150 and 1 to 6 ms after 1500. So single runs of few steps
miss, and long ones do not. (A time for each call, fitted on the LSTM of 2048 of each device, would
bring 29 of the other 60 within 10 %; but it is 0.8 to 1.1 ms, and calls of one step take 0.05 to
0.11 ms in all.)
"""

import sys
from functools import cache

import pandas as pd
from matplotlib.figure import Figure

import dse
from dse.plots import predicted_figure
from experiments.comparison import DATA, report
from experiments.evidence import FITTED, MEASURED, Choice
from experiments.plots import compared
from experiments.processors import FP32, deepbench_launch_s, fitted_efficiency, processor

MACHINE = "Titan Xp, 1080 Ti, Titan X (Pascal)"
KIND = MEASURED
CHOSEN_ON = (
    Choice(
        rule="share of the DRAM's peak, one a device",
        on="GRU of 2816 at batch 1, not counted",
        how=FITTED,
    ),
    Choice(rule="the launch of a step", on="512 x 512 at batch 1 of narang2017_linear", how=FITTED),
)
FITTED_ON = ("gru", 2816, 1)
KEYS = ["device", "kind", "hidden", "batch"]

_ALL = pd.read_csv(DATA / "rnn.csv").rename(columns={"hidden_size": "hidden"})
_ALL = _ALL[_ALL["kind"].isin(["gru", "lstm"]) & (_ALL["precision"] == "fp32")]
PEAK_BYTES_PER_S = _ALL.groupby("device")["peak_dram_gb_s"].first() * 1e9


def _measured(runs: pd.DataFrame) -> pd.Series:
    """Return the seconds of a step from the runs of one layer."""
    runs = runs.sort_values("time_steps")
    if len(runs) == 1:
        per_run = runs["time_ms"] / 1e3 / runs["time_steps"]
        return pd.Series({"step_s": float("nan"), "single_run_s": per_run.iloc[0]})
    ends = runs.iloc[[0, -1]][["time_ms", "time_steps"]].diff().iloc[-1]
    return pd.Series(
        {"step_s": ends["time_ms"] / 1e3 / ends["time_steps"], "single_run_s": float("nan")}
    )


MEASURED = pd.DataFrame(
    {key: _measured(runs) for key, runs in _ALL.groupby(KEYS, sort=False)}
).T.rename_axis(index=KEYS)
PUBLISHED = MEASURED.drop(index=[key for key in MEASURED.index if key[1:] == FITTED_ON])
TOLERANCE = 0.10  # one efficiency for matrices of 28 to 95 MB, which the GPU streams at 66 to 76 %
LONG_RUN = ("gru", 1024)  # 1500 steps, the others 1 to 150
MISSED = {
    (key, "single_run_s"): "a short run: what the call costs besides its steps is in it"
    for key in PUBLISHED.index[PUBLISHED["single_run_s"].notna()]
    if key[1:3] != LONG_RUN and key != ("TitanX Pascal", "lstm", 512, 1)
}


@cache
def one_step(kind: str, hidden: int, batch: int) -> dse.Workload:
    """Return one step of a layer; each step streams the weights anew."""
    name = f"deepbench_{kind}"
    return dse.load_workload(name, hidden_size=hidden, steps=1, batch=batch, bits=FP32)


@cache
def device_of(name: str) -> dse.Accelerator:
    """Return a device, its efficiency fitted on its one layer."""
    peak, launch_s = float(PEAK_BYTES_PER_S[name]), deepbench_launch_s(name)
    fitted_s = float(MEASURED.loc[(name, *FITTED_ON), "step_s"])
    efficiency = fitted_efficiency(fitted_s, one_step(*FITTED_ON), peak, launch_s)
    return processor(peak, efficiency, launch_s)


def run() -> pd.DataFrame:
    """Evaluate one step of each layer on its device."""
    ours = PUBLISHED * float("nan")
    for device, kind, hidden, batch in ours.index:
        seconds = dse.evaluate(one_step(kind, hidden, batch), device_of(device)).latency_s
        ours.loc[(device, kind, hidden, batch)] = seconds
    return ours.where(PUBLISHED.notna())


def figure(ours: pd.DataFrame) -> Figure:
    """Draw predicted against measured times."""
    index = PUBLISHED.index.to_frame(index=False)
    kinds = {"step_s": "step in a long run", "single_run_s": "run over its steps"}
    points = [
        compared(
            PUBLISHED[column],
            ours[column],
            label=index["kind"] + " " + index["hidden"].astype(str) + ", " + index["device"],
            series=kind,
        ).dropna()
        for column, kind in kinds.items()
    ]
    return predicted_figure(
        pd.concat(points, ignore_index=True),
        name="latency_s",
        finding="A recurrent step at batch 1 to 4 takes a launch and as long as its weights",
        detail="Runs over their steps contain what a call costs besides.",
        bands=(0.1, 0.3),
        num_labels=1,
    )


if __name__ == "__main__":
    report(sys.modules[__name__])
