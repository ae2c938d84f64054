"""Files of networks by their ending: what reads each, and what to do where nothing does."""

from collections.abc import Mapping
from pathlib import Path

from dse.errors import DseError
from dse.importers.checkpoints.network import import_gguf, import_safetensors
from dse.importers.coverage import Imported
from dse.importers.onnx.network import Options, import_onnx
from dse.importers.pytorch import import_program
from dse.importers.tflite.network import import_tflite
from dse.importers.transformers.network import import_config

GRAPH_SUFFIXES = (".onnx", ".tflite", ".pt2")
"""Endings of files that hold a graph, dynamic dimensions and values of inputs among its keys."""

SUFFIXES = (*GRAPH_SUFFIXES, ".json", ".safetensors", ".gguf")
"""Endings of files that are imported."""

TRANSFORMERS = {
    ".json": import_config,
    ".safetensors": import_safetensors,
    ".gguf": import_gguf,
}
"""What reads files that name a family, with its sizes in tokens."""

_TO_ONNX = "export it to ONNX"
_FROM_TENSORFLOW = "convert it to .tflite with TensorFlow, or to ONNX with tf2onnx"
_FROM_TORCH = (
    "load the module in Python and give it to dse.load_module, or save it with torch.export as .pt2"
)
_FROM_KERAS = "convert it to .tflite with TensorFlow, or use model.export(..., format='onnx')"
_BUILT = "it holds code built for one device; import the model that it was built from, as ONNX"
_PACKED = "unpack it, and give the file inside"

ADVICE = {
    **dict.fromkeys((".pb", ".pbtxt", ".ckpt", ".meta", ".index", ".savedmodel"), _FROM_TENSORFLOW),
    **dict.fromkeys((".h5", ".hdf5", ".keras"), _FROM_KERAS),
    **dict.fromkeys((".pt", ".pth", ".bin", ".pkl", ".pickle", ".torchscript"), _FROM_TORCH),
    **dict.fromkeys((".mlmodel", ".mlpackage", ".mlmodelc"), "export its source to ONNX"),
    **dict.fromkeys((".caffemodel", ".prototxt", ".param", ".mnn", ".rknn"), _TO_ONNX),
    **dict.fromkeys((".mlir", ".stablehlo", ".pdmodel", ".params", ".xml"), _TO_ONNX),
    **dict.fromkeys((".cfg", ".weights", ".nb", ".om"), _TO_ONNX),
    **dict.fromkeys((".engine", ".plan", ".trt", ".blob", ".hef", ".vmfb", ".pte"), _BUILT),
    **dict.fromkeys((".gz", ".zip", ".tar", ".tgz", ".xz", ".bz2", ".zst", ".7z"), _PACKED),
    ".ort": "ONNX Runtime wrote it from an .onnx file; import that one",
    ".csv": "write its layers as the YAML of a workload, as those in conf/workload",
}
"""What to do with files that are not read, by their ending."""


def import_network(path: Path, sizes: Mapping[str, int], options: Options) -> Imported:
    """Import a file by its ending, one of `SUFFIXES`.

    Parameters
    ----------
    sizes
        Keys of the file: dynamic dimensions, or tokens.
    options
        Of files with a graph.

    Raises
    ------
    DseError
        If the file cannot be read, or a key is wrong.
    """
    suffix = path.suffix.lower()
    if suffix in TRANSFORMERS:
        return TRANSFORMERS[suffix](path, sizes)
    if suffix == ".tflite":
        return import_tflite(
            path,
            sizes,
            is_strict=options.is_strict,
            are_copies_charged=options.are_copies_charged,
        )
    if suffix == ".pt2":
        return import_program(path, sizes, options)
    return import_onnx(path, sizes, options)


def check_format(path: Path, written: tuple[str, ...]) -> None:
    """Check that a file is of a format that is read.

    Parameters
    ----------
    written
        Endings of the workloads' own files, which are read elsewhere.

    Raises
    ------
    DseError
        If not, with what to do.
    """
    known = (*written, *SUFFIXES)
    if path.is_dir():
        raise DseError(f"workload.path must be a file that ends in {', '.join(known)}, got folder "
                       f"{str(path)!r}; {_of_folder(path)}")  # fmt: skip
    if path.suffix.lower() in known:
        return
    advice = ADVICE.get(path.suffix.lower())
    what = f"; {advice}" if advice else f"; {_TO_ONNX}"
    raise DseError(
        f"workload.path must be a file that ends in {', '.join(known)}, got {str(path)!r}{what}"
    )


def _of_folder(path: Path) -> str:
    if (path / "saved_model.pb").is_file():
        return _FROM_TENSORFLOW
    if (path / "config.json").is_file():
        return f"give {path / 'config.json'}"
    return ADVICE.get(path.suffix.lower(), "give the file inside")
