"""How functions are compiled: kept on disk, without Python's lock, references not counted.

Numba compiles a function again when its own file has changed, and would run stale code when a file
that it calls into has: what is kept carries a stamp of both.
"""

from collections.abc import Callable
from enum import EnumType
from functools import partial
from hashlib import sha256
from pickle import UnpicklingError
from typing import Any, TypeVar

from numba import njit
from numba.core.event import Event, Listener, register

jit: Any = partial(njit, cache=True, nogil=True, error_model="numpy")

Function = TypeVar("Function", bound=Callable[..., Any])


def allocating(function: Function) -> Function:
    """Compile a function that may make arrays."""
    return _stamped(jit()(function))


def compiled(function: Function) -> Function:
    """Compile a function that makes no array: Numba's counting of references doubles the time."""
    return _stamped(jit(_nrt=False)(function))


def inlined(function: Function) -> Function:
    """Compile a function that makes no array into those that call it."""
    return _stamped(jit(_nrt=False, forceinline=True)(function))


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
            stamp.update(repr(value._cache._cache_file._source_stamp).encode())
        elif isinstance(value, EnumType):
            stamp.update(f"{name}={list(value)}".encode())
        elif isinstance(value, int | float):
            stamp.update(f"{name}={value}".encode())
    file._source_stamp = stamp.digest()
    file._load_index = partial(_readable_index, file._load_index)
    return made


def _readable_index(load: Callable[[], dict[Any, Any]]) -> dict[Any, Any]:
    """Return what is kept on disk, nothing if it is broken or names a class that has moved."""
    try:
        return load()
    except (AttributeError, EOFError, ImportError, IndexError, UnpicklingError, ValueError):
        return {}
