"""Drawing in a process of its own: what is known is drawn while the search goes on."""

import signal
from collections.abc import Collection, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

from dse.processors import num_workers


class Drawing:
    """The plots and the page of a run folder, drawn as its files are written.

    A second process draws where there is a second processor; it serves all runs of this process.

    Parameters
    ----------
    folder
        Of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._drawn: dict[str, Future[None]] = {}
        self._pool = begin_loading()

    def draw(self, *names: str) -> None:
        """Draw plots, by their file names, whose files are complete; do not wait for that."""
        if self._pool is not None:
            with self._surviving():
                drawn = self._pool.submit(_draw, self._folder, names)
                self._drawn |= dict.fromkeys(names, drawn)

    def wait(self) -> None:
        """Wait for the plots that are being drawn."""
        with self._surviving():
            for drawn in self._drawn.values():
                drawn.result()

    def finish(self) -> None:
        """Draw what is not drawn yet and write the page; the folder's files are complete."""
        self.wait()
        if self._pool is not None:
            with self._surviving():
                self._pool.submit(_write, self._folder, tuple(self._drawn)).result()
        if self._pool is None:
            _write(self._folder, ())

    @contextmanager
    def _surviving(self) -> Iterator[None]:
        """Do without the other process if it was killed, for want of memory mostly."""
        try:
            yield
        except BrokenProcessPool:
            _pool.cache_clear()
            self._pool, self._drawn = None, {}


def begin_loading() -> ProcessPoolExecutor | None:
    """Return the process that draws, which loads what it needs; None with one processor."""
    return _pool() if num_workers() > 1 else None


@lru_cache(maxsize=1)
def _pool() -> ProcessPoolExecutor:
    """Start the process that draws."""
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_load)
    pool.submit(int)
    return pool


def _load() -> None:
    """Load what draws; an interrupt is for the process that waits."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from dse.report import page  # noqa: F401 (matplotlib and seaborn: not in the searching process)


def _draw(folder: Path, names: Collection[str]) -> None:
    from dse.report.page import draw_plots

    draw_plots(folder, names)


def _write(folder: Path, drawn: Collection[str]) -> None:
    from dse.report.page import write_report

    write_report(folder, drawn=drawn)
