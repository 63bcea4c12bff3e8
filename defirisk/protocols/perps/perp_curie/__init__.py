"""Perpetual Protocol Curie: cross margin over virtual Uniswap v3 markets, on the mark price."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from defirisk.core.adapter import (
    Contract,
    Deployment,
    Discovery,
    Interface,
    Kind,
    Log,
    Proof,
    TokenWanted,
    VenueWanted,
    View,
)
from defirisk.core.evm import ZERO_ADDRESS, Block
from defirisk.core.row import Row, State
from defirisk.protocols.perps.perp_curie import fold as folding
from defirisk.protocols.perps.perp_curie import observing
from defirisk.protocols.perps.perp_curie.findings import findings
from defirisk.protocols.perps.perp_curie.holdings import holdings
from defirisk.protocols.perps.perp_curie.liquidation import Liquidatable
from defirisk.protocols.perps.perp_curie.perps import perps
from defirisk.protocols.perps.perp_curie.referee import questions
from defirisk.protocols.perps.perp_curie.rows import ROWS

_ABIS = {
    "clearing_house": "PerpCurie.ClearingHouse",
    "account_balance": "PerpCurie.AccountBalance",
    "exchange": "PerpCurie.Exchange",
    "order_book": "PerpCurie.OrderBook",
    "vault": "PerpCurie.Vault",
    "clearing_house_config": "PerpCurie.ClearingHouseConfig",
    "market_registry": "PerpCurie.MarketRegistry",
    "insurance_fund": "PerpCurie.InsuranceFund",
    "collateral_manager": "PerpCurie.CollateralManager",
    "base_token": "PerpCurie.BaseToken",
    "dispatcher": "PerpCurie.PriceFeedDispatcher",
    "price_feed": "PerpCurie.ChainlinkPriceFeedV3",
}
_NAMED = tuple(_ABIS)[:9]
"""The roles that a deployment's data names, besides the settlement and the quote token."""


def _interface(role: str, abi: str) -> Interface:
    events = folding.EVENTS.get(role, ())
    return Interface(abi=abi, events={abi: events} if events else {})


class PerpCurie:
    """The adapter. What it does is in the files beside this one. A unit is an account."""

    name = "perp-curie"
    kind: Kind = "perps"
    version = 1
    proof: Proof = "executed"
    source = "npm @perp/curie-contract 2.8.4, @perp/perp-oracle-contract 0.6.7"
    required_contracts = (*_NAMED, "settlement_token", "quote_token")
    rows: tuple[type[Row], ...] = ROWS
    interfaces: Mapping[str, Interface] = {
        **{role: _interface(role, abi) for role, abi in _ABIS.items()},
        "pool": _interface("pool", "UniswapV3.Pool"),
        "settlement_token": Interface(abi="ERC20"),
        "quote_token": Interface(abi="ERC20"),
    }

    def roots(self, deployment: Deployment) -> Iterable[Discovery]:
        """The singletons, and the tokens that accounts are kept in."""
        for role in (*_NAMED, "settlement_token"):
            yield Contract(
                address=deployment.contracts[role], role=role, first_block=deployment.first_block
            )
        for role in ("settlement_token", "quote_token"):
            yield TokenWanted(address=deployment.contracts[role])

    def discover(self, deployment: Deployment, log: Log) -> Iterable[Discovery]:
        """A market's token and pool; what a market or a collateral is priced by.

        All of them from the deployment's first block on: they lived before they were named.
        """
        first_block = deployment.first_block
        if log.event == "PoolAdded":
            base, pool = log.args["baseToken"], log.args["pool"]
            yield Contract(address=base, role="base_token", first_block=first_block)
            yield Contract(address=pool, role="pool", first_block=first_block, subject=base)
            yield VenueWanted(address=pool, first_block=first_block)
            yield TokenWanted(address=base)
        elif log.event == "CollateralAdded":
            yield TokenWanted(address=log.args["token"])
        if "priceFeed" in log.args and log.args["priceFeed"] != ZERO_ADDRESS:
            source = log.args["priceFeed"]
            yield Contract(address=source, role="dispatcher", first_block=first_block)

    touches = staticmethod(folding.touches)
    fold = staticmethod(folding.fold)
    views = staticmethod(observing.views)
    views_of_rows = staticmethod(observing.views_of_rows)
    discover_view = staticmethod(observing.discover_view)

    def observe(
        self, view: View, answer: tuple[Any, ...] | None, block: Block, state: State
    ) -> None:
        """Applies an answer to the rows."""
        observing.observe(view, answer, block, state)

    holdings = staticmethod(holdings)
    liquidation_check = staticmethod(Liquidatable)
    perps = staticmethod(perps)
    questions = staticmethod(questions)
    findings = staticmethod(findings)


ADAPTER = PerpCurie()
