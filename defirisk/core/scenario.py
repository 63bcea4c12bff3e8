"""Scenarios: what moves, by exactly how much. Factors are exact; 1 leaves a price as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

import numpy as np

from defirisk.core.book import Book, Floats
from defirisk.core.evm import Address
from defirisk.core.quote import Feed, Leaf, evaluate


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """Factors on market prices (by asset), on feeds (by address) and on single quotes."""

    market: Mapping[int, Fraction] = field(default_factory=dict)
    feeds: Mapping[Address, Fraction] = field(default_factory=dict)
    quotes: Mapping[int, Fraction] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A named combination of shocks, as text for the reader and as moves for the engine."""

    name: str
    shocks: tuple[str, ...]
    moves: Moves


class Shock(Protocol):
    """What every shock file offers. `name` is the word before the colon of `name:TARGET=VALUE`."""

    @property
    def name(self) -> str: ...
    @property
    def grammar(self) -> str:
        """What to type, as one or two examples separated by blanks."""

    @property
    def summary(self) -> str:
        """What it does to a book, in one line."""

    def moves(self, book: Book, target: str, value: str) -> Moves:
        """The moves that TARGET=VALUE means in this book; `UsageError` where it means none."""


def combine(moves: Iterable[Moves]) -> Moves:
    """All moves at once: factors on the same thing multiply."""
    market: dict[int, Fraction] = {}
    feeds: dict[Address, Fraction] = {}
    quotes: dict[int, Fraction] = {}
    for move in moves:
        for asset, factor in move.market.items():
            market[asset] = market.get(asset, Fraction(1)) * factor
        for feed, factor in move.feeds.items():
            feeds[feed] = feeds.get(feed, Fraction(1)) * factor
        for quote, factor in move.quotes.items():
            quotes[quote] = quotes.get(quote, Fraction(1)) * factor
    return Moves(market=market, feeds=feeds, quotes=quotes)


def market_prices(book: Book, scenarios: list[Scenario]) -> Floats:
    """Market prices of the assets after the moves, shape (A, S)."""
    prices = np.repeat(book.asset_price[:, None], len(scenarios), axis=1)
    for s, scenario in enumerate(scenarios):
        for asset, factor in scenario.moves.market.items():
            prices[asset, s] *= float(factor)
    return prices


def quote_prices(book: Book, scenarios: list[Scenario]) -> Floats:
    """What the markets' own oracles say after the moves, shape (Q, S)."""
    size = len(scenarios)
    feeds: dict[Address, Floats] = {}
    for s, scenario in enumerate(scenarios):
        for feed, factor in scenario.moves.feeds.items():
            feeds.setdefault(feed, np.ones(size))[s] = float(factor)

    def read(leaf: Leaf) -> Floats:
        value = np.full(size, np.nan if leaf.value is None else float(leaf.value))
        if isinstance(leaf, Feed) and leaf.address in feeds:
            value *= feeds[leaf.address]
        return value

    prices = np.empty((len(book.quote_program), size))
    for q, program in enumerate(book.quote_program):
        prices[q] = evaluate(program, read)
    for s, scenario in enumerate(scenarios):
        for quote, factor in scenario.moves.quotes.items():
            prices[quote, s] *= float(factor)
    return prices
