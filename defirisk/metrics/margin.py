"""How much perpetuals are levered, how near liquidation they are, and what a price does to them.

Unit: leverage is notional over equity, infinite without equity; a margin ratio is equity over the
maintenance requirement, below 1 liquidatable, infinite where nothing must be kept. Amounts are
exact, in the unit of account; sensitivities are whole tokens, which are units of account per unit
of price. NaN policy: what needs an unknown price is None or NaN, is left out of quantiles, and is
counted in `unknown`.
Source: leverage, bankruptcy price and the linear funding rule as in the paper of
pluriholonomic/autodeleveraging-analysis, whose running example is a test; quantiles are our own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from defirisk.core.book import Floats
from defirisk.core.margin import MarginAccount, PerpPosition, Perps

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
NOTHING = Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """A unit with positions. `buffer` is how much more opening them demands than keeping them,
    `spare` what the unit has beyond maintenance: below 0 it can be liquidated.
    """

    unit: str
    owner: str
    notional: Fraction | None
    equity: Fraction | None
    leverage: float
    margin_ratio: float
    buffer: Fraction | None
    spare: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """Quantiles over units, each weighing its notional: at `levels`, L of them. `at_risk` is the
    part of the notional whose unit has no more than its initial requirement.
    """

    levels: tuple[float, ...]
    leverage: tuple[float, ...]
    margin_ratio: tuple[float, ...]
    notional: Fraction
    at_risk: float
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """What an owner's equity gains per unit of the price of `asset`, and how much of the rise is
    not needed for maintenance. `usd` is the gain if the price rose by all of itself. `asset` is
    None for an owner in total, where only `usd` adds up.
    """

    owner: str
    asset: str | None
    equity_per_price: Fraction | None
    spare_per_price: Fraction | None
    usd: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSensitivity:
    """What all margins together gain, and what more must be kept, per unit of the price of `asset`.

    `longs_usd` is what longs gain, and `shorts_usd` what shorts lose, if the price rose by all of
    itself.
    """

    asset: str
    equity_per_price: Fraction
    maintenance_per_price: Fraction | None
    longs_usd: Fraction
    shorts_usd: Fraction


def margins(perps: Perps) -> tuple[Margin, ...]:
    """Every unit that has a position, in the order of the accounts."""
    positions = by_unit(perps)
    return tuple(
        _margin(one, positions[one.unit]) for one in perps.accounts if one.unit in positions
    )


def by_unit(perps: Perps) -> dict[str, list[PerpPosition]]:
    """Positions with a size, by unit."""
    found: dict[str, list[PerpPosition]] = {}
    for one in perps.positions:
        if one.size:
            found.setdefault(one.unit, []).append(one)
    return found


def distribution(perps: Iterable[Perps], levels: Sequence[float] = LEVELS) -> Distribution:
    """Of all units of one or several deployments."""
    every = [one for part in perps for one in margins(part)]
    known = [one for one in every if one.notional is not None and not np.isnan(one.leverage)]
    weights = np.array([float(one.notional or 0) for one in known])
    total = sum((one.notional or NOTHING for one in known), NOTHING)
    tight = [
        one.notional or NOTHING
        for one in known
        if one.spare is not None and one.buffer is not None and one.spare <= one.buffer
    ]
    return Distribution(
        levels=tuple(levels),
        leverage=quantiles(np.array([one.leverage for one in known]), weights, levels),
        margin_ratio=quantiles(np.array([one.margin_ratio for one in known]), weights, levels),
        notional=total,
        at_risk=float(sum(tight, NOTHING) / total) if total else np.nan,
        unknown=len(every) - len(known),
    )


def quantiles(values: Floats, weights: Floats, levels: Sequence[float]) -> tuple[float, ...]:
    """The least value (n,) at which the values up to it have this part of all weight (n,).

    NaN where there is no weight; NaN values are left out.
    """
    known = ~np.isnan(values) & (weights > 0)
    if not known.any():
        return (np.nan,) * len(levels)
    order = np.argsort(values[known], kind="stable")
    sorted_values, upto = values[known][order], np.cumsum(weights[known][order])
    # The last sum is all there is, whatever the rounding of the others was.
    places = np.searchsorted(upto / upto[-1], np.asarray(levels), side="left")
    return tuple(float(one) for one in sorted_values[np.minimum(places, len(upto) - 1)])


def leverage(notional: Fraction | None, equity: Fraction | None) -> float:
    """Notional over equity: infinite where there is none left, NaN where a price is unknown."""
    if notional is None or equity is None:
        return np.nan
    return float(notional / equity) if equity > 0 else np.inf


def bankruptcy_price(position: PerpPosition, equity: Fraction) -> Fraction | None:
    """The price at which this equity is gone, with nothing else moving; None where none is above 0.

    Source: the paper's p - c / (b q).
    """
    if position.mark_price is None or not position.size:
        return None
    price = position.mark_price - equity / position.size
    return price if price > 0 else None


def linear_funding(
    strength: Fraction, longs: Fraction, shorts: Fraction, mark: Fraction, oracle: Fraction
) -> Fraction:
    """The funding rate of one interval: strength (L / S - mark / oracle), of the notional.

    Above 0, shorts pay longs: the sign of the paper, not that of `PerpMarket.funding_rate`.
    """
    return strength * (longs / shorts - mark / oracle)


def funding_received(size: Fraction, mark: Fraction, rate: Fraction) -> Fraction:
    """What a position gets for one interval at a rate of `linear_funding`."""
    return size * mark * rate


def sensitivities(perps: Perps) -> tuple[Sensitivity, ...]:
    """By owner and asset, each owner's total last; owners in the order of their accounts.

    Units without a known price are left out. Funding and collateral are taken not to move.
    """
    asset = {one.market: one.base_asset for one in perps.markets}
    owners = {one.unit: one.owner for one in perps.accounts}
    found: dict[str, dict[str, list[PerpPosition]]] = {owner: {} for owner in owners.values()}
    for one in perps.positions:
        if one.size and one.mark_price is not None and one.unit in owners:
            own = found[owners[one.unit]]
            own.setdefault(asset.get(one.market, one.market), []).append(one)
    ratios = required_ratios(perps)
    rows: list[Sensitivity] = []
    for owner, assets in found.items():
        own_rows = [_sensitivity(owner, name, held, ratios) for name, held in assets.items()]
        if own_rows:
            usd = sum((one.usd for one in own_rows), NOTHING)
            total = Sensitivity(
                owner=owner, asset=None, equity_per_price=None, spare_per_price=None, usd=usd
            )
            rows += [*own_rows, total]
    return tuple(rows)


def _sensitivity(
    owner: str,
    asset: str,
    held: Sequence[PerpPosition],
    ratios: Mapping[tuple[str, str], Fraction],
) -> Sensitivity:
    gain = sum((one.size for one in held), NOTHING)
    known = all((one.unit, one.market) in ratios for one in held)
    kept = (abs(one.size) * ratios.get((one.unit, one.market), NOTHING) for one in held)
    return Sensitivity(
        owner=owner,
        asset=asset,
        equity_per_price=gain,
        spare_per_price=gain - sum(kept, NOTHING) if known else None,
        usd=sum((one.size * (one.mark_price or NOTHING) for one in held), NOTHING),
    )


def market_sensitivities(perps: Perps) -> tuple[MarketSensitivity, ...]:
    """By asset, in the order of the markets; without those in which nobody has a position."""
    asset = {one.market: one.base_asset for one in perps.markets}
    ratios = required_ratios(perps)
    found: dict[str, list[PerpPosition]] = {one.base_asset: [] for one in perps.markets}
    for one in perps.positions:
        if one.size and one.mark_price is not None:
            found.setdefault(asset.get(one.market, one.market), []).append(one)
    return tuple(_of_market(name, held, ratios) for name, held in found.items() if held)


def _of_market(
    asset: str, held: Sequence[PerpPosition], ratios: Mapping[tuple[str, str], Fraction]
) -> MarketSensitivity:
    known = all((one.unit, one.market) in ratios for one in held)
    kept = (abs(one.size) * ratios.get((one.unit, one.market), NOTHING) for one in held)
    gains = [one.size * (one.mark_price or NOTHING) for one in held]
    return MarketSensitivity(
        asset=asset,
        equity_per_price=sum((one.size for one in held), NOTHING),
        maintenance_per_price=sum(kept, NOTHING) if known else None,
        longs_usd=sum((one for one in gains if one > 0), NOTHING),
        shorts_usd=-sum((one for one in gains if one < 0), NOTHING),
    )


def required_ratios(perps: Perps) -> dict[tuple[str, str], Fraction]:
    """Maintenance of each position as a part of its notional, by unit and market.

    A unit's requirement is shared out by the ratios of its markets. Left out: units without a known
    requirement or price.
    """
    ratio = {one.market: one.maintenance_ratio for one in perps.markets}
    positions = by_unit(perps)
    found: dict[tuple[str, str], Fraction] = {}
    for account in perps.accounts:
        held = positions.get(account.unit, [])
        notionals = [one.notional for one in held]
        if account.maintenance is None or not all(notionals):
            continue
        parts = [
            (n or NOTHING) * ratio.get(p.market, NOTHING)
            for p, n in zip(held, notionals, strict=True)
        ]
        if not sum(parts, NOTHING):
            parts = [n or NOTHING for n in notionals]
        whole = sum(parts, NOTHING)
        for one, part, notional in zip(held, parts, notionals, strict=True):
            found[one.unit, one.market] = account.maintenance * part / whole / (notional or 1)
    return found


def _margin(account: MarginAccount, held: Sequence[PerpPosition]) -> Margin:
    notionals = [one.notional for one in held]
    unknown = any(one is None for one in notionals)
    notional = None if unknown else sum((one or NOTHING for one in notionals), NOTHING)
    equity, needed, opening = account.equity, account.maintenance, account.initial
    return Margin(
        unit=account.unit,
        owner=account.owner,
        notional=notional,
        equity=equity,
        leverage=leverage(notional, equity),
        margin_ratio=_over(equity, needed),
        buffer=None if opening is None or needed is None else opening - needed,
        spare=None if equity is None or needed is None else equity - needed,
    )


def _over(equity: Fraction | None, needed: Fraction | None) -> float:
    if equity is None or needed is None:
        return np.nan
    return float(equity / needed) if needed else np.inf
