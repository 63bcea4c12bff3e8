"""Compound v2: one cToken per asset, and a Comptroller under which accounts borrow across them."""

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
from defirisk.core.conservation import Total
from defirisk.core.evm import ZERO_ADDRESS, Block
from defirisk.core.row import Row, Rows, State
from defirisk.protocols.lending.compound_v2 import fold as folding
from defirisk.protocols.lending.compound_v2 import observing
from defirisk.protocols.lending.compound_v2.claims import claims
from defirisk.protocols.lending.compound_v2.findings import findings
from defirisk.protocols.lending.compound_v2.holdings import holdings
from defirisk.protocols.lending.compound_v2.liquidation import liquidation
from defirisk.protocols.lending.compound_v2.referee import Liquidatable, questions, totals
from defirisk.protocols.lending.compound_v2.rows import ROWS

_NOT_OWN = {"ActionPaused", "NewImplementation"}
_C_TOKEN_EVENTS = tuple(e for e in folding.EVENTS["c_token"] if e not in _NOT_OWN)
_COMPTROLLER_EVENTS = tuple(e for e in folding.EVENTS["comptroller"] if e not in _NOT_OWN)
_PROXY = {"CompoundV2.Unitroller": ("NewImplementation",)}


class CompoundV2:
    """The adapter. What it does is in the files beside this one."""

    name = "compound-v2"
    kind: Kind = "lending"
    version = 1
    proof: Proof = "executed"
    source = "npm @thenextblock/hardhat-compound 0.0.14 (Comptroller, CErc20Delegate, CEther)"
    required_contracts = ("comptroller",)
    rows: tuple[type[Row], ...] = ROWS
    # An event that has two forms has one in each of two files. Other layouts of one form, as forks
    # have them, are in one file.
    interfaces: Mapping[str, Interface] = {
        "comptroller": Interface(
            abi="CompoundV2.Comptroller",
            events={
                "CompoundV2.Comptroller": (*_COMPTROLLER_EVENTS, "ActionPaused"),
                "CompoundV2.ComptrollerGlobal": ("ActionPaused",),
                **_PROXY,
            },
        ),
        "c_token": Interface(
            abi="CompoundV2.CToken",
            events={
                "CompoundV2.CToken": _C_TOKEN_EVENTS,
                "CompoundV2.VToken": ("Mint", "Redeem"),
                "CompoundV2.CToken2019": ("AccrueInterest",),
                **_PROXY,
            },
        ),
        # Rate models and price oracles are anybody's code.
        "interest_rate_model": Interface(
            abi="CompoundV2.JumpRateModel",
            untrusted=True,
            events={
                "CompoundV2.JumpRateModel": ("NewInterestParams",),
                "CompoundV2.WhitePaperInterestRateModel": ("NewInterestParams",),
            },
        ),
        "price_oracle": Interface(
            abi="CompoundV2.PriceOracle",
            untrusted=True,
            events={"CompoundV2.FeedPriceOracle": ("FeedSet",)},
        ),
    }

    def roots(self, deployment: Deployment) -> Iterable[Discovery]:
        """The Comptroller; the wrapped form of the native coin, where the deployment names it."""
        yield Contract(
            address=deployment.contracts["comptroller"],
            role="comptroller",
            first_block=deployment.first_block,
        )
        if "wrapped_native" in deployment.contracts:
            yield TokenWanted(address=deployment.contracts["wrapped_native"])

    def discover(self, deployment: Deployment, log: Log) -> Iterable[Discovery]:
        """cTokens, their rate models, price oracles and the feeds of these.

        All of them from the deployment's first block on: they lived before they were named, and one
        common range is fetched in one go.
        """
        revealed = {
            "MarketListed": ("c_token", "cToken"),
            "NewMarketInterestRateModel": ("interest_rate_model", "newInterestRateModel"),
            "NewPriceOracle": ("price_oracle", "newPriceOracle"),
        }
        first_block = deployment.first_block
        if log.event == "FeedSet":
            if log.args["feed"] != ZERO_ADDRESS:
                yield FeedWanted(address=log.args["feed"], first_block=first_block)
        elif log.event in revealed:
            role, argument = revealed[log.event]
            if log.args[argument] != ZERO_ADDRESS:
                yield Contract(
                    address=log.args[argument],
                    role=role,
                    first_block=first_block,
                    subject=log.contract.address,
                )

    touches = staticmethod(folding.touches)
    fold = staticmethod(folding.fold)
    views = staticmethod(observing.views)

    def discover_view(self, view: View, answer: tuple[Any, ...] | None) -> Iterable[Discovery]:
        """The underlying token of a cToken."""
        if view.function == "underlying" and answer and answer[0] != ZERO_ADDRESS:
            yield TokenWanted(address=answer[0])

    def observe(
        self, view: View, answer: tuple[Any, ...] | None, block: Block, state: State
    ) -> None:
        """Applies an answer to the rows."""
        observing.observe(view, answer, state)

    holdings = staticmethod(holdings)
    liquidation_check = staticmethod(Liquidatable)
    liquidation = staticmethod(liquidation)
    claims = staticmethod(claims)
    questions = staticmethod(questions)
    findings = staticmethod(findings)

    def totals(self, deployment: Deployment, rows: Rows) -> Iterable[Total]:
        """What all accounts hold of each market's tokens."""
        return totals(rows)


ADAPTER = CompoundV2()
