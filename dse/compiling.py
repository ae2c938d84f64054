"""How functions are compiled: kept on disk, without Python's lock, references not counted."""

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

jit: Any = njit  # its stub lists no option for the counting of references

Function = TypeVar("Function", bound=Callable[..., Any])


def allocating(function: Function) -> Function:
    """Compile a function that may make arrays."""
    made: Function = jit(cache=True, nogil=True)(function)
    return made


def compiled(function: Function) -> Function:
    """Compile a function that makes no array: Numba's counting of references doubles the time."""
    made: Function = jit(cache=True, nogil=True, _nrt=False)(function)
    return made


def inlined(function: Function) -> Function:
    """Compile a function that makes no array into those that call it."""
    made: Function = jit(cache=True, nogil=True, _nrt=False, forceinline=True)(function)
    return made
