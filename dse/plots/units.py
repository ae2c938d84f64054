"""How quantities are named, prefixed and printed, in plots and in reports."""

import math
import re
from collections.abc import Mapping

from dse.columns import COLUMNS, COSTS, column

TIMES = "\N{MULTIPLICATION SIGN}"
ARROW = "\N{RIGHTWARDS ARROW}"
NOT_KNOWN = "\N{EN DASH}"

_SI = {-12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P"}
_BINARY = ("", "Ki", "Mi", "Gi", "Ti")


def lower_label(name: str) -> str:
    """Return the label of a column for the middle of a sentence; DRAM and MACs stay as they are."""
    label = column(name).label
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


def prefix(name: str, value: float) -> tuple[float, str]:
    """Return the factor and the unit that suit a value of a column.

    Parameters
    ----------
    name
        The column.
    value
        A typical value, in the unit of the column.

    Returns
    -------
    tuple
        What to multiply the column's values with, and the unit with its prefix.
    """
    shown = column(name)
    size = abs(value * shown.factor)
    if shown.prefixes == "none" or not math.isfinite(size) or size == 0:
        return shown.factor, shown.unit
    if shown.prefixes == "binary":
        step = min(max(int(math.log2(size) // 10), 0), len(_BINARY) - 1)
        return shown.factor / 1024.0**step, _BINARY[step] + shown.unit
    exponent = 3 * math.floor(math.log10(size * (1 + 1e-9)) / 3)
    exponent = min(max(exponent, -12), 15)
    if shown.unit.startswith("B"):
        exponent = max(exponent, 0)
    return shown.factor * 10.0**-exponent, _SI[exponent] + shown.unit


def number(value: float, digits: int = 3) -> str:
    """Return a number with so many significant digits, never in powers of ten below 1e6."""
    if math.isnan(value):
        return NOT_KNOWN
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size >= digits - 1:
        return f"{value:,.0f}" if size < 9 else f"{value:.{digits - 1}e}"
    if size < -4:
        return f"{value:.{digits - 1}e}"
    return f"{value:.{digits - 1 - size}f}".rstrip("0").rstrip(".")


def show(name: str, value: object, digits: int = 3) -> str:
    """Return a value of a column with its unit: ``show("dram_bytes_per_s", 12.8e9)`` is 12.8 GB/s.

    Text is returned as it is, truth values as yes or no.
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, str):
        return value or NOT_KNOWN
    amount = float(value)  # type: ignore[arg-type]
    if not math.isfinite(amount):
        return number(amount)
    factor, unit = prefix(name, amount)
    return f"{number(amount * factor, digits)} {unit}".strip()


def budget_text(name: str, limit: float) -> str:
    """Return a budget in words: ``area at most 8 mm²``."""
    bound = "at least" if column(name).is_better_up else "at most"
    return f"{lower_label(name)} {bound} {show(name, limit)}"


def percent(share: float, digits: int = 0) -> str:
    """Return a share as a percentage; a share that is not quite all never prints as 100 %."""
    if math.isnan(share):
        return NOT_KNOWN
    if 0 < share < 1:
        least = 10.0**-digits
        shown = min(max(100 * share, 0.0), 100.0 - least) if 100 * share > 100 - least else None
        if 100 * share < least:
            return f"under {least:g} %"
        if shown is not None:
            return f"over {shown:.{digits}f} %"
    return f"{100 * share:.{digits}f} %"


def knobs_of(design: Mapping[str, object]) -> dict[str, object]:
    """Return the knobs of a design: all that is neither a cost nor a mark."""
    return {k: v for k, v in design.items() if k not in COSTS and k not in ("feasible", "rank")}


def design_text(design: Mapping[str, object]) -> str:
    """Return a design's knobs in words: ``32 x 32 MACs, 512 KiB, 2 x lpddr4_3200_x32``."""
    knobs = knobs_of(design)
    parts = []
    rows, columns = knobs.pop("array_rows", None), knobs.pop("array_columns", None)
    if rows is not None and columns is not None:
        parts.append(f"{number(_float(rows))} {TIMES} {number(_float(columns))} MACs")
    elif rows is not None or columns is not None:
        one = "rows" if columns is None else "columns"
        parts.append(f"{number(_float(columns if rows is None else rows))} {one}")
    if "macs" in knobs:
        parts.append(f"{number(_float(knobs.pop('macs')), 6)} MACs")
    if "buffer_bytes" in knobs:
        parts.append(f"{show('buffer_bytes', knobs.pop('buffer_bytes'))} buffer")
    channels, part = knobs.pop("dram_channels", None), knobs.pop("dram_part", None)
    if part is not None:
        times = "" if channels is None else f"{number(_float(channels))} {TIMES} "
        parts.append(f"{times}{part}")
    elif channels is not None:
        parts.append(f"{number(_float(channels))} DRAM channels")
    parts += [f"{lower_label(k)} {show(k, v)}" for k, v in knobs.items()]
    return ", ".join(parts) or "the only design"


def _float(value: object) -> float:
    return float(value)  # type: ignore[arg-type]


def words(text: str) -> str:
    """Return a text with the names of columns, such as ``area_mm2``, as what they are called."""
    names = sorted((name for name in COLUMNS if "_" in name), key=len, reverse=True)
    return re.sub(rf"\b({'|'.join(names)})\b", lambda found: lower_label(found[1]), text)


def show_knob(name: str, value: object) -> str:
    """Return the value of a knob with its unit; MACs of an array are counted one by one."""
    return show("num_macs" if name == "macs" else name, value)


def signed_percent(change: float, digits: int = 1) -> str:
    """Return a relative change as a percentage: ``+15.3 %``, ``0 %`` where it rounds to that."""
    text = f"{100 * change:+.{digits}f} %"
    return text if float(text[:-2]) else "0 %"
