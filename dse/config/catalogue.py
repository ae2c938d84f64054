"""The catalogue: DRAM parts and process nodes from the plain dicts of their YAML files."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from dse.config.checks import check_keys, integer, items, mapping, nearest, number, require
from dse.config.files import config_dirs, group_file, group_names, load_group
from dse.errors import DseError
from dse.technology import Catalogue, Constant, DramPart, Technology

CONSTANTS = (
    "area_fixed_mm2",
    "area_mm2_per_mac",
    "area_mm2_per_kib",
    "mac_pj",
    "leakage_w_per_mm2",
    "wafer_usd",
    "defects_per_cm2",
)


def dram_part_from(values: Mapping[str, Any]) -> DramPart:
    """Build a DRAM part from the values of one conf/dram YAML.

    Raises
    ------
    DseError
        If a key is unknown or missing, or a value is not of its kind or out of range.
    """
    owner = f"DRAM part {values.get('name', '(unnamed)')!r}"
    keys = ("name", "bytes_per_s", "burst_bytes", "pj_per_bit", "usd", "source")
    check_keys(owner, values, keys)
    require(owner, values, keys)
    return DramPart(
        name=str(values["name"]),
        bytes_per_s=number(f"{owner}.bytes_per_s", values["bytes_per_s"], above_zero=True),
        burst_bytes=integer(f"{owner}.burst_bytes", values["burst_bytes"]),
        pj_per_bit=_constant(f"{owner}.pj_per_bit", values["pj_per_bit"]),
        usd=_constant(f"{owner}.usd", values["usd"]),
        source=str(values["source"]),
    )


def technology_from(values: Mapping[str, Any]) -> Technology:
    """Build a process node from the values of one conf/technology YAML.

    Raises
    ------
    DseError
        If a key is unknown or missing, or a value is not of its kind or out of range.
    """
    owner = f"technology {values.get('name', '(unnamed)')!r}"
    keys = ("name", "node_nm", "area_fit_macs", "area_fit_kib", *CONSTANTS)
    check_keys(owner, values, (*keys, "max_clock_hz"))
    require(owner, values, keys)
    fields: dict[str, Any] = {key: _constant(f"{owner}.{key}", values[key]) for key in CONSTANTS}
    if values.get("max_clock_hz") is not None:
        what = f"{owner}.max_clock_hz"
        fields["max_clock_hz"] = _constant(what, values["max_clock_hz"])
    for key in ("area_fit_macs", "area_fit_kib"):
        fields[key] = tuple(
            integer(f"{owner}.{key}[{i}]", x, least=0) for i, x in items(owner, key, values)
        )
    return Technology(
        name=str(values["name"]),
        node_nm=number(f"{owner}.node_nm", values["node_nm"], above_zero=True),
        **fields,
    )


def catalogue() -> Catalogue:
    """Return the DRAM parts of conf/dram and the nodes of conf/technology, as they are now.

    Directories given with ``--config-dir`` are part of it; unchanged files are read once.
    """
    files = [group_file(x, name) for x in ("dram", "technology") for name in group_names(x)]
    stamps = tuple((x, x.stat().st_mtime_ns) for x in files)
    return _catalogue(config_dirs(), stamps)


@lru_cache(maxsize=8)
def _catalogue(_directories: tuple[Path, ...], _stamps: tuple[tuple[Path, int], ...]) -> Catalogue:
    return Catalogue(
        dram_parts={x: dram_part_from(load_group("dram", x)) for x in group_names("dram")},
        technologies={
            x: technology_from(load_group("technology", x)) for x in group_names("technology")
        },
    )


def find_dram_part(value: object) -> DramPart:
    """Return the part of a name, or of the values of its own; raise DseError with the nearest."""
    if isinstance(value, Mapping):
        return dram_part_from(value)
    known = catalogue().dram_parts
    if str(value) not in known:
        raise DseError(f"DRAM part {value!r} is not in conf/dram{nearest(str(value), known)}")
    return known[str(value)]


def find_technology(value: object) -> Technology:
    """Return the node of a name, or of the values of its own; raise DseError with the nearest."""
    if isinstance(value, Mapping):
        return technology_from(value)
    known = catalogue().technologies
    if str(value) not in known:
        raise DseError(
            f"technology {value!r} is not in conf/technology{nearest(str(value), known)}"
        )
    return known[str(value)]


def _constant(what: str, value: object) -> Constant:
    given = mapping(what, value, ("value", "low", "high", "source", "date"))
    require(what, given, ("value", "low", "high", "source"))
    numbers = {key: number(f"{what}.{key}", given[key]) for key in ("value", "low", "high")}
    try:
        return Constant(**numbers, source=str(given["source"]), date=str(given.get("date") or ""))
    except DseError as error:
        raise DseError(f"{what}: {error}") from error
