"""What perpetuals lose where prices jump: who is reached, and what is owed beyond margins.

Unit: amounts are exact, in the unit of account; moves and rooms are fractions of a price. NaN
policy: units without a known equity or price are left out and counted. What is owed is taken as if
nobody were liquidated in between: that is what a jump does. Funding and collateral do not move.
Source: our own definition; the expected shortfall is the mean of the worst part of the outcomes
(Acerbi and Tasche 2002, eq. 11), for prices that all move by one normal return.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.special import ndtri

from defirisk.core.book import Floats
from defirisk.core.margin import PerpPosition, Perps
from defirisk.metrics.margin import NOTHING, by_unit, required_ratios

OUTCOMES = 20_000
"""Equally likely returns of which a tail is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One unit in one asset. A price is None where there is none above 0.

    `tokens` is what the unit gains per unit of the price, below 0 for shorts. Between liquidation
    and bankruptcy price the margin still pays: `room` is the way between them, as a part of the
    liquidation price, infinite where no price takes everything.
    """

    unit: str
    owner: str
    market: str
    tokens: Fraction
    mark_price: Fraction
    equity: Fraction
    liquidation_price: Fraction | None
    bankruptcy_price: Fraction | None
    room: float | None

    @property
    def passed(self) -> bool:
        """Whether the price is beyond the liquidation price already."""
        price = self.liquidation_price
        if price is None:
            return False
        return price >= self.mark_price if self.tokens > 0 else price <= self.mark_price

    @property
    def jump(self) -> Fraction | None:
        """The move of the price that takes everything; None where none does, or all is gone."""
        if self.bankruptcy_price is None or self.equity <= 0 or not self.mark_price:
            return None
        return self.bankruptcy_price / self.mark_price - 1

    def equity_at(self, price: Fraction) -> Fraction:
        """At this price, all others unchanged."""
        return self.equity + self.tokens * (price - self.mark_price)

    def left_beyond(self, jump: Fraction) -> Fraction:
        """What is owed beyond the margin where the price first stops so far (a part of it) past
        the liquidation price. 0 where there is none.
        """
        if self.liquidation_price is None:
            return NOTHING
        way = -jump if self.tokens > 0 else jump
        return max(NOTHING, -self.equity_at(self.liquidation_price * (1 + way)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Everything that a jump of the prices of an asset (None: of all) by `move` does at once.

    `units` and their `notional` today can be liquidated then; all units together owe `owed` more
    than they have. Requirements are taken as the part of the notional that they are now.
    """

    asset: str | None
    move: Fraction
    units: int
    notional: Fraction
    owed: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """What all units together owe beyond what they have, after one return with this standard
    deviation: on average, at `level` of the outcomes, and on average beyond that.
    """

    volatility: float
    level: float
    mean: float
    at_level: float
    shortfall: float


def gaps(perps: Perps) -> tuple[Gap, ...]:
    """Every unit in every asset in which it holds something, in the order of the positions."""
    accounts = {one.unit: one for one in perps.accounts}
    found = []
    for unit, asset, held in _by_asset(perps):
        account, mark = accounts.get(unit), held[0].mark_price
        tokens = sum((one.size for one in held), NOTHING)
        if account is None or account.equity is None or mark is None or not tokens:
            continue
        fall, broke = held[0].liquidation_price, mark - account.equity / tokens
        found.append(
            Gap(
                unit=unit,
                owner=account.owner,
                market=held[0].market if len(held) == 1 else asset,
                tokens=tokens,
                mark_price=mark,
                equity=account.equity,
                liquidation_price=fall,
                bankruptcy_price=broke if broke > 0 else None,
                room=_room(fall, broke, tokens),
            )
        )
    return tuple(found)


def _room(fall: Fraction | None, broke: Fraction, tokens: Fraction) -> float | None:
    if fall is None:
        return None
    if broke <= 0:
        return np.inf if tokens > 0 else None
    return float((fall - broke) / fall * (1 if tokens > 0 else -1))


def reached(
    perps: Perps, moves: Sequence[Fraction], asset: str | None = None
) -> tuple[Reached, ...]:
    """What each of these moves does, of one asset or of all together."""
    lines = list(_lines(perps, asset))
    return tuple(_reached(lines, move, asset) for move in moves)


@dataclass(frozen=True, slots=True)
class _Line:
    """A unit as lines of a move: equity, and what is beyond maintenance (None: not known)."""

    equity: Fraction
    gain: Fraction
    spare: Fraction | None
    spared: Fraction
    notional: Fraction


def _reached(lines: Sequence[_Line], move: Fraction, asset: str | None) -> Reached:
    due = [one for one in lines if one.spare is not None and one.spare + one.spared * move < 0]
    owed = (max(NOTHING, -one.equity - one.gain * move) for one in lines)
    return Reached(
        asset=asset,
        move=move,
        units=len(due),
        notional=sum((one.notional for one in due), NOTHING),
        owed=sum(owed, NOTHING),
    )


def _lines(perps: Perps, asset: str | None) -> Iterator[_Line]:
    held, ratios = by_unit(perps), required_ratios(perps)
    assets = _assets(perps)
    for account in perps.accounts:
        own = held.get(account.unit, [])
        if account.equity is None or any(one.mark_price is None for one in own):
            continue
        needed, known = account.maintenance, all((p.unit, p.market) in ratios for p in own)
        moving = [p for p in own if asset is None or assets.get(p.market, p.market) == asset]
        gain = sum((p.size * (p.mark_price or NOTHING) for p in moving), NOTHING)
        kept = sum(
            (ratios.get((p.unit, p.market), NOTHING) * (p.notional or NOTHING) for p in moving),
            NOTHING,
        )
        yield _Line(
            equity=account.equity,
            gain=gain,
            spare=account.equity - needed if needed is not None and known and own else None,
            spared=gain - kept,
            notional=sum((p.notional or NOTHING for p in own), NOTHING),
        )


def unknown(perps: Perps) -> int:
    """Units that are left out: without a known equity or price."""
    held = by_unit(perps)
    return sum(
        account.equity is None or any(p.mark_price is None for p in held.get(account.unit, []))
        for account in perps.accounts
    )


def tails(perps: Perps, volatilities: Sequence[float], level: float = 0.99) -> tuple[Tail, ...]:
    """For each standard deviation of the return that all prices have; none falls below 0."""
    lines = list(_lines(perps, None))
    equity = np.array([float(one.equity) for one in lines])
    gain = np.array([float(one.gain) for one in lines])
    normal = ndtri((np.arange(OUTCOMES) + 0.5) / OUTCOMES)
    return tuple(_tail(equity, gain, normal, volatility, level) for volatility in volatilities)


def _tail(equity: Floats, gain: Floats, normal: Floats, volatility: float, level: float) -> Tail:
    owed = np.sort(owed_at(equity, gain, np.maximum(normal * volatility, -1.0)))
    first = int(np.ceil(len(owed) * level))
    return Tail(
        volatility=volatility,
        level=level,
        mean=float(owed.mean()),
        at_level=float(owed[first - 1]),
        shortfall=float(owed[first:].mean()),
    )


def owed_at(equity: Floats, gain: Floats, moves: Floats) -> Floats:
    """What N units with lines (N,) owe beyond what they have, at each of S moves: (S,).

    A unit that gains owes below the move at which it has nothing, one that loses above it; sorted
    by that move, both are sums of all before.
    """
    still = gain == 0
    total = np.full(len(moves), -np.minimum(equity[still], 0.0).sum())
    for sign in (1.0, -1.0):
        own = sign * gain > 0
        worth, slope = equity[own], np.abs(gain[own])
        order = np.argsort(-worth / slope, kind="stable")[::-1]
        edge = (-worth / slope)[order]
        worths, slopes = (
            np.concatenate([[0.0], np.cumsum(values[order])]) for values in (worth, slope)
        )
        # Mirrored, what loses by a rise loses by a fall.
        count = np.searchsorted(-edge, -sign * moves, side="left")
        total += -worths[count] - sign * slopes[count] * moves
    return np.asarray(np.maximum(total, 0.0), dtype=np.float64)


def _by_asset(perps: Perps) -> Iterator[tuple[str, str, list[PerpPosition]]]:
    assets, found = _assets(perps), dict[tuple[str, str], list[PerpPosition]]()
    for one in perps.positions:
        if one.size:
            key = (one.unit, assets.get(one.market, one.market))
            found.setdefault(key, []).append(one)
    return ((unit, asset, held) for (unit, asset), held in found.items())


def _assets(perps: Perps) -> dict[str, str]:
    """All markets of an asset move together."""
    return {one.market: one.base_asset for one in perps.markets}
