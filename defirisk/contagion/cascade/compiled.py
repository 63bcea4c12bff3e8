"""Keeps machine code in the user's cache folder, where any checkout or installation finds it again.

numba itself looks for it by the path and the content of one source file: a fresh checkout never
finds any, a function that is called may have changed unseen, and two processes that compile one
kernel for different arguments at the same time may end with each other's code. Here a file is
named by all that it depends on, written in one step, and read only if it is whole.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps
from numba.core.types import BaseTuple

MONTH = 30 * 24 * 3600
"""Seconds; what nobody read for so long is removed."""
VERSIONS = (sys.implementation.cache_tag, numba.__version__, np.__version__)
"""numba allows one version of the compiler beneath it only."""
_SUFFIX = ".kernel"
_SUM = hashlib.sha256().digest_size
_rebuilt: Callable[..., Any] = CompileResult._rebuild
_pickled: Callable[..., bytes] = dumps


class KernelCache:
    """What numba asks before it compiles one kernel, and tells when it has.

    `content`: all that decides what the kernel does, but for the types of its arguments. Whatever
    is wrong with the folder or a file in it, the answer is that nothing is kept.
    """

    def __init__(self, name: str, content: str) -> None:
        self._name = name
        self._content = content

    @property
    def cache_path(self) -> str:
        """The folder; shown by numba's statistics."""
        return str(folder())

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """A compiled function for these types of arguments; None: there is none."""
        target_context.refresh()
        try:
            path = self._path(sig, target_context.codegen())
            said = path.read_bytes()
            if hashlib.sha256(said[_SUM:]).digest() != said[:_SUM]:
                return None
            found = _rebuilt(target_context, *pickle.loads(said[_SUM:]))
        except Exception:  # there is always another way: to compile it
            return None
        with suppress(OSError):
            os.utime(path)
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keeps a compiled function."""
        if data.lifted or data.library.has_dynamic_globals:  # addresses of this process
            return
        with suppress(Exception):  # what is not kept is compiled again
            path = self._path(sig, data.codegen)
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, _pickled(data._reduce()))
            _forget(path.parent)

    def enable(self) -> None:
        """Part of what numba asks for; it is always on."""

    def disable(self) -> None:
        """Part of what numba asks for; it is always on."""

    def flush(self) -> None:
        """Part of what numba asks for; files are named by content, so none is ever stale."""

    def _path(self, sig: Any, codegen: Any) -> Path:
        types = sig if isinstance(sig, tuple) else sig.args
        of = (self._content, VERSIONS, codegen.magic_tuple(), [described(one) for one in types])
        digest = hashlib.sha256(repr(of).encode()).hexdigest()[:32]
        return folder() / f"{self._name}-{digest}{_SUFFIX}"


def described(of: Any) -> str:
    """A type in full: numba's own name of a record leaves out what its fields are called."""
    parts: tuple[Any, ...] | None = (
        getattr(of, "types", None) if isinstance(of, BaseTuple) else None
    )
    if parts is None:
        return str(of)
    names = getattr(of, "fields", ())
    return f"{type(of).__name__} {names} of {[described(one) for one in parts]}"


def folder() -> Path:
    """Where machine code is kept; DEFIRISK_CACHE moves it. Errors: RuntimeError, no home folder."""
    root = os.environ.get("DEFIRISK_CACHE")
    if root:
        return Path(root) / "kernels"
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "defirisk" / "kernels"


def _write(path: Path, content: bytes) -> None:
    """In one step, and for no one else to write: what lies there is run."""
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=_SUFFIX)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(content).digest() + content)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


@cache
def _forget(where: Path) -> None:
    """Removes what is old; once a process."""
    for path in where.glob(f"*{_SUFFIX}"):
        with suppress(OSError):  # another process was first
            if time.time() - path.stat().st_mtime > MONTH:
                path.unlink()
