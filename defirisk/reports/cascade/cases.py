"""The three cases that are always played: what keepers and pools can do is assumed, not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from defirisk.contagion.cascade.outcome import CascadeOutcome
from defirisk.contagion.cascade.play import Cascade
from defirisk.contagion.cascade.settings import BASE, HIGH, LOW, Settings
from defirisk.contagion.cascade.vaults import move_conversions, vault_table
from defirisk.core.book import Book, Floats
from defirisk.core.evm import Address
from defirisk.core.quote import Conversion
from defirisk.core.scenario import Scenario

NAMES = ("low", "base", "high")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """The outcomes by name, of the same scenarios. `vault_factors` say by how much the rate of each
    vault's share moved beyond the shock in the base case (S,), NaN where it was not written down.
    """

    outcomes: Mapping[str, CascadeOutcome]
    vault_factors: Mapping[Address, Floats]

    @property
    def base(self) -> CascadeOutcome:
        """The case that the totals are of."""
        return self.outcomes["base"]


def play_cases(book: Book, scenarios: Sequence[Scenario], base: Settings = BASE) -> Cases:
    """Every scenario in each case of `settings_of(base)`."""
    cascade = Cascade(book)
    outcomes = {name: cascade.play(scenarios, one) for name, one in settings_of(base).items()}
    return Cases(outcomes=outcomes, vault_factors=vault_factors(book, cascade, outcomes["base"]))


def settings_of(base: Settings) -> dict[str, Settings]:
    """Low, base and high: what was typed is the base case, and holds in the others, too, except
    that keepers have no more than `LOW` gives them, nor pools less recovery than in `HIGH`.
    """
    low = replace(
        base,
        keeper_capacity_usd=min(base.keeper_capacity_usd, LOW.keeper_capacity_usd),
        unknown_depth=LOW.unknown_depth,
    )
    high = replace(base, recovery=max(base.recovery, HIGH.recovery))
    return {"low": low, "base": base, "high": high}


def assumptions(cases: Cases) -> dict[str, dict[str, Any]]:
    """The settings of each case; None is no limit."""
    found = {name: asdict(cases.outcomes[name].settings) for name in NAMES}
    for one in found.values():
        if np.isinf(one["keeper_capacity_usd"]):
            one["keeper_capacity_usd"] = None
    return found


def vault_factors(book: Book, cascade: Cascade, outcome: CascadeOutcome) -> dict[Address, Floats]:
    """`Cases.vault_factors`: from the ends of the markets where they were kept, else from what
    quotes read of the vaults.
    """
    vaults = [token for token, claim in book.sources.claims.items() if claim.kind == "vault"]
    size = len(outcome.scenarios)
    if outcome.states:
        table = vault_table(book, [Conversion(token, None) for token in vaults])
        ends = np.ones((len(vaults), size))
        for s, state in enumerate(outcome.states):
            move_conversions(table, state.pockets, ends[:, s])
        return dict(zip(vaults, ends, strict=True))
    found = {token: np.full(size, np.nan) for token in vaults}
    for c, conversion in enumerate(cascade.sources.conversions):
        if conversion.token in found:
            found[conversion.token] = outcome.conversions[c]
    return found
