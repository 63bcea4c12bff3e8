"""The report on a pool: what can be sold there, at what price, and who relies on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations
from typing import Any

from defirisk.core.book import Book
from defirisk.core.errors import CheckFailed
from defirisk.core.quote import Spot, leaves
from defirisk.core.venue import Pool, Venue
from defirisk.reports.labels import asset_label, token_label
from defirisk.reports.model import (
    Axis,
    Chart,
    Column,
    Number,
    Numbers,
    Paragraph,
    Report,
    Run,
    Section,
    Series,
    Table,
    Value,
    header_of,
)
from defirisk.reports.subject import find_venue, pair
from defirisk.reports.value import plural, show

MOVES = tuple(Fraction(m, 1000) for m in (1, 5, 10, 20, 50, 100, 200, 300, 500, 800))
CLOSE = Fraction(1001, 1000)
"""A price that integers cannot bring nearer to what was asked for is there."""
TOLD = Fraction(20, 1000)
"""The fall that the first sentence speaks of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What brings the price down by `move` (0.02 is 2 %): whole tokens sold and received.

    `reached` is false where the pool cannot be brought there: it runs out before.
    """

    move: float
    sell: float
    receive: float
    reached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """One way through a pool. `spot_price`: whole tokens bought per whole token of a small sale,
    its fee taken off.
    """

    sell: int
    buy: int
    spot_price: float
    steps: tuple[Step, ...]


def directions(venue: Venue) -> tuple[Direction, ...]:
    """Every ordered pair of the pool's tokens, from the pool's own integers."""
    found = []
    for i, j in permutations(range(len(venue.tokens)), 2):
        try:
            price = venue.pool.price(i, j)
        except CheckFailed:  # the pool is empty
            continue
        spot = price * (1 - venue.pool.fee) * _scale(venue, i, j)
        steps = tuple(_step(venue, i, j, price, move) for move in MOVES)
        found.append(Direction(sell=i, buy=j, spot_price=float(spot), steps=steps))
    return tuple(found)


def _scale(venue: Venue, i: int, j: int) -> Fraction:
    return Fraction(10 ** venue.decimals[i], 10 ** venue.decimals[j])


def _step(venue: Venue, i: int, j: int, price: Fraction, move: Fraction) -> Step:
    target = price * (1 - move)
    sale = venue.pool.sell_until(i, j, target)
    return Step(
        move=float(move),
        sell=float(Fraction(sale.sold, 10 ** venue.decimals[i])),
        receive=float(Fraction(sale.received, 10 ** venue.decimals[j])),
        reached=_is_there(sale.pool, i, j, target),
    )


def _is_there(pool: Pool, i: int, j: int, target: Fraction) -> bool:
    """Whether the price came down to the target; not where the pool ran out before."""
    try:
        return pool.price(i, j) <= target * CLOSE
    except CheckFailed:
        return False


class VenueReport:
    """Everything about one pool."""

    name = "venue"
    summary = "a pool: what can be sold there before its price moves, and whose prices read it"
    of_deployments = False

    def subjects(self, book: Book) -> tuple[str, ...]:
        """What can be asked about."""
        return tuple(book.sources.venues)

    def build(self, book: Book, *, run: Run, subject: str) -> Report:
        """The report on the pool that `subject` names. Errors: `UsageError` where there is none."""
        venue = find_venue(book, subject)
        ways = directions(venue)
        title = f"{pair(book, venue)} at {venue.deployment}"
        return Report(
            title=title,
            header=header_of(book, run),
            lead=(Paragraph(_answer(book, venue, ways)), _tiles(book, venue, ways)),
            sections=(
                Section("depth", "Depth", (_chart(book, venue, ways), _table(book, venue, ways))),
                Section("readers", "Prices that read this pool", (_readers(book, venue),)),
            ),
            data=_data(book, venue, ways),
            csv="depth",
        )


def _answer(book: Book, venue: Venue, ways: tuple[Direction, ...]) -> str:
    if not ways:
        return "The pool is empty: nothing can be sold there."
    readers = sum(1 for _ in _reading(book, venue))
    first = ways[0]
    step = next(one for one in first.steps if one.move == float(TOLD))
    sold, bought = (token_label(book, venue.tokens[t]) for t in (first.sell, first.buy))
    return (
        f"{show(step.sell, 'token')} {sold} can be sold here for {show(step.receive, 'token')} "
        f"{bought} before its price is {show(step.move, 'percent')} lower. "
        + (
            f"{plural(readers, 'price')} of indexed markets {'is' if readers == 1 else 'are'} "
            "read from this pool."
            if readers
            else "No price of an indexed market is read from this pool."
        )
    )


def _tiles(book: Book, venue: Venue, ways: tuple[Direction, ...]) -> Numbers:
    tiles = [
        Number(
            key=f"spot_{w.sell}_{w.buy}",
            label=f"{token_label(book, venue.tokens[w.sell])} in "
            f"{token_label(book, venue.tokens[w.buy])}",
            value=w.spot_price,
            kind="number",
            note="for a small sale, fee taken off",
        )
        for w in ways[:4]
    ]
    fee = Number(key="fee", label="Fee", value=float(venue.pool.fee), kind="percent")
    return Numbers((*tiles, fee))


def _chart(book: Book, venue: Venue, ways: tuple[Direction, ...]) -> Chart:
    """Both directions on one axis: what is sold, in dollars where they are known."""
    known = [_price(book, token) for token in venue.tokens]
    usd = all(price is not None for price in known)
    series = []
    for way in ways:
        unit = known[way.sell] if usd else 1.0
        sold, bought = (token_label(book, venue.tokens[t]) for t in (way.sell, way.buy))
        points = [step for step in way.steps if step.reached or step is way.steps[0]]
        series.append(
            Series(
                name=f"sell {sold} for {bought}",
                x=(0.0, *(step.sell * (unit or 1.0) for step in points)),
                y=(0.0, *(-step.move for step in points)),
            )
        )
    return Chart(
        name="depth-curve",
        title="How far a sale moves the price",
        form="line",
        x=Axis("Sold", "usd" if usd else "token"),
        y=Axis("Price afterwards", "percent"),
        series=tuple(series),
        note="" if usd else "Whole tokens of what is sold: not all of them have a known price.",
    )


def _price(book: Book, token: str) -> float | None:
    for asset, price in zip(book.assets, book.asset_price, strict=True):
        if asset.address == token:
            return float(price) if price == price else None
    return None


def _table(book: Book, venue: Venue, ways: tuple[Direction, ...]) -> Table:
    return Table(
        name="depth",
        title="What each fall of the price takes",
        columns=(
            Column("asset_in", "Sold", "text"),
            Column("asset_out", "For", "text"),
            Column("move", "Price lower by", "percent"),
            Column("sell", "Amount sold", "token"),
            Column("receive", "Amount received", "token"),
            Column("reached", "Reached", "text"),
        ),
        rows=tuple(
            (
                token_label(book, venue.tokens[way.sell]),
                token_label(book, venue.tokens[way.buy]),
                step.move,
                step.sell,
                step.receive,
                "yes" if step.reached else "the pool runs out",
            )
            for way in ways
            for step in way.steps
        ),
        caption="From the pool's own integers, fee included; the price is the pool's without fee.",
        empty="the pool is empty",
    )


def _reading(book: Book, venue: Venue) -> Iterator[int]:
    for q, program in enumerate(book.quote_program):
        if any(isinstance(one, Spot) and one.venue == venue.address for one in leaves(program)):
            yield q


def _readers(book: Book, venue: Venue) -> Table:
    rows: dict[tuple[Value, ...], None] = {}
    for q in _reading(book, venue):
        deployment = book.deployments[int(book.quote_deployment[q])].name
        asset = asset_label(book, int(book.quote_asset[q]))
        rows[(deployment, book.quote_market[q], asset)] = None
    return Table(
        name="readers",
        title="",
        columns=(
            Column("deployment", "Deployment", "text"),
            Column("market", "Market", "text"),
            Column("asset", "Asset", "text"),
        ),
        rows=tuple(rows),
        empty="none",
    )


def _data(book: Book, venue: Venue, ways: tuple[Direction, ...]) -> dict[str, Any]:
    """The shape that other programs rely on: the first direction, and then all of them."""

    def depth(way: Direction) -> list[dict[str, Any]]:
        return [
            {"move": s.move, "sell": s.sell, "receive": s.receive, "reached": s.reached}
            for s in way.steps
        ]

    labels = [token_label(book, token) for token in venue.tokens]
    return {
        "venue": venue.label,
        "address": venue.address,
        "deployment": venue.deployment,
        "kind": venue.kind,
        "assets": labels,
        "fee": float(venue.pool.fee),
        "spot_price": ways[0].spot_price if ways else None,
        "depth": depth(ways[0]) if ways else [],
        "directions": [
            {
                "asset_in": labels[way.sell],
                "asset_out": labels[way.buy],
                "spot_price": way.spot_price,
                "depth": depth(way),
            }
            for way in ways
        ],
    }


REPORT = VenueReport()
