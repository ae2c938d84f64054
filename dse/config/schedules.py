"""A machine's own schedule, from the plain dict of its YAML."""

from collections.abc import Mapping
from typing import Any

from dse.config.checks import integer, mapping, number, require
from dse.errors import DseError
from dse.hardware import Schedule, Winograd
from dse.hardware.schedule import FILTER, ROUNDED, STREAMED

SWITCHES = ("vectors_are_rounded", "strides_are_folded")
KEYS = ("kept", "least", "least_share", "granule", "multiples", *SWITCHES, "winograd")


def schedule_from(what: str, value: object) -> Schedule | None:
    """Build a schedule from the value of an accelerator's ``schedule``; None if there is none.

    Parameters
    ----------
    what
        Name of the key in messages.
    value
        A mapping with the names and meanings of `dse.hardware.schedule.Schedule`.

    Raises
    ------
    DseError
        If a key is unknown, or a value is not of its kind or out of range.
    """
    if value is None:
        return None
    given = {key: x for key, x in mapping(what, value, KEYS).items() if x is not None}
    fields: dict[str, Any] = {key: given[key] for key in ("kept", *SWITCHES) if key in given}
    least = _numbers(f"{what}.least", given.get("least"), STREAMED, words=(FILTER,))
    shares = mapping(f"{what}.least_share", given.get("least_share") or {}, STREAMED)
    return Schedule(
        least=least,
        least_share=tuple(
            (x, number(f"{what}.least_share.{x}", share, above_zero=True))
            for x, share in shares.items()
            if share is not None
        ),
        granule=_numbers(f"{what}.granule", given.get("granule"), STREAMED),
        multiples=_multiples(f"{what}.multiples", given.get("multiples") or {}),
        winograd=_winograd(f"{what}.winograd", given.get("winograd")),
        **fields,
    )


def _numbers(
    what: str, value: object, known: tuple[str, ...], words: tuple[str, ...] = ()
) -> tuple[tuple[str, Any], ...]:
    given = mapping(what, value or {}, known)
    for key, x in given.items():
        if isinstance(x, str) and x not in words:
            also = "".join(f", or {word!r}" for word in words)
            raise DseError(f"{what}.{key} must be a whole number, 1 or more{also}, got {x!r}")
    return tuple(
        (key, x if x in words else integer(f"{what}.{key}", x))
        for key, x in given.items()
        if x is not None
    )


def _multiples(what: str, value: object) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
    given: Mapping[str, Any] = mapping(what, value, tuple(ROUNDED))
    return tuple((x, _numbers(f"{what}.{x}", own, ROUNDED[x])) for x, own in given.items())


def _winograd(what: str, value: object) -> Winograd | None:
    if value is None:
        return None
    given = mapping(what, value, ("filter", "outputs", "least_channels"))
    require(what, given, ("filter", "outputs"))
    return Winograd(**{key: integer(f"{what}.{key}", x) for key, x in given.items()})
