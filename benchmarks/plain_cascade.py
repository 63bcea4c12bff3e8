"""The rounds of a cascade in numpy, written from the specification alone: the slow reference.

Over units everything is arrays; sales go pair by pair, as each finds the pools that the one before
left. Only what the benchmark's books have: interest frozen, constant-product pools of an asset
against one dollar, prices that are products of feeds, liquidations by close factors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

import numpy as np
import numpy.typing as npt

from defirisk.core.book import Book, Floats, Ints
from defirisk.core.evm import Address
from defirisk.core.holdings import Side
from defirisk.core.liquidation import BadDebt, Mechanism, Rounding, Rule
from defirisk.core.quote import Feed, Leaf, leaves
from defirisk.swaps.constant_product import ConstantProduct

Bools = npt.NDArray[np.bool_]


class StarOfPools:
    """Pools of one asset each against one dollar; reserves by asset (A,), 0 without a pool."""

    def __init__(self, book: Book) -> None:
        places = {asset.address: a for a, asset in enumerate(book.assets)}
        venues = list(book.sources.venues.values())
        rows = [[places[token] for token in one.tokens] for one in venues]
        every = [place for row in rows for place in row]
        self.dollar = max(every, key=every.count)
        self._own, self._usd, keeps, whole = np.zeros((4, len(places)))
        for row, venue in zip(rows, venues, strict=True):
            pool = venue.pool
            assert isinstance(pool, ConstantProduct)
            assert not pool.fee_leaves
            assert self.dollar in row
            a = row[1 - row.index(self.dollar)]
            assert not self._own[a]
            self._own[a] = pool.reserves[row.index(a)]
            self._usd[a] = pool.reserves[row.index(self.dollar)]
            whole[a] = pool.fee.denominator
            keeps[a] = pool.fee.denominator - pool.fee.numerator
        self._keeps, self._whole = keeps, whole
        self._plain = [*zip(keeps.tolist(), whole.tolist(), strict=True)]

    def opened(self, turn: Floats, depth: Floats) -> tuple[Floats, Floats]:
        """Reserves after trades that move prices by `turn` (A,), then times `depth` (A,)."""
        own, usd = self._own.copy(), self._usd.copy()
        for a in np.flatnonzero((own > 0) & (turn > 0) & (turn != 1)).tolist():
            sold, bought = (own, usd) if turn[a] < 1 else (usd, own)
            factor = min(turn[a], 1 / turn[a])
            paying = self._keeps[a] / self._whole[a]
            room, both = (1 - factor) / factor, 1 + paying
            part = 2 * room / (both + sqrt(both * both + 4 * paying * room))
            offered = float(np.floor(sold[a] * part))
            paid = self._paid(sold[a], bought[a], a, offered)
            if paid > 0:
                sold[a] += offered
                bought[a] -= paid
        whole = depth * depth[self.dollar]
        return own * whole, usd * whole

    def brings(self, own: Floats, usd: Floats, b: Ints, a: Ints, amount: Floats) -> Floats:
        """What sales of assets b for assets a (n,) bring, each by itself; 0 where nothing."""
        into = np.where(b == self.dollar, amount, self._each(own, usd, b, amount))
        return np.where(a == self.dollar, into, self._each(usd, own, a, into))

    def _each(self, sold: Floats, bought: Floats, at: Ints, amount: Floats) -> Floats:
        net, behind = np.floor(amount) * self._keeps[at], sold[at] * self._whole[at]
        with np.errstate(invalid="ignore"):
            return np.where(behind > 0, np.floor(net * bought[at] / (behind + net)), 0.0)

    def _paid(self, sold: float, bought: float, a: int, amount: float) -> float:
        keeps, whole = self._plain[a]
        net, behind = amount * keeps, sold * whole
        return float(net * bought / (behind + net) // 1) if behind > 0 else 0.0

    def sell(self, own: list[float], usd: list[float], b: int, a: int, amount: float) -> float:
        """One sale of b for a that moves the pools; what it brings, 0 where it does not happen."""
        into, dollar = amount, self.dollar
        if b != dollar:
            into = self._paid(own[b], usd[b], b, amount)
        paid = into if a == dollar else self._paid(usd[a], own[a], a, into)
        if paid > 0:
            if b != dollar:
                own[b] += amount
                usd[b] -= into
            if a != dollar:
                usd[a] += into
                own[a] -= paid
        return paid


@dataclass(frozen=True, slots=True, kw_only=True)
class Oracles:
    """F feeds, and how the prices of Q quotes are made of them."""

    feeds: tuple[Address, ...]
    asset: Ints  # (F,), whose market each follows, -1: nobody's
    value: Floats  # (F,)
    decimals: Floats  # (F,), 10 to the feed's; 0: unknown
    read: Ints  # (Q, most feeds of one), F where there are fewer
    others: Floats  # (Q,), the product of what is no feed

    def said(self, feeds: Floats) -> Floats:
        """Prices of the quotes (Q,)."""
        said: Floats = np.append(feeds, 1.0)[self.read].prod(axis=1) * self.others
        return said


@dataclass(frozen=True, slots=True, kw_only=True)
class NumpyTables:
    """What no scenario changes: of N units, their H rows, Q quotes, F feeds, K pockets."""

    book: Book
    pools: StarOfPools
    place: Ints  # (N,)
    deployment: Ints  # (N,)
    by_health: Bools  # (N,), else by a plain close factor
    close: Floats  # (N,) and so on: its rule
    full_health: Floats
    full_below: Floats
    leftover: Floats
    of_all: Bools
    books: Bools
    cut_debt: Ints
    cut_pledge: Ints
    unit: Ints  # (H,)
    first: Ints  # (N,)
    count: Ints  # (N,)
    quote: Ints  # (H,) and so on
    asset: Ints
    is_debt: Bools
    threshold: Floats
    weight: Floats
    bonus: Floats
    amount: Floats
    scale: Floats  # (Q,) and so on
    rate: Floats
    fee: Floats
    pocket: Ints
    paying: Bools
    asset_scale: Floats  # (A,)
    cash: Floats  # (K,)
    oracles: Oracles


def tables(book: Book, feeds: Mapping[Address, int]) -> NumpyTables:
    """The tables of a book; `feeds` says which asset's market each feed follows."""
    owing = (book.holding_side == Side.DEBT) & (book.holding_amount > 0)
    rule = np.array(book.liquidation.unit_rule, dtype=np.int64)
    indebted = np.bincount(book.holding_unit[owing], minlength=len(rule)) > 0
    there = (rule >= 0) & ~book.unpriced & indebted
    place = np.flatnonzero(there)
    counts = (book.holding_side != Side.SUPPLY) & (book.holding_amount > 0)
    rows = np.flatnonzero(counts & there[book.holding_unit])
    unit = np.searchsorted(place, book.holding_unit[rows])
    count = np.bincount(unit, minlength=len(place))
    quote, sets = book.holding_quote[rows], book.holding_parameters[rows]
    is_debt = book.holding_side[rows] == Side.DEBT
    threshold = book.liquidation_threshold[sets]
    digits = np.rint(-np.log10(book.quote_grain * book.quote_rate)).astype(np.int64)
    scale = np.array([float(10 ** int(one)) for one in digits])
    raw = book.holding_amount[rows] * scale[quote]
    asset_scale = np.ones(len(book.assets))
    asset_scale[book.quote_asset] = scale
    rules = book.liquidation.rules
    assert all(one.mechanism != Mechanism.WHOLE_POSITION for one in rules)

    def of(get: Callable[[Rule], Fraction | int]) -> Floats:
        return np.array([float(get(one)) for one in rules])[rule[place]]

    pocket = np.full(len(quote_rate := book.quote_rate), -1, dtype=np.int64)
    fee, paying = np.zeros(len(quote_rate)), np.zeros(len(quote_rate), dtype=np.bool_)
    for k, one in enumerate(book.liquidation.pockets):
        quotes = [one.supply_quote, one.debt_quote]
        pocket[quotes], fee[quotes], paying[quotes] = k, float(one.fee), one.pays_out
    return NumpyTables(
        book=book,
        pools=StarOfPools(book),
        place=place,
        deployment=book.unit_deployment[place],
        by_health=of(lambda one: one.mechanism == Mechanism.HEALTH_CLOSE_FACTOR) > 0,
        close=of(lambda one: one.close_factor),
        full_health=of(lambda one: one.full_close_health),
        full_below=of(lambda one: one.full_close_below),
        leftover=of(lambda one: one.leftover),
        of_all=of(lambda one: one.of_all_debts) > 0,
        books=of(lambda one: one.bad_debt != BadDebt.STAYS) > 0,
        cut_debt=of(lambda one: one.debt_rounding).astype(np.int64),
        cut_pledge=of(lambda one: one.collateral_rounding).astype(np.int64),
        unit=unit,
        first=np.cumsum(count) - count,
        count=count,
        quote=quote,
        asset=book.quote_asset[quote],
        is_debt=is_debt,
        threshold=threshold,
        weight=np.where(is_debt, -1.0, threshold),
        bonus=1 + book.liquidation_bonus[sets],
        amount=np.where(raw < 2.0**53, np.rint(raw), raw),
        scale=scale,
        rate=quote_rate,
        fee=fee,
        pocket=pocket,
        paying=paying,
        asset_scale=asset_scale,
        cash=np.array([float(one.cash_raw) for one in book.liquidation.pockets]),
        oracles=_oracles(book, feeds),
    )


def _oracles(book: Book, follows: Mapping[Address, int]) -> Oracles:
    every = [list(leaves(program)) for program in book.quote_program]
    feeds = list(dict.fromkeys(one for some in every for one in some if isinstance(one, Feed)))
    place = {one.address: f for f, one in enumerate(feeds)}
    read = [[place[one.address] for one in some if isinstance(one, Feed)] for some in every]
    most = max(map(len, read), default=1)
    others = [[_number(one) for one in some if not isinstance(one, Feed)] for some in every]
    answers = book.sources.answers
    decimals = [float(10 ** answers[x].decimals) if x in answers else 0.0 for x in place]
    return Oracles(
        feeds=tuple(place),
        asset=np.array([follows.get(one.address, -1) for one in feeds], dtype=np.int64),
        value=np.array([_number(one) for one in feeds]),
        decimals=np.array(decimals),
        read=np.array([row + [len(feeds)] * (most - len(row)) for row in read]),
        others=np.array([float(np.prod(some)) for some in others]),
    )


def _number(leaf: Leaf) -> float:
    return float("nan") if leaf.value is None else float(leaf.value)


class Totals:
    """What the rounds of one scenario did, in USD: by deployment (D,), by asset (A,), in all."""

    def __init__(self, deployments: int, assets: int) -> None:
        self.accounts = np.zeros(deployments, dtype=np.int64)
        self.debt, self.collateral, self.written_off = np.zeros((3, deployments))
        self.uncovered, self.penalty, self.fees = np.zeros((3, deployments))
        self.asset_debt, self.asset_collateral = np.zeros((2, assets))
        self.asset_bad, self.in_pools = np.zeros((2, assets))
        self.liquidations, self.rounds, self.keepers = 0, 0, 0.0
        self.path: list[Floats] = []


def whole(value: Floats, how: Ints) -> Floats:
    """To whole base units, by each one's own rounding."""
    down = np.floor(value + 0.5 * (how == Rounding.NEAREST))
    return np.where(how == Rounding.UP, np.ceil(value), down)
