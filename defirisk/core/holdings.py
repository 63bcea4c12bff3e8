"""What a deployment's rows mean, still in exact integers: units, quotes, parameters, amounts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from fractions import Fraction

from defirisk.core.evm import Address
from defirisk.core.quote import Program
from defirisk.core.requirement import RecoveryMode, Requirement


class Side(IntEnum):
    """`SUPPLY` earns but does not back a debt; `COLLATERAL` does."""

    COLLATERAL = 0
    SUPPLY = 1
    DEBT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One asset as one market prices it. Amounts against it have `decimals`."""

    market: str
    asset: Address
    decimals: int
    program: Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Risk parameters that a holding is subject to, as fractions (1 is 100 %)."""

    label: str
    ltv: Fraction
    liquidation_threshold: Fraction
    liquidation_bonus: Fraction


@dataclass(frozen=True, slots=True)
class Holding:
    """`amount_raw` base units of a quote, held or owed by a unit. Indexes into `Holdings`.

    `balance_raw` is what the contract itself calls the balance now, in base units of the asset:
    the amount with the quote's rates, rounded as the contract rounds. `remainder` is what the
    amount is beyond whole base units, where the contract keeps it on an index of its own.
    """

    unit: int
    quote: int
    side: Side
    amount_raw: int
    balance_raw: int
    parameters: int
    remainder: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """The state of one market or reserve. Raw amounts are base units of `asset`.

    `price` is in units of account per whole token, None without a usable answer; caps are whole
    tokens, 0 for none; `*_apr` are fractions per year. Rates are None where nobody states them.
    `price_made_of` are the contracts that `price_source` asks, where it is no feed itself.
    """

    market: str
    asset: Address
    decimals: int
    supplied_raw: int
    borrowed_raw: int
    cash_raw: int
    deficit_raw: int
    supply_cap: int
    borrow_cap: int
    supply_apr: Fraction | None
    borrow_apr: Fraction | None
    parameters: Parameters
    reserve_factor: Fraction | None
    price: Fraction | None
    price_source: Address
    price_updated_ts: int | None
    price_grade: str
    price_made_of: tuple[Address, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """All liquidation units of one deployment at one block.

    `resolution` is the smallest amount of the unit of account that the contract distinguishes:
    near the edge, each holding may be off by that much in floating point. One for all units, or one
    for each. A unit is an account, or an account and its market: "account:market". `owners` has the
    account of every unit; empty, it is what stands before the colon. `requirements` are margins
    to be kept beyond debts, `recovery` the systems whose thresholds depend on the whole of them.
    `virtual` are assets that are entries in this protocol's books: nobody can sell them elsewhere.
    Rows may come in any order: the book sorts them by unit, as what reads it expects.
    """

    units: tuple[str, ...]
    quotes: tuple[Quote, ...]
    parameters: tuple[Parameters, ...]
    holdings: tuple[Holding, ...]
    markets: tuple[Market, ...]
    owners: tuple[str, ...] = ()
    unit_of_account: str = "USD"
    resolution: Fraction | tuple[Fraction, ...] = field(default=Fraction(1, 10**8))
    requirements: tuple[Requirement, ...] = ()
    recovery: tuple[RecoveryMode, ...] = ()
    virtual: tuple[Address, ...] = ()

    def resolutions(self) -> tuple[Fraction, ...]:
        """The resolution of every unit."""
        if isinstance(self.resolution, tuple):
            return self.resolution
        return (self.resolution,) * len(self.units)

    def unit_owners(self) -> tuple[str, ...]:
        """The account that every unit belongs to."""
        return self.owners or tuple(unit.partition(":")[0] for unit in self.units)
