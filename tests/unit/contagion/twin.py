"""The screen, written to be obvious: plain Python, exact fractions, one unit at a time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from defirisk.core.book import Book
from defirisk.core.holdings import Side
from defirisk.core.quote import Feed, leaves
from defirisk.core.scenario import Scenario
from tests.definition import falls


@dataclass
class Twin:
    """What one scenario does, by deployment or asset."""

    units: list[int] = field(default_factory=list)
    accounts: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    debt: dict[int, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    collateral: dict[int, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    bad_debt: dict[int, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    asset_debt: dict[int, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    asset_collateral: dict[int, Fraction] = field(default_factory=lambda: defaultdict(Fraction))


def oracle_price(book: Book, scenario: Scenario, quote: int) -> Fraction:
    """One quote's price after the moves."""
    price = scenario.moves.quotes.get(quote, Fraction(1))
    for leaf in leaves(book.quote_program[quote]):
        assert leaf.value is not None
        price *= leaf.value
        if isinstance(leaf, Feed):
            price *= scenario.moves.feeds.get(leaf.address, Fraction(1))
    return price


def market_value(book: Book, scenario: Scenario, holding: int) -> Fraction:
    """What a holding is worth at market."""
    quote = int(book.holding_quote[holding])
    asset = int(book.quote_asset[quote])
    value = Fraction(book.holding_amount[holding]) * Fraction(book.quote_rate[quote])
    return value * Fraction(book.asset_price[asset]) * scenario.moves.market.get(asset, Fraction(1))


def screen_one(book: Book, scenario: Scenario) -> Twin:
    """All of it for one scenario."""
    twin = Twin()

    def price(quote: int) -> Fraction:
        return oracle_price(book, scenario, quote)

    for unit in range(len(book.units)):
        holdings = [int(h) for h in np.flatnonzero(book.holding_unit == unit)]
        if not book.unpriced[unit] and falls(book, unit, price):
            twin.units.append(unit)
            _add(twin, book, scenario, unit, holdings)
    return twin


def _add(twin: Twin, book: Book, scenario: Scenario, unit: int, holdings: list[int]) -> None:
    deployment = int(book.unit_deployment[unit])
    equity = Fraction(0)
    for h in holdings:
        if book.holding_side[h] == Side.SUPPLY:
            continue
        value = market_value(book, scenario, h)
        asset = int(book.quote_asset[book.holding_quote[h]])
        if book.holding_side[h] == Side.COLLATERAL:
            equity += value
            twin.collateral[deployment] += value
            twin.asset_collateral[asset] += value
        elif book.holding_side[h] == Side.DEBT:
            equity -= value
            twin.debt[deployment] += value
            twin.asset_debt[asset] += value
    twin.accounts[deployment] += 1
    twin.bad_debt[deployment] += max(Fraction(0), -equity)
