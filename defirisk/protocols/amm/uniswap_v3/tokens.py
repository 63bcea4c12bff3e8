"""Logs of a position manager: ranges that are tokens. Source: NonfungiblePositionManager of
@uniswap/v3-periphery 1.4.4.

Its logs do not say which pool and range a token stands for. But it mints to the pool first, so that
the pool's Mint, the token's Transfer and its IncreaseLiquidity follow one another in the chain.
"""

from __future__ import annotations

from dataclasses import replace

from defirisk.core.adapter import Log
from defirisk.core.row import Key, Row, State
from defirisk.protocols.amm.uniswap_v3.rows import LastMint, Token

MANAGER_EVENTS = ("Transfer", "IncreaseLiquidity", "DecreaseLiquidity")


def touches(log: Log) -> list[tuple[type[Row], Key]]:
    """The token, and what was minted to a pool last."""
    manager = log.contract.address
    found: list[tuple[type[Row], Key]] = [(Token, (manager, log.args["tokenId"]))]
    if log.event == "IncreaseLiquidity":
        found.append((LastMint, (manager,)))
    return found


def fold(log: Log, state: State) -> None:
    """Applies a log to the rows it touches."""
    args, manager = log.args, log.contract.address
    token = state.get(Token, manager, args["tokenId"])
    if log.event == "Transfer":
        state.put(replace(token, owner=args["to"]))
        return
    if log.event == "DecreaseLiquidity":
        state.put(replace(token, liquidity=token.liquidity - args["liquidity"]))
        return
    minted = state.get(LastMint, manager)
    if _follows(log, minted):
        token = replace(
            token, pool=minted.pool, tick_lower=minted.tick_lower, tick_upper=minted.tick_upper
        )
    state.put(replace(token, liquidity=token.liquidity + args["liquidity"]))


def _follows(log: Log, minted: LastMint) -> bool:
    """Whether this liquidity is that of the pool's last Mint: two logs before in a new token, one
    before in an old one. A pool that is not indexed leaves an older Mint behind.
    """
    near = log.log_index - 2 <= minted.log_index < log.log_index
    same_block = minted.block_number == log.block_number
    return near and same_block and minted.amount == log.args["liquidity"]
