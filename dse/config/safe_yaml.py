"""YAML of anyone, read within bounds: checked before anything of it is expanded or resolved.

A file of a group speaks of its own group only, with arithmetic on its own keys: it reaches neither
Hydra nor the environment, and what it stands for is counted before it is built.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dse.config.references import references
from dse.errors import DseError

LARGEST_FILE_BYTES = 32 * 2**20
MOST_VALUES = 500_000
"""Values of a file with its aliases expanded; a network of 10,000 layers has 150,000."""

DEEPEST = 40
LONGEST_TEXT = 100_000
MOST_DEFAULTS = 10
MOST_DIGITS = 300

_DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*@\s*package", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z0-9_][\w.-]*")
_DIGITS = re.compile(rf"[\d_]{{{MOST_DIGITS + 1}}}")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse_yaml(path: Path, group: str) -> DictConfig:
    """Read one YAML file of a group, which must hold a mapping.

    Parameters
    ----------
    path
        The file.
    group
        The configuration group that it is of; a file of ``task`` has no interpolations, since
        Hydra resolves it before a run.

    Raises
    ------
    DseError
        Naming the file and the rule: if it cannot be read, is larger, deeper or stands for more
        than any input, or speaks of what is not its group's.
    """
    text = _text(path)
    try:
        if _DIRECTIVE.search(text):
            raise DseError(
                f"{path}: a file of {group} must have no # @package header: its place is {group}"
            )
        _Counted(path, is_constant=group == "task").check(text)
        config = OmegaConf.create(text)
    except (yaml.YAMLError, OmegaConfBaseException, ValueError, RecursionError) as error:
        if isinstance(error, DseError):
            raise
        reason = " ".join(str(error).split())[:300]
        raise DseError(f"{path}: cannot be read as YAML: {reason}") from error
    if not isinstance(config, DictConfig):
        raise DseError(f"{path}: must hold a mapping of keys to values, got a list")
    if "hydra" in config:
        raise DseError(f"{path}: a file of {group} speaks of {group} only, got key 'hydra'")
    default_names(path, config)
    return config


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise DseError(f"{path}: must be a file")
        size = path.stat().st_size
        if size > LARGEST_FILE_BYTES:
            raise DseError(f"{path}: must have at most {LARGEST_FILE_BYTES:,} bytes, got {size:,}")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DseError(f"{path}: cannot be read as YAML: {error}") from error


def names_of_defaults(path: Path, group: str) -> tuple[str, ...]:
    """Return what `default_names` does, of a file that is read again only if it has changed."""
    try:
        stat = path.stat()
    except OSError as error:
        raise DseError(f"{path}: cannot be read as YAML: {error}") from error
    return _names_of_defaults(path, group, (stat.st_mtime_ns, stat.st_size))


@lru_cache(maxsize=256)
def _names_of_defaults(path: Path, group: str, _stamp: tuple[int, int]) -> tuple[str, ...]:
    if "defaults" not in _text(path):  # read once, not twice: networks may be long
        return ()
    return tuple(default_names(path, parse_yaml(path, group)))


def default_names(path: Path, config: DictConfig) -> list[str]:
    """Return the names of a file's ``defaults``: those of files of its own group, or _self_.

    Raises
    ------
    DseError
        If they are no short list of names.
    """
    if config._get_node("defaults") is None:
        return []
    names = OmegaConf.to_container(config, resolve=False)["defaults"]  # type: ignore[index,call-overload]
    if not isinstance(names, list) or len(names) > MOST_DEFAULTS:
        raise DseError(f"{path}: defaults must be a list of at most {MOST_DEFAULTS} names")
    for name in names:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise DseError(f"{path}: defaults must be names of files of its group, got {name!r}")
    return names


class _Counted:
    """Counts what the events of a YAML text stand for, aliases expanded."""

    def __init__(self, path: Path, *, is_constant: bool) -> None:
        self._path = path
        self._is_constant = is_constant
        self._anchored: dict[str, int] = {}
        self._open: list[tuple[str | None, int]] = []  # anchor, values before it
        self._count = 0

    def check(self, text: str) -> None:
        """Raise DseError for the first bound that is broken."""
        for event in self._events(text):
            if isinstance(event, yaml.CollectionEndEvent):
                anchor, before = self._open.pop()
                self._keep(anchor, self._count - before)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._open.append((event.anchor, self._count))
                self._add(1)
                if len(self._open) > DEEPEST:
                    self._refuse(f"must be nested at most {DEEPEST} deep")
            elif isinstance(event, yaml.AliasEvent):
                if event.anchor not in self._anchored:
                    self._refuse(f"alias *{event.anchor} must follow what it repeats")
                self._add(self._anchored[event.anchor])
            elif isinstance(event, yaml.ScalarEvent):
                self._check_text(event.value)
                self._add(1)
                self._keep(event.anchor, 1)

    def _events(self, text: str) -> Iterator[yaml.Event]:
        return iter(yaml.parse(text, Loader=_LOADER))

    def _add(self, count: int) -> None:
        self._count += count
        if self._count > MOST_VALUES:
            self._refuse(f"must stand for at most {MOST_VALUES:,} values, aliases counted")

    def _keep(self, anchor: str | None, count: int) -> None:
        if anchor is not None:
            self._anchored[anchor] = count

    def _check_text(self, text: str) -> None:
        if len(text) > LONGEST_TEXT:
            self._refuse(f"must have texts of at most {LONGEST_TEXT:,} characters")
        if _DIGITS.search(text):
            self._refuse(f"must have numbers of at most {MOST_DIGITS} digits")
        if "${" not in text:
            return
        if self._is_constant:
            self._refuse(f"must have no interpolation, got {text[:60]!r}")
        try:
            references(text)
        except DseError as error:
            self._refuse(str(error))

    def _refuse(self, rule: str) -> None:
        raise DseError(f"{self._path}: {rule}")
