"""Requests to stop, which compiled code sees, so that a signal ends a run in time.

Python runs a signal's handler in the main thread, once that is out of compiled code; and pools of
threads wait for what their threads compute. So a watching thread sets flags that the searches look
at, and ends the process if the main thread is not out in time.
"""

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

from dse.arrays import IntArray
from dse.processors import num_workers

GRACE_S = 1.5
"""Time that a run has to end by itself after a signal; then the process is ended. [s]."""

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class Stopped(KeyboardInterrupt):
    """A search that ended because it was asked to stop."""


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
        self.files_are_safe = threading.Event()
        self.files_are_safe.set()


_WATCH = _Watch()


@contextmanager
def files_in_hand() -> Iterator[None]:
    """Put off the end of the process after a signal until files are written."""
    _WATCH.files_are_safe.clear()
    try:
        yield
    finally:
        _WATCH.files_are_safe.set()


def _watch(signals: socket.socket) -> None:
    """Wait for a signal; ask all to stop; end the process if the main thread does not end it."""
    while number := signals.recv(1):
        if number[0] not in SIGNALS:
            continue
        for flag in list(_FLAGS):
            flag[0] = 1
        while not _WATCH.ended.wait(GRACE_S):
            if _WATCH.files_are_safe.is_set():
                os.write(2, b"dse: ended by a signal while it computed, nothing was written\n")
                os._exit(128 + number[0])
        return


def _handle(number: int, _: object) -> None:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGINT, SIGTERM and SIGHUP end what runs inside within `GRACE_S`, also compiled code.

    SIGINT is a KeyboardInterrupt, the others are a SystemExit of 128 and the signal's number. A
    signal that is ignored stays so. Outside of the main thread nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    watched, woken = socket.socketpair()
    woken.setblocking(False)
    _WATCH.ended.clear()
    before = {x: signal.getsignal(x) for x in SIGNALS if signal.getsignal(x) != signal.SIG_IGN}
    thread = threading.Thread(target=_watch, args=(watched,), name="signals", daemon=True)
    thread.start()
    former = signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
    for number in before:
        signal.signal(number, _handle)
    try:
        yield
    finally:
        signal.set_wakeup_fd(former)
        for number, handler in before.items():
            signal.signal(number, handler)
        _WATCH.ended.set()
        woken.close()
        thread.join()
        watched.close()
        _PROCESS[0] = 0
