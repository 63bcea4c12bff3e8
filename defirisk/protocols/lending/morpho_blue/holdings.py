"""Morpho Blue markets as units, quotes, parameters and amounts. The unit is market x account.

Each market has three quotes: its collateral, the loan token as lent (in supply shares) and as
borrowed (in borrow shares). What a share is worth is a rate of the quote.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from defirisk.core.adapter import Snapshot
from defirisk.core.holdings import Holding, Holdings, Parameters, Quote, Side
from defirisk.core.holdings import Market as MarketState
from defirisk.core.quote import Product, Program, Rate
from defirisk.protocols.lending.morpho_blue.health import (
    COLLATERAL,
    DEBT,
    QUOTES_PER_MARKET,
    SUPPLY,
    liquidation_incentive_factor,
)
from defirisk.protocols.lending.morpho_blue.interest import SECONDS_PER_YEAR
from defirisk.protocols.lending.morpho_blue.market_now import MarketNow, markets_now, unit_name
from defirisk.protocols.lending.morpho_blue.numeraire import value
from defirisk.protocols.lending.morpho_blue.rows import Position
from defirisk.protocols.lending.morpho_blue.shares import (
    VIRTUAL_ASSETS,
    VIRTUAL_SHARES,
    WAD,
    to_assets_down,
    to_assets_up,
)

_NO_COLLATERAL = Parameters(
    label="loan token",
    ltv=Fraction(0),
    liquidation_threshold=Fraction(0),
    liquidation_bonus=Fraction(0),
)
# Per holding of a unit: its collateral's value is rounded down twice and its debt up once.
ROUNDED_UNITS = 2


def holdings(snapshot: Snapshot) -> Holdings:
    """Every position that is not empty."""
    markets = markets_now(snapshot)
    units: list[str] = []
    owners: list[str] = []
    resolutions: list[Fraction] = []
    held: list[Holding] = []
    for at, now in enumerate(markets):
        resolution = _resolution(now)
        for position in now.positions:
            held += _held(len(units), at, now, position)
            units.append(unit_name(position))
            owners.append(position.account)
            resolutions.append(resolution)
    return Holdings(
        units=tuple(units),
        quotes=tuple(quote for now in markets for quote in _quotes(snapshot, now)),
        parameters=tuple(_parameters(now) for now in markets),
        holdings=tuple(held),
        markets=tuple(state for now in markets for state in _states(snapshot, now)),
        owners=tuple(owners),
        resolution=tuple(resolutions),
    )


def _held(unit: int, at: int, now: MarketNow, position: Position) -> Iterator[Holding]:
    """The collateral, the loan and the debt of one position, where they are not zero.

    One parameter set to a market, with the market's own number.
    """
    market, first = now.market, QUOTES_PER_MARKET * at
    if position.collateral_raw:
        raw = position.collateral_raw
        yield Holding(unit, first + COLLATERAL, Side.COLLATERAL, raw, raw, at)
    if position.supply_shares_raw:
        shares = position.supply_shares_raw
        assets = to_assets_down(
            shares, market.total_supply_assets_raw, market.total_supply_shares_raw
        )
        yield Holding(unit, first + SUPPLY, Side.SUPPLY, shares, assets, at)
    if position.borrow_shares_raw:
        shares = position.borrow_shares_raw
        assets = to_assets_up(
            shares, market.total_borrow_assets_raw, market.total_borrow_shares_raw
        )
        yield Holding(unit, first + DEBT, Side.DEBT, shares, assets, at)


def _quotes(snapshot: Snapshot, now: MarketNow) -> Iterator[Quote]:
    market, name = now.market, market_label(snapshot, now)
    shares = (
        ("supply", market.total_supply_assets_raw, market.total_supply_shares_raw),
        ("borrow", market.total_borrow_assets_raw, market.total_borrow_shares_raw),
    )
    yield Quote(
        market=name,
        asset=market.collateral_token,
        decimals=now.collateral_decimals or 0,
        program=_product(now.worth.collateral),
    )
    for side, assets, issued in shares:
        worth = Fraction(assets + VIRTUAL_ASSETS, issued + VIRTUAL_SHARES)
        yield Quote(
            market=name,
            asset=market.loan_token,
            decimals=now.loan_decimals or 0,
            program=_product((*now.worth.loan, Rate(f"{market.market_id}/{side}_share", worth))),
        )


def _product(factors: tuple[Program, ...]) -> Program:
    return factors[0] if len(factors) == 1 else Product(factors)


def _resolution(now: MarketNow) -> Fraction:
    """What the contract's rounding to whole base units of the loan token may amount to, in USD."""
    price = value(now.worth.loan) or Fraction(0)
    return price * Fraction(ROUNDED_UNITS, 10 ** (now.loan_decimals or 0))


def _parameters(now: MarketNow) -> Parameters:
    lltv = Fraction(now.market.lltv_wad, WAD)
    factor = Fraction(liquidation_incentive_factor(now.market.lltv_wad), WAD)
    return Parameters(
        label=now.market.market_id,
        ltv=lltv,
        liquidation_threshold=lltv,
        liquidation_bonus=factor - 1,
    )


def market_label(snapshot: Snapshot, now: MarketNow) -> str:
    """Such as "WETH/USDC 86% 0x1a2b3c4d": the tokens' own words, never to be shown unescaped."""
    symbols = [
        token.symbol if (token := snapshot.tokens.get(address)) else f"{address[:6]}…{address[-4:]}"
        for address in (now.market.collateral_token, now.market.loan_token)
    ]
    percent = f"{now.market.lltv_wad / 10**16:g}%"
    return f"{'/'.join(symbols)} {percent} {now.market.market_id[:10]}"


def _states(snapshot: Snapshot, now: MarketNow) -> Iterator[MarketState]:
    """A market holds two assets: the loan token, lent and borrowed, and the collateral, kept."""
    market = now.market
    pledged = sum(position.collateral_raw for position in now.positions)
    supplied, borrowed = market.total_supply_assets_raw, market.total_borrow_assets_raw
    rate = Fraction(now.rate.wad * SECONDS_PER_YEAR, WAD)
    used = Fraction(borrowed, supplied) if supplied else Fraction(0)
    fee = Fraction(market.fee_wad, WAD)
    yield _state(
        snapshot,
        now,
        asset=market.loan_token,
        decimals=now.loan_decimals,
        price=value(now.worth.loan),
        supplied_raw=supplied,
        borrowed_raw=borrowed,
        supply_apr=rate * used * (1 - fee),
        borrow_apr=rate,
        reserve_factor=fee,
        parameters=_NO_COLLATERAL,
    )
    if market.collateral_token != market.loan_token:
        yield _state(
            snapshot,
            now,
            asset=market.collateral_token,
            decimals=now.collateral_decimals,
            price=value(now.worth.collateral),
            supplied_raw=pledged,
            borrowed_raw=0,
            supply_apr=Fraction(0),
            borrow_apr=None,
            reserve_factor=None,
            parameters=_parameters(now),
        )


def _state(
    snapshot: Snapshot,
    now: MarketNow,
    *,
    asset: str,
    decimals: int | None,
    price: Fraction | None,
    supplied_raw: int,
    borrowed_raw: int,
    supply_apr: Fraction,
    borrow_apr: Fraction | None,
    reserve_factor: Fraction | None,
    parameters: Parameters,
) -> MarketState:
    """Bad debt was taken from the lenders when it was found: there is never a deficit."""
    return MarketState(
        market=market_label(snapshot, now),
        asset=asset,
        decimals=decimals or 0,
        supplied_raw=supplied_raw,
        borrowed_raw=borrowed_raw,
        cash_raw=supplied_raw - borrowed_raw,
        deficit_raw=0,
        supply_cap=0,
        borrow_cap=0,
        supply_apr=supply_apr,
        borrow_apr=borrow_apr,
        parameters=parameters,
        reserve_factor=reserve_factor,
        price=price,
        price_source=now.price.oracle,
        price_made_of=(*now.price.base.made_of, *now.price.quote.made_of),
        price_updated_ts=now.price.updated_ts,
        price_grade=now.price.grade,
    )
