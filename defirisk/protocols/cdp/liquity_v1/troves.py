"""Troves in the contract's integers: what is pending, collateral ratios, who can be liquidated.

Source: `TroveManagerBase`, `TroveManager._liquidateNormalMode`, `_liquidateRecoveryMode` and
`LiquityMath` of npm @sovryn-zero/contracts 0.4.0.
"""

from __future__ import annotations

from dataclasses import dataclass

from defirisk.protocols.cdp.liquity_v1.rows import ACTIVE, WAD, System, Trove

NO_DEBT = 2**256 - 1
"""The collateral ratio of what owes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TroveNow:
    """A trove with what is pending for it: `getEntireDebtAndColl`."""

    stored: Trove
    pending_debt_raw: int
    pending_coll_raw: int

    @property
    def debt_raw(self) -> int:
        """All it owes."""
        return self.stored.debt_raw + self.pending_debt_raw

    @property
    def coll_raw(self) -> int:
        """All its collateral."""
        return self.stored.coll_raw + self.pending_coll_raw


def trove_now(trove: Trove, system: System) -> TroveNow:
    """With the redistributions since its snapshot, each side cut to whole base units."""
    if trove.status != ACTIVE:
        return TroveNow(stored=trove, pending_debt_raw=0, pending_coll_raw=0)
    coll = system.l_coll_wad - trove.l_coll_snapshot_wad
    debt = system.l_debt_wad - trove.l_debt_snapshot_wad
    return TroveNow(
        stored=trove,
        pending_debt_raw=trove.stake_raw * debt // WAD,
        pending_coll_raw=trove.stake_raw * coll // WAD,
    )


def collateral_ratio(coll_raw: int, debt_raw: int, price_wad: int) -> int:
    """`LiquityMath._computeCR`, 1e18 is 100 %."""
    return coll_raw * price_wad // debt_raw if debt_raw else NO_DEBT


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """By what a liquidation is decided, at one price."""

    mcr_wad: int
    ccr_wad: int
    deposits_raw: int
    tcr_wad: int
    troves: int
    price_wad: int

    @property
    def recovery(self) -> bool:
        """`checkRecoveryMode`."""
        return self.tcr_wad < self.ccr_wad

    def is_due(self, trove: TroveNow) -> bool:
        """Whether its ratio lets it be liquidated, were it not the last trove."""
        ratio = collateral_ratio(trove.coll_raw, trove.debt_raw, self.price_wad)
        if not self.recovery:
            return ratio < self.mcr_wad
        if ratio >= self.mcr_wad and self.deposits_raw == 0:
            return False
        if ratio <= WAD or ratio < self.mcr_wad:
            return True
        return ratio < self.tcr_wad and trove.debt_raw <= self.deposits_raw

    def can_be_liquidated(self, trove: TroveNow) -> bool:
        """Whether `liquidate` succeeds: the last trove stays."""
        return trove.stored.status == ACTIVE and self.troves > 1 and self.is_due(trove)

    def refuses(self, trove: TroveNow) -> bool:
        """Whether `liquidate` of an active trove says that there is nothing to liquidate.

        In recovery mode it says so of the last trove, else it says that this is the last.
        """
        return not self.is_due(trove) or (self.recovery and self.troves <= 1)
