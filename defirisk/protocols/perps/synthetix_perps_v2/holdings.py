"""Perps V2 as units, quotes, parameters and amounts. The unit is an account in one market.

A long has its size times the price, and owes what it paid for it beyond its margin; a short owes
its size times the price, and has what it got for it. Funding since the last entry of the funding
sequence is a part of the price: a quote of its own, whose rate is that part. The asset of a market
goes by the market's key, since the keys of base assets are often symbols of tokens as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from defirisk.core.adapter import Snapshot
from defirisk.core.evm import ZERO_ADDRESS, Address
from defirisk.core.holdings import Holding, Holdings, Market, Parameters, Quote, Side
from defirisk.core.quote import Constant, Product, Rate, exact
from defirisk.core.requirement import Requirement
from defirisk.protocols.perps.synthetix_perps_v2.arithmetic import multiply
from defirisk.protocols.perps.synthetix_perps_v2.liquidation_price import (
    constant_part,
    margin_ratio,
)
from defirisk.protocols.perps.synthetix_perps_v2.market_now import (
    PLACES,
    MarketNow,
    SystemNow,
    system_now,
    unit_name,
)
from defirisk.protocols.perps.synthetix_perps_v2.rows import UNIT, Position

SUSD = 0
"""The place of sUSD among the quotes; markets follow with two each."""
ROUNDINGS = 8
"""How often the contract cuts a product to a wei on its way to `canLiquidate`."""


def price_quote(place: int) -> int:
    """Where the quote of the market at this place is: its price."""
    return 1 + 2 * place


def funding_quote(place: int) -> int:
    """Where the quote of the market's unrecorded funding is."""
    return 2 + 2 * place


def holdings(snapshot: Snapshot) -> Holdings:
    """Every position or margin in a listed market that has its parameters."""
    system, name = system_now(snapshot), snapshot.deployment.name
    markets = priced_markets(system)
    units: list[str] = []
    owners: list[Address] = []
    held: list[Holding] = []
    required: list[Requirement] = []
    grains: list[Fraction] = []
    for place, now in enumerate(markets):
        for position in now.open_positions:
            unit = len(units)
            units.append(unit_name(position))
            owners.append(position.account)
            held += _holdings(unit, place, position, now)
            required += _requirements(unit, place, position, now)
            grains.append(_resolution(position, now))
    return Holdings(
        units=tuple(units),
        quotes=(
            Quote(
                market=name,
                asset=system.names.get("ProxysUSD", ZERO_ADDRESS),
                decimals=PLACES,
                program=Constant(Fraction(1)),
            ),
            *(quote for now in markets for quote in _quotes(name, now)),
        ),
        parameters=(MARGIN,),
        holdings=tuple(held),
        markets=tuple(_market(name, now) for now in markets),
        owners=tuple(owners),
        resolution=tuple(grains),
        requirements=tuple(required),
    )


def priced_markets(system: SystemNow) -> list[MarketNow]:
    """Listed markets with parameters, in the order of their quotes."""
    return [now for now in system.listed if now.funding is not None]


MARGIN = Parameters(
    label="margin",
    ltv=Fraction(1),
    liquidation_threshold=Fraction(1),
    liquidation_bonus=Fraction(0),
)
"""Margin counts in full: what must be kept of it is in the requirements."""


def _quotes(name: str, now: MarketNow) -> Iterator[Quote]:
    """The price, and unrecorded funding as a part of it; without any, no amount refers to it."""
    assert now.funding is not None
    price = now.rate.program()
    part = Fraction(abs(now.funding.per_price), UNIT) or Fraction(1)
    rate = Rate(f"{now.market.market}/unrecorded_funding", part)
    for program in (price, Product((price, rate))):
        yield Quote(market=name, asset=now.market.market_key, decimals=PLACES, program=program)


def _holdings(unit: int, place: int, position: Position, now: MarketNow) -> Iterator[Holding]:
    assert now.funding is not None
    size, amount = position.size_wad, abs(position.size_wad)
    if size:
        side = Side.COLLATERAL if size > 0 else Side.DEBT
        yield Holding(unit, price_quote(place), side, amount, amount, 0)
    if size and now.funding.per_price:
        receives = (size > 0) == (now.funding.per_price > 0)
        side = Side.COLLATERAL if receives else Side.DEBT
        balance = abs(multiply(size, now.funding.per_price))
        yield Holding(unit, funding_quote(place), side, amount, balance, 0)
    rest = constant_part(position, now.funding) * UNIT
    if rest:
        side, rest = (Side.COLLATERAL if rest > 0 else Side.DEBT), abs(rest)
        whole = rest.numerator // rest.denominator
        yield Holding(unit, SUSD, side, whole, whole, 0, rest - whole)


def _requirements(
    unit: int, place: int, position: Position, now: MarketNow
) -> Iterator[Requirement]:
    """Buffer and premium; the flagger's fee between its limits; the liquidator's fee."""
    if position.size_wad == 0:
        return
    settings, amount = now.settings, abs(position.size_wad)
    ratio = margin_ratio(position, settings)
    opening = Fraction(UNIT, settings.max_leverage) if settings.max_leverage else Fraction(0)
    keeper = Fraction(settings.keeper_liquidation_fee, UNIT)
    yield Requirement(
        unit=unit,
        quote=price_quote(place),
        amount_raw=amount,
        ratio=ratio,
        initial_ratio=max(ratio, opening),
    )
    yield Requirement(
        unit=unit,
        quote=price_quote(place),
        amount_raw=amount,
        ratio=Fraction(settings.liquidation_fee_ratio, UNIT),
        initial_ratio=Fraction(0),
        low=Fraction(settings.min_keeper_fee, UNIT),
        high=Fraction(max(settings.min_keeper_fee, settings.max_keeper_fee), UNIT),
    )
    yield Requirement(
        unit=unit,
        quote=price_quote(place),
        amount_raw=amount,
        ratio=Fraction(0),
        initial_ratio=Fraction(0),
        low=keeper,
        high=keeper,
    )


def _resolution(position: Position, now: MarketNow) -> Fraction:
    """What the contract's cuts may amount to, ratios that are cut before they are multiplied."""
    notional = Fraction(abs(position.size_wad) * now.rate.wad, UNIT**2)
    size = Fraction(abs(position.size_wad), UNIT)
    return Fraction(ROUNDINGS, UNIT) * (1 + notional + size)


def _market(name: str, now: MarketNow) -> Market:
    """Longs stand as supplied, shorts as borrowed: base units of the asset."""
    market, answer = now.market, now.rate.answer
    return Market(
        market=name,
        asset=market.market_key,
        decimals=PLACES,
        supplied_raw=(market.market_size_wad + market.market_skew_wad) // 2,
        borrowed_raw=(market.market_size_wad - market.market_skew_wad) // 2,
        cash_raw=0,
        deficit_raw=0,
        supply_cap=now.parameters.get("maxMarketValue", 0) // UNIT,
        borrow_cap=now.parameters.get("maxMarketValue", 0) // UNIT,
        supply_apr=None,
        borrow_apr=None,
        parameters=MARGIN,
        reserve_factor=None,
        price=exact(now.rate.program()),
        price_source=now.rate.feed,
        price_updated_ts=answer.updated_at if answer else None,
        price_grade=answer.grade if answer else "none",
        flags=tuple(f"{section} suspended" for section in now.suspended),
    )
