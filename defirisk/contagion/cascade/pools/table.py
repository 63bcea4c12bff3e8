"""The pools of a book as arrays: what the kernels of this package work on."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

import numpy as np

from defirisk.contagion.cascade.pools.columns import (
    ABOVE,
    ADMIN,
    ANN,
    BEHIND,
    BELOW,
    COLUMNS,
    DEPTH,
    DOWN,
    FACTS,
    FEE,
    FIRST,
    KIND,
    LEAVES,
    LEVELS,
    LIQUIDITY,
    LOWER,
    OFFSET,
    PRICE,
    PRODUCT,
    QUOTED,
    RANGE,
    RANGES,
    ROOT,
    SCALE,
    STABLE,
    STATE,
    TAKEN,
    THICKNESS,
    TOKENS,
    UNTIL,
    UP,
    UPPER,
    WHOLE,
    WIDTH,
    Pools,
)
from defirisk.contagion.cascade.pools.steps import course, liquidities
from defirisk.core.book import Book, Floats, Ints
from defirisk.core.evm import Address
from defirisk.core.venue import Venue
from defirisk.swaps.concentrated import Concentrated
from defirisk.swaps.constant_product import ConstantProduct
from defirisk.swaps.order_book import OrderBook
from defirisk.swaps.stableswap import FEE_DENOMINATOR, PRECISION, StableSwap
from defirisk.swaps.swap_math import PIPS
from defirisk.swaps.tick_math import Q96

VIRTUAL = "trades entries of a protocol's own books, which nobody else can sell"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolTable:
    """V pools of at most T tokens, in the order of their addresses; columns are in `columns`.

    `tokens` (V, T) are places on the book's asset axis, -1 for what is not on it. `state`
    (V, max(4, T)) is the opening state, in base units. `left_out` are venues that are not here, and
    why.
    """

    venues: tuple[Venue, ...]
    left_out: tuple[tuple[Venue, str], ...]
    tokens: Ints
    pools: Pools
    state: Floats


def pool_table(book: Book) -> PoolTable:
    """The pools of `book.sources.venues`."""
    places = {asset.address: place for place, asset in enumerate(book.assets)}
    virtual = {asset.address for asset in book.assets if asset.virtual}
    return table_of(book.sources.venues, places, virtual)


def table_of(
    venues: Mapping[Address, Venue],
    assets: Mapping[Address, int],
    virtual: Set[Address] = frozenset(),
) -> PoolTable:
    """Pools by their address, with the assets' places by theirs. Nothing is sold in a pool of
    `virtual` tokens: only their protocol trades there.
    """
    ordered = [venues[address] for address in sorted(venues)]
    reasons = {
        venue.address: why
        for venue in ordered
        if (why := VIRTUAL if not virtual.isdisjoint(venue.tokens) else _unfit(venue))
    }
    kept = [venue for venue in ordered if venue.address not in reasons]
    most = max((len(venue.tokens) for venue in kept), default=2)
    tokens = np.full((len(kept), most), -1, dtype=np.int64)
    facts = np.zeros((len(kept), FACTS), dtype=np.int64)
    numbers = np.zeros((len(kept), SCALE + most))
    state = np.zeros((len(kept), max(STATE, most)))
    rows: list[list[float]] = []
    for v, venue in enumerate(kept):
        tokens[v, : len(venue.tokens)] = [assets.get(token, -1) for token in venue.tokens]
        facts[v, [TOKENS, FIRST]] = len(venue.tokens), len(rows)
        facts[v, KIND] = _fill(venue, numbers[v], state[v], rows)
        facts[v, BEHIND] = len(rows)
    return PoolTable(
        venues=tuple(kept),
        left_out=tuple((one, reasons[one.address]) for one in ordered if one.address in reasons),
        tokens=tokens,
        pools=Pools(facts, numbers, np.array(rows, dtype=np.float64).reshape(-1, COLUMNS)),
        state=state,
    )


def _unfit(venue: Venue) -> str:
    """Why nothing can be sold there; empty where something can."""
    match venue.pool:
        case ConstantProduct(reserves=reserves):
            return "is empty" if 0 in reserves else ""
        case StableSwap(balances=balances, amplification=amplification):
            return "is empty" if 0 in balances or amplification == 0 else ""
        case Concentrated() as pool:
            if pool.sqrt_price_x96 == 0:
                return "was never given a price"
            return "" if any(liquidities(pool)[1]) else "is empty"
        case OrderBook(amounts=amounts, taken=taken):
            return "" if amounts and amounts[-1] > taken else "is empty"
        case other:
            return f"is of a kind that cannot be computed with ({type(other).__name__})"


def _fill(venue: Venue, numbers: Floats, state: Floats, rows: list[list[float]]) -> int:
    """Writes one pool's parameters, opening state and ranges; returns its kind."""
    match venue.pool:
        case ConstantProduct() as pool:
            numbers[[FEE, WHOLE]] = pool.fee.numerator, pool.fee.denominator
            numbers[LEAVES] = pool.fee_leaves
            state[:2] = pool.reserves
            return PRODUCT
        case StableSwap() as pool:
            count = len(pool.balances)
            numbers[[FEE, WHOLE, ADMIN]] = pool.fee_e10, FEE_DENOMINATOR, pool.admin_fee_e10
            numbers[ANN] = pool.amplification * count / pool.generation.value
            numbers[SCALE : SCALE + count] = [rate / PRECISION for rate in pool.rates]
            state[:count] = pool.balances
            return STABLE
        case Concentrated() as pool:
            numbers[[FEE, WHOLE]] = pool.fee_pips, PIPS
            _fill_ranges(pool, state, rows)
            return RANGES
        case OrderBook() as pool:
            numbers[WHOLE] = 1.0
            state[[TAKEN, THICKNESS, QUOTED]] = pool.taken, 1.0, 1.0
            for price, amount in zip(pool.prices, pool.amounts, strict=True):
                row = [0.0] * COLUMNS
                row[PRICE], row[UNTIL] = float(price), float(amount)
                rows.append(row)
            return LEVELS
    raise TypeError(f"{venue.address}: {type(venue.pool).__name__}")


def _fill_ranges(pool: Concentrated, state: Floats, rows: list[list[float]]) -> None:
    """Rows of one pool, each difference exact before it becomes a float."""
    found, first = course(pool), len(rows)
    ratios = [end.ratio for end in found.ends]
    lower, upper = 0, 0
    for place, liquidity in enumerate(found.liquidity):
        lower = place if found.ends[place].down else lower
        upper = max(upper, place)
        while not found.ends[upper + 1].up:
            upper += 1
        row = [0.0] * COLUMNS
        row[LOWER], row[UPPER] = ratios[place] / Q96, ratios[place + 1] / Q96
        row[WIDTH], row[LIQUIDITY] = (ratios[place + 1] - ratios[place]) / Q96, float(liquidity)
        row[DOWN], row[UP] = float(first + lower), float(first + upper)
        row[BELOW] = (ratios[place] - ratios[lower]) / Q96
        row[ABOVE] = (ratios[upper + 1] - ratios[place + 1]) / Q96
        rows.append(row)
    state[[ROOT, RANGE, DEPTH]] = pool.sqrt_price_x96 / Q96, first + found.at, 1.0
    state[OFFSET] = (pool.sqrt_price_x96 - ratios[found.at]) / Q96
