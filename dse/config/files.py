"""Configuration files: where they lie, and how one is read without Hydra."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dse.config.checks import check_keys, nearest
from dse.config.references import check_expansion, register_resolvers
from dse.config.safe_yaml import default_names, names_of_defaults, parse_yaml
from dse.config.workloads import check_parameters
from dse.errors import DseError
from dse.hardware import Accelerator

SUFFIXES = (".yaml", ".yml")
REFERENCE = re.compile(r"\$\{\.*(?:[A-Za-z_]\w*\.)*([A-Za-z_]\w*)\}")
"""An interpolation of one key, such as ``${..array_rows}`` or ``${accelerator.array_rows}``."""

MOST_FILES = 64
"""Files that the ``defaults`` of one lead to, each counted as often as it is named."""

FURTHER_KEYS = {
    "accelerator": (
        *(x.name for x in fields(Accelerator) if x.name != "parameters"),
        "array_bits_per_cycle",
    ),
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
    found = file_below(config_dirs(), group, f"{text}.yaml")
    if found is not None:
        return found
    raise DseError(f"{group} {text!r} is not in conf/{group}{nearest(text, group_names(group))}")


def file_below(directories: Sequence[Path], group: str, name: str) -> Path | None:
    """Return the first file of a name of a group, None if there is none.

    Raises
    ------
    DseError
        If it is a link that leads out of its directory.
    """
    for directory in directories:
        path = directory / group / name
        if not path.is_file():
            continue
        if not path.resolve().is_relative_to(directory.resolve()):
            raise DseError(f"{path}: must lie in {directory}, and leads out of it")
        return path
    return None


def shadowed(group: str, name: str) -> Path | None:
    """Return the user's own file of a name that the project has too, None if there is no such."""
    path = file_below(config_dirs(), group, f"{name}.yaml")
    is_own = path is not None and not path.is_relative_to(conf_dir())
    if path is None or not is_own or not (conf_dir() / group / f"{name}.yaml").is_file():
        return None
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def load_group(group: str, name_or_path: str | Path, **overrides: Any) -> dict[str, Any]:
    """Read one configuration of a group as a plain dict, interpolations resolved.

    Parameters
    ----------
    group
        A directory of conf/, such as ``workload``.
    name_or_path
        A name in conf/<group>, or a path to a YAML file.
    overrides
        Values of top-level keys, merged before interpolations are resolved; a mapping of a
        space's knobs is all of them.

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
        if group == "space" and isinstance(overrides.get("knobs"), Mapping):
            config["knobs"] = None  # a mapping is all knobs, on the command line, too
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


def read_yaml(path: Path, group: str) -> DictConfig:
    """Read a YAML file and merge it over those that its ``defaults`` name.

    Raises
    ------
    DseError
        If a file breaks a rule of `parse_yaml`, or `check_defaults` refuses their tree.
    """
    check_defaults(path, group)
    return _merged(path, group)


def _merged(path: Path, group: str) -> DictConfig:
    config = parse_yaml(path, group)
    names = default_names(path, config) or ["_self_"]
    config.pop("defaults", None)
    parts = [
        config if name == "_self_" else _merged(_default_file(path, group, name), group)
        for name in (names if "_self_" in names else [*names, "_self_"])
    ]
    return parts[0] if len(parts) == 1 else DictConfig(OmegaConf.merge(*parts))


def check_defaults(path: Path, group: str) -> None:
    """Raise DseError if the tree of files that ``defaults`` name is large or has no end."""
    todo, num_read = [(path, frozenset[Path]())], 0
    while todo:
        file, above = todo.pop()
        place, num_read = file.resolve(), num_read + 1
        if place in above:
            raise DseError(f"{path}: defaults must not lead back to the file itself")
        if num_read > MOST_FILES:
            raise DseError(f"{path}: defaults must lead to at most {MOST_FILES} files")
        names = names_of_defaults(file, group)
        files = [_default_file(file, group, name) for name in names if name != "_self_"]
        todo += [(x, above | {place}) for x in files]


def _default_file(path: Path, group: str, name: str) -> Path:
    """Return the file that a defaults list names: one beside the file itself, or of the group."""
    beside = path.parent / f"{name}.yaml"
    is_own = beside.is_file() and beside.resolve().is_relative_to(path.parent.resolve())
    return beside if is_own else group_file(group, name)


def plain(config: DictConfig, group: str) -> dict[str, Any]:
    """Return a node as a plain dict, interpolations resolved as `load_group` says."""
    try:
        raw = OmegaConf.to_container(config, resolve=False)
        assert isinstance(raw, dict)  # a DictConfig becomes a dict
        if config._get_parent() is None:  # else the whole configuration is checked before
            check_expansion(raw)
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


def one_line(error: BaseException) -> str:
    """Return an error's message on one line, without OmegaConf's list of internals."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    kept = [x for x in lines if not x.startswith(("full_key:", "object_type=", "reference_type="))]
    text = "; ".join(kept) or type(error).__name__
    key = getattr(error, "full_key", None)
    return f"{key}: {text}" if key and str(key) not in text else text
