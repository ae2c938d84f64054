"""Requests to stop, which compiled code sees, so that a signal ends a run in time.

Python runs a signal's handler in the main thread, once that is out of compiled code; and pools of
threads wait for what their threads compute. So a watching thread sets flags that the searches look
at, and ends the process if the main thread is not out in time.
"""

import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import numpy as np

from dse.arrays import IntArray
from dse.processors import num_workers

GRACE_S = 1.5
"""Time that a run has to end by itself after a signal; then the process is ended. [s]."""

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class Stopped(KeyboardInterrupt):
    """What runs was asked to stop.

    Attributes
    ----------
    status
        Exit status, as a shell has it: 128 and the number of the signal.
    """

    @property
    def status(self) -> int:
        """Return the exit status of the signal that was received, of SIGINT without one."""
        return 128 + (_WATCH.number or signal.SIGINT)


def _unset() -> IntArray:
    return np.zeros(1, dtype=np.int64)


_PROCESS = _unset()
_FLAGS = [_PROCESS]
"""Flags of the process and of its pools of threads."""


class _Own(threading.local):
    flag: IntArray = _PROCESS


_OWN = _Own()


def stop_flag() -> IntArray:
    """Return the flag of this thread, shape (1,): not 0 once it is asked to stop."""
    return _OWN.flag


def check_stop() -> None:
    """Raise Stopped if this thread is asked to stop."""
    if _OWN.flag[0]:
        raise Stopped


def check_signal() -> None:
    """Raise Stopped if a signal has come: code of others may have made another error of it."""
    if _WATCH.number:
        raise Stopped


def _adopt(flag: IntArray) -> None:
    _OWN.flag = flag


@contextmanager
def workers() -> Iterator[ThreadPoolExecutor]:
    """Give a pool of as many threads as processors; an exception stops what they compute."""
    flag = _unset()
    _FLAGS.append(flag)
    pool = ThreadPoolExecutor(num_workers(), initializer=_adopt, initargs=(flag,))
    try:
        yield pool
    except BaseException:
        flag[0] = 1
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        _FLAGS[:] = [x for x in _FLAGS if x is not flag]


class _Watch:
    """The state of `ended_by_signals`, shared with the watching thread."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.number = 0


_WATCH = _Watch()


def _watch(signals: socket.socket, end_now: Callable[[], None]) -> None:
    """Wait for a signal; ask all to stop; end the process if the main thread does not end it."""
    while received := signals.recv(1):
        if received[0] not in SIGNALS:
            continue
        _WATCH.number = _WATCH.number or received[0]
        for flag in list(_FLAGS):
            flag[0] = 1
        if _WATCH.ended.wait(GRACE_S):
            return
        with suppress(Exception):
            end_now()
        for child in multiprocessing.active_children():
            child.kill()
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        os._exit(128 + _WATCH.number)


def _tell_that_it_ended() -> None:
    os.write(2, b"dse: ended by a signal while it computed, nothing was written\n")


def _silent_on_stopped(lost: "sys.UnraisableHookArgs") -> None:
    """Tell of exceptions that nothing catches; after a Stopped the watching thread ends the run."""
    if not isinstance(lost.exc_value, Stopped):
        sys.__unraisablehook__(lost)


@contextmanager
def ended_by_signals(
    end_now: Callable[[], None] = _tell_that_it_ended,
) -> Iterator[None]:
    """Let SIGINT, SIGTERM and SIGHUP end what runs inside within `GRACE_S`, also compiled code.

    A signal raises `Stopped`, once. A signal that is ignored stays so. Outside of the main thread
    nothing changes.

    Parameters
    ----------
    end_now
        Called in another thread where the main one has not ended in time, before the process does.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    watched, woken = socket.socketpair()
    woken.setblocking(False)
    _WATCH.ended.clear()
    _WATCH.number, told = 0, threading.Event()

    def stop(number: int, _: object) -> None:
        if not told.is_set():  # a second one changes nothing: the end is near
            told.set()
            _WATCH.number = _WATCH.number or number
            raise Stopped

    before = {x: signal.getsignal(x) for x in SIGNALS if signal.getsignal(x) != signal.SIG_IGN}
    told_of_lost, sys.unraisablehook = sys.unraisablehook, _silent_on_stopped
    thread = threading.Thread(target=_watch, args=(watched, end_now), name="signals", daemon=True)
    thread.start()
    former = signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        signal.set_wakeup_fd(former)
        for number, handler in before.items():
            signal.signal(number, handler)
        sys.unraisablehook = told_of_lost
        _WATCH.ended.set()
        woken.close()
        thread.join()
        watched.close()
        _PROCESS[0] = 0
