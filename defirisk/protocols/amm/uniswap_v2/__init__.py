"""Uniswap v2 and its forks: pairs of two tokens that keep the product of what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from defirisk.core.adapter import (
    Contract,
    Deployment,
    Discovery,
    Interface,
    Kind,
    Log,
    Proof,
    Snapshot,
    TokenWanted,
    View,
)
from defirisk.core.claim import Claim, Share
from defirisk.core.evm import Block
from defirisk.core.row import Row, State
from defirisk.core.venue import Venue
from defirisk.protocols import pools_found
from defirisk.protocols.amm.uniswap_v2 import fold as folding
from defirisk.protocols.amm.uniswap_v2 import referee, worth
from defirisk.protocols.amm.uniswap_v2.rows import ROWS, FeeTo, Pair, ProtocolFee

_CONSTANTS = ("factory", "token0", "token1")


class UniswapV2:
    """The adapter. What it does is in the files beside this one.

    A deployment may name a `factory`, whose pairs are found by its logs, single pairs (`pool…`),
    and a `router`, whose arithmetic ours is compared with.
    """

    name = "uniswap-v2"
    kind: Kind = "amm"
    version = 1
    proof: Proof = "executed"
    source = "npm @uniswap/v2-core 1.0.1, @uniswap/v2-periphery 1.1.0-beta.0"
    required_contracts = ()
    rows: tuple[type[Row], ...] = ROWS
    interfaces: Mapping[str, Interface] = {
        "factory": Interface(
            abi="UniswapV2.Factory", events={"UniswapV2.Factory": folding.FACTORY_EVENTS}
        ),
        "pair": Interface(
            abi="UniswapV2.Pair",
            events={"UniswapV2.Pair": folding.PAIR_EVENTS},
            untrusted=True,
        ),
        "candidate": Interface(abi="UniswapV2.Pair"),
        "maker": Interface(abi="UniswapV2.Factory"),
        "router": Interface(abi="UniswapV2.Router"),
    }

    def roots(self, deployment: Deployment) -> Iterable[Discovery]:
        """The factory and the single pairs."""
        return pools_found.named(deployment, "pair", "factory")

    pool = staticmethod(pools_found.candidate)

    def discover(self, deployment: Deployment, log: Log) -> Iterable[Discovery]:
        """A new pair and its tokens."""
        return pools_found.created(log, "pair", "pair") if log.event == "PairCreated" else ()

    touches = staticmethod(folding.touches)
    fold = staticmethod(folding.fold)

    def views(self, contracts: Sequence[Contract]) -> Iterable[View]:
        """What no log says: the protocol's share, and all about pairs that no factory told of."""
        for contract in contracts:
            if contract.role == "candidate":
                yield View(contract, "price0CumulativeLast")
            elif contract.role in ("factory", "maker"):
                yield View(contract, "feeTo")
            elif contract.role == "pair":
                yield View(contract, "kLast")
                if not contract.subject:
                    yield from (View(contract, function) for function in _CONSTANTS)

    def discover_view(self, view: View, answer: tuple[Any, ...] | None) -> Iterable[Discovery]:
        """That a candidate is a pair, its tokens, and who made it: its other pairs are not wanted.

        A pair is read from the chain's first block on: what it holds is the sum of all its logs.
        """
        if answer is None:
            return
        if view.contract.role == "candidate":
            yield Contract(address=view.contract.address, role="pair", first_block=0)
        elif view.function in ("token0", "token1"):
            yield TokenWanted(address=answer[0])
        elif view.function == "factory":
            yield replace(view.contract, address=answer[0], role="maker")

    def observe(
        self, view: View, answer: tuple[Any, ...] | None, block: Block, state: State
    ) -> None:
        """Tokens hold since the pair was made; the protocol's share only for now."""
        pair = view.contract.address
        if view.contract.role == "candidate" or answer is None:
            return
        if view.function == "feeTo":
            state.put(FeeTo(factory=pair, read_block=block.number, fee_to=answer[0]))
        elif view.function == "kLast":
            state.put(ProtocolFee(pair=pair, read_block=block.number, k_last=answer[0]))
        else:
            changes: dict[str, Any] = {view.function: answer[0]}
            state.amend(replace(state.get(Pair, pair), **changes))

    def venues(self, snapshot: Snapshot) -> Iterable[Venue]:
        """Every pair whose tokens can be counted."""
        return [worth.venue_of(snapshot, now) for now in worth.pairs_now(snapshot)]

    def claims(self, snapshot: Snapshot) -> Iterable[Claim]:
        """What an LP token of each pair is worth."""
        return [worth.claim_of(now) for now in worth.pairs_now(snapshot) if now.supply_raw]

    def shares(self, snapshot: Snapshot) -> Iterable[Share]:
        """Every account's LP tokens."""
        return worth.shares(snapshot)

    questions = staticmethod(referee.questions)
    totals = staticmethod(referee.totals)
    findings = staticmethod(referee.findings)


ADAPTER = UniswapV2()
