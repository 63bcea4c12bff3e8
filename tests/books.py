"""Small books from plain lists, random books, and an edge that decides in fractions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from defirisk.core.book import Asset, Book, DeploymentFacts, Floats, MarketFacts
from defirisk.core.evm import Address, Block
from defirisk.core.holdings import Side
from defirisk.core.quote import Constant, Feed, Leaf, Product, Program, Rate, leaves
from tests.definition import exact_price, falls
from tests.demands import Demand, Mode, recovery, requirements, symbols_needed

Entry = tuple[str, str, float]
"""Side, symbol and amount in whole units of the quote: ("debt", "USDC", 100)."""

NOW = 1_700_000_000


def address(name: str) -> Address:
    """A readable address: the name's own bytes."""
    return "0x" + name.encode().hex().ljust(40, "0")


@dataclass(frozen=True)
class Token:
    """An asset of the builder. Every deployment has a supply quote and a debt quote of it.

    `price` is at market and, unless `oracle` is given, in the feed; NaN is unknown. `feed` names
    the feed, "" a hard-coded price, None the symbol's own; `ratio_feed` multiplies a second one.
    """

    symbol: str
    price: float
    threshold: float = 0.8
    follows: str | None = None
    feed: str | None = None
    ratio_feed: str | None = None
    oracle: float | None = None
    supply_rate: float = 1.0
    debt_rate: float = 1.0
    address: Address | None = None


@dataclass
class FractionEdge:
    """Decides by the definition, in fractions of the book's own floats."""

    book: Book | None = None
    asked: int = 0

    def liquidatable(self, unit: int, prices: Mapping[int, Fraction]) -> bool:
        book = self.book
        assert book is not None
        self.asked += 1

        def price(quote: int) -> Fraction:
            return exact_price(book.quote_program[quote]) * prices.get(quote, Fraction(1))

        return falls(book, unit, price)


def book(
    tokens: Sequence[Token],
    units: Sequence[Sequence[Entry]],
    *,
    deployments: Sequence[str] = ("aave-v3",),
    protocols: Sequence[str] = (),
    placed: Sequence[int] = (),
    owners: Sequence[str] = (),
    cash: float | None = None,
    caps: tuple[int, int] = (0, 0),
    resolution: float = 1e-8,
    demands: Sequence[Demand] = (),
    modes: Sequence[Mode] = (),
) -> Book:
    """Units as lists of entries; `placed` is each unit's deployment (0), `owners` its
    owner (itself). Requirements and systems are against supply quotes and debt quotes.

    Market totals are the sums of the holdings; cash is what is supplied and not borrowed.
    """
    quotes = _Quotes(tokens, len(deployments))
    where = list(placed) or [0] * len(units)
    rows = [
        (i, quotes.index(where[i], side, symbol), Side[side.upper()], amount, quotes.asset(symbol))
        for i, entries in enumerate(units)
        for side, symbol, amount in entries
    ]
    blind = [
        any(e[0] != "supply" and _unknown(tokens[quotes.asset(e[1])]) for e in entries)
        for entries in units
    ]
    for unit, symbol in symbols_needed(demands, modes):
        blind[unit] |= _unknown(tokens[quotes.asset(symbol)])
    edge = FractionEdge()
    people = list(dict.fromkeys(owners))
    made = Book(
        chain_id=1,
        block=Block(number=7, hash="0x07", parent_hash="0x06", timestamp=NOW),
        deployments=tuple(
            DeploymentFacts(name=name, protocol=protocol, proof="executed", findings=())
            for name, protocol in zip(deployments, protocols or deployments, strict=True)
        ),
        assets=tuple(quotes.assets()),
        markets=tuple(_markets(tokens, quotes, rows, len(deployments), cash, caps)),
        units=tuple(address(f"unit-{i}") for i in range(len(units))),
        unit_deployment=np.array(where, dtype=np.int64),
        unpriced=np.array(blind, dtype=np.bool_),
        asset_price=np.array([token.price for token in tokens], dtype=np.float64),
        quote_asset=np.array([q[1] for q in quotes.all], dtype=np.int64),
        quote_deployment=np.array([q[0] for q in quotes.all], dtype=np.int64),
        quote_market=tuple(tokens[q[1]].symbol for q in quotes.all),
        quote_program=tuple(q[2] for q in quotes.all),
        quote_price=np.array([_float_price(q[2]) for q in quotes.all], dtype=np.float64),
        quote_rate=np.array([q[3] for q in quotes.all], dtype=np.float64),
        quote_grain=np.array([1e-18 / q[3] for q in quotes.all], dtype=np.float64),
        ltv=np.array([token.threshold - 0.05 for token in tokens], dtype=np.float64),
        liquidation_threshold=np.array([token.threshold for token in tokens], dtype=np.float64),
        liquidation_bonus=np.full(len(tokens), 0.05),
        holding_unit=np.array([row[0] for row in rows], dtype=np.int64),
        holding_quote=np.array([row[1] for row in rows], dtype=np.int64),
        holding_side=np.array([row[2] for row in rows], dtype=np.int8),
        holding_amount=np.array([row[3] for row in rows], dtype=np.float64),
        holding_parameters=np.array([row[4] for row in rows], dtype=np.int64),
        resolution=np.full(len(units), resolution),
        edge=edge,
        owners=tuple(people),
        unit_owner=np.array([people.index(owner) for owner in owners], dtype=np.int64),
        requirements=requirements(lambda u, s: quotes.index(where[u], "supply", s), demands),
        recovery=tuple(
            recovery(lambda u, side, s: quotes.index(where[u], side, s), mode) for mode in modes
        ),
    )
    edge.book = made
    return made


class _Quotes:
    """Two quotes, of supply and of debt, for each token and deployment."""

    def __init__(self, tokens: Sequence[Token], deployments: int) -> None:
        self.tokens = tokens
        self.place = {token.symbol: a for a, token in enumerate(tokens)}
        self.all = [
            (d, a, _program(token, rate), rate)
            for d in range(deployments)
            for a, token in enumerate(tokens)
            for rate in (token.supply_rate, token.debt_rate)
        ]

    def asset(self, symbol: str) -> int:
        return self.place[symbol]

    def index(self, deployment: int, side: str, symbol: str) -> int:
        return 2 * (deployment * len(self.tokens) + self.place[symbol]) + (side == "debt")

    def assets(self) -> list[Asset]:
        return [
            Asset(
                address=token.address or address(token.symbol),
                symbol=token.symbol,
                follows=None if token.follows is None else self.place[token.follows],
            )
            for token in self.tokens
        ]


def _program(token: Token, rate: float) -> Program:
    price = token.price if token.oracle is None else token.oracle
    value = None if np.isnan(price) else Fraction(price)
    leaf: Leaf = Feed(address(token.feed or f"feed-{token.symbol}"), value)
    if token.feed == "":
        assert value is not None
        leaf = Constant(value)
    ratio = (Feed(address(token.ratio_feed), Fraction(1)),) if token.ratio_feed else ()
    return Product((leaf, *ratio, Rate("index", Fraction(rate))))


def _float_price(program: Program) -> float:
    values = [leaf.value for leaf in leaves(program)]
    return float(np.prod([np.nan if value is None else float(value) for value in values]))


def _unknown(token: Token) -> bool:
    return bool(np.isnan(token.price if token.oracle is None else token.oracle + token.price))


def _markets(
    tokens: Sequence[Token],
    quotes: _Quotes,
    rows: Sequence[tuple[int, int, Side, float, int]],
    deployments: int,
    cash: float | None,
    caps: tuple[int, int],
) -> list[MarketFacts]:
    held: Floats = np.zeros(len(quotes.all))
    for _, quote, _, amount, _ in rows:
        held[quote] += amount * quotes.all[quote][3]
    return [
        MarketFacts(
            deployment=d,
            market=token.symbol,
            asset=a,
            supplied=float(held[(supply := quotes.index(d, "supply", token.symbol))]),
            borrowed=float(held[supply + 1]),
            cash=max(float(held[supply] - held[supply + 1]), 0.0) if cash is None else cash,
            deficit=0.0,
            price_usd=token.price if token.oracle is None else token.oracle,
            supply_cap=caps[0],
            borrow_cap=caps[1],
            supply_apr=0.01,
            borrow_apr=0.02,
            ltv=token.threshold - 0.05,
            liquidation_threshold=token.threshold,
            liquidation_bonus=0.05,
            reserve_factor=0.1,
            price_source=address(token.feed or f"feed-{token.symbol}"),
            price_updated_ts=NOW - 60,
            price_grade="logs",
            flags=(),
        )
        for d in range(deployments)
        for a, token in enumerate(tokens)
    ]


# Small integers make units at the edge and cliffs, the extremes make dust and whales.
AMOUNTS = st.one_of(
    st.integers(1, 9).map(float),
    st.floats(0.1, 10),
    st.floats(0.1, 10),
    st.sampled_from([0.0, 1e-18, 1e-9, 1e6]),
)
_PRICES = st.one_of(
    st.integers(1, 4).map(float),
    st.floats(0.1, 10),
    st.floats(0.1, 10),
    st.sampled_from([1e-6, 1e5, np.nan]),
)
_SYMBOLS = ("WETH", "wstETH", "USDC", "sUSD", "WBTC")


@st.composite
def tokens(draw: st.DrawFn) -> list[Token]:
    """Up to five tokens: some follow another, share its feed, are hard-coded or unknown."""
    count = draw(st.integers(1, len(_SYMBOLS)))
    made: list[Token] = []
    for symbol in _SYMBOLS[:count]:
        leader = draw(st.sampled_from([None, *made]))
        price = draw(_PRICES)
        feeds: list[str | None] = [None, None, None]
        if not np.isnan(price):
            feeds.append("")
        if leader and leader.feed != "":
            feeds.append(leader.feed or f"feed-{leader.symbol}")
        made.append(
            Token(
                symbol,
                price=price,
                threshold=draw(st.sampled_from([0.0, 0.5, 0.8, 0.93, 1.0])),
                follows=leader.symbol if leader else None,
                oracle=draw(st.sampled_from([None, None, price * 1.5, price * 0.75])),
                feed=draw(st.sampled_from(feeds)),
                ratio_feed=draw(st.sampled_from([None, None, f"ratio-{symbol}"])),
                supply_rate=draw(st.sampled_from([1.0, 1.07])),
                debt_rate=draw(st.sampled_from([1.0, 1.31])),
            )
        )
    return made


@st.composite
def books(draw: st.DrawFn) -> Book:
    """Random books of up to two deployments and twelve units, with units at the edge."""
    made, units, deployments, placed = draw(parts())
    return book(made, units, deployments=deployments, placed=placed)


@st.composite
def parts(
    draw: st.DrawFn,
) -> tuple[list[Token], list[list[Entry]], tuple[str, ...], list[int]]:
    """Tokens, units, deployments and each unit's deployment."""
    made = draw(tokens())
    entry = st.tuples(
        st.sampled_from(["collateral", "collateral", "collateral", "supply", "debt", "debt"]),
        st.sampled_from([token.symbol for token in made]),
        AMOUNTS,
    )
    units = draw(st.lists(st.lists(entry, max_size=5), max_size=12))
    count = draw(st.integers(1, 2))
    placed = draw(st.lists(st.integers(0, count - 1), min_size=len(units), max_size=len(units)))
    return made, units, ("one", "two")[:count], placed
