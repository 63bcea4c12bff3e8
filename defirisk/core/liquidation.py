"""How a protocol liquidates and accrues, as data: a closed set of mechanisms with their parameters.

A new protocol emits these; only a new mechanism touches the engine (`contagion.cascade`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from typing import Protocol, runtime_checkable

from defirisk.core.adapter import MarketAdapter, Snapshot
from defirisk.core.holdings import Holdings


class Mechanism(IntEnum):
    """Who may repay how much of what.

    `CLOSE_FACTOR`: a part of one debt for one collateral, with a bonus (Compound v2, imported).
    `HEALTH_CLOSE_FACTOR`: likewise, but everything at a low health factor or of a small position,
    and of the bonus the protocol takes a fee (Aave v3).
    `WHOLE_POSITION`: the only debt for the only collateral, all of it (Morpho Blue).
    """

    CLOSE_FACTOR = 0
    HEALTH_CLOSE_FACTOR = 1
    WHOLE_POSITION = 2


class BadDebt(IntEnum):
    """What becomes of a debt without collateral: it stays among the debts; the protocol books it as
    a deficit and the debt is gone; or lenders lose it at once.
    """

    STAYS = 0
    DEFICIT = 1
    SOCIALISED = 2


class Rounding(IntEnum):
    """How a contract cuts a balance to whole base units; `NEAREST` rounds half up."""

    DOWN = 0
    UP = 1
    NEAREST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One mechanism with its parameters; fractions, and values in the market's unit of account.

    `close_factor` is of the debt repaid, or of all debts (`of_all_debts`). `full_close_health`: at
    this health factor or below everything may be repaid; `full_close_below`: also where that debt
    or that collateral is worth less. `leftover` is the least that debt and collateral may be left
    worth, if neither is closed. The roundings are those of balances. `in_shares`: what is seized is
    counted in whole shares, at a ratio cut to 18 decimals. `value_grain` is the smallest value that
    the protocol sees: collateral worth less is none.
    """

    mechanism: Mechanism
    close_factor: Fraction
    bad_debt: BadDebt
    full_close_health: Fraction = Fraction(0)
    full_close_below: Fraction = Fraction(0)
    leftover: Fraction = Fraction(0)
    of_all_debts: bool = False
    in_shares: bool = False
    value_grain: Fraction = Fraction(0)
    collateral_rounding: Rounding = Rounding.DOWN
    debt_rounding: Rounding = Rounding.DOWN


class Model(IntEnum):
    """How a market's rates follow its use, and how interest compounds.

    `KINKED_SECONDS`: two slopes over utilisation, per year; a rate holds from one interaction to
    the next, meanwhile supply grows linearly and debt as (1 + rate per second)^seconds to the third
    term (Aave v3 until v3.3). `KINKED_EXPONENTIAL`: likewise, debt as e^x to the third order (Aave
    v3 since v3.4). `KINKED_BLOCKS`: two slopes, per block, simple interest on totals that anybody
    may accrue and that lenders share (Compound v2). `LINEAR`: `base` plus `slope1` times
    utilisation, per second, of the totals since the last interaction; debt as e^x to the third
    order, debts and loans in shares of an offset of their own (Morpho Blue).
    """

    KINKED_SECONDS = 0
    KINKED_EXPONENTIAL = 1
    KINKED_BLOCKS = 2
    LINEAR = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """A model, its parameters, and where it stands: fractions per year, block or second.

    The rate is `base` plus `slope1` times utilisation up to the `kink`, plus `slope2` times what is
    beyond it. A market whose parameters are not known has its last rate for `base`, and no slopes.

    `borrow_rate` and `supply_rate` are those in force. `elapsed` seconds (`KINKED_BLOCKS`: blocks)
    have passed since the protocol stored its totals. The quotes' rates contain the interest of
    these seconds, but not of these blocks: so do the protocols themselves when they decide.
    """

    model: Model
    borrow_rate: Fraction
    supply_rate: Fraction
    base: Fraction
    slope1: Fraction = Fraction(0)
    slope2: Fraction = Fraction(0)
    kink: Fraction = Fraction(1)
    reserve_factor: Fraction = Fraction(0)
    elapsed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pocket:
    """What one market holds of one asset: it accrues together, and pays out from its cash.

    `market` is a place in `Holdings.markets`; `supply_quote` and `debt_quote` are places in
    `Holdings.quotes`, whose rates its interest moves. Totals are base units of the asset as the
    protocol stored them, without the interest of the time elapsed since. `fee` is the protocol's:
    of the bonus (`HEALTH_CLOSE_FACTOR`), of what is seized (`CLOSE_FACTOR`). `pays_out`: seized
    collateral leaves the market's cash. What has no pocket accrues nothing and needs no cash, as
    the collateral of Morpho Blue, which lies apart. `shares_raw` are the debt shares issued, where
    shares have an offset of their own (`LINEAR`), `supply_shares_raw` likewise; else 0.
    """

    market: int
    supply_quote: int
    debt_quote: int
    cash_raw: int
    supplied_raw: int
    borrowed_raw: int
    interest: Interest
    reserves_raw: int = 0
    deficit_raw: int = 0
    fee: Fraction = Fraction(0)
    pays_out: bool = True
    shares_raw: int = 0
    supply_shares_raw: int = 0


NO_RULE = -1
"""In `Liquidation.unit_rule`: nobody can liquidate this unit, or how is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Liquidation:
    """How a deployment's units are liquidated: `unit_rule` has the place of each unit's rule."""

    rules: tuple[Rule, ...] = ()
    unit_rule: tuple[int, ...] = ()
    pockets: tuple[Pocket, ...] = ()


@runtime_checkable
class Liquidates(MarketAdapter, Protocol):
    """A market whose liquidations the cascade can play."""

    def liquidation(self, snapshot: Snapshot, exact: Holdings) -> Liquidation:
        """Rules and pockets, on the axes of `exact`, which are the snapshot's `holdings`."""
