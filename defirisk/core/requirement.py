"""What a protocol demands beyond what is owed, where that is no fixed share of the collateral."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """Margin that a unit must keep because of `amount_raw` base units of a quote.

    It is `ratio` times the value of the amount less `offset`, but not below `low` and not above
    `high` (units of account, per unit; None: no limit on that side). What a tier demands beyond the
    one before it has an offset, and 0 as `low`. Both sides of a trade need margin, so amounts
    are never negative. A unit may have several: they add up. `initial_ratio` is what opening the
    same amount demands. Indexes into `Holdings`.

    A unit can be liquidated when its collateral, each times its liquidation threshold, less its
    debts and its requirements is negative.
    """

    unit: int
    quote: int
    amount_raw: int
    ratio: Fraction
    initial_ratio: Fraction
    low: Fraction | None = None
    high: Fraction | None = None
    offset: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryMode:
    """A system of debts in which all answer for the system's own collateral ratio.

    While everything that is pledged is worth less than `critical_ratio` times everything that is
    owed, units with a collateral ratio below that of the system can be liquidated too, though not
    above `critical_ratio`, else those below `minimum_ratio`. At `minimum_ratio` or above, only
    those that owe no more than `absorbed_raw` base units, which stand ready to absorb a debt; None:
    that does not matter. The last unit of a system cannot be liquidated. `minimum_ratio` is in the
    liquidation thresholds of the units' holdings too. Source: Liquity v1,
    TroveManager.checkRecoveryMode and liquidate. Indexes into `Holdings`.
    """

    units: tuple[int, ...]
    collateral: int
    debt: int
    collateral_raw: int
    debt_raw: int
    minimum_ratio: Fraction
    critical_ratio: Fraction
    absorbed_raw: int | None = None
