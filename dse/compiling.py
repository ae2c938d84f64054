"""How functions are compiled: kept on disk, without Python's lock, references not counted.

Numba compiles a function again when its own file has changed, and would run stale code when a file
that it calls into has: what is kept carries a stamp of both. Where code cannot be kept, or what is
kept cannot be read, it is compiled again, and `why_not_kept` says so.
"""

from collections.abc import Callable
from contextlib import suppress
from enum import EnumType
from functools import partial
from hashlib import sha256
from typing import Any, TypeVar

from numba import config, njit
from numba.core.event import Event, Listener, register

from dse.errors import DseError

jit: Any = partial(njit, nogil=True, error_model="numpy")

Function = TypeVar("Function", bound=Callable[..., Any])

_NOT_KEPT: list[str] = []
"""Why code could not be kept, first reason first."""


def allocating(function: Function) -> Function:
    """Compile a function that may make arrays."""
    return _kept(jit, function)


def compiled(function: Function) -> Function:
    """Compile a function that makes no array: Numba's counting of references doubles the time."""
    return _kept(partial(jit, _nrt=False), function)


def inlined(function: Function) -> Function:
    """Compile a function that makes no array into those that call it."""
    return _kept(partial(jit, _nrt=False, forceinline=True), function)


def why_not_kept() -> str | None:
    """Return why compiled code could not be kept on disk, None if it is."""
    return _NOT_KEPT[0] if _NOT_KEPT else None


def _kept(make: Callable[..., Any], function: Function) -> Any:
    """Compile a function, with its code on disk if there is a place for it.

    Raises
    ------
    DseError
        If Numba is told not to compile: plain Python would take hours, with other integers.
    """
    if config.DISABLE_JIT:  # type: ignore[attr-defined]
        raise DseError("NUMBA_DISABLE_JIT must not be set: the search for mappings is compiled")
    try:
        return _stamped(make(cache=True)(function))
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
        _NOT_KEPT.append("no folder for it can be written")
        return make(cache=False)(function)


class _FirstCompilation(Listener):
    """Calls a function when compilation begins, once."""

    def __init__(self, tell: Callable[[], object]) -> None:
        self._tell: Callable[[], object] | None = tell

    def on_start(self, event: Event) -> None:
        """Tell of the first compilation."""
        if self._tell is not None:
            tell, self._tell = self._tell, None
            tell()

    def on_end(self, event: Event) -> None:
        """Say nothing."""


def on_first_compilation(tell: Callable[[], object]) -> None:
    """Have a function called when something is compiled rather than loaded from disk."""
    register("numba:compile", _FirstCompilation(tell))  # type: ignore[no-untyped-call]


def _stamped(made: Any) -> Any:
    """Return a compiled function whose kept code is stale when what it imports has changed.

    That is compiled functions, numbers and enums, at the time of its definition. Numba has no
    public way to say so (0.61 to 0.68); a test edits a file that another one calls into.
    """
    file = made._cache._cache_file
    stamp = sha256(repr(file._source_stamp).encode())
    own = made.py_func.__module__
    for name, value in sorted(made.py_func.__globals__.items(), key=lambda item: item[0]):
        if hasattr(value, "py_func") and value.py_func.__module__ != own:
            called = getattr(value._cache, "_cache_file", None)
            stamp.update(repr(called and called._source_stamp).encode())
        elif isinstance(value, EnumType):
            stamp.update(f"{name}={list(value)}".encode())
        elif isinstance(value, int | float):
            stamp.update(f"{name}={value}".encode())
    file._source_stamp = stamp.digest()
    file._load_index = partial(_readable, file._load_index, dict)
    kept = made._cache
    kept.load_overload = partial(_readable, kept.load_overload, lambda: None)
    kept.save_overload = partial(_saved, kept.save_overload, kept.cache_path)
    return made


def _readable(load: Callable[..., Any], otherwise: Callable[[], Any], *key: Any) -> Any:
    """Return what is kept on disk; something else if it is broken or names a class that moved."""
    with suppress(Exception):
        return load(*key)
    return otherwise()


def _saved(save: Callable[..., None], folder: str, *code: Any) -> None:
    """Keep code on disk, unless that is full or may not be written."""
    try:
        save(*code)
    except OSError as error:
        _NOT_KEPT.append(f"{error.filename or folder}: {error.strerror}")
