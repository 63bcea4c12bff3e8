"""What machine code makes of `ahead.ahead`: it asks the memory for what it will read soon."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from defirisk.contagion.cascade.ahead import ahead

READ, KEEP, DATA = 0, 3, 1
"""Arguments of LLVM's prefetch: for reading, to keep in all caches, data."""


@intrinsic
def _prefetch(_: Any, array: Any, index: Any) -> tuple[Any, Callable[..., Any]]:
    pieces: Any = cgutils

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind, word = signature.args[0], ir.IntType(32)
        held = context.make_array(kind)(context, builder, given[0])
        item = context.cast(builder, given[1], signature.args[1], types.intp)
        place = pieces.get_item_pointer(context, builder, kind, held, [item])
        of = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, word, word, word])
        fetch = pieces.get_or_insert_function(builder.module, of, "llvm.prefetch.p0")
        place = builder.bitcast(place, cgutils.voidptr_t)
        builder.call(fetch, [place, word(READ), word(KEEP), word(DATA)])
        return context.get_dummy_value()

    return types.none(array, index), generate


_fetched: Callable[..., None] = _prefetch  # numba passes the first argument itself


@overload(ahead)
def _ahead(array: Any, index: Any) -> Callable[..., None]:  # noqa: ARG001
    def fetch(array: Any, index: Any) -> None:
        _fetched(array, index)

    return fetch
