"""Perpetual futures as every protocol's reports see them: positions, accounts, markets.

Amounts are exact. Prices and money are in the unit of account (`Holdings.unit_of_account`), sizes
in whole tokens of the base asset, above 0 for longs and below for shorts. Rates are per day.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Protocol, runtime_checkable

from defirisk.core.adapter import Snapshot


class Mode(StrEnum):
    """Whether each position answers for itself, or all positions of an account together."""

    ISOLATED = "isolated"
    CROSS = "cross"


@dataclass(frozen=True, slots=True, kw_only=True)
class PerpPosition:
    """What a unit holds in one market.

    `entry_price` is what was paid per token; None where the protocol keeps no such number.
    `accrued_funding` is above 0 where the account receives. `liquidation_price` is the price of
    this market, all others unchanged, at which the unit can be liquidated: None where there is
    none above 0. `grade` is "read" where a part of it was read from a view. A maker has open
    `orders`; `provided` is what these hold now, base tokens at the mark price.
    """

    unit: str
    market: str
    size: Fraction
    entry_price: Fraction | None
    mark_price: Fraction | None
    unrealised_pnl: Fraction | None
    accrued_funding: Fraction
    liquidation_price: Fraction | None
    maker: bool = False
    grade: str = "compared"
    orders: int = 0
    provided: Fraction | None = None

    @property
    def notional(self) -> Fraction | None:
        """The size at the mark price, without sign."""
        return None if self.mark_price is None else abs(self.size) * self.mark_price


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginAccount:
    """What a unit's positions are backed by. `equity` is margin, profit, loss and funding together.

    It may be negative: then the account owes more than it has. The requirements are what opening
    and keeping its positions demands; at `equity` below `maintenance` it can be liquidated.
    """

    unit: str
    owner: str
    mode: Mode
    margin: Fraction
    equity: Fraction | None
    initial: Fraction | None
    maintenance: Fraction | None
    liquidatable: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PerpMarket:
    """One market. Open interest and skew are in whole tokens; `skew` is longs less shorts.

    `funding_rate` is what longs pay to shorts per day, as a fraction of the notional. `limits`
    are further facts in the contract's own words, such as ("skew scale", "1000000").
    """

    market: str
    name: str
    base_asset: str
    mark_price: Fraction | None
    index_price: Fraction | None
    long_interest: Fraction
    short_interest: Fraction
    funding_rate: Fraction | None
    initial_ratio: Fraction
    maintenance_ratio: Fraction
    limits: tuple[tuple[str, str], ...] = ()

    @property
    def skew(self) -> Fraction:
        """Longs less shorts."""
        return self.long_interest - self.short_interest


@dataclass(frozen=True, slots=True, kw_only=True)
class Perps:
    """All perpetuals of one deployment at one block. `insurance_fund` is None where there is none.

    `bad_debt` is what accounts owe beyond what they have.
    """

    positions: tuple[PerpPosition, ...]
    accounts: tuple[MarginAccount, ...]
    markets: tuple[PerpMarket, ...]
    insurance_fund: Fraction | None
    bad_debt: Fraction


@runtime_checkable
class StatesPerps(Protocol):
    """An adapter of a protocol with perpetual futures."""

    def perps(self, snapshot: Snapshot) -> Perps:
        """Positions, accounts and markets at the snapshot's block."""
