"""A module of PyTorch as a workload, by way of torch's own export to ONNX."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dse.errors import DseError
from dse.importers.coverage import Imported
from dse.importers.onnx.network import Options, import_onnx


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
    try:
        import torch
    except ImportError as error:
        raise DseError("a module of PyTorch needs torch: install chipfront[torch]") from error
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


def _export(torch: Any, module: Any, inputs: tuple[Any, ...], path: Path) -> None:
    """Export without folding, so that every operator is one of the module's own."""
    try:
        program = torch.onnx.export(module, inputs, dynamo=True, optimize=False, verbose=False)
        program.save(path, external_data=True)
    except (ImportError, RuntimeError, TypeError, ValueError) as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise DseError(f"torch cannot export {type(module).__name__} to ONNX: {reason}") from error
