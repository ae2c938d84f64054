"""A composed configuration with everything filled in: what a run is made from and records."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dse.config.checks import check_keys
from dse.config.files import FURTHER_KEYS, group_file, load_group, plain, read_yaml
from dse.config.networks import (
    check_accepted,
    check_network_path,
    import_settings,
    network_values,
)
from dse.config.overrides import keys_below, override_keys
from dse.config.references import check_expansion
from dse.config.task_keys import check_read, check_scheduled
from dse.errors import DseError
from dse.hardware.dram_rate import given_one

KEYS = (
    "accelerator",
    "budget",
    "dram",
    "import",
    "mapper",
    "mapping",
    "objectives",
    "pick",
    "report",
    "run",
    "search",
    "seed",
    "space",
    "task",
    "technology",
    "workload",
)
"""The keys of a configuration; those of conf/config.yaml."""

RESULTS = ("search", "evaluate")
"""Tasks whose results need a network that is modelled."""

PARTS = {"technology": "technology", "dram": "dram_part"}
"""Groups of which a machine has one, and the key of the accelerator that says which."""


@dataclass(frozen=True, kw_only=True)
class Composed:
    """What Hydra composed, and how.

    Attributes
    ----------
    config
        The configuration without Hydra's own node.
    overrides
        The overrides of the command line, as Hydra has them.
    choices
        Group to the name that was chosen, None where none was.
    """

    config: DictConfig
    overrides: tuple[str, ...]
    choices: Mapping[str, str | None]


def resolved(composed: Composed) -> dict[str, Any]:
    """Return the configuration as a plain dict, with the workload and accelerator that it means.

    Raises
    ------
    DseError
        If a key does not exist, a file cannot be read, or an interpolation cannot be resolved.
    """
    config = composed.config
    check_keys("the configuration", dict.fromkeys(map(str, config)), KEYS)
    check_expansion(OmegaConf.to_container(config, resolve=False))
    _check_import(config)
    check_read(OmegaConf.select(config, "task.name"), composed.overrides)
    own = ("workload", "accelerator", *PARTS)
    rest = OmegaConf.create({key: config._get_node(key) for key in config if key not in own})
    assert isinstance(rest, DictConfig)
    rest._set_parent(config)
    values = {
        **plain(rest, "configuration"),
        "workload": workload_values(composed),
        "accelerator": accelerator_values(composed),
    }
    check_scheduled(values, composed.overrides)
    if OmegaConf.select(config, "task.name") == "search":
        _fix_knobs(values["space"], composed)
    if OmegaConf.select(config, "task.name") in RESULTS:
        accept = import_settings(values.get("import") or {})["accept"]
        check_accepted(values["workload"], accept, "import.accept")
    return values


def _parts(composed: Composed, given: Iterable[str]) -> dict[str, Any]:
    """Return the node and the DRAM part that are chosen by themselves, by key of accelerators."""
    found = {}
    for group, key in PARTS.items():
        name = composed.choices.get(group)
        if name is None:
            continue
        if key in given:
            raise DseError(f"{group}={name} and accelerator.{key} are both given; leave one out")
        is_changed = bool(keys_below(group, composed.overrides))
        found[key] = plain(composed.config[group], group) if is_changed else name
    return found


def _fix_knobs(space: Any, composed: Composed) -> None:
    """Have a node or a DRAM part that was chosen take the place of the knob of a space."""
    knobs = space.get("knobs") if isinstance(space, dict) else None
    for key, value in _parts(composed, ()).items():
        if not isinstance(knobs, dict) or knobs.get(key) is None:
            continue
        if isinstance(value, dict) or f"space.knobs.{key}" in override_keys(composed.overrides):
            raise DseError(
                f"space.knobs.{key} is varied, and one is chosen: leave one out, or have the knob "
                f"removed with '~space.knobs.{key}'"
            )
        knobs[key] = [value]


def _check_import(config: DictConfig) -> None:
    """Check the settings of imports also where nothing is imported."""
    node = config.get("import")
    import_settings(OmegaConf.to_container(node) if isinstance(node, DictConfig) else node)


def workload_values(composed: Composed) -> dict[str, Any]:
    """Return the workload's values: those of the chosen name, or of the file of its path."""
    node = composed.config.get("workload")
    given = keys_below("workload", composed.overrides)
    if not isinstance(node, DictConfig):
        raise DseError("workload must be a name in conf/workload or workload.path=FILE, got none")
    path = node.get("path")
    if path is None:
        return _composed_group(composed, "workload")
    if not isinstance(path, str) or not path:
        raise DseError(f"workload.path must be a file, got {path!r}")
    check_network_path(Path(path).expanduser())
    parameters = {key: node[key] for key in given if key != "path"}
    if "bits" in given:  # those of the network that the path replaces are not meant
        parameters["bits"] = _given_bits(composed)
    settings = OmegaConf.to_container(composed.config.get("import") or OmegaConf.create({}))
    return network_values(path, parameters, settings)


def _given_bits(composed: Composed) -> object:
    """Return the bits that the command line sets, by operand or as a whole."""
    prefix = "workload.bits"
    keys = [x for x in override_keys(composed.overrides) if x.startswith(prefix)]
    bits = composed.config.workload.bits
    if prefix in keys:
        return OmegaConf.to_container(bits) if isinstance(bits, DictConfig) else bits
    return {key.removeprefix(f"{prefix}."): bits[key.removeprefix(f"{prefix}.")] for key in keys}


def accelerator_values(composed: Composed) -> dict[str, Any]:
    """Return the accelerator's values: the chosen one's, or of the one that the space names."""
    node = composed.config.get("accelerator")
    given = keys_below("accelerator", composed.overrides)
    parts = _parts(composed, given)
    path = node.get("path") if isinstance(node, DictConfig) else None
    if path is not None or composed.choices.get("accelerator") is None:
        base = path or composed.config.space.get("accelerator")
        if not isinstance(base, str):
            raise DseError(f"space.accelerator must name an accelerator, got {base!r}")
        changes = {key: node[key] for key in given if key != "path"} if node is not None else {}
        values = load_group("accelerator", base, **changes)
    else:
        values = _composed_group(composed, "accelerator")
    return given_one({**values, **parts}, (*given, *parts))


def _composed_group(composed: Composed, group: str) -> dict[str, Any]:
    """Return a group's values as Hydra composed them, overridden keys checked."""
    name = composed.choices.get(group)
    given = keys_below(group, composed.overrides)
    if given and name:
        own = read_yaml(group_file(group, name), group)
        known = (*map(str, own), *FURTHER_KEYS[group])
        check_keys(f"{group} {name!r}", dict.fromkeys(given), known)
    return plain(composed.config[group], group)
