"""A progress bar that appears when an import takes longer than two seconds."""

import sys
from dataclasses import dataclass, field
from typing import Any

SHOWN_AFTER_S = 2.0


@dataclass(slots=True)
class ImportProgress:
    """Counts the nodes done, and draws them on a terminal."""

    total: int
    num_done: int = 0
    _bar: Any = field(default=None)

    def __post_init__(self) -> None:
        from tqdm import tqdm

        self._bar = tqdm(
            total=self.total,
            desc="import",
            unit="node",
            delay=SHOWN_AFTER_S,
            leave=False,
            disable=not sys.stderr.isatty(),
        )

    def step(self) -> None:
        """Count one node."""
        self.num_done += 1
        self._bar.update()

    def close(self) -> None:
        """Remove the bar."""
        self._bar.close()
