"""Collateralised debt positions (troves, urns) as every protocol's reports see them. Exact.

Money is in the unit of account of the debt's own token at its target price.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, runtime_checkable

from defirisk.core.adapter import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class DebtPosition:
    """One trove or urn, with what is pending for it. `ratio` is collateral over debt.

    `collateral_raw` and `debt_raw` are base units. `ratio` is None without debt or price.
    """

    unit: str
    owner: str
    market: str
    collateral_raw: int
    debt_raw: int
    ratio: Fraction | None
    liquidatable: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DebtMarket:
    """One kind of collateral. Ratios and yearly rates are fractions; `debt_ceiling` None: none.

    `stability_deposits` are what stands ready to absorb
    liquidated debt; None where there is no such pool. `total_ratio` is everything pledged over
    everything owed; `recovery_mode` whether that is below what the system demands. `redeemable`:
    whoever has the debt token may have collateral for it, of the positions with the least ratio
    that is not below the minimum.
    """

    market: str
    collateral: str
    collateral_decimals: int
    debt: str
    debt_decimals: int
    collateral_raw: int
    debt_raw: int
    price: Fraction | None
    minimum_ratio: Fraction
    minimum_debt_raw: int
    debt_ceiling_raw: int | None
    stability_fee_apr: Fraction | None
    stability_deposits_raw: int | None
    liquidation_penalty: Fraction
    total_ratio: Fraction | None
    critical_ratio: Fraction | None
    recovery_mode: bool | None
    limits: tuple[tuple[str, str], ...] = ()
    redeemable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DebtAuction:
    """A lot of collateral that is being sold. `asked_raw` is the debt that it is to bring, with the
    penalty, `bid_raw` the best bid: base units of the debt.
    """

    market: str
    auction: str
    lot_raw: int
    asked_raw: int
    bid_raw: int
    end_ts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DebtReserves:
    """What a system of several markets has and owes itself, in base units of the debt.

    `ceiling_raw` and `debt_raw` are of all markets, with the debt that is nobody's any more:
    `written_off_raw`, which auctions are to pay off (Maker's `vice`, the sum of all `sin`).
    `surplus_raw` is what the system has, None where that was never read; `unbacked_raw` what is
    left of the debt written off after surplus and auctions.
    """

    ceiling_raw: int
    debt_raw: int
    written_off_raw: int
    surplus_raw: int | None
    unbacked_raw: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DebtSystem:
    """All collateralised debt of one deployment at one block. `bad_debt_raw` is booked by nobody.

    It is what positions owe beyond what their collateral is worth, in base units of the debt.
    `limits` are further facts on the whole, in the contracts' own words.
    """

    positions: tuple[DebtPosition, ...]
    markets: tuple[DebtMarket, ...]
    bad_debt_raw: int
    auctions: tuple[DebtAuction, ...] = ()
    reserves: DebtReserves | None = None
    limits: tuple[tuple[str, str], ...] = ()


@runtime_checkable
class StatesDebt(Protocol):
    """An adapter of a protocol that issues debt against collateral."""

    def debt(self, snapshot: Snapshot) -> DebtSystem:
        """Positions and markets at the snapshot's block."""
