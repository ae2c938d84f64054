"""Drawing in a process of its own: what is known is drawn while the search goes on.

The process is this module, run. It reads orders from its standard input, one line of JSON each, and
answers each with a line when it is done. (A pool of `multiprocessing` would run the user's own
script again.)
"""

import atexit
import json
import signal
import subprocess
import sys
from collections.abc import Collection
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import IO, Self

from dse.processors import num_workers

DONE = "done\n"


class Drawing:
    """The plots and the page of a run folder, drawn as its files are written.

    A second process draws where there is a second processor; it serves all runs of this process.
    Whatever happens to it, this process then draws itself. As a context, an error or an interrupt
    ends it, so that nothing is written into a folder that goes.

    Parameters
    ----------
    folder
        Of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._drawn: list[str] = []
        self._is_alone = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and _other.cache_info().currsize:
            _end_loading()

    def draw(self, *names: str) -> None:
        """Draw plots, by their file names, whose files are complete; do not wait for that."""
        if self._orders(only=names):
            self._drawn += names

    def wait(self) -> None:
        """Wait for the plots that are being drawn."""
        if self._drawn:
            self._follow_up()

    def finish(self) -> None:
        """Draw what is not drawn yet and write the page; the folder's files are complete."""
        if self._orders(drawn=self._drawn):
            self._follow_up()
        if self._is_alone:
            _follow(self._folder, drawn=self._drawn)

    def _orders(self, **what: Collection[str]) -> bool:
        """Have the other process draw; return whether there is one."""
        other = None if self._is_alone else begin_loading()
        self._is_alone = other is None
        if other is not None:
            other.order(self._folder, **what)
        return not self._is_alone

    def _follow_up(self) -> None:
        """Wait for the other process; without it nothing is drawn yet."""
        other = begin_loading()
        if other is None or not other.is_done():
            _end_loading()
            self._is_alone, self._drawn = True, []


def begin_loading() -> "_Other | None":
    """Return the process that draws, which loads what it needs; None with one processor."""
    return _other() if num_workers() > 1 else None


@lru_cache(maxsize=1)
def _other() -> "_Other | None":
    try:
        return _Other()
    except OSError:
        return None


def _end_loading() -> None:
    """End the process that draws; another one is started when it is needed."""
    other = _other()
    _other.cache_clear()
    if other is not None:
        other.end()


class _Other:
    """The process that draws."""

    def __init__(self) -> None:
        # -P: a file of the user's working directory must not take the place of a library's
        command = [sys.executable, "-P", "-m", __name__]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, text=True, start_new_session=True
        )
        self._num_ordered = 0
        atexit.register(self.end)

    def order(self, folder: Path, **what: Collection[str]) -> None:
        """Have it draw; see `_follow`."""
        assert self.process.stdin is not None
        self._num_ordered += 1
        with suppress(OSError):  # if it has ended its answers will show
            print(json.dumps({"folder": str(folder.absolute()), **what}), file=self.process.stdin)
            self.process.stdin.flush()

    def is_done(self) -> bool:
        """Wait until all orders are followed; return whether they were."""
        assert self.process.stdout is not None
        while self._num_ordered and self.process.stdout.readline() == DONE:
            self._num_ordered -= 1
        return not self._num_ordered

    def end(self) -> None:
        """End it, whatever it does."""
        with suppress(OSError), self.process:  # closes its pipes, and waits
            self.process.kill()


def _follow(
    folder: Path, *, only: Collection[str] | None = None, drawn: Collection[str] = ()
) -> None:
    """Draw some plots, or all but those that are drawn and the page."""
    from dse.report.page import draw_plots, write_report

    if only is None:
        write_report(folder, drawn=drawn)
    else:
        draw_plots(folder, only)


def serve(orders: IO[str], answers: IO[str]) -> None:
    """Follow orders until there are no more."""
    # an interrupt is for the process that gives orders: also where there are no sessions
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import dse.report.page  # noqa: F401 (loads matplotlib while there are no orders)

    for line in orders:
        order = json.loads(line)
        try:
            _follow(Path(order.pop("folder")), **order)
        except Exception:  # noqa: BLE001 (the other process meets it again, and tells)
            print("failed", file=answers, flush=True)
        else:
            print(DONE, end="", file=answers, flush=True)


if __name__ == "__main__":
    serve(sys.stdin, sys.stdout)
