"""The rate of the DRAM: given by itself, or that of a part times its channels."""

from collections.abc import Mapping
from typing import Any

from dse.checks import check_number
from dse.errors import DseError

RATE = "dram_bytes_per_s"
PART = "dram_part"
PART_PARAMETERS = (PART, "dram_channels")
"""The parameters that give the rate where `RATE` does not."""


def gives_rate(values: Mapping[str, Any]) -> bool:
    """Return whether parameters, or columns of designs, give the rate by itself: it then wins."""
    return values.get(RATE) is not None


def gives_part(values: Mapping[str, Any]) -> bool:
    """Return whether parameters, or columns of designs, give a part, and no rate that wins."""
    return values.get(PART) is not None and not gives_rate(values)


def with_one(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return changed parameters of a machine, with the part or the rate that they end removed."""
    changes = dict(changes)
    if changes.get(PART) is not None:
        changes.setdefault(RATE, None)
    elif gives_rate(changes):
        changes.setdefault(PART, None)
    return changes


def check_one(owner: str, rate: object, part: object) -> None:
    """Raise DseError unless a machine has a rate or a part, and not both."""
    if rate is not None:
        check_number(owner, RATE, rate, integer=False)
    if (rate is None) == (part is None):
        raise DseError(
            f"{owner} must have either {PART} or {RATE}, got {'both' if part else 'neither'}"
        )


def check_knobs(what: str, knobs: Mapping[str, Any]) -> None:
    """Raise DseError if knobs vary the rate by itself and what would give it, too."""
    if RATE in knobs and set(PART_PARAMETERS) & set(knobs):
        raise DseError(f"{what} must vary {RATE} or {' and '.join(PART_PARAMETERS)}, got both")


def given_one(values: Mapping[str, Any], given: tuple[str, ...]) -> dict[str, Any]:
    """Return the values of a configuration with the part or rate that others end removed.

    A machine keeps the part beside a given rate where it takes the energy of a bit from it; a
    given part brings its own energy, unless that of the interface is given too.

    Parameters
    ----------
    values
        A machine's, by the keys of its configuration.
    given
        The keys that were set, over those that the machine has of its own.
    """
    values = dict(values)
    dram = values.get("dram") or {}
    has_energy = isinstance(dram, Mapping) and dram.get("pj_per_bit") is not None
    if PART in given and RATE not in given:
        values.pop(RATE, None)
        if has_energy and "dram" not in given:
            values["dram"] = {**dram, "pj_per_bit": None}
    elif has_energy and RATE in given and PART not in given:
        values.pop(PART, None)
    return values
