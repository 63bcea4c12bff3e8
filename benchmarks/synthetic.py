"""A synthetic lending book and scenarios, of any size, from a seed.

A stress case rather than a likeness: every unit pledges 1 to 4 assets and owes 1 to 3, so 4.5 terms
where real books have about 3. Popularity of assets and sizes of deployments follow Zipf's law,
wealth is Pareto, health factors are 1.02 and a lognormal. Scenarios have one fat-tailed market
factor (Student's t with 4 degrees of freedom, 25 %), 8 % of each asset's own, and small depegs of
the stable sixth of the assets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from defirisk.core.book import Asset, Book, DeploymentFacts, Floats, Ints
from defirisk.core.evm import Block
from defirisk.core.holdings import Side
from defirisk.core.quote import Feed, Product, Rate
from defirisk.core.scenario import Moves, Scenario

MOST_PLEDGED, MOST_OWED = 4, 3
AT_ONCE = 20_000


@dataclass
class ExactEdge:
    """Decides by the definition, in fractions of the book's own floats. `core.book.Edge`."""

    book: Book | None = None

    def liquidatable(self, unit: int, prices: Mapping[int, Fraction]) -> bool:
        """Whether collateral times threshold is worth less than the debt."""
        book = self.book
        assert book is not None
        margin = Fraction(0)
        for h in range(*np.searchsorted(book.holding_unit, [unit, unit + 1])):
            quote = int(book.holding_quote[h])
            value = Fraction(book.holding_amount[h]) * Fraction(book.quote_price[quote])
            value *= prices.get(quote, Fraction(1))
            if book.holding_side[h] == Side.DEBT:
                margin -= value
            else:
                margin += value * Fraction(book.liquidation_threshold[book.holding_parameters[h]])
        return margin < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Assets:
    price: Floats  # (A,)
    threshold: Floats  # (A,)
    pledged: Floats  # (A,), popularity
    owed: Floats  # (A,)


def book(
    units: int,
    *,
    assets: int = 50,
    deployments: int = 10,
    dollars: int | None = None,
    seed: int = 1,
) -> Book:
    """Quotes are a supply and a debt quote for each asset of each deployment, with a rate each.

    The last assets are the stable ones: `dollars` of them, or else a sixth. Together they are owed
    as often as if there were a sixth.
    """
    random = np.random.default_rng(seed)
    kinds = _assets(random, assets, dollars)
    share = 1 / np.arange(1, deployments + 1)
    where = random.choice(deployments, units, p=share / share.sum())
    pledged = random.integers(1, MOST_PLEDGED + 1, units)
    owed = random.integers(1, MOST_OWED + 1, units)
    rate = 1 + 0.3 * random.random(2 * deployments * assets)
    wealth = 5e3 * (random.pareto(1.3, units) + 0.05)
    health = 1.02 + random.lognormal(-0.4, 0.9, units)
    first = np.concatenate([[0], np.cumsum(pledged + owed)])
    asset = np.empty(first[-1], dtype=np.int64)
    value = np.empty(first[-1])
    for begin in range(0, units, AT_ONCE):
        part = slice(begin, min(begin + AT_ONCE, units))
        own = slice(first[part.start], first[part.stop])
        asset[own], value[own] = _terms(
            random, kinds, pledged[part], owed[part], wealth[part], health[part]
        )
    unit = np.repeat(np.arange(units), pledged + owed)
    is_debt = np.arange(first[-1]) - first[unit] >= pledged[unit]
    quote = 2 * (where[unit] * assets + asset) + is_debt
    price = np.tile(np.repeat(kinds.price, 2), deployments) * rate
    return _book(where, kinds, rate, price, unit, quote, is_debt, value / price[quote], asset)


def scenarios(
    made: Book, count: int, *, dollars: int | None = None, severity: float = 1.0, seed: int = 2
) -> list[Scenario]:
    """Markets and feeds move together, so that oracles tell the truth.

    `severity` is a factor on the logarithms of what moves.
    """
    random = np.random.default_rng(seed)
    assets = len(made.assets)
    stable = _stable(assets, dollars)
    market = -0.05 + 0.25 * random.standard_t(4, count)
    beta = random.uniform(0.6, 1.4, assets)
    move = market[:, None] * beta + 0.08 * random.standard_normal((count, assets))
    move[:, stable] = -0.003 * np.abs(random.standard_t(3, (count, int(stable.sum()))))
    factors = np.exp(np.clip(severity * move, -2.5, 1.5))
    return [
        Scenario(name=str(s), shocks=(), moves=_moves([Fraction(f) for f in row]))
        for s, row in enumerate(factors)
    ]


def _moves(factors: list[Fraction]) -> Moves:
    return Moves(
        market=dict(enumerate(factors)),
        feeds={feed(a): factor for a, factor in enumerate(factors)},
    )


def _stable(assets: int, dollars: int | None) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.arange(assets) >= assets - (dollars or _sixth(assets))


def _sixth(assets: int) -> int:
    return max(2, assets // 6)


def feed(asset: int) -> str:
    """The address of an asset, and of its feed."""
    return f"0x{asset:040x}"


def _assets(random: np.random.Generator, count: int, dollars: int | None) -> _Assets:
    stable = _stable(count, dollars)
    popular = np.asarray(np.arange(1, count + 1) ** -0.7, dtype=np.float64)
    return _Assets(
        price=np.where(stable, 1.0, np.exp(random.normal(2, 2, count))),
        threshold=np.where(stable, 0.87, random.uniform(0.65, 0.86, count)),
        pledged=popular,
        owed=np.where(stable, 2 * popular.max() * _sixth(count) / stable.sum(), popular),
    )


def _terms(
    random: np.random.Generator,
    kinds: _Assets,
    pledged: Ints,
    owed: Ints,
    wealth: Floats,
    health: Floats,
) -> tuple[Ints, Floats]:
    """Assets and USD values of some units' terms, each unit's pledged ones first."""
    collateral = _distinct(random, kinds.pledged, len(pledged), MOST_PLEDGED)
    debt = _distinct(random, kinds.owed, len(owed), MOST_OWED)
    worth = wealth[:, None] * _shares(random, pledged, MOST_PLEDGED)
    backing = (worth * kinds.threshold[collateral]).sum(axis=1)
    borrowed = (backing / health)[:, None] * _shares(random, owed, MOST_OWED)
    there = np.concatenate([_first(pledged, MOST_PLEDGED), _first(owed, MOST_OWED)], axis=1)
    asset = np.concatenate([collateral, debt], axis=1)[there]
    return asset.astype(np.int64), np.concatenate([worth, borrowed], axis=1)[there]


def _first(count: Ints, most: int) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    return np.arange(most)[None, :] < count[:, None]


def _shares(random: np.random.Generator, count: Ints, most: int) -> Floats:
    raw = random.random((len(count), most)) * _first(count, most)
    return np.asarray(raw / raw.sum(axis=1, keepdims=True), dtype=np.float64)


def _distinct(random: np.random.Generator, popular: Floats, size: int, most: int) -> Ints:
    """`most` different assets for each unit: the winners of a race at these speeds."""
    finish = random.standard_exponential((size, len(popular))) / popular
    return np.argpartition(finish, most, axis=1)[:, :most]


def _book(
    where: Ints,
    kinds: _Assets,
    rate: Floats,
    price: Floats,
    unit: Ints,
    quote: Ints,
    is_debt: np.ndarray[tuple[int], np.dtype[np.bool_]],
    amount: Floats,
    asset: Ints,
) -> Book:
    assets, quotes = len(kinds.price), len(rate)
    deployments = quotes // (2 * assets)
    quote_asset = np.tile(np.repeat(np.arange(assets), 2), deployments)
    edge = ExactEdge()
    made = Book(
        chain_id=1,
        block=Block(number=1, hash="0x01", parent_hash="0x00", timestamp=1_700_000_000),
        deployments=tuple(
            DeploymentFacts(name=f"d{d}", protocol="synthetic", proof="imported", findings=())
            for d in range(deployments)
        ),
        assets=tuple(Asset(address=feed(a), symbol=f"A{a}") for a in range(assets)),
        markets=(),
        units=tuple(map(str, range(len(where)))),
        unit_deployment=where,
        unpriced=np.zeros(len(where), dtype=np.bool_),
        asset_price=kinds.price,
        quote_asset=quote_asset,
        quote_deployment=np.repeat(np.arange(deployments), 2 * assets),
        quote_market=tuple(f"A{a}" for a in quote_asset),
        quote_program=tuple(
            Product(
                (
                    Feed(feed(int(a)), Fraction(kinds.price[a])),
                    Rate("index", Fraction(rate[q])),
                )
            )
            for q, a in enumerate(quote_asset)
        ),
        quote_price=price,
        quote_rate=rate,
        quote_grain=1e-18 / rate,
        ltv=kinds.threshold - 0.05,
        liquidation_threshold=kinds.threshold,
        liquidation_bonus=np.full(assets, 0.05),
        holding_unit=unit,
        holding_quote=quote.astype(np.int64),
        holding_side=np.where(is_debt, int(Side.DEBT), int(Side.COLLATERAL)).astype(np.int8),
        holding_amount=amount,
        holding_parameters=asset,
        resolution=np.full(len(where), 1e-8),
        edge=edge,
    )
    edge.book = made
    return made
