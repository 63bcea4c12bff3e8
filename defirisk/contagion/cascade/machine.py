"""Makes machine code of the kernels: the same functions, each calling the compiled others."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from functools import cache
from types import FunctionType
from typing import Any, cast

from numba import njit

Kernel = Callable[..., Any]

OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "forceinline": True,
    "_nrt": False,
}
"""A call would hand over every array of every table, hundreds of words, and that cost more than
what most kernels do: so nothing is called. No kernel makes arrays, so none has to count who refers
to them: a quarter of the compiling would be that. `_nrt` is not documented by numba; results do not
depend on it.
"""


@cache
def machine_code(kernels: tuple[Kernel, ...]) -> dict[str, Kernel]:
    """Every kernel compiled, by its name; callees come before their callers. Made once a process.

    No fast-math and no contraction: results are those of the Python functions, bit for bit. What
    is kept on disk is found again while the kernel, its constants and all that it calls stay as
    they are.
    """
    made: dict[FunctionType, Kernel] = {}
    digests: dict[FunctionType, str] = {}
    for kernel in kernels:
        function = cast(FunctionType, kernel)
        if function in made:
            continue
        digest = digests[function] = _digest(function, digests)
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


def _digest(function: FunctionType, known: Mapping[FunctionType, str]) -> str:
    """Of a kernel's source, of the numbers that it reads, and of the kernels that it calls."""
    parts = [inspect.getsource(function), repr(OPTIONS)]
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        if isinstance(value, FunctionType):
            parts.append(known.get(value, ""))
        elif isinstance(value, (int, float)):
            parts.append(f"{name}={value!r}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _compiled(function: FunctionType) -> Kernel:
    uncounted = cast(Callable[..., Any], njit)  # its stubs leave the option out
    try:
        return cast(Kernel, uncounted(function, cache=True, **OPTIONS))
    except RuntimeError:  # there is no place to keep it
        return cast(Kernel, uncounted(function, **OPTIONS))
