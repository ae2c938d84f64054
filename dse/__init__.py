"""Chipfront: exact design-space exploration for deep-learning accelerators."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dse.api import (
        Result,
        evaluate,
        evaluate_designs,
        load_accelerator,
        load_module,
        load_space,
        load_workload,
        search,
        with_mapping,
    )
    from dse.errors import DseError, InfeasibleError
    from dse.exploration import Study
    from dse.hardware import Accelerator, Axis, Buffer, Constraints, Dram, Memory
    from dse.mapping.nest.mapping import Mapping
    from dse.mapping.table import MappingTable
    from dse.pick import Pick
    from dse.space import Space
    from dse.tables import mapping_table, network_schedule
    from dse.technology import Catalogue, Constant, DramPart, Technology
    from dse.workload import Layer, Workload

__version__ = "0.1.0"

_MODULES = {
    "dse.api": (
        "Result",
        "evaluate",
        "evaluate_designs",
        "load_accelerator",
        "load_module",
        "load_space",
        "load_workload",
        "search",
        "with_mapping",
    ),
    "dse.errors": ("DseError", "InfeasibleError"),
    "dse.hardware": ("Accelerator", "Axis", "Buffer", "Constraints", "Dram", "Memory"),
    "dse.mapping.nest.mapping": ("Mapping",),
    "dse.mapping.table": ("MappingTable",),
    "dse.pick": ("Pick",),
    "dse.exploration": ("Study",),
    "dse.space": ("Space",),
    "dse.tables": ("mapping_table", "network_schedule"),
    "dse.technology": ("Catalogue", "Constant", "DramPart", "Technology"),
    "dse.workload": ("Layer", "Workload"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "Accelerator",
    "Axis",
    "Buffer",
    "Catalogue",
    "Constant",
    "Constraints",
    "Dram",
    "DramPart",
    "DseError",
    "InfeasibleError",
    "Layer",
    "Mapping",
    "MappingTable",
    "Memory",
    "Pick",
    "Result",
    "Space",
    "Study",
    "Technology",
    "Workload",
    "evaluate",
    "evaluate_designs",
    "load_accelerator",
    "load_module",
    "load_space",
    "load_workload",
    "mapping_table",
    "network_schedule",
    "search",
    "with_mapping",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``import dse`` costs nothing."""
    if name == "plot":
        return importlib.import_module("dse.plot")
    if name not in _HOMES:
        raise AttributeError(f"module 'dse' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
