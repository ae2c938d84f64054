"""Configuration files: where they lie, and how one is read without Hydra."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dse.config.checks import check_keys, nearest
from dse.config.workloads import check_parameters
from dse.errors import DseError
from dse.hardware import Accelerator

SUFFIXES = (".yaml", ".yml")
REFERENCE = re.compile(r"\$\{\.*(?:[A-Za-z_]\w*\.)*([A-Za-z_]\w*)\}")
"""An interpolation of one key, such as ``${..array_rows}`` or ``${accelerator.array_rows}``."""

FURTHER_KEYS = {
    "accelerator": tuple(x.name for x in fields(Accelerator) if x.name != "parameters"),
    "workload": ("batch",),
}
"""Keys that may be set although a group's file does not have them."""

_user_directories: ContextVar[tuple[Path, ...]] = ContextVar("_user_directories", default=())


def conf_dir() -> Path:
    """Return the project's configuration: dse/conf in a wheel, conf/ in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "conf"
    return installed if installed.is_dir() else package.parent / "conf"


def config_dirs() -> tuple[Path, ...]:
    """Return the directories that are searched for a group's files, the user's own first."""
    return (*_user_directories.get(), conf_dir())


@contextmanager
def user_directories(directories: Sequence[Path]) -> Iterator[None]:
    """Search these directories before the project's own, as ``--config-dir`` does."""
    token = _user_directories.set(tuple(directories))
    try:
        yield
    finally:
        _user_directories.reset(token)


def group_names(group: str) -> list[str]:
    """Return the names that a configuration group offers, sorted."""
    found = (path for directory in config_dirs() for path in (directory / group).glob("*.yaml"))
    return sorted({path.stem for path in found})


def group_file(group: str, name_or_path: str | Path) -> Path:
    """Return the file of a name in a configuration group, or of a path to a YAML file.

    Raises
    ------
    DseError
        If there is no such name, with the nearest right one, or no such file.
    """
    text = str(name_or_path)
    if Path(text).suffix in SUFFIXES or Path(text).name != text:
        path = Path(text).expanduser()
        if not path.is_file():
            raise DseError(f"{group} file {text!r} must be a YAML file that exists")
        return path
    for directory in config_dirs():
        path = directory / group / f"{text}.yaml"
        if path.is_file():
            return path
    raise DseError(f"{group} {text!r} is not in conf/{group}{nearest(text, group_names(group))}")


def load_group(group: str, name_or_path: str | Path, **overrides: Any) -> dict[str, Any]:
    """Read one configuration of a group as a plain dict, interpolations resolved.

    Parameters
    ----------
    group
        A directory of conf/, such as ``workload``.
    name_or_path
        A name in conf/<group>, or a path to a YAML file.
    overrides
        Values of top-level keys, merged before interpolations are resolved.

    Returns
    -------
    dict
        In an accelerator, an interpolation of a top-level key is that key's name (a reference
        that follows the parameter), in all other groups its value.

    Raises
    ------
    DseError
        If the file is missing, unreadable, no mapping, cyclic, or has no key to override.
    """
    register_resolvers()
    config = read_yaml(group_file(group, name_or_path), group)
    known = (*map(str, config), *FURTHER_KEYS.get(group, ()))
    check_keys(f"{group} {str(name_or_path)!r}", overrides, known)
    if overrides:
        try:
            config = DictConfig(OmegaConf.merge(config, native(overrides)))
        except OmegaConfBaseException as error:
            raise DseError(f"{group} {str(name_or_path)!r}: {one_line(error)}") from error
    return plain(config, group)


def native(value: Any) -> Any:
    """Return a value with NumPy's numbers and arrays as those of Python."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: native(part) for key, part in value.items()}
    return [native(part) for part in value] if isinstance(value, list | tuple) else value


def read_yaml(path: Path, group: str, seen: tuple[Path, ...] = ()) -> DictConfig:
    """Read a YAML file and merge it over those that its ``defaults`` name."""
    if path.resolve() in seen:
        raise DseError(f"{path}: defaults must not lead back to the file itself")
    config = parse_yaml(path)
    defaults = config.pop("defaults", ["_self_"])
    if "_self_" not in defaults:
        defaults = [*defaults, "_self_"]
    parts = [
        config
        if name == "_self_"
        else read_yaml(_default_file(path, group, str(name)), group, (*seen, path.resolve()))
        for name in defaults
    ]
    return parts[0] if len(parts) == 1 else DictConfig(OmegaConf.merge(*parts))


def _default_file(path: Path, group: str, name: str) -> Path:
    """Return the file that a defaults list names: one beside the file itself, or of the group."""
    beside = path.parent / f"{name}.yaml"
    return beside if beside.is_file() else group_file(group, name)


def parse_yaml(path: Path) -> DictConfig:
    """Read one YAML file that must hold a mapping."""
    try:
        config = OmegaConf.load(path)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, OmegaConfBaseException) as error:
        raise DseError(f"{path}: cannot be read as YAML: {one_line(error)}") from error
    if not isinstance(config, DictConfig):
        raise DseError(f"{path}: must hold a mapping of keys to values, got a list")
    return config


def plain(config: DictConfig, group: str) -> dict[str, Any]:
    """Return a node as a plain dict, interpolations resolved as `load_group` says."""
    try:
        raw = OmegaConf.to_container(config, resolve=False)
        assert isinstance(raw, dict)  # a DictConfig becomes a dict
        if group == "workload":
            check_parameters(raw)
        if group == "accelerator":
            named = OmegaConf.create(_named_references(raw, raw))
            assert isinstance(named, DictConfig)
            named._set_parent(config._get_parent())  # absolute interpolations start at the root
            config = named
        values = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise DseError(f"{group}: {one_line(error)}") from error
    except RecursionError as error:
        raise DseError(f"{group}: interpolations must not lead back to themselves") from error
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}


def _named_references(value: Any, parameters: Mapping[Any, Any]) -> Any:
    """Replace interpolations of top-level keys by the keys' names, below the top level."""
    if isinstance(value, dict):
        return {
            key: part
            if value is parameters and isinstance(part, str)
            else _named_references(part, parameters)
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [_named_references(part, parameters) for part in value]
    match = REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return match[1] if match and match[1] in parameters else value


def register_resolvers() -> None:
    """Register the arithmetic that YAML may use: ``${mul:${..heads},${..head_dim}}``."""
    for name, function in (
        ("mul", lambda *factors: prod(factors)),
        ("add", lambda *terms: sum(terms)),
        ("sub", lambda first, second: first - second),
        ("floor_div", lambda first, second: first // second),
    ):
        if not OmegaConf.has_resolver(name):
            OmegaConf.register_new_resolver(name, function)


def one_line(error: BaseException) -> str:
    """Return an error's message on one line, without OmegaConf's list of internals."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    kept = [x for x in lines if not x.startswith(("full_key:", "object_type=", "reference_type="))]
    text = "; ".join(kept) or type(error).__name__
    key = getattr(error, "full_key", None)
    return f"{key}: {text}" if key and str(key) not in text else text
