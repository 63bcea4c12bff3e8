"""The near-limit kernel in C with AVX-512, where its source, gcc and the processor are there.

Its source is not ours and not shipped: it is looked for in the folder `recipes/kernels` beside the
recorded data ($DEFIRISK_SHARED_DATA) or in `../shared` of the checkout, and compiled aside.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from defirisk.contagion.signed import SignedRows
from defirisk.core.book import Floats

LANES = 64
FLAGS = ("-O3", "-march=native", "-mprefer-vector-width=512", "-shared", "-fPIC", "-w")


class Missing(Exception):
    """Why there is no C reference here."""


def source() -> Path:
    """The C file. Errors: `Missing`."""
    data = os.environ.get("DEFIRISK_SHARED_DATA")
    shared = Path(data).parent if data else Path(__file__).parents[2] / "shared"
    file = shared / "recipes" / "kernels" / "kern.c"
    if not file.is_file():
        raise Missing("no recipes/kernels/kern.c (DEFIRISK_SHARED_DATA names the folder beside)")
    return file


class CKernel:
    """The reference's `k_pack` and `k_full` with its block bound, on prices by any axis."""

    def __init__(
        self,
        folder: Path,
        rows: SignedRows,
        axis: npt.NDArray[np.integer],
        scale: Floats,
        deployments: int,
    ) -> None:
        """Terms are priced by `axis` (T,), their whole tokens multiplied by `scale` (T,)."""
        self._library = _compiled(folder)
        self._pointer = rows.first.astype(np.int64)
        self._pledged = rows.pledged.astype(np.int32)
        self._deployment = rows.deployment.astype(np.int32)
        self._axis = axis.astype(np.int32)
        # Its test is the bare one, without our edge.
        self._weight = np.where(rows.amount < 0, rows.weight, -rows.amount) * scale
        self._amount = np.abs(rows.amount) * scale
        self._deployments = deployments

    def __call__(self, prices: Floats) -> dict[str, Floats]:
        """By deployment (D, S): accounts, debt, collateral, bad debt; prices (S, A)."""
        size, assets = prices.shape
        blocks = -(-size // LANES)
        order = np.argsort((prices / prices[0]).mean(axis=1)).astype(np.int64)
        lanes = _aligned(blocks, assets, LANES)
        low, high = np.empty((2, blocks, assets))
        long = ctypes.c_long
        self._library.k_pack(
            _at(prices), long(size), long(assets), _at(order), _at(lanes), _at(low), _at(high)
        )
        found = _aligned(blocks, self._deployments, 4, LANES)
        pledged, owed = _aligned(blocks, assets, LANES), _aligned(blocks, assets, LANES)
        rows = (self._pointer, self._pledged, self._deployment, self._axis, self._weight)
        self._library.k_full(
            long(0),
            long(len(self._pledged)),
            *map(_at, (*rows, self._amount)),
            long(assets),
            long(self._deployments),
            *map(_at, (lanes, low, high)),
            long(0),
            long(blocks),
            *map(_at, (found, pledged, owed)),
            ctypes.c_int(1),
        )
        by_lane = found.transpose(1, 2, 0, 3).reshape(self._deployments, 4, -1)[:, :, :size]
        back = np.empty_like(by_lane)
        back[:, :, order] = by_lane
        names = ("accounts", "debt", "collateral", "bad_debt")
        return {name: back[:, i] for i, name in enumerate(names)}


def _compiled(folder: Path) -> ctypes.CDLL:
    compiler, file = shutil.which("gcc"), source()
    if compiler is None:
        raise Missing("no gcc")
    cpu = Path("/proc/cpuinfo")
    if not cpu.exists() or "avx512f" not in cpu.read_text(encoding="utf-8"):
        raise Missing("no AVX-512")
    target = folder / "reference.so"
    subprocess.run([compiler, *FLAGS, str(file), "-o", str(target)], check=True)
    return ctypes.CDLL(str(target))


def _aligned(*shape: int) -> Floats:
    """Zeros that begin on a cache line."""
    count = int(np.prod(shape))
    memory = np.zeros(count + 8)
    skip = (-memory.ctypes.data // 8) % 8
    return memory[skip : skip + count].reshape(shape)


def _at(array: Any) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
