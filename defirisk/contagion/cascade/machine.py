"""Makes machine code of the kernels: the same functions, each calling the compiled others."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any, cast

from numba import njit

Kernel = Callable[..., Any]

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
"""No kernel makes arrays, so none has to count who refers to them: a quarter of the compiling, and
of the running, would be that. `_nrt` is not documented by numba; results do not depend on it.
"""


def machine_code(kernels: Iterable[Kernel]) -> dict[str, Kernel]:
    """Every kernel compiled, by its name; callees come before their callers.

    No fast-math and no contraction: results are those of the Python functions, bit for bit. What
    is kept on disk is found again only while no kernel's source changes, since each is compiled
    with those it calls.
    """
    functions = [cast(FunctionType, kernel) for kernel in kernels]
    digest = hashlib.sha256("".join(map(inspect.getsource, functions)).encode()).hexdigest()[:12]
    made: dict[FunctionType, Kernel] = {}
    for function in functions:
        scope = {
            name: made.get(value, value) if isinstance(value, FunctionType) else value
            for name, value in function.__globals__.items()
        }
        twin = FunctionType(
            function.__code__, scope, function.__name__, function.__defaults__, function.__closure__
        )
        twin.__qualname__ = f"{function.__qualname__}_{digest}"
        twin.__module__ = function.__module__
        made[function] = _compiled(twin)
    return {function.__name__: kernel for function, kernel in made.items()}


def _compiled(function: FunctionType) -> Kernel:
    uncounted = cast(Callable[..., Any], njit)  # its stubs leave the option out
    try:
        return cast(Kernel, uncounted(function, cache=True, **OPTIONS))
    except RuntimeError:  # there is no place to keep it
        return cast(Kernel, uncounted(function, **OPTIONS))
