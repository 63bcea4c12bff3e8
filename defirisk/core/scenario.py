"""Scenarios: what moves, by exactly how much. Factors are exact; 1 leaves a price as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol, TypeVar

import numpy as np

from defirisk.core.backing import backing, written_down
from defirisk.core.book import Book, Floats
from defirisk.core.evaluation import evaluate
from defirisk.core.evm import Address
from defirisk.core.quote import Conversion, Feed, Leaf, Market, Spot, leaves, moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """Factors on market prices (by asset), on feeds (by address), on what a wrapped token converts
    to (by the token's address) and on single quotes.

    A wrapped token's market price moves with what it wraps; a factor of its own comes on top.
    `recoveries` is what a market pays back of what was lent to it, by its place in `Book.markets`:
    what is a claim on it converts to less. `depth` are factors on the depth of the pools that trade
    an asset, `halt_seconds` is how long no keeper acts: both are for the cascade alone.
    """

    market: Mapping[int, Fraction] = field(default_factory=dict)
    feeds: Mapping[Address, Fraction] = field(default_factory=dict)
    conversions: Mapping[Address, Fraction] = field(default_factory=dict)
    quotes: Mapping[int, Fraction] = field(default_factory=dict)
    recoveries: Mapping[int, Fraction] = field(default_factory=dict)
    depth: Mapping[int, Fraction] = field(default_factory=dict)
    halt_seconds: int = 0


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
    """All moves at once: factors on the same thing multiply, and the longest halt counts."""
    every = list(moves)
    return Moves(
        market=_multiplied(move.market for move in every),
        feeds=_multiplied(move.feeds for move in every),
        conversions=_multiplied(move.conversions for move in every),
        quotes=_multiplied(move.quotes for move in every),
        recoveries=_multiplied(move.recoveries for move in every),
        depth=_multiplied(move.depth for move in every),
        halt_seconds=max((move.halt_seconds for move in every), default=0),
    )


def conversions(book: Book, moves: Moves) -> dict[Address, Fraction]:
    """By how much every wrapped token's rate moves: its own factor, and what its markets lose."""
    found = dict(moves.conversions)
    if moves.recoveries:
        for token, parts in backing(book).items():
            left = written_down(parts, moves.recoveries)
            if left != 1:
                found[token] = found.get(token, Fraction(1)) * left
    return found


K = TypeVar("K")


def _multiplied(factors: Iterable[Mapping[K, Fraction]]) -> dict[K, Fraction]:
    product: dict[K, Fraction] = {}
    for some in factors:
        for key, factor in some.items():
            product[key] = product.get(key, Fraction(1)) * factor
    return product


def market_prices(
    book: Book,
    scenarios: Sequence[Scenario],
    rates: Mapping[Address, Floats] | None = None,
    own: Floats | None = None,
) -> Floats:
    """Market prices of the assets after the moves, shape (A, S), NaN where unknown.

    `rates` are further factors (S,) on what wrapped tokens convert to, beside those of the moves.
    `own`: `market_factors`, where they are known already.
    """
    if own is None:
        own = market_factors(book, scenarios)
    prices = np.repeat(book.asset_price[:, None], len(scenarios), axis=1) * own
    read = _Reading(book, scenarios, prices, rates or {})
    for asset in claims_in_order(book):
        program = book.assets[asset].program
        if program is not None:
            prices[asset] = evaluate(program, read) * own[asset]
    return prices


def market_factors(book: Book, scenarios: Sequence[Scenario]) -> Floats:
    """The moves' own factors on market prices, shape (A, S)."""
    own = np.ones((len(book.assets), len(scenarios)))
    for s, scenario in enumerate(scenarios):
        moves = scenario.moves.market
        own[list(moves), s] = [_float(factor) for factor in moves.values()]
    return own


def claims_in_order(book: Book) -> list[int]:
    """Assets that are claims, each after the claims that it is made of; in a circle, the first one
    comes last.
    """
    place = {asset.address: a for a, asset in enumerate(book.assets)}
    order: list[int] = []
    begun: set[int] = set()

    def visit(asset: int) -> None:
        program = book.assets[asset].program
        if program is None or asset in begun:
            return
        begun.add(asset)
        for leaf in leaves(program):
            if isinstance(leaf, Market) and leaf.asset in place:
                visit(place[leaf.asset])
        order.append(asset)

    for asset in range(len(book.assets)):
        visit(asset)
    return order


def quote_prices(book: Book, scenarios: Sequence[Scenario]) -> Floats:
    """What the markets' own oracles say after the moves, shape (Q, S)."""
    read = _Reading(book, scenarios, market_prices(book, scenarios), {})
    prices = np.empty((len(book.quote_program), len(scenarios)))
    for q, program in enumerate(book.quote_program):
        prices[q] = evaluate(program, read)
    for s, scenario in enumerate(scenarios):
        for quote, factor in scenario.moves.quotes.items():
            prices[quote, s] *= float(factor)
    return prices


class _Reading:
    """The values of leaves over scenarios. What a pool says follows the market of its tokens."""

    def __init__(
        self,
        book: Book,
        scenarios: Sequence[Scenario],
        market: Floats,
        rates: Mapping[Address, Floats],
    ) -> None:
        self._book = book
        self._market = market
        self._size = len(scenarios)
        self._place = {asset.address: a for a, asset in enumerate(book.assets)}
        self._feeds = [s.moves.feeds for s in scenarios]
        self._conversions = [conversions(book, s.moves) for s in scenarios]
        self._rates = rates

    def __call__(self, leaf: Leaf) -> Floats:
        """Shape (S,), NaN where unknown."""
        value = np.full(self._size, np.nan if leaf.value is None else float(leaf.value))
        match leaf:
            case Feed(address=address):
                value *= _column(self._feeds, address)
            case Conversion(token=token):
                value *= _column(self._conversions, token) * self._rates.get(token, 1.0)
            case Market(asset=asset) if asset in self._place:
                return np.asarray(self._market[self._place[asset]], dtype=np.float64)
            case Spot(base=base, quote=quote):
                top, bottom = self._moved(base), self._moved(quote)
                # In what is worth nothing there is no price: 0, which asks the contract.
                value *= np.divide(top, bottom, out=np.zeros_like(top), where=bottom != 0)
        return value

    def _moved(self, asset: Address) -> Floats:
        """By how much the market price moved; an asset of no known price stays."""
        if asset not in self._place:
            return np.ones(self._size)
        a = self._place[asset]
        now = float(self._book.asset_price[a])
        if np.isnan(now) or now == 0:
            return np.ones(self._size)
        return np.asarray(self._market[a] / now, dtype=np.float64)


def _column(factors: Sequence[Mapping[Address, Fraction]], address: Address) -> Floats:
    """One address's factors, shape (S,): only those that are read are turned into floats."""
    return np.array([_float(some[address]) if address in some else 1.0 for some in factors])


def _float(factor: Fraction) -> float:
    """As float(), without what that asks of a number first."""
    return factor.numerator / factor.denominator


class ExactMoves:
    """By how much things move in one scenario, in fractions."""

    def __init__(self, book: Book, scenario: Scenario) -> None:
        self._book = book
        self._moves = scenario.moves
        self._conversions = conversions(book, scenario.moves)
        self._place = {asset.address: a for a, asset in enumerate(book.assets)}
        self._market: dict[int, Fraction] = {}

    def quote(self, quote: int) -> Fraction:
        """The factor on what a market's oracle says; 1 where it says nothing."""
        own = self._moves.quotes.get(quote, Fraction(1))
        return own * moved(self._book.quote_program[quote], self.leaf)

    def leaf(self, leaf: Leaf) -> Fraction:
        """The factor on a leaf."""
        match leaf:
            case Feed(address=address):
                return self._moves.feeds.get(address, Fraction(1))
            case Conversion(token=token):
                return self._conversions.get(token, Fraction(1))
            case Market(asset=asset) if asset in self._place:
                return self.market(self._place[asset])
            case Spot(base=base, quote=quote):
                top, bottom = (
                    self.market(self._place[a]) if a in self._place else Fraction(1)
                    for a in (base, quote)
                )
                return top / bottom if bottom else Fraction(0)
        return Fraction(1)

    def market(self, asset: int) -> Fraction:
        """The factor on an asset's market price."""
        if asset not in self._market:
            own = self._moves.market.get(asset, Fraction(1))
            program = self._book.assets[asset].program
            self._market[asset] = own  # a claim on itself stops here
            if program is not None:
                self._market[asset] = own * moved(program, self.leaf)
        return self._market[asset]
