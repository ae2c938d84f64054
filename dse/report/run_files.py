"""The files of a run folder read as any input: bounded, of the types that a run writes."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from numbers import Real
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from dse.columns import QUANTITIES
from dse.errors import DseError

LARGEST_JSON_BYTES = 64 * 2**20
LARGEST_TABLE_BYTES = 256 * 2**20
MOST_VALUES = 60_000_000
"""Values of a table: 2 million designs of 13 costs and 17 knobs."""

TEXT_COLUMNS = ("name", "layer", "why", "order", "unrolled", "stationary")

_CONTRADICTIONS = (
    *(ArithmeticError, AttributeError, LookupError),
    *(RecursionError, StopIteration, TypeError, ValueError),
)
"""What looking up a row, key or number of files raises that contradict each other."""

Rule = tuple[Callable[[Any], bool], str]


def _is_list_of(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(isinstance(x, kind) for x in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


_TEXT: Rule = (lambda value: isinstance(value, str), "a text")
_NUMBER: Rule = (lambda value: value is None or _is_number(value), "a number or null")
_MAPPING: Rule = (lambda value: isinstance(value, dict), "a mapping")
_MAYBE: Rule = (lambda value: value is None or isinstance(value, dict), "a mapping or null")
_TEXTS: Rule = (_is_list_of(str), "a list of texts")
_ROWS: Rule = (_is_list_of(dict), "a list of mappings")
_ROWS_OR_NULL: Rule = (lambda x: x is None or _is_list_of(dict)(x), "a list of mappings or null")
_FRONT: Rule = (lambda value: value in ("exact", "sampled"), "exact or sampled")
_HASHES: Rule = (
    lambda x: isinstance(x, dict) and all(isinstance(value, str) for value in x.values()),
    "a mapping of files to hashes",
)

MANIFEST_RULES: Mapping[str, Rule] = {
    "config": _MAPPING,
    "command": _TEXTS,
    "versions": _MAPPING,
    "inputs_sha256": _HASHES,
    "outputs_sha256": _HASHES,
    "front": _FRONT,
    "notes": _TEXTS,
    **dict.fromkeys(("hypervolume_share", "num_costed", "num_designs", "wall_s"), _NUMBER),
    **dict.fromkeys(("config_sha256", "date", "state"), _TEXT),
}
CONFIG_RULES: Mapping[str, Rule] = {
    "task": (lambda x: isinstance(x, dict) and isinstance(x.get("name"), str), "one by its name"),
    "objectives": _TEXTS,
    **dict.fromkeys(("workload", "space", "search", "pick", "mapper"), _MAPPING),
    **dict.fromkeys(("accelerator", "budget", "mapping"), _MAYBE),
}
PICK_RULES: Mapping[str, Rule] = {
    "rule": _TEXT,
    "design": _MAPPING,
    "num_candidates": _NUMBER,
    **dict.fromkeys(("binding", "runners_up"), _ROWS),
    "marginal": _ROWS_OR_NULL,
}
SUMMARY_RULES: Mapping[str, Rule] = {
    "workload": _TEXT,
    "accelerator": _TEXT,
    "warnings": _TEXTS,
    **dict.fromkeys((*QUANTITIES, "batch", "dram_efficiency"), _NUMBER),
}


def check_values(where: str, values: Mapping[str, Any], rules: Mapping[str, Rule]) -> None:
    """Raise DseError unless each key that is there holds what a run writes under it."""
    for key, (is_right, rule) in rules.items():
        if key in values and not is_right(values[key]):
            got = " ".join(repr(values[key]).split())[:60]
            raise DseError(f"{where}: {key} must be {rule}, got {got}")


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object that a file holds, None if there is no file.

    Raises
    ------
    DseError
        If it is too large, or cannot be read as an object.
    """
    if not path.is_file():
        return None
    _check_size(path, LARGEST_JSON_BYTES)
    try:
        values = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
    except (OSError, RecursionError, ValueError) as error:
        raise _unreadable(path, error) from error
    if not isinstance(values, dict):
        raise DseError(f"run {path.parent}: {path.name} must hold a JSON object")
    return values


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def read_table(path: Path) -> pd.DataFrame | None:
    """Return the table that a file holds, None if there is no file; names of layers stay text.

    Raises
    ------
    DseError
        If it is too large, cannot be read, or a quantity in it is no number.
    """
    if not path.is_file():
        return None
    _check_size(path, LARGEST_TABLE_BYTES)
    try:
        table = _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    except (OSError, ValueError, OverflowError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error
    for name in table.columns.intersection([*QUANTITIES, "num_costed", "hypervolume_share"]):
        if len(table) and not pd.api.types.is_numeric_dtype(table[name].dtype):
            raise DseError(f"run {path.parent}: {name} in {path.name} must hold numbers only")
    return table


def _read_csv(path: Path) -> pd.DataFrame:
    texts = dict.fromkeys(TEXT_COLUMNS, object)  # a name may be a number
    table = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=texts)
    return table.fillna(dict.fromkeys(table.columns.intersection(list(TEXT_COLUMNS)), ""))


def _read_parquet(path: Path) -> pd.DataFrame:
    """Read a table of numbers and texts whose size is known before it is read."""
    with parquet.ParquetFile(path) as file:
        about, schema = file.metadata, file.schema_arrow
        if about.num_rows * max(about.num_columns, 1) > MOST_VALUES:
            raise ValueError(
                f"it must have at most {MOST_VALUES:,} values, got "
                f"{about.num_rows:,} rows of {about.num_columns:,}"
            )
        for field in schema:
            _check_type(field.name, field.type)
    texts = [x.name for x in schema if not _is_plain(x.type)]
    with parquet.ParquetFile(path, read_dictionary=texts) as file:
        table = file.read().to_pandas(ignore_metadata=True)
    return table.astype(dict.fromkeys(texts, object))


def _is_plain(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)


def _check_type(name: str, kind: pa.DataType) -> None:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not (_is_plain(kind) or pa.types.is_string(value) or pa.types.is_large_string(value)):
        raise ValueError(f"column {name!r} must hold numbers or texts, got {kind}")


def _check_size(path: Path, most: int) -> None:
    size = path.stat().st_size
    if size > most:
        raise DseError(
            f"run {path.parent}: {path.name} must have at most {most:,} bytes, got {size:,}"
        )


def _unreadable(path: Path, error: BaseException) -> DseError:
    reason = " ".join(str(error).split())[:300]
    return DseError(f"run {path.parent}: {path.name} cannot be read: {reason}")


@contextmanager
def fitting_together(folder: str) -> Iterator[None]:
    """Say of which run it is, where the files of a run contradict each other.

    Raises
    ------
    DseError
        Instead of what looking up a row, key or number of a run's files raises.
    """
    try:
        yield
    except _CONTRADICTIONS as error:
        if isinstance(error, DseError):
            raise
        reason = " ".join(f"{type(error).__name__} {error}".split())[:200]
        raise DseError(f"run {folder}: its files do not fit together ({reason})") from error
