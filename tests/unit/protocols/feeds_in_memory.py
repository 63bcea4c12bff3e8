"""Feeds of every kind without a chain: what their getters answered, and what stands around them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from defirisk.core.adapter import Answer, Contract, Deployment, Snapshot, Token, View
from defirisk.core.claim import Claim
from defirisk.core.evm import Block
from defirisk.core.row import State
from defirisk.core.venue import Venue
from defirisk.protocols.feed_getters import FEED, FeedsWithGetters
from tests.unit.protocols.rows_in_memory import RowsInMemory

NOW = 1_700_000_000


def address(byte: int) -> str:
    """Twenty times the same byte."""
    return "0x" + f"{byte:02x}" * 20


THE_FEED, OTHER_FEED, THIRD_FEED = address(0xF0), address(0xF1), address(0xF2)
WETH, USDC = address(0xE1), address(0xDC)
TOKENS = {
    WETH: Token(address=WETH, symbol="WETH", name="", decimals=18),
    USDC: Token(address=USDC, symbol="USDC", name="", decimals=6),
}
CONTRACT = Contract(address=THE_FEED, role=FEED, first_block=0)


def dollars(price: int, at: int = NOW - 60, grade: Literal["logs", "read"] = "logs") -> Answer:
    """What a plain feed of eight decimals says."""
    return Answer(price=price, decimals=8, updated_at=at, grade=grade)


def block(timestamp: int = NOW) -> Block:
    return Block(number=9, hash="0x09", parent_hash="0x08", timestamp=timestamp)


def observe(
    adapter: FeedsWithGetters, state: State, said: Mapping[str, Any], contract: Contract = CONTRACT
) -> None:
    """Applies what one contract answered, in the order of `said`; None is a revert."""
    for function, answer in said.items():
        wrapped = answer if answer is None or isinstance(answer, tuple) else (answer,)
        adapter.observe(View(contract, function), wrapped, block(), state)


def answers(
    adapter: FeedsWithGetters,
    state: RowsInMemory,
    *,
    feeds: Mapping[str, Answer] | None = None,
    venue: Venue | None = None,
    claim: Claim | None = None,
    timestamp: int = NOW,
) -> Mapping[str, Answer]:
    """What the adapter says of all its feeds."""
    return adapter.answers(snapshot(state, feeds, venue, claim, timestamp))


def snapshot(
    state: RowsInMemory,
    feeds: Mapping[str, Answer] | None = None,
    venue: Venue | None = None,
    claim: Claim | None = None,
    timestamp: int = NOW,
) -> Snapshot:
    """A moment at which these are all that is known."""
    return Snapshot(
        deployment=Deployment(name="feeds-1", protocol="feeds", chain_id=1),
        block=block(timestamp),
        rows=state,
        tokens=TOKENS,
        answers=feeds or {},
        venues={venue.address: venue} if venue else {},
        claims={claim.token: claim} if claim else {},
    )
