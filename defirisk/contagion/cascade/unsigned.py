"""Compiles kernels whose indices count from the start only.

Python lets negative indices count from the end, so numba asks of every index whether it is one:
that was a quarter of the time of a violent cascade. No kernel has any; a test sees to it.
"""

from __future__ import annotations

from typing import Any

import numba
from numba.core import compiler, compiler_machinery, ir, typed_passes, types

_builder: Any = compiler.DefaultPassBuilder  # numba's stubs leave types out
_types: Any = types
_register: Any = compiler_machinery.register_pass
_pass: Any = compiler_machinery.FunctionPass
_REWRITES: Any = typed_passes.NopythonRewrites
_PLACE: Any = numba.uintp
"""An index that numba takes as it is."""


@_register(mutates_CFG=False, analysis_only=False)
class UnsignedIndices(compiler_machinery.FunctionPass):
    """Says that what arrays are indexed with is unsigned; numba then casts it to that."""

    _name = "unsigned_indices"

    def __init__(self) -> None:
        _pass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        """Changes the signatures of reads and writes."""
        for block in state.func_ir.blocks.values():
            for statement in block.body:
                at = statement.value if isinstance(statement, ir.Assign) else statement
                read = isinstance(at, ir.Expr) and at.op == "getitem"
                if read or isinstance(at, ir.SetItem):
                    state.calltypes[at] = _from_the_start(state.calltypes.pop(at))
        return True


def _from_the_start(asked: Any) -> Any:
    array, index, *rest = asked.args
    if not isinstance(array, types.Array):
        return asked
    return asked.replace(args=(array, _unsigned(index), *rest))


def _unsigned(index: Any) -> Any:
    if isinstance(index, _types.BaseTuple):
        return _types.Tuple([_unsigned(one) for one in index.types])
    if isinstance(index, types.Integer) and not isinstance(index, types.Literal):
        return _PLACE
    return index


class KernelCompiler(compiler.CompilerBase):
    """As numba compiles, and with that."""

    def define_pipelines(self) -> list[Any]:
        """The one pipeline."""
        passes = _builder.define_nopython_pipeline(self.state)
        passes.add_pass_after(UnsignedIndices, _REWRITES)
        passes.finalize()
        return [passes]
