"""Liquity v1: troves that owe against the chain's own coin, and a pool that absorbs their debts.

Sovryn Zero is a fork of it, with the parameters in a contract of their own.
"""

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
from defirisk.protocols.cdp.liquity_v1 import fold as folding
from defirisk.protocols.cdp.liquity_v1 import observing
from defirisk.protocols.cdp.liquity_v1.debt import debt
from defirisk.protocols.cdp.liquity_v1.findings import findings
from defirisk.protocols.cdp.liquity_v1.holdings import holdings
from defirisk.protocols.cdp.liquity_v1.referee import Liquidatable, questions
from defirisk.protocols.cdp.liquity_v1.rows import ROWS


def _interface(role: str, abi: str, *, untrusted: bool = False) -> Interface:
    events = {abi: tuple(folding.EVENTS[role])} if role in folding.EVENTS else {}
    return Interface(abi=abi, events=events, untrusted=untrusted)


class LiquityV1:
    """The adapter. What it does is in the files beside this one."""

    name = "liquity-v1"
    kind: Kind = "cdp"
    version = 1
    proof: Proof = "executed"
    source = "npm @sovryn-zero/contracts 0.4.0 (TroveManager, StabilityPool, BorrowerOperations)"
    required_contracts = ("trove_manager",)
    rows: tuple[type[Row], ...] = ROWS
    interfaces: Mapping[str, Interface] = {
        "trove_manager": _interface("trove_manager", "LiquityV1.TroveManager"),
        "borrower_operations": _interface("borrower_operations", "LiquityV1.BorrowerOperations"),
        "active_pool": _interface("active_pool", "LiquityV1.ActivePool"),
        "default_pool": _interface("default_pool", "LiquityV1.DefaultPool"),
        "stability_pool": _interface("stability_pool", "LiquityV1.StabilityPool"),
        "coll_surplus_pool": _interface("coll_surplus_pool", "LiquityV1.CollSurplusPool"),
        "base_params": _interface("base_params", "LiquityV1.BaseParams"),
        "price_feed": _interface("price_feed", "LiquityV1.PriceFeed", untrusted=True),
        "external_price_feed": _interface(
            "external_price_feed", "LiquityV1.ExternalPriceFeed", untrusted=True
        ),
    }

    def roots(self, deployment: Deployment) -> Iterable[Discovery]:
        """The manager of troves; the wrapped form of the coin, where the deployment names it."""
        yield Contract(
            address=deployment.contracts["trove_manager"],
            role="trove_manager",
            first_block=deployment.first_block,
        )
        if "wrapped_native" in deployment.contracts:
            yield TokenWanted(address=deployment.contracts["wrapped_native"])

    def discover(self, deployment: Deployment, log: Log) -> Iterable[Discovery]:
        """The contracts that the manager names, its token, and what its price feed asks.

        All of them from the deployment's first block on: they lived before they were named.
        """
        role, argument, subject = "", "", log.contract.address
        if log.event in folding.ADDRESSES:
            role, argument = folding.ADDRESSES[log.event]
        elif log.event == "PriceFeedUpdated":
            role, argument = "external_price_feed", "newPriceFeedAddress"
        if not role or log.args[argument] == ZERO_ADDRESS:
            return
        address = log.args[argument]
        if role == "debt_token":
            yield TokenWanted(address=address)
        else:
            first = deployment.first_block
            yield Contract(address=address, role=role, first_block=first, subject=subject)

    touches = staticmethod(folding.touches)
    fold = staticmethod(folding.fold)
    views = staticmethod(observing.views)

    def discover_view(self, view: View, answer: tuple[Any, ...] | None) -> Iterable[Discovery]:
        """The contract with the parameters, and the feed behind a price feed."""
        if not answer or answer[0] == ZERO_ADDRESS:
            return
        first = view.contract.first_block
        if view.function == observing.BASE_PARAMS:
            yield Contract(
                address=answer[0],
                role="base_params",
                first_block=first,
                subject=view.contract.address,
            )
        elif view.function == "priceAggregator":
            yield FeedWanted(address=answer[0], first_block=first)

    def observe(
        self, view: View, answer: tuple[Any, ...] | None, block: Block, state: State
    ) -> None:
        """Applies an answer to the rows."""
        observing.observe(view, answer, state)

    holdings = staticmethod(holdings)
    liquidation_check = staticmethod(Liquidatable)
    questions = staticmethod(questions)
    findings = staticmethod(findings)
    debt = staticmethod(debt)


ADAPTER = LiquityV1()
