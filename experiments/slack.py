"""What a hundredth of the time buys: DRAM bytes and latency of networks on machines.

For each layer the fastest mapping may pay many times the bytes of one that is hardly slower. The
table holds, for each network and machine, the latency over the least, and the DRAM bytes over the
least, of the fastest mappings and of those within a slack of 1 %.

Run with ``python -m experiments.slack``: it writes slack.csv and slack.md.
"""

from pathlib import Path

import pandas as pd

import dse

FOLDER = Path(__file__).parent
NETWORKS = (
    *("alexnet", "bert_base", "efficientnet_b0", "googlenet", "gpt2", "mobilenet_v1"),
    *("mobilenet_v2", "resnet18", "resnet50", "vit_b16"),
)
MACHINES = {
    "flexible": {},
    "flexible, 16 x 16, 64 KiB": {"array_rows": 16, "array_columns": 16, "buffer_bytes": 65536},
    "flexible, 16 x 16, 4 MiB": {"array_rows": 16, "array_columns": 16, "buffer_bytes": 2**22},
    "systolic": {},
    "gemmini": {},
    "dpu": {},
    "snowflake": {},
    "tpu_v1": {},
}
SLACK = 0.01


def row(network: str, machine: str) -> dict[str, object]:
    """Return latency and DRAM bytes of a network on a machine, each over its least."""
    workload = dse.load_workload(network)
    chip = dse.load_accelerator(machine.partition(",")[0], **MACHINES[machine])
    fastest = dse.evaluate(workload, chip, slack=0)
    within = dse.evaluate(workload, chip, slack=SLACK)
    least = dse.evaluate(workload, chip, objective="dram_bytes")
    return {
        "network": network,
        "machine": machine,
        "least_latency_s": fastest.latency_s,
        "least_dram_bytes": least.dram_bytes,
        "bytes_of_fastest": fastest.dram_bytes / least.dram_bytes,
        "bytes_within_slack": within.dram_bytes / least.dram_bytes,
        "latency_within_slack": within.latency_s / fastest.latency_s,
        "latency_of_least_bytes": least.latency_s / fastest.latency_s,
    }


def summary(table: pd.DataFrame) -> str:
    """Return median and worst of the table as Markdown."""
    shown = {
        "the fastest mappings": ("bytes_of_fastest", None),
        f"within {SLACK:.0%} of them": ("bytes_within_slack", "latency_within_slack"),
        "the fewest bytes": (None, "latency_of_least_bytes"),
    }
    lines = [
        "| mappings | bytes: median | worst | latency: median | worst |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, columns in shown.items():
        cells = []
        for column in columns:
            values = pd.Series([1.0]) if column is None else table[column]
            cells += [f"{values.median():.3f}", f"{values.max():.3f}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    worst = table.loc[table["bytes_of_fastest"].idxmax()]
    lines += [
        "",
        f"{len(NETWORKS)} networks on {len(MACHINES)} machines, batch 1, int8. The worst is "
        f"{worst['network']} on {worst['machine']}: its fastest mappings move "
        f"{worst['bytes_of_fastest']:.1f} times the fewest bytes, those within the slack "
        f"{worst['bytes_within_slack']:.2f} times.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print, and write both files."""
    table = pd.DataFrame([row(network, machine) for network in NETWORKS for machine in MACHINES])
    table.to_csv(FOLDER / "slack.csv", index=False, float_format="%.6g")
    text = summary(table)
    (FOLDER / "slack.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
