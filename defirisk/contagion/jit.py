"""How functions are compiled: no fast-math, the result kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compiled when first called, and kept on disk where there is a place for it."""
    try:
        made = njit(function, cache=True, nogil=True, error_model="numpy")
    except RuntimeError:  # there is none
        made = njit(function, nogil=True, error_model="numpy")
    return cast(F, made)


def inlined(function: F) -> F:
    """Part of whatever compiled function calls it."""
    return cast(F, njit(function, inline="always", error_model="numpy"))
