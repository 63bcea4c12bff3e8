"""Perp Curie in the words of all perpetuals: positions, accounts, markets, the insurance fund."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from defirisk.core.adapter import Snapshot
from defirisk.core.evm import Address
from defirisk.core.margin import MarginAccount, Mode, PerpMarket, PerpPosition, Perps
from defirisk.protocols.perps.perp_curie.account_value import (
    Position,
    Worth,
    present_prices,
    worth,
)
from defirisk.protocols.perps.perp_curie.arithmetic import SETTLEMENT_DECIMALS, of_ratio, value_at
from defirisk.protocols.perps.perp_curie.liquidation import capacity_raw
from defirisk.protocols.perps.perp_curie.market_now import MarketNow
from defirisk.protocols.perps.perp_curie.perp_now import PerpNow, perp_now
from defirisk.protocols.perps.perp_curie.rows import OPEN, RATIO, WAD
from defirisk.swaps.tick_math import Q96


def perps(snapshot: Snapshot) -> Perps:
    """Every account whose prices are known; margins are in whole settlement tokens."""
    now = perp_now(snapshot)
    prices = present_prices(now)
    valued = {
        account.account: value
        for account in now.accounts.values()
        if (value := worth(account, now, prices)) is not None
    }
    return Perps(
        positions=tuple(
            one for unit, value in valued.items() for one in _positions(unit, value, now)
        ),
        accounts=tuple(_account(unit, value, now) for unit, value in valued.items()),
        markets=tuple(
            _market(snapshot, now, token, one, valued.values())
            for token, one in now.markets.items()
        ),
        insurance_fund=None
        if now.wallet.read_block < 0
        else Fraction(capacity_raw(now), 10**SETTLEMENT_DECIMALS),
        bad_debt=sum(
            (_whole(-value.account_value) for value in valued.values() if value.account_value < 0),
            Fraction(0),
        ),
    )


def _whole(value: int) -> Fraction:
    return Fraction(value, WAD)


def _positions(unit: Address, value: Worth, now: PerpNow) -> Iterator[PerpPosition]:
    """`entry_price` is what all that is held cost per token, orders of the account included."""
    for token, one in value.positions.items():
        orders, mark = len(now.accounts[unit].held[token].orders), now.markets[token].mark or 0
        if not one.size and not orders:
            continue
        entry = Fraction(-one.open_notional, one.size) if one.size else None
        yield PerpPosition(
            unit=unit,
            market=token,
            size=_whole(one.size),
            entry_price=entry if entry is None or entry > 0 else None,
            mark_price=_whole(mark),
            unrealised_pnl=_whole(one.value + one.open_notional),
            accrued_funding=-_whole(one.pending_funding),
            liquidation_price=liquidation_price(one, value),
            maker=bool(orders),
            grade="read" if orders else "compared",
            orders=orders,
            provided=_whole(value_at(one.size - one.base_balance, mark) + one.quote_in_pool)
            if orders
            else None,
        )


def liquidation_price(one: Position, value: Worth) -> Fraction | None:
    """The mark at which the account's value is its requirement, other marks and sizes unchanged.

    Value and requirement are lines of this mark, but for rounding; None where they meet at no price
    above 0, or where moving this mark away from there does not help.
    """
    ratio = Fraction(value.mm_ratio, RATIO)
    rest = value.account_value - one.value
    others = (value.total_abs_value - abs(one.value)) * ratio
    slope = one.size - abs(one.size) * ratio
    if slope == 0:
        return None
    price = (others - rest) / slope
    return price if price > 0 else None


def _account(unit: Address, value: Worth, now: PerpNow) -> MarginAccount:
    return MarginAccount(
        unit=unit,
        owner=unit,
        mode=Mode.CROSS,
        margin=_whole(value.collateral),
        equity=_whole(value.account_value),
        initial=_whole(of_ratio(value.debt_value, now.ratios.im_ratio)),
        maintenance=_whole(value.requirement),
        liquidatable=value.liquidatable,
    )


def _market(
    snapshot: Snapshot, now: PerpNow, token: Address, one: MarketNow, valued: Iterable[Worth]
) -> PerpMarket:
    sizes = [value.positions[token].size for value in valued if token in value.positions]
    known = snapshot.tokens.get(token)
    return PerpMarket(
        market=token,
        name=known.symbol if known else token,
        base_asset=token,
        mark_price=None if one.mark is None else _whole(one.mark),
        index_price=None if one.index is None else _whole(one.index.price(0)),
        long_interest=_whole(sum(size for size in sizes if size > 0)),
        short_interest=_whole(-sum(size for size in sizes if size < 0)),
        funding_rate=_funding_rate(one),
        initial_ratio=Fraction(now.ratios.im_ratio, RATIO),
        maintenance_ratio=Fraction(now.ratios.mm_ratio, RATIO),
        limits=_limits(one),
    )


def _funding_rate(one: MarketNow) -> Fraction | None:
    """What longs pay per day as a part of the mark price; nothing while the market is not open."""
    if one.market.status != OPEN:
        return Fraction(0)
    if one.premium_x96 is None or not one.mark:
        return None
    return Fraction(one.premium_x96, Q96) / _whole(one.mark)


def _limits(one: MarketNow) -> tuple[tuple[str, str], ...]:
    config = one.config
    legs: tuple[tuple[str, str], ...] = ()
    if one.legs is not None:
        named = {
            "mean over 15 s": one.legs.recent,
            "market mean": one.legs.market,
            "index with premium": one.legs.with_premium,
        }
        legs = tuple((name, f"{price / WAD:.6g}") for name, price in named.items())
    return (
        *legs,
        ("market mean over", f"{config.market_twap_interval} s"),
        ("premium mean over", f"{config.premium_interval} s"),
        ("maximum funding rate per day", f"{config.max_funding_rate / RATIO:g}"),
        ("liquidation penalty", f"{config.liquidation_penalty_ratio / RATIO:g}"),
    )
