"""How functions are compiled: no fast-math, the result kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compiled when first called, and kept on disk where there is a place for it."""
    try:
        made = njit(function, cache=True, nogil=True, error_model="numpy")
    except RuntimeError:  # there is none
        made = njit(function, nogil=True, error_model="numpy")
    return cast(F, made)


def inner(function: F) -> F:
    """Called by compiled functions only. It may not make arrays.

    Counting references to the arrays that it is handed, atomically and at every call, would cost
    more than all its arithmetic; numba's `_nrt` leaves that out.
    """
    uncounted = cast(Callable[..., Any], njit)  # its stubs leave this option out
    return cast(F, uncounted(function, _nrt=False, nogil=True, error_model="numpy"))
