"""How far a search is: a bar on a terminal, now and then a line elsewhere."""

import sys
import time
from types import TracebackType
from typing import Any

from tqdm import tqdm

FIRST_LINE_S, NEXT_LINE_S = 10.0, 30.0
"""Seconds until the first line where there is no terminal, and between lines from then on."""


class Progress:
    """Count what is done of a known whole, and estimate the time that is left.

    Parameters
    ----------
    total
        How much there is to do.
    label, unit
        What is done, and what is counted.
    is_shown
        Whether anything is written; it goes to standard error.
    """

    def __init__(self, total: int, *, label: str, unit: str = "design", is_shown: bool) -> None:
        self.total, self.label, self.unit = total, label, unit
        self.num_done = 0
        self._bar: Any = tqdm(
            total=total, desc=label, unit=unit, disable=None if is_shown else True
        )
        self._writes_lines = is_shown and not sys.stderr.isatty()
        self._started = time.monotonic()
        self._next_line = self._started + FIRST_LINE_S

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.close()

    def update(self, count: int) -> None:
        """Count what was done since the last call."""
        self.num_done += count
        self._bar.update(count)
        now = time.monotonic()
        if self._writes_lines and now >= self._next_line:
            self._next_line = now + NEXT_LINE_S
            sys.stderr.write(self.line(now - self._started) + "\n")
            sys.stderr.flush()

    def line(self, elapsed_s: float) -> str:
        """Return what is done and what is left, after so many seconds."""
        share = self.num_done / self.total if self.total else 1.0
        left = elapsed_s / share - elapsed_s if share else float("inf")
        return (
            f"{self.label}: {self.num_done:,} of {self.total:,} {self.unit}s, {100 * share:.0f} %, "
            f"about {_duration(left)} left"
        )


def _duration(seconds: float) -> str:
    """Return a duration in the unit that suits it."""
    for size, unit in ((3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.0f} s"
