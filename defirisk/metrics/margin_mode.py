"""The same positions with cross and with isolated margin, side by side.

Unit: prices and amounts in the unit of account, exact. NaN policy: owners with an unknown price,
profit or requirement are left out. In cross mode everything that an owner has in a deployment
answers for everything. In isolated mode the margin of what was cross is shared out in proportion to
what each position must keep, and each position keeps its own profit and funding; positions that
were isolated stay as they are. Requirements are taken as the part of the notional that they are
now, which is exact where that part is fixed, and near it within a tier.
Source: our own definition; the prices solve equity = maintenance as `PerpPosition` defines them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from defirisk.core.margin import MarginAccount, PerpMarket, PerpPosition, Perps
from defirisk.metrics.margin import NOTHING, by_unit, required_ratios


@dataclass(frozen=True, slots=True, kw_only=True)
class ModePosition:
    """One position in both modes; a price is None where none above 0 would liquidate it.

    `margin` is what it has of its own in isolated mode, profit and funding left aside.
    """

    unit: str
    market: str
    size: Fraction
    mark_price: Fraction
    maintenance: Fraction
    margin: Fraction
    isolated_equity: Fraction
    isolated_price: Fraction | None
    cross_price: Fraction | None

    @property
    def isolated_liquidatable(self) -> bool:
        """Whether it would fall now if it stood alone."""
        return self.isolated_equity < self.maintenance


@dataclass(frozen=True, slots=True, kw_only=True)
class Modes:
    """One owner in one deployment. What must be kept is the same in both modes: what backs it is
    not. `isolated_liquidatable` is the notional that would fall now in isolated mode.
    """

    owner: str
    equity: Fraction
    maintenance: Fraction
    initial: Fraction | None
    positions: tuple[ModePosition, ...]

    @property
    def cross_liquidatable(self) -> bool:
        """Whether everything would fall now in cross mode."""
        return self.equity < self.maintenance

    @property
    def cross_missing(self) -> Fraction:
        """The margin without which everything would fall now in cross mode."""
        return max(NOTHING, self.maintenance - self.equity)

    @property
    def isolated_missing(self) -> Fraction:
        """The margin without which some position would fall now in isolated mode: never less."""
        return sum(
            (max(NOTHING, p.maintenance - p.isolated_equity) for p in self.positions), NOTHING
        )

    @property
    def notional(self) -> Fraction:
        """All positions, without sign."""
        return sum((abs(p.size) * p.mark_price for p in self.positions), NOTHING)

    @property
    def isolated_liquidatable(self) -> Fraction:
        """The notional that would fall now in isolated mode."""
        fall = (p for p in self.positions if p.isolated_liquidatable)
        return sum((abs(p.size) * p.mark_price for p in fall), NOTHING)


def modes(perps: Perps) -> tuple[Modes, ...]:
    """Every owner with a position, in the order of the accounts."""
    units: dict[str, list[MarginAccount]] = {}
    for account in perps.accounts:
        units.setdefault(account.owner, []).append(account)
    held, ratios = by_unit(perps), required_ratios(perps)
    markets = {one.market: one for one in perps.markets}
    found = []
    for owner, accounts in units.items():
        pairs = [(one, held.get(one.unit, [])) for one in accounts]
        if any(own for _, own in pairs) and _known(pairs, ratios):
            found.append(_modes(owner, pairs, ratios, markets))
    return tuple(found)


_Ratios = Mapping[tuple[str, str], Fraction]
_Pairs = Sequence[tuple[MarginAccount, Sequence[PerpPosition]]]


def _known(pairs: _Pairs, ratios: _Ratios) -> bool:
    return all(
        account.equity is not None
        and account.maintenance is not None
        and all(p.unrealised_pnl is not None and (p.unit, p.market) in ratios for p in own)
        for account, own in pairs
    )


def _modes(owner: str, pairs: _Pairs, ratios: _Ratios, markets: Mapping[str, PerpMarket]) -> Modes:
    equity = sum((account.equity or NOTHING for account, _ in pairs), NOTHING)
    needed = sum((account.maintenance or NOTHING for account, _ in pairs), NOTHING)
    opening = [account.initial for account, _ in pairs]
    slopes: dict[str, Fraction] = {}
    for _, own in pairs:
        for p in own:
            asset = _asset(p, markets)
            slopes[asset] = slopes.get(asset, NOTHING) + _slope(p, ratios)
    rows = []
    for account, own in pairs:
        for p, margin in zip(own, _shares(account, own, ratios), strict=True):
            keeps = ratios[p.unit, p.market] * (p.notional or NOTHING)
            alone = margin + (p.unrealised_pnl or NOTHING) + p.accrued_funding
            mark = p.mark_price or NOTHING
            rows.append(
                ModePosition(
                    unit=p.unit,
                    market=p.market,
                    size=p.size,
                    mark_price=mark,
                    maintenance=keeps,
                    margin=margin,
                    isolated_equity=alone,
                    isolated_price=_price(mark, alone - keeps, _slope(p, ratios)),
                    cross_price=_price(mark, equity - needed, slopes[_asset(p, markets)]),
                )
            )
    return Modes(
        owner=owner,
        equity=equity,
        maintenance=needed,
        initial=None
        if any(one is None for one in opening)
        else sum((one or NOTHING for one in opening), NOTHING),
        positions=tuple(rows),
    )


def _shares(account: MarginAccount, own: Sequence[PerpPosition], ratios: _Ratios) -> list[Fraction]:
    """What the unit has besides profit and funding, shared out by what positions must keep."""
    results = sum(((p.unrealised_pnl or NOTHING) + p.accrued_funding for p in own), NOTHING)
    margin = (account.equity or NOTHING) - results
    weights = [ratios[p.unit, p.market] * (p.notional or NOTHING) for p in own]
    if not sum(weights, NOTHING):
        weights = [p.notional or NOTHING for p in own]
    whole = sum(weights, NOTHING)
    return [margin * weight / whole for weight in weights]


def _slope(p: PerpPosition, ratios: _Ratios) -> Fraction:
    """What is gained beyond what must be kept, per unit of price."""
    return p.size - abs(p.size) * ratios[p.unit, p.market]


def _price(mark: Fraction, spare: Fraction, slope: Fraction) -> Fraction | None:
    if not slope:
        return None
    price = mark - spare / slope
    return price if price > 0 else None


def _asset(p: PerpPosition, markets: Mapping[str, PerpMarket]) -> str:
    """All markets of an asset move together."""
    return markets[p.market].base_asset if p.market in markets else p.market
