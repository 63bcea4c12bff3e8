"""Synthetix Perps V2 (the contracts behind Kwenta): isolated margin per market and account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
from defirisk.core.row import Row, State
from defirisk.protocols.perps.synthetix_perps_v2 import fold as folding
from defirisk.protocols.perps.synthetix_perps_v2 import observing
from defirisk.protocols.perps.synthetix_perps_v2.findings import findings
from defirisk.protocols.perps.synthetix_perps_v2.holdings import holdings
from defirisk.protocols.perps.synthetix_perps_v2.margin import perps
from defirisk.protocols.perps.synthetix_perps_v2.referee import Liquidatable, questions
from defirisk.protocols.perps.synthetix_perps_v2.rows import ROWS

ROLES = {
    "FuturesMarketManager": "manager",
    "PerpsV2MarketSettings": "settings",
    "ExchangeRates": "exchange_rates",
    "SystemStatus": "system_status",
    "SystemSettings": "system_settings",
    "CircuitBreaker": "circuit_breaker",
}
"""Names under which the AddressResolver knows what is followed, and their roles."""
SUSD = "ProxysUSD"
FILES = {
    "address_resolver": "SynthetixPerpsV2.AddressResolver",
    "manager": "SynthetixPerpsV2.FuturesMarketManager",
    "settings": "SynthetixPerpsV2.MarketSettings",
    "exchange_rates": "SynthetixPerpsV2.ExchangeRates",
    "system_status": "SynthetixPerpsV2.SystemStatus",
    "system_settings": "SynthetixPerpsV2.SystemSettings",
    "circuit_breaker": "SynthetixPerpsV2.CircuitBreaker",
    "market": "SynthetixPerpsV2.Market",
}


def _interface(role: str) -> Interface:
    file = FILES[role]
    events = tuple(folding.EVENTS.get(role, {}))
    return Interface(abi=file, events={file: events} if events else {})


class SynthetixPerpsV2:
    """The adapter. What it does is in the files beside this one."""

    name = "synthetix-perps-v2"
    kind: Kind = "perps"
    version = 1
    proof: Proof = "executed"
    source = "npm synthetix 2.102.1 (publish/deployed/sepolia-ovm: PerpsV2Market and its parts)"
    required_contracts = ("address_resolver",)
    rows: tuple[type[Row], ...] = ROWS
    interfaces: Mapping[str, Interface] = {role: _interface(role) for role in FILES}

    def roots(self, deployment: Deployment) -> Iterable[Discovery]:
        """The AddressResolver: its logs name all others."""
        yield _contract(deployment, deployment.contracts["address_resolver"], "address_resolver")

    def discover(self, deployment: Deployment, log: Log) -> Iterable[Discovery]:
        """Contracts of the system, markets, and the feeds that rates come from.

        A contract that replaces another is followed besides it: what the first one set still holds.
        """
        if log.event == "AddressImported":
            name, address = folding.text(log.args["name"]), log.args["destination"]
            if name in ROLES and address != ZERO_ADDRESS:
                yield _contract(deployment, address, ROLES[name])
            elif name == SUSD and address != ZERO_ADDRESS:
                yield TokenWanted(address=address)
        elif log.event == "MarketAdded":
            yield _contract(deployment, log.args["market"], "market")
        elif log.event == "AggregatorAdded":
            yield FeedWanted(address=log.args["aggregator"], first_block=deployment.first_block)

    touches = staticmethod(folding.touches)
    fold = staticmethod(folding.fold)

    views = staticmethod(observing.views)
    views_of_rows = staticmethod(observing.views_of_rows)

    def discover_view(self, view: View, answer: tuple[Any, ...] | None) -> Iterable[Discovery]:
        """Answers reveal nothing."""
        return ()

    def observe(
        self, view: View, answer: tuple[Any, ...] | None, block: Block, state: State
    ) -> None:
        """Applies an answer to the rows."""
        observing.observe(view, answer, state)

    holdings = staticmethod(holdings)
    perps = staticmethod(perps)
    liquidation_check = staticmethod(Liquidatable)
    questions = staticmethod(questions)
    findings = staticmethod(findings)


def _contract(deployment: Deployment, address: str, role: str) -> Contract:
    """Everything from the deployment's first block on: one common range is fetched in one go."""
    return Contract(address=address, role=role, first_block=deployment.first_block)


ADAPTER = SynthetixPerpsV2()
