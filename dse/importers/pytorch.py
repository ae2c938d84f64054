"""Modules and programs of PyTorch as workloads, by way of torch's own export to ONNX."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from pickle import UnpicklingError
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import BadZipFile, is_zipfile

from dse.errors import DseError
from dse.importers.coverage import Imported
from dse.importers.onnx.network import Options, import_onnx

REFUSALS = (ArithmeticError, AssertionError, AttributeError, BadZipFile, EOFError, ImportError,
            LookupError, OSError, RuntimeError, TypeError, UnpicklingError, ValueError)  # fmt: skip
"""What torch raises for what it cannot read or export."""


def import_module(
    module: Any, inputs: Sequence[Any], *, name: str | None = None, is_strict: bool = False
) -> Imported:
    """Import a module of PyTorch.

    Parameters
    ----------
    module
        A `torch.nn.Module`; it is put in inference for the export and then back.
    inputs
        Example inputs, as the module is called with them; the first dimension of each counts
        as it is, so that examples of one inference give a workload of batch 1.
    name
        Of the workload; the module's class if None.
    is_strict
        Whether an operator that is not understood is an error.

    Raises
    ------
    DseError
        If torch is not installed, or cannot export the module, or by `import_onnx`.
    """
    torch = _torch("a module of PyTorch")
    if not isinstance(module, torch.nn.Module):
        raise DseError(f"module must be a torch.nn.Module, got {type(module).__name__}")
    own_name = name or type(module).__name__
    was_training = module.training
    module.eval()
    try:
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"{own_name}.onnx"
            _export(torch, module, tuple(inputs), path)
            imported = import_onnx(path, options=Options(is_strict=is_strict))
    finally:
        module.train(was_training)
    source = f"torch.nn.Module {type(module).__module__}.{type(module).__qualname__}"
    values = {**imported.values, "name": own_name, "source": source}
    return Imported(values=values, coverage=imported.coverage)


def import_program(path: Path, sizes: Mapping[str, int], options: Options) -> Imported:
    """Import a .pt2 file, a program that torch.export saved.

    Parameters
    ----------
    path
        The file. torch reads it, and may run what it holds: as any pickle, only from those who
        are trusted.
    sizes, options
        As for `import_onnx`; dynamic dimensions have the names that the export gave them.

    Raises
    ------
    DseError
        If torch is not installed, or cannot read or export the file, or by `import_onnx`.
    """
    if not path.is_file():
        raise DseError(f"workload.path must be a .pt2 file that exists, got {str(path)!r}")
    if not is_zipfile(path):
        raise DseError(f"{path}: cannot be read as .pt2 (truncated, or not by torch.export.save)")
    torch = _torch("a .pt2 file")
    try:
        program = torch.export.load(path)
    except REFUSALS as error:
        raise DseError(f"{path}: torch cannot read it: {_reason(error)}") from error
    with TemporaryDirectory() as folder:
        written = Path(folder) / f"{path.stem}.onnx"
        _export(torch, program, (), written)
        imported = import_onnx(written, sizes, options)
    values = {**imported.values, "source": f"torch.export program {path.name}"}
    return Imported(values=values, coverage=imported.coverage)


def _torch(what: str) -> Any:
    try:
        import torch
    except ImportError as error:
        raise DseError(f"{what} needs torch: install chipfront[torch]") from error
    return torch


def _reason(error: BaseException) -> str:
    """Return the first line of what an error says."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _export(torch: Any, module: Any, inputs: tuple[Any, ...], path: Path) -> None:
    """Export without folding, so that every operator is one of the module's own."""
    try:
        program = torch.onnx.export(module, inputs, dynamo=True, optimize=False, verbose=False)
        program.save(path, external_data=True)
    except REFUSALS as error:
        what = type(module).__name__
        raise DseError(f"torch cannot export {what} to ONNX: {_reason(error)}") from error
