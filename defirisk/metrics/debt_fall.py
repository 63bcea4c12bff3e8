"""Collateralised debt where the price of its collateral falls: ratios, modes, who pays.

Unit: ratios and falls are fractions, amounts base units. NaN policy: positions without a known
ratio are left out and counted. Nothing is played: debts stay as they are, with interest and what is
pending counted in, and no liquidation moves what the next one meets.
Source: Liquity v1, `TroveManager._liquidateRecoveryMode`, `_redeemCollateral`; Maker, `Cat.bite`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from defirisk.core.debt_position import DebtMarket, DebtPosition, DebtSystem

NOTHING = Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallen:
    """One market after a fall. `debt_raw` is what liquidatable positions owe, `absorbed_raw` the
    part of it that stability deposits can pay (None: there are none), `uncovered_raw` what all
    positions owe beyond their collateral.
    """

    fall: Fraction
    total_ratio: Fraction | None
    recovery_mode: bool | None
    positions: int
    debt_raw: int
    absorbed_raw: int | None
    uncovered_raw: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """A position that is redeemed against, after `before_raw` of the debt token were redeemed."""

    position: DebtPosition
    before_raw: int


def priced(system: DebtSystem, market: DebtMarket) -> list[tuple[DebtPosition, Fraction]]:
    """The positions of a market that owe something, with their ratios, the least first."""
    own = [
        (one, one.ratio)
        for one in system.positions
        if one.market == market.market and one.debt_raw and one.ratio is not None
    ]
    return sorted(own, key=lambda pair: pair[1])


def distance_to_recovery(market: DebtMarket) -> Fraction | None:
    """The fall of the price at which the mode begins: below 0 in recovery mode, where the price has
    to rise. None without such a mode, debt or price.
    """
    if market.critical_ratio is None or not market.total_ratio:
        return None
    return 1 - market.critical_ratio / market.total_ratio


def after_falls(
    system: DebtSystem, market: DebtMarket, falls: Sequence[Fraction]
) -> tuple[Fallen, ...]:
    """The market after each of these falls of its price."""
    own = priced(system, market)
    return tuple(_after(own, market, fall) for fall in falls)


def _after(
    own: Sequence[tuple[DebtPosition, Fraction]], market: DebtMarket, fall: Fraction
) -> Fallen:
    left, total, critical = 1 - fall, market.total_ratio, market.critical_ratio
    after = None if total is None else total * left
    due = [one for one, ratio in own if _is_due(one, ratio * left, market, after)]
    if critical is not None and len(own) == 1:
        due = []  # the last one of such a system stays
    debt, deposits = sum(one.debt_raw for one in due), market.stability_deposits_raw
    short = (one.debt_raw * max(NOTHING, 1 - ratio * left) for one, ratio in own)
    return Fallen(
        fall=fall,
        total_ratio=after,
        recovery_mode=None if critical is None or after is None else after < critical,
        positions=len(due),
        debt_raw=debt,
        absorbed_raw=None if deposits is None else min(deposits, debt),
        uncovered_raw=round(sum(short, NOTHING)),
    )


def _is_due(one: DebtPosition, ratio: Fraction, market: DebtMarket, total: Fraction | None) -> bool:
    """In recovery mode, also what is below the system's own ratio, if its debt can be absorbed."""
    critical = market.critical_ratio
    if ratio < market.minimum_ratio:
        return True
    if critical is None or total is None or total >= critical:
        return False
    return ratio < total and one.debt_raw <= (market.stability_deposits_raw or 0)


def redemptions(system: DebtSystem, market: DebtMarket) -> tuple[Redemption, ...]:
    """Positions in the order in which redemptions reach them: the least ratio first, without those
    below the minimum. Empty where nothing can be redeemed: while all that is pledged is below the
    minimum, nobody may.
    """
    if not market.redeemable or not market.total_ratio or market.total_ratio < market.minimum_ratio:
        return ()
    found, before = [], 0
    for one, ratio in priced(system, market):
        if ratio >= market.minimum_ratio:
            found.append(Redemption(position=one, before_raw=before))
            before += one.debt_raw
    return tuple(found)
