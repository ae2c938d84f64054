"""Steps away from a design: to the next grid value of a knob, or 10 % more of a resource."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dse.arrays import FloatArray
from dse.errors import DseError
from dse.hardware import Accelerator
from dse.hardware.dram_rate import PART_PARAMETERS, RATE
from dse.space import NAME_KNOBS, REAL_KNOBS, Columns, Space

CostsOf = Callable[[Columns], Mapping[str, FloatArray]]
"""Knob columns of shape (designs,) in, costs out: the cost model."""

STEP = 0.1
"""Share by which a resource grows where it need not stay on the grid."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One change of one resource of a design.

    Attributes
    ----------
    resource
        The knob or parameter, or ``dram_bytes_per_s`` for the DRAM part and its channels together.
    before, after
        Its value; of the DRAM, the part and its channels where those are knobs.
    design, base
        Knobs after and before the step, both with the same keys.
    is_growth
        Whether the resource becomes larger.
    is_on_grid
        Whether it steps to the next value of a knob; else it grows by `STEP`.
    """

    resource: str
    before: float | str
    after: float | str
    design: Mapping[str, Any]
    base: Mapping[str, Any]
    is_growth: bool = True
    is_on_grid: bool = True


def grid_steps(design: Mapping[str, Any], space: Space) -> list[Step]:
    """Return the next larger and smaller value of each knob; DRAM knobs step by their rate."""
    base = {name: design[name] for name in space.knobs}
    steps = []
    for name, values in space.knobs.items():
        if name in NAME_KNOBS or name in PART_PARAMETERS:
            continue
        for is_growth in (True, False):
            value = _next(values, base[name], is_growth=is_growth)
            if value is not None:
                after = {**base, name: value}
                values_now = base[name], value
                steps.append(_step(name, values_now, after, base, is_growth=is_growth))
    return [*steps, *_dram_steps(base, space)]


def _step(
    resource: str,
    values: tuple[float | str, float | str],
    design: dict[str, Any],
    base: dict[str, Any],
    *,
    is_growth: bool,
    is_on_grid: bool = True,
) -> Step:
    before, after = values
    return Step(
        resource=resource,
        before=before,
        after=after,
        design=design,
        base=base,
        is_growth=is_growth,
        is_on_grid=is_on_grid,
    )


def _next(values: Sequence[Any], now: Any, *, is_growth: bool) -> Any:
    beyond = [value for value in values if (value > now if is_growth else value < now)]
    if not beyond:
        return None
    return min(beyond) if is_growth else max(beyond)


def _dram_steps(base: dict[str, Any], space: Space) -> list[Step]:
    if not set(PART_PARAMETERS) & set(space.knobs):
        return []
    accelerator = space.accelerator
    own = accelerator.dram_part.name if accelerator.dram_part else ""
    parts = [str(part) for part in space.knobs.get("dram_part", (own,))]
    counts = [int(n) for n in space.knobs.get("dram_channels", (accelerator.dram_channels,))]
    rates = {
        (part, count): space.catalogue.dram_parts[part].bytes_per_s * count
        for part in parts
        for count in counts
        if part in space.catalogue.dram_parts
    }
    now = (base.get("dram_part", own), base.get("dram_channels", accelerator.dram_channels))
    steps = []
    for is_growth in (True, False):
        rate = _next(tuple(rates.values()), rates.get(now, np.nan), is_growth=is_growth)
        if rate is None:
            continue
        pairs = [pair for pair, value in rates.items() if value == rate]
        part, count = max(pairs, key=lambda pair: (pair[0] == now[0], pair[1] == now[1]))
        chosen = {"dram_part": part, "dram_channels": count}
        after = {**base, **{name: chosen[name] for name in PART_PARAMETERS if name in base}}
        named = f"{now[0]} x {now[1]}", f"{part} x {count}"
        steps.append(_step(RATE, named, after, base, is_growth=is_growth))
    return steps


def resources_of(accelerator: Accelerator) -> tuple[str, ...]:
    """Return the parameters that size a machine: axes of its array, memories, clock, DRAM rate."""
    sizes: list[object] = [axis.size for axis in accelerator.array]
    sizes += [memory.bytes for memory in accelerator.memories]
    return (*dict.fromkeys(size for size in sizes if isinstance(size, str)), "clock_hz", RATE)


def scaled_steps(design: Mapping[str, Any], space: Space) -> list[Step]:
    """Return 10 % more of each resource of the machine, off the grid and whatever the knobs are.

    Whole numbers grow by at least one. What the machine does not allow is left out.
    """
    knobs = {name: design[name] for name in space.knobs}
    steps = []
    for name in resources_of(space.accelerator):
        base = dict(knobs)
        if name == RATE:
            base = {key: value for key, value in knobs.items() if key not in PART_PARAMETERS}
            base[RATE] = float(design[RATE])
        elif name not in base:
            base[name] = _parameter(space.accelerator, name)
        after = {**base, name: _grown(name, base[name])}
        if _is_allowed(_on_node(space, knobs), name, after[name]):
            values = base[name], after[name]
            steps.append(_step(name, values, after, base, is_growth=True, is_on_grid=False))
    return steps


def _parameter(accelerator: Accelerator, name: str) -> Any:
    """Return the value of a parameter, a named one or one of the machine's own."""
    return accelerator.parameters.get(name, getattr(accelerator, name, None))


def _grown(name: str, value: Any) -> float:
    """Return 10 % more of a resource; whole numbers by at least one."""
    if name in REAL_KNOBS:
        return float(value * (1 + STEP))
    return max(int(value * (1 + STEP)), int(value) + 1)


def _on_node(space: Space, knobs: Mapping[str, Any]) -> Accelerator:
    """Return the machine on the node of a design, where that is a knob."""
    node = space.catalogue.technologies.get(str(knobs.get("technology")))
    slowest = min(float(x) for x in (space.accelerator.clock_hz, knobs.get("clock_hz", math.inf)))
    if node is None:
        return space.accelerator
    return replace(space.accelerator, technology=node, clock_hz=slowest)


def _is_allowed(accelerator: Accelerator, name: str, value: float) -> bool:
    try:
        accelerator.with_parameters(**{name: value})
    except DseError:
        return False
    return True


def evaluate_steps(
    steps: Sequence[Step], costs_of: CostsOf
) -> list[tuple[dict[str, float], dict[str, float]]]:
    """Cost each step and its base exactly, one call for each set of columns.

    Returns
    -------
    list
        For each step, the costs after it and before it.
    """
    groups: dict[tuple[str, ...], list[int]] = {}
    for place, step in enumerate(steps):
        groups.setdefault(tuple(step.design), []).append(place)
    found: list[tuple[dict[str, float], dict[str, float]]] = [({}, {}) for _ in steps]
    for names, places in groups.items():
        rows = [row for place in places for row in (steps[place].design, steps[place].base)]
        costs = costs_of({name: _column(name, [row[name] for row in rows]) for name in names})
        for number, place in enumerate(places):
            after, before = (
                {name: float(values[2 * number + side]) for name, values in costs.items()}
                for side in (0, 1)
            )
            found[place] = (after, before)
    return found


def _column(name: str, values: list[Any]) -> Any:
    if name in NAME_KNOBS:
        return np.array(values, dtype=object)
    return np.array(values, dtype=np.float64 if name in REAL_KNOBS else np.int64)
