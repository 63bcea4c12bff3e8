"""A Compound v2 market as units, quotes, parameters and amounts. The unit is an account.

Everything is as of each market's last accrual, as the Comptroller itself decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from defirisk.core.adapter import Snapshot
from defirisk.core.evm import Address
from defirisk.core.holdings import Holding, Holdings, Market, Parameters, Quote, Side
from defirisk.core.quote import Feed, Product, Program, Rate, exact
from defirisk.protocols.lending.compound_v2.account_liquidity import borrow_balance
from defirisk.protocols.lending.compound_v2.market_now import (
    NATIVE_DECIMALS,
    PRICE_PLACES,
    CTokenNow,
    MarketNow,
    market_now,
)
from defirisk.protocols.lending.compound_v2.rows import MANTISSA, AccountMarket, Comptroller

RESOLUTION = Fraction(1, MANTISSA)
"""Liquidity is counted in 1e-18 of the oracle's unit."""


def holdings(snapshot: Snapshot) -> Holdings:
    """Every account with a balance, against two quotes per market: its cTokens and its debt."""
    market = market_now(snapshot)
    name = snapshot.deployment.name
    units: list[Address] = []
    held: list[Holding] = []
    for account, rows in market.positions.items():
        mine = _account(len(units), rows, market)
        if mine:
            units.append(account)
            held += mine
    tokens = market.tokens.values()
    return Holdings(
        units=tuple(units),
        quotes=tuple(quote for now in tokens for quote in _quotes(name, now)),
        parameters=tuple(_parameters(market.comptroller, now) for now in tokens),
        holdings=tuple(held),
        markets=tuple(_market(name, market.comptroller, now) for now in tokens),
        owners=tuple(units),
        resolution=RESOLUTION,
    )


def _account(unit: int, rows: tuple[AccountMarket, ...], market: MarketNow) -> list[Holding]:
    """The cTokens and debts of one account.

    A borrower's entered market counts even where it holds nothing there: without a price for it
    the Comptroller lets nobody be liquidated.
    """
    found: list[Holding] = []
    places = {c_token: place for place, c_token in enumerate(market.tokens)}
    borrows = any(row.principal_raw for row in rows)
    for row in rows:
        place, now = places[row.c_token], market.tokens[row.c_token]
        if row.tokens_raw or (row.entered and borrows):
            found.append(_supplied(unit, 2 * place, row, now, place))
        if row.principal_raw:
            found.append(_owed(unit, 2 * place + 1, row, now, place))
    return found


def _supplied(
    unit: int, quote: int, row: AccountMarket, now: CTokenNow, parameters: int
) -> Holding:
    side = Side.COLLATERAL if row.entered else Side.SUPPLY
    balance = row.tokens_raw * (now.valued.exchange_rate_mantissa or 0) // MANTISSA
    return Holding(unit, quote, side, row.tokens_raw, balance, parameters)


def _owed(unit: int, quote: int, row: AccountMarket, now: CTokenNow, parameters: int) -> Holding:
    """The amount is the balance before all interest.

    The contract keeps a principal and an index of its own for each account; put on the market's
    common index, it is no whole number of base units.
    """
    amount = Fraction(row.principal_raw * MANTISSA, row.interest_index_mantissa)
    whole, balance = amount.numerator // amount.denominator, borrow_balance(row, now.token)
    return Holding(unit, quote, Side.DEBT, whole, balance, parameters, amount - whole)


def _decimals(now: CTokenNow) -> int:
    return NATIVE_DECIMALS if now.decimals is None else now.decimals


def _price(now: CTokenNow) -> Program:
    """The oracle's price of a whole token; none where it is 0, which the Comptroller refuses."""
    mantissa = now.price.mantissa
    if not mantissa or now.decimals is None:
        return Feed(now.price.source, None)
    return now.price.program(Fraction(mantissa, 10 ** (PRICE_PLACES - now.decimals)))


def _quotes(name: str, now: CTokenNow) -> Iterator[Quote]:
    price, c_token = _price(now), now.token.c_token
    for rate, mantissa in (
        ("exchange_rate", now.valued.exchange_rate_mantissa or 0),
        ("borrow_index", now.token.borrow_index_mantissa),
    ):
        yield Quote(
            market=name,
            asset=now.asset,
            decimals=_decimals(now),
            program=Product((price, Rate(f"{c_token}/{rate}", Fraction(mantissa, MANTISSA)))),
        )


def _parameters(comptroller: Comptroller, now: CTokenNow) -> Parameters:
    """One factor is both: what can be borrowed against, and where liquidation begins."""
    factor = Fraction(now.token.collateral_factor_mantissa, MANTISSA)
    bonus = max(0, comptroller.liquidation_incentive_mantissa - MANTISSA)
    return Parameters(
        label=now.token.c_token,
        ltv=factor,
        liquidation_threshold=factor,
        liquidation_bonus=Fraction(bonus, MANTISSA),
    )


def _market(name: str, comptroller: Comptroller, now: CTokenNow) -> Market:
    token, unit = now.token, 10 ** _decimals(now)
    borrow_apr, supply_apr = _yearly(now)
    return Market(
        market=name,
        asset=now.asset,
        decimals=_decimals(now),
        supplied_raw=token.total_supply_raw * (now.valued.exchange_rate_mantissa or 0) // MANTISSA,
        borrowed_raw=token.total_borrows_raw,
        cash_raw=token.cash_raw,
        deficit_raw=0,  # Compound v2 books no bad debt: it stays among the borrows
        supply_cap=0,
        borrow_cap=-(-token.borrow_cap_raw // unit),
        supply_apr=supply_apr,
        borrow_apr=borrow_apr,
        parameters=_parameters(comptroller, now),
        reserve_factor=Fraction(token.reserve_factor_mantissa, MANTISSA),
        price=exact(_price(now)),
        price_source=now.price.source,
        price_updated_ts=now.price.updated_ts,
        price_grade=now.price.grade,
        flags=_flags(comptroller, now),
    )


def _yearly(now: CTokenNow) -> tuple[Fraction | None, Fraction | None]:
    """Yearly rates as the market's rate model itself counts blocks."""
    if now.rates is None or now.blocks_per_year is None:
        return None, None
    borrow, supply = (Fraction(rate * now.blocks_per_year, MANTISSA) for rate in now.rates)
    return borrow, supply


def _flags(comptroller: Comptroller, now: CTokenNow) -> tuple[str, ...]:
    token = now.token
    stated = {
        "minting paused": token.mint_paused,
        "borrowing paused": token.borrow_paused,
        "transfers paused": comptroller.transfer_paused,
        "seizing paused": comptroller.seize_paused,
        "deprecated": now.deprecated,
    }
    close_factor = (Decimal(comptroller.close_factor_mantissa) / MANTISSA).normalize()
    reserves = Decimal(token.total_reserves_raw).scaleb(-_decimals(now))
    facts = (f"close factor {close_factor:f}", f"reserves {reserves:.6g}")
    return (*(flag for flag, holds in stated.items() if holds), *facts)
