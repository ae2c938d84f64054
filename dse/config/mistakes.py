"""Hydra's and OmegaConf's errors as one line that names the key, the value and the rule."""

import re

import yaml
from hydra.errors import (
    ConfigCompositionException,
    HydraException,
    MissingConfigException,
    OverrideParseException,
)
from omegaconf.errors import (
    ConfigIndexError,
    ConfigKeyError,
    MissingMandatoryValue,
    OmegaConfBaseException,
)

from dse.config.checks import nearest
from dse.config.files import one_line
from dse.errors import DseError

CONFIGURATION_ERRORS = (
    DseError,
    HydraException,
    OmegaConfBaseException,
    OSError,
    RecursionError,
    UnicodeDecodeError,
    yaml.YAMLError,
)
"""What composing a configuration may raise because of what the user gave."""


def message(error: BaseException) -> str:
    """Return the one line that tells the user what is wrong."""
    if isinstance(error, DseError):
        return one_line(error)
    if isinstance(error, MissingConfigException):
        return _missing_config(error)
    if isinstance(error, OverrideParseException):
        reason = re.sub(r"; See http\S*.*", "", one_line(error))
        return f"override {error.override!r} must have the form KEY=VALUE: {reason}"
    if isinstance(error, ConfigCompositionException):
        return _composition(error)
    if isinstance(error, RecursionError):
        return "interpolations and defaults must not lead back to themselves"
    if isinstance(error, MissingMandatoryValue):
        return f"a value is missing: {one_line(error)}"
    return one_line(error)


def _missing_config(error: MissingConfigException) -> str:
    group, _, name = (error.missing_cfg_file or "").rpartition("/")
    if not group or not error.options:
        return one_line(error).partition("; Config search path:")[0]
    return f"{group} {name!r} is not in conf/{group}{nearest(name, error.options)}"


def _composition(error: ConfigCompositionException) -> str:
    text = one_line(error)
    cause = error.__cause__
    if text.startswith("Could not override") and cause is not None:
        override = text.rpartition(" use +")[2]
        key, _, value = override.partition("=")
        unknown = str(getattr(cause, "full_key", "") or key)  # above the key, or in its value
        parent, _, last = unknown.rpartition(".")
        if unknown in ("technology", "dram"):
            return f"{key}={value}: {unknown} has no values yet; choose one too, {unknown}=NAME"
        names = _names(cause)
        if not names and parent:
            return f"{key}={value}: {parent} is a value and has no key {last!r}"
        return f"{key}={value}: {parent or 'the configuration'} has no key {last!r}" + (
            nearest(last, names) if names else ""
        )
    if isinstance(cause, ConfigIndexError):
        items, place = str(cause.full_key).rstrip("]").split("[")[-2:]
        size = len(cause.parent_node or ())
        override = text.partition("override ")[2].partition(": ")[0].lstrip("+")
        return f"{override}: {items} has {size} items, 0 to {size - 1}, got {place}"
    if text.startswith("Ambiguous value"):
        override = text.split("'")[1]
        return f"{override}: a list must be in brackets, or the command have -m to run each value"
    if cause is not None and cause is not error and one_line(cause) not in text:
        text = f"{text}: {one_line(cause)}"
    return text


def _names(error: BaseException) -> list[str]:
    """Return the keys that the node has whose key was not found."""
    node = getattr(error, "parent_node", None)
    if not isinstance(error, (ConfigKeyError, OmegaConfBaseException)) or node is None:
        return []
    return [str(key) for key in node if str(key) != "hydra"]
