"""How functions are compiled: kept on disk, without Python's lock, references not counted."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from numba import njit

jit: Any = partial(njit, cache=True, nogil=True, error_model="numpy")

Function = TypeVar("Function", bound=Callable[..., Any])


def allocating(function: Function) -> Function:
    """Compile a function that may make arrays."""
    made: Function = jit()(function)
    return made


def compiled(function: Function) -> Function:
    """Compile a function that makes no array: Numba's counting of references doubles the time."""
    made: Function = jit(_nrt=False)(function)
    return made


def inlined(function: Function) -> Function:
    """Compile a function that makes no array into those that call it."""
    made: Function = jit(_nrt=False, forceinline=True)(function)
    return made
