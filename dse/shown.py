"""Short texts of objects, as a notebook shows them."""

from collections.abc import Mapping, Sized
from dataclasses import MISSING, fields, is_dataclass
from itertools import islice
from typing import Any

MOST_ITEMS, MOST_LETTERS, MOST_IN_ALL = 6, 80, 900


def short_repr(instance: Any) -> str:
    """Return a dataclass's text: its fields that are not the default, long ones by their size.

    Use it as ``__repr__ = short_repr``.
    """
    shown = [
        f"{x.name}={_short(value)}"
        for x in fields(instance)
        if x.repr and not _is_default(value := getattr(instance, x.name), x.default)
    ]
    text = ", ".join(shown)
    if len(text) > MOST_IN_ALL:
        text = f"{text[:MOST_IN_ALL]}..."
    return f"{type(instance).__name__}({text})"


def _is_default(value: object, default: object) -> bool:
    """Whether a plain value is its field's default."""
    if default is MISSING or not isinstance(value, int | float | str | tuple | None):
        return False
    return type(value) is type(default) and value == default


def _short(value: Any) -> str:
    kind = type(value).__name__
    if is_dataclass(value):
        name = getattr(value, "name", None)
        return f"<{kind} {name!r}>" if isinstance(name, str) else f"<{kind}>"
    if hasattr(value, "shape"):
        return f"<{kind} of {' x '.join(map(str, value.shape))}>"
    if isinstance(value, Mapping):
        return _cut(value, [f"{key!r}: {_short(x)}" for key, x in islice(value.items(), 4)], "{}")
    if isinstance(value, tuple | list):
        if len(value) > MOST_ITEMS:
            return f"<{len(value)} {type(value[0]).__name__}>"
        return _cut(value, [_short(x) for x in value], "()")
    if callable(value):
        return f"<{kind}>"
    text = repr(value)
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}..."


def _cut(value: Sized, items: list[str], brackets: str) -> str:
    """Return items in brackets, those left out as dots."""
    more = ["..."] if len(value) > len(items) else []
    text = ", ".join([*items, *more])
    if len(text) > 3 * MOST_LETTERS:
        return f"<{len(value)} items>"
    return brackets[0] + text + brackets[1]
