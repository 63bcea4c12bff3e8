"""Morpho Blue: isolated markets of one collateral and one loan token, all in one contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from defirisk.core.adapter import (
    Contract,
    Deployment,
    Discovery,
    FeedWanted,
    Interface,
    Kind,
    Log,
    Proof,
    TokenWanted,
    View,
)
from defirisk.core.evm import ZERO_ADDRESS, Block
from defirisk.core.row import Row, Rows, State
from defirisk.protocols.lending.morpho_blue import fold as folding
from defirisk.protocols.lending.morpho_blue.findings import findings
from defirisk.protocols.lending.morpho_blue.health import Liquidatable
from defirisk.protocols.lending.morpho_blue.holdings import holdings
from defirisk.protocols.lending.morpho_blue.interest import proportional_rate
from defirisk.protocols.lending.morpho_blue.liquidation import liquidation
from defirisk.protocols.lending.morpho_blue.referee import (
    market_params,
    market_totals,
    questions,
    totals,
)
from defirisk.protocols.lending.morpho_blue.rows import (
    ROWS,
    BorrowRate,
    Feed,
    Irm,
    Market,
    Oracle,
    OraclePrice,
    OracleVaults,
)

_MAX_WORDS = 64  # of what a feed says it prices, which may be anything
_FEEDS = ("BASE_FEED_1", "BASE_FEED_2", "QUOTE_FEED_1", "QUOTE_FEED_2")
_MADE_OF = {
    # The first version of Morpho's oracle had one vault, and no word on the side.
    "VAULT": "base_vault",
    "BASE_VAULT": "base_vault",
    "QUOTE_VAULT": "quote_vault",
    **{getter: getter.lower() for getter in _FEEDS},
    "SCALE_FACTOR": "scale_factor",
}
_SAMPLES = {
    "VAULT_CONVERSION_SAMPLE": "base_sample_raw",
    "BASE_VAULT_CONVERSION_SAMPLE": "base_sample_raw",
    "QUOTE_VAULT_CONVERSION_SAMPLE": "quote_sample_raw",
}
_VAULTS = ("VAULT", "BASE_VAULT", "QUOTE_VAULT")


class MorphoBlue:
    """The adapter. What it does is in the files beside this one."""

    name = "morpho-blue"
    kind: Kind = "lending"
    version = 1
    proof: Proof = "executed"
    source = "npm @morpho-org/morpho-blue 1.0.0"
    required_contracts = ("morpho",)
    rows: tuple[type[Row], ...] = ROWS
    interfaces: Mapping[str, Interface] = {
        "morpho": Interface(abi="MorphoBlue.Morpho", events={"MorphoBlue.Events": folding.EVENTS}),
        "oracle": Interface(abi="MorphoBlue.Oracle"),
        "feed": Interface(abi="Chainlink.Proxy"),
        "irm": Interface(abi="MorphoBlue.Irm"),
    }

    def roots(self, deployment: Deployment) -> Iterable[Discovery]:
        """The singleton."""
        yield Contract(
            address=deployment.contracts["morpho"],
            role="morpho",
            first_block=deployment.first_block,
        )

    def discover(self, deployment: Deployment, log: Log) -> Iterable[Discovery]:
        """The tokens, the oracle and the rate model of a new market."""
        if log.event != "CreateMarket":
            return
        loan_token, collateral_token, oracle, irm, _ = log.args["marketParams"]
        yield TokenWanted(address=loan_token)
        yield TokenWanted(address=collateral_token)
        # A feed may have answered last before the market was made: its logs count from the start.
        for role, address in (("oracle", oracle), ("irm", irm)):
            if address != ZERO_ADDRESS:
                yield Contract(address=address, role=role, first_block=deployment.first_block)

    touches = staticmethod(folding.touches)
    fold = staticmethod(folding.fold)

    def views(self, contracts: Sequence[Contract]) -> Iterable[View]:
        """What each oracle is made of and says, and what its feeds say they price."""
        for contract in contracts:
            if contract.role == "oracle":
                yield from (View(contract, get) for get in (*_MADE_OF, *_SAMPLES, "price"))
            elif contract.role == "feed":
                yield View(contract, "description")

    def views_of_rows(self, contracts: Sequence[Contract], rows: Rows) -> Iterable[View]:
        """The rate that each market's model states for its totals."""
        models = {contract.address: contract for contract in contracts if contract.role == "irm"}
        for market in rows.all(Market):
            if market.irm in models:
                # The id goes along: a view's answer does not say which market it is about.
                model = replace(models[market.irm], subject=market.market_id)
                args = (market_params(market), market_totals(market))
                yield View(model, "borrowRateView", args)

    def discover_view(self, view: View, answer: tuple[Any, ...] | None) -> Iterable[Discovery]:
        """The feeds and the vaults of an oracle."""
        if not answer or answer[0] == ZERO_ADDRESS:
            return
        if view.function in _VAULTS:
            yield TokenWanted(address=answer[0])
        if view.function in _FEEDS:
            first_block = view.contract.first_block
            yield FeedWanted(address=answer[0], first_block=first_block)
            yield Contract(
                address=answer[0],
                role="feed",
                first_block=first_block,
                subject=view.contract.address,
            )

    def observe(
        self, view: View, answer: tuple[Any, ...] | None, block: Block, state: State
    ) -> None:
        """What an oracle is made of holds since it was made; prices and rates only for now."""
        contract = view.contract
        if view.function == "price":
            price = answer[0] if answer else 0
            state.put(OraclePrice(oracle=contract.address, price_raw=price))
        elif view.function == "borrowRateView":
            _observe_rate(state, contract.address, contract.subject, answer)
        elif answer is None:
            return
        elif view.function == "description":
            words = answer[0].replace("\0", "")[:_MAX_WORDS]
            state.amend(Feed(feed=contract.address, description=words))
        elif view.function in _SAMPLES:
            vaults = state.get(OracleVaults, contract.address)
            samples: dict[str, Any] = {_SAMPLES[view.function]: answer[0]}
            state.amend(replace(vaults, **samples))
        else:
            oracle = state.get(Oracle, contract.address)
            changes: dict[str, Any] = {_MADE_OF[view.function]: answer[0]}
            state.amend(replace(oracle, **changes))

    holdings = staticmethod(holdings)
    liquidation_check = staticmethod(Liquidatable)
    liquidation = staticmethod(liquidation)
    questions = staticmethod(questions)
    totals = staticmethod(totals)
    findings = staticmethod(findings)


def _observe_rate(state: State, irm: str, market_id: str, answer: tuple[Any, ...] | None) -> None:
    """The rate for now; and whether it is what proportionality would have it."""
    if answer is None:
        return
    market = state.get(Market, market_id)
    state.put(
        BorrowRate(market_id=market_id, rate_wad=answer[0], last_update_ts=market.last_update_ts)
    )
    if market.total_borrow_assets_raw:
        known = state.get(Irm, irm)
        agrees = answer[0] == proportional_rate(market)
        proportional = agrees and (known.proportional or not known.asked)
        state.amend(Irm(irm=irm, asked=True, proportional=proportional))


ADAPTER = MorphoBlue()
