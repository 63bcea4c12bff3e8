"""What scenarios cost under a book's parameters: the one place where the engine is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from defirisk.contagion.cascade.play import Cascade
from defirisk.contagion.cascade.settings import CASES, Settings
from defirisk.contagion.screen import screen
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.scenario import Scenario

Engine = Literal["static", "cascade"]
SAYS: dict[Engine, str] = {
    "static": (
        "Static: prices are as shocked, no liquidation is played through, and nobody reacts. So "
        "the parameters of one market change nothing in the others, and a bonus changes no bad "
        "debt."
    ),
    "cascade": (
        "Cascade: liquidations are played through round by round, each by its protocol's own rule, "
        "and what is seized is sold in the indexed pools, which moves prices for everybody. "
        "Keepers lack nothing and pools are not refilled (the base case of defirisk stress). "
        "Borrowers do not react."
    ),
}
SAYS_CASES = (
    "In the low case keepers have a million dollars a round and take nothing that no indexed pool "
    "trades, in the high case pools come half of the way back each round."
)
BASE = "base"


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """By deployment (D, S) and scenario, USD at that scenario's market prices.

    `at risk` is what the liquidatable units owe and have pledged when the prices have moved;
    `liquidated` what was repaid and seized, and `rounds` (S,) how often, both 0 of the static
    engine. `asset_at_risk_usd` (A, S) is pledged. `decided_exactly` (S,) counts decisions near the
    edge.
    """

    liquidatable_accounts: Ints
    debt_at_risk_usd: Floats
    collateral_at_risk_usd: Floats
    liquidated_debt_usd: Floats
    liquidated_collateral_usd: Floats
    bad_debt_usd: Floats
    asset_at_risk_usd: Floats
    rounds: Ints
    decided_exactly: Ints


def losses(book: Book, scenarios: Sequence[Scenario], engine: Engine = "static") -> Losses:
    """Who can be liquidated in each scenario, what that costs, and who is left with bad debt."""
    if engine == "static":
        return _at_once(book, scenarios)
    return _played(book, scenarios, {BASE: CASES[BASE]})[BASE]


def by_case(book: Book, scenarios: Sequence[Scenario], engine: Engine) -> Mapping[str, Losses]:
    """Likewise, in the low, base and high case of the cascade; the static engine has base only."""
    if engine == "static":
        return {BASE: _at_once(book, scenarios)}
    return _played(book, scenarios, CASES)


def _at_once(book: Book, scenarios: Sequence[Scenario]) -> Losses:
    at_once = screen(book, scenarios)
    return Losses(
        liquidatable_accounts=at_once.liquidatable_accounts,
        debt_at_risk_usd=at_once.debt_at_risk_usd,
        collateral_at_risk_usd=at_once.collateral_at_risk_usd,
        liquidated_debt_usd=np.zeros_like(at_once.bad_debt_usd),
        liquidated_collateral_usd=np.zeros_like(at_once.bad_debt_usd),
        bad_debt_usd=at_once.bad_debt_usd,
        asset_at_risk_usd=at_once.asset_collateral_at_risk_usd,
        rounds=np.zeros(len(scenarios), dtype=np.int64),
        decided_exactly=at_once.edge_units,
    )


def _played(
    book: Book, scenarios: Sequence[Scenario], cases: Mapping[str, Settings]
) -> dict[str, Losses]:
    """The cascade's own numbers, beside what is at risk before it begins."""
    at_once, cascade = _at_once(book, scenarios), Cascade(book)

    def played(settings: Settings) -> Losses:
        found = cascade.play(scenarios, settings)
        return replace(
            at_once,
            liquidatable_accounts=found.liquidatable_accounts,
            liquidated_debt_usd=found.liquidated_debt_usd,
            liquidated_collateral_usd=found.liquidated_collateral_usd,
            bad_debt_usd=found.bad_debt_usd,
            rounds=found.rounds,
        )

    return {name: played(settings) for name, settings in cases.items()}
