"""Makes machine code of the kernels: the same functions, each calling the compiled others."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from functools import cache
from types import FunctionType, ModuleType
from typing import Any, cast

from numba import njit

from defirisk.contagion.cascade import fetch, unsigned
from defirisk.contagion.cascade.compiled import KernelCache

Kernel = Callable[..., Any]
CONSTANTS = (int, float, str, tuple)

OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "forceinline": True,
    "_nrt": False,
    "pipeline_class": unsigned.KernelCompiler,
}
"""A call would hand over every array of every table, hundreds of words, and that cost more than
what most kernels do: so nothing is called. No kernel makes arrays, so none has to count who refers
to them: a quarter of the compiling would be that. `_nrt` is not documented by numba; results do not
depend on it.
"""
CALLED = frozenset({"play_many", "play", "begin", "survey", "one_round", "settle_round"})
"""Kernels that run once a scenario or a round: there a call costs nothing, and copies of all that
they call would have to be compiled.
"""
INNER = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""A kernel that only another one calls needs no way in from Python, which is half of compiling."""


OURS = hashlib.sha256("".join(map(inspect.getsource, (fetch, unsigned))).encode()).hexdigest()
"""What we change of the compiler: machine code depends on it, too."""


@cache
def machine_code(kernels: tuple[Kernel, ...]) -> dict[str, Kernel]:
    """Every kernel compiled, by its name; callees come before their callers. Made once a process.

    No fast-math and no contraction: results are those of the Python functions, bit for bit. What
    is kept on disk is found again while the kernel, its constants and all that it calls stay as
    they are.
    """
    inner: dict[FunctionType, Kernel] = {}
    outer: dict[str, Kernel] = {}
    digests: dict[FunctionType, str] = {}
    for kernel in kernels:
        function = cast(FunctionType, kernel)
        if function in inner:
            continue
        digest = digests[function] = _digest(function, digests)
        scope = {
            name: inner.get(value, value) if isinstance(value, FunctionType) else value
            for name, value in function.__globals__.items()
        }
        inner[function] = _compiled(function, scope, f"{digest}_inner", {**OPTIONS, **INNER})
        outer[function.__name__] = _compiled(function, scope, digest, OPTIONS)
    return outer


def _digest(function: FunctionType, known: Mapping[FunctionType, str]) -> str:
    """Of a kernel's source, of the numbers that it reads, and of the kernels that it calls."""
    parts = [inspect.getsource(function)]
    names = sorted(function.__code__.co_names)
    for name in names:
        value = function.__globals__.get(name)
        if isinstance(value, FunctionType):
            parts.append(f"{name} {known.get(value)}")
        elif isinstance(value, (ModuleType, type)):
            held = ((one, getattr(value, one, None)) for one in names)
            parts += [f"{name}.{one}={it!r}" for one, it in held if isinstance(it, CONSTANTS)]
        elif isinstance(value, CONSTANTS):
            parts.append(f"{name}={value!r}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _compiled(
    function: FunctionType, scope: dict[str, Any], ending: str, options: dict[str, Any]
) -> Kernel:
    twin = FunctionType(
        function.__code__, scope, function.__name__, function.__defaults__, function.__closure__
    )
    twin.__qualname__ = f"{function.__qualname__}_{ending}"
    twin.__module__ = function.__module__
    options = {**options, "forceinline": function.__name__ not in CALLED}
    uncounted = cast(Callable[..., Any], njit)  # its stubs leave the option out
    made = uncounted(twin, **options)
    made._cache = KernelCache(
        function.__name__, f"{twin.__module__}.{twin.__qualname__} {sorted(options.items())} {OURS}"
    )
    return cast(Kernel, made)
