"""A network by its name or file: YAML, or one of the formats that are imported."""

from collections.abc import Mapping
from math import floor
from pathlib import Path
from typing import Any

import yaml

from dse.checks import is_number
from dse.config.checks import integer, mapping, one_of, texts
from dse.config.files import SUFFIXES, group_names, load_group
from dse.config.workloads import NETWORK_BITS
from dse.errors import DseError
from dse.importers.coverage import Imported
from dse.importers.formats import ADVICE, GRAPH_SUFFIXES, check_format, import_network
from dse.importers.formats import SUFFIXES as IMPORTED_SUFFIXES
from dse.importers.onnx.network import Options
from dse.workload import LARGEST_BOUND

IMPORT_KEYS = ("strict", "copies", "inputs", "batch", "accept")
LEAST_SHARE = 0.95
"""Of the MACs and of the bytes of a file: what must be modelled for a result."""

HEAD_KEYS = ("name", "source", "batch", "bits", "extra_parameters", "notes", "results")
COUNTS = ("images", "sounds")
COPIES = ("free", "charged")


def network_values(
    name_or_path: str | Path, parameters: Mapping[str, Any], settings: object = None
) -> dict[str, Any]:
    """Return the values of a workload, imported if it is not written as one.

    Parameters
    ----------
    name_or_path
        A name in conf/workload, a YAML file, or a file that is imported by its ending.
    parameters
        ``batch``, ``bits``, ``name`` and the network's own: those of its YAML, or the dynamic
        dimensions of its ONNX file.
    settings
        The node ``import`` of the configuration; its defaults if None.

    Raises
    ------
    DseError
        If there is no such network, or a value is wrong.
    """
    path = Path(name_or_path).expanduser()
    suffix = path.suffix.lower()
    options = import_settings({} if settings is None else settings)
    if suffix not in IMPORTED_SUFFIXES:
        is_file = path.exists() or suffix in ADVICE
        if is_file and str(name_or_path) not in group_names("workload"):
            check_network_path(path)
        return load_group("workload", path if suffix in SUFFIXES else name_or_path, **parameters)
    own = {key: parameters[key] for key in ("batch", "bits", "name") if key in parameters}
    rest = {key: x for key, x in parameters.items() if key not in own}
    sizes = {
        key: integer(
            f"workload.{key}", x, least=int(suffix not in GRAPH_SUFFIXES and key not in COUNTS)
        )
        for key, x in rest.items()  # a value or a count may be 0, a size may not
    }
    for key, size in sizes.items():
        if size > LARGEST_BOUND:
            raise DseError(f"workload.{key} must be at most {LARGEST_BOUND}, got {size}")
    values = dict(_imported(path, sizes, options).values)
    bits = mapping("workload.bits", own.pop("bits", {}), NETWORK_BITS)
    return {**values, **own, "bits": {**values["bits"], **bits}}


def check_network_path(path: Path) -> None:
    """Check that a network's file is of a format that is read; its ending says which.

    Raises
    ------
    DseError
        If not, with what to do.
    """
    check_format(path, SUFFIXES)


def _imported(path: Path, sizes: Mapping[str, int], settings: Mapping[str, Any]) -> Imported:
    inputs = settings["inputs"]
    options = Options(
        is_strict=settings["strict"],
        are_copies_charged=settings["copies"] == "charged",
        inputs=None if inputs is None else texts("import.inputs", inputs),
        batch=None if settings["batch"] is None else str(settings["batch"]),
    )
    return import_network(path, sizes, options)


def import_settings(settings: object) -> dict[str, Any]:
    """Return the settings of an import, checked, defaults filled in."""
    given = mapping("import", settings, IMPORT_KEYS)
    values = {
        "strict": False,
        "copies": "free",
        "inputs": None,
        "batch": None,
        "accept": LEAST_SHARE,
        **given,
    }
    if not isinstance(values["strict"], bool):
        raise DseError(f"import.strict must be true or false, got {values['strict']!r}")
    one_of("import.copies", values["copies"], COPIES)
    accept = values["accept"]
    if not is_number(accept) or not 0 <= accept <= 1:
        raise DseError(f"import.accept must be a share from 0 to 1, got {accept!r}")
    return values


def check_accepted(workload: Mapping[str, Any], accept: float, key: str) -> None:
    """Check that enough of an imported network is modelled for a result.

    Parameters
    ----------
    workload
        Its values; one that is not imported is what it says.
    accept
        The least share of MACs and of bytes. [0, 1]
    key
        What the user sets to accept less.

    Raises
    ------
    DseError
        If less is modelled.
    """
    coverage = workload.get("coverage")
    if not isinstance(coverage, Mapping):
        return
    given = {name: coverage.get(f"{name}_share") for name in ("macs", "bytes")}
    shares = {name: float(x) if isinstance(x, int | float) else 1.0 for name, x in given.items()}
    least = min(shares.values())
    if least >= accept:
        return
    words = {"macs": "MACs", "bytes": "bytes"}
    found = [f"{100 * share:.4g} % of {words[name]}" for name, share in shares.items()]
    missed = [f"{x['op']} ({x['reason']})" for x in coverage.get("not_understood", ())][:3]
    why = f"; not understood: {', '.join(missed)}" if missed else ""
    raise DseError(
        f"{workload.get('name')}: a result needs {100 * accept:.4g} % of its MACs and bytes "
        f"modelled, got {' and '.join(found)}{why}; {key}={floor(least * 100) / 100:g} accepts it"
    )


def workload_yaml(values: Mapping[str, Any]) -> str:
    """Return a workload's values as a YAML file, one layer a line, its parameters filled in.

    >>> print(workload_yaml({"name": "one", "layers": [{"name": "fc", "k": 10, "c": 20}]}))
    name: one
    layers:
      - {name: fc, k: 10, c: 20}
    <BLANKLINE>
    """
    head = {key: values[key] for key in HEAD_KEYS if key in values}
    tail = {key: values[key] for key in ("coverage",) if key in values}
    layers = [f"  - {_flow(layer)}" for layer in values["layers"]]
    return "\n".join([_block(head) + "layers:", *layers, _block(tail)])


def _flow(value: object) -> str:
    text = yaml.dump(
        value,
        Dumper=yaml.CSafeDumper,
        sort_keys=False,
        default_flow_style=True,
        width=2**30,
        allow_unicode=True,
    )
    return str(text).strip()


def _block(values: Mapping[str, Any]) -> str:
    """Return top-level keys, a line each; a mapping or a list on its own line."""
    return "".join(f"{key}: {_value(value)}\n" for key, value in values.items())


def _value(value: object) -> str:
    return _flow(value).removesuffix("\n...").strip()
