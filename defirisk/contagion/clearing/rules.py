"""What a claim is worth, given what its debtor has: one function per model, chosen by an enum.

All are instances of NEVA (Barucca et al., Mathematical Finance 30(4), 2020, equation 5): equities E
follow from the values V of claims, V from E. Here V_j is the value of 1 of node j's debt to nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from defirisk.contagion.clearing.network import Bools, Network
from defirisk.core.book import Floats

# A shortfall of this share of what is owed is the rounding of sums, not a default. Only the models
# that jump at default (Rogers-Veraart, Furfine) need to know.
ROUNDING = 1e-12


class Valuation(StrEnum):
    """How a claim is valued."""

    EISENBERG_NOE = "eisenberg-noe"  # Management Science 47(2), 2001, definition 1
    ROGERS_VERAART = "rogers-veraart"  # Management Science 59(4), 2013, equation 2
    FURFINE = "furfine"  # Journal of Money, Credit and Banking 35(1), 2003
    LINEAR_DEBTRANK = "linear-debtrank"  # Bardoscia et al., PLoS One 10(6) e0130406, 2015


class Seniority(StrEnum):
    """Who is paid first by a node that cannot pay all; a convention that moves payments."""

    PARI_PASSU = "pari-passu"  # everybody the same share, as in Rogers and Veraart
    EXTERNAL_FIRST = "external-first"  # nodes get what creditors outside have left


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the models leave open. Shares between 0 and 1, else a ValueError."""

    alpha: float = 1.0  # Rogers-Veraart: share of external assets that survives a default
    beta: float = 1.0  # Rogers-Veraart: share of claims on nodes that survives a default
    recovery_rate: float = 0.0  # Furfine: what a claim on a defaulted node is worth
    seniority: Seniority = Seniority.PARI_PASSU  # Eisenberg-Noe, Rogers-Veraart

    def __post_init__(self) -> None:
        for name in ("alpha", "beta", "recovery_rate"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}: a share between 0 and 1")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Books:
    """What the rules read of a network after a shock. Columns broadcast over S scenarios."""

    external: Floats  # (N, S), external assets after the shock
    equity: Floats  # (N, S), before the shock and with claims at face value
    owed: Floats  # (N, 1)
    senior: Floats  # (N, 1), owed before nodes are paid anything
    junior: Floats  # (N, 1), owed to those who are paid the recovery

    def taken(self, scenarios: slice | Bools) -> Books:
        """The same of some scenarios."""
        return Books(
            external=self.external[:, scenarios],
            equity=self.equity[:, scenarios],
            owed=self.owed,
            senior=self.senior,
            junior=self.junior,
        )


def books(network: Network, before: Floats, after: Floats, claims: Floats, terms: Terms) -> Books:
    """The books of external assets (N, S) before and after, with `claims` (N, S) at face value."""
    owed = network.owed[:, None]
    first = terms.seniority is Seniority.EXTERNAL_FIRST
    return Books(
        external=after,
        equity=before + claims - owed,
        owed=owed,
        senior=network.owed_outside[:, None] if first else np.zeros_like(owed),
        junior=network.owed_inside[:, None] if first else owed,
    )


def recovery(rule: Valuation, terms: Terms, of: Books, claims: Floats) -> Floats:
    """The value of 1 of each node's debt, (N, S), where its claims on nodes are worth `claims`.

    1 where nothing is owed. It never falls when claims rise, which is what makes the greatest and
    the least fixed point exist (Tarski).
    """
    if rule is Valuation.LINEAR_DEBTRANK:
        lost = of.equity - (of.external + claims - of.owed)
        return np.where(of.owed > 0, 1.0 - relative_loss(lost, of.equity, of.owed), 1.0)
    if rule is Valuation.FURFINE:
        solvent = of.external + claims - of.owed > ROUNDING * of.owed
        return np.where(solvent | (of.owed == 0), 1.0, terms.recovery_rate)
    junior = np.broadcast_to(of.junior, claims.shape)
    share = np.ones_like(claims)
    np.divide(paid(rule, terms, of, claims) - of.senior, junior, out=share, where=junior > 0)
    return np.clip(share, 0.0, 1.0, out=share)


def paid(rule: Valuation, terms: Terms, of: Books, claims: Floats) -> Floats:
    """What Eisenberg-Noe or Rogers-Veraart pay out of external assets and `claims`, (N, S)."""
    resources = of.external + claims
    if rule is Valuation.EISENBERG_NOE:
        return np.minimum(of.owed, resources)
    left = terms.alpha * of.external + terms.beta * claims
    whole = resources >= of.owed * (1.0 - ROUNDING)
    return np.where(whole, of.owed, np.minimum(left, of.owed))


def relative_loss(lost: Floats, equity: Floats, owed: Floats | float = 0.0) -> Floats:
    """The share of `equity` (N, S) that is lost, between 0 and 1.

    Without equity any loss beyond rounding is all of it, which is the limit of ever less equity;
    with negative equity everything is lost already.
    """
    share = np.where((equity < 0) | (lost > ROUNDING * owed), 1.0, 0.0)
    with np.errstate(over="ignore"):  # beyond float64 is beyond all of it
        np.divide(lost, equity, out=share, where=equity > 0)
    return np.clip(share, 0.0, 1.0, out=share)
