"""The arrays that the kernel works on: blocks of lanes, each lane a scenario."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from defirisk.contagion.signed import Words
from defirisk.core.book import Floats, Ints

Bytes = npt.NDArray[np.uint8]
Index = int | np.signedinteger

LANES = 64
BLOCKS = 16
WIDTH = LANES * BLOCKS
TILE = 1024
LINE = 8
"""Numbers in a cache line: a vector across two lines is read at half the speed."""

NOTHING, COVERED, SOME, SINK = range(4)
"""What a row leaves to be done in a block: nothing; to test its lanes, where collateral covers the
debt in all of them, or in some only; to add the bad debt of a row that is liquidatable in all."""


class Prices(NamedTuple):
    """Positive prices of series by block and lane, and their bounds."""

    series: Words  # (C,), each column's series
    oracle: Floats  # (BLOCKS, P, LANES)
    market: Floats  # (BLOCKS, P, LANES)
    oracle_range: Floats  # (P, 3 * BLOCKS), each block's lowest prices, then highest, then lowest
    market_range: Floats  # (P, 3 * BLOCKS)
    grain: Floats  # (C + Q,), the contract's rounding of a balance at the highest price of all
    top: Floats  # (P,), highest oracle price of all


class Found(NamedTuple):
    """What a sweep adds up, and the decisions that it leaves open."""

    amount: Floats  # (BLOCKS, C, LANES), whole tokens
    accounts: Floats  # (BLOCKS, D, LANES)
    bad_debt: Floats  # (BLOCKS, D, LANES), USD
    all_amount: Floats  # (C, BLOCKS), of rows that are liquidatable in all lanes of a block
    all_accounts: Floats  # (D, BLOCKS)
    all_lost: Floats  # (C, BLOCKS), signed, of those whose debt is uncovered in all lanes too
    open: Ints  # (K, 2), row and scenario
    tally: Ints  # (2,), open decisions, perhaps more than K; blocks of a row that were evaluated

    def clear(self) -> None:
        """Back to nothing, in the same memory: new memory costs more than the sweep."""
        for sums in self:
            if sums is not self.open:
                sums.fill(0)


class Tile(NamedTuple):
    """Working memory: what is left to evaluate of a tile's rows, and one row's blocks and lanes."""

    guard: Floats  # (TILE,), what the contract's rounding may amount to, at most
    certain: Floats  # (TILE,), below which score a row is liquidatable for certain
    state: Bytes  # (TILE, BLOCKS), what bounds leave to be evaluated
    some: Words  # (TILE,), rows of one block that are to be tested
    sink: Words  # (TILE,), and those that add bad debt only
    margin: Floats  # (2 * BLOCKS,), a row's margin at the worst prices of blocks, then at the best
    uncovered: Floats  # (2 * BLOCKS,), its debt less its collateral, at most, then at least
    whole: Floats  # (BLOCKS,), 1 where it is liquidatable in all lanes
    drowned: Floats  # (BLOCKS,), 1 where its debt is uncovered in all of them besides
    score: Floats  # (LANES,), its margins less the edge, then 1 where it is liquidatable
    lost: Floats  # (LANES,), its debt less its collateral


def workspace() -> Tile:
    """Memory for one sweep."""
    return Tile(
        guard=np.empty(TILE),
        certain=np.empty(TILE),
        state=np.empty((TILE, BLOCKS), dtype=np.uint8),
        some=np.empty(TILE, dtype=np.uint32),
        sink=np.empty(TILE, dtype=np.uint32),
        margin=aligned(2 * BLOCKS),
        uncovered=aligned(2 * BLOCKS),
        whole=aligned(BLOCKS),
        drowned=aligned(BLOCKS),
        score=aligned(LANES),
        lost=aligned(LANES),
    )


def nothing(columns: int, deployments: int, room: int) -> Found:
    """Memory for what sweeps find, with room for so many open decisions."""
    return Found(
        amount=aligned(BLOCKS, columns, LANES),
        accounts=aligned(BLOCKS, deployments, LANES),
        bad_debt=aligned(BLOCKS, deployments, LANES),
        all_amount=aligned(columns, BLOCKS),
        all_accounts=aligned(deployments, BLOCKS),
        all_lost=aligned(columns, BLOCKS),
        open=np.empty((room, 2), dtype=np.int64),
        tally=np.zeros(2, dtype=np.int64),
    )


def aligned(*shape: int) -> Floats:
    """Zeros that begin on a cache line."""
    count = int(np.prod(shape))
    memory = np.zeros(count + LINE)
    skip = (-memory.ctypes.data // memory.itemsize) % LINE
    return memory[skip : skip + count].reshape(shape)
