"""The report on a pool: what can be sold there, at what price, and who relies on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from defirisk.core.book import Book
from defirisk.core.evm import Address
from defirisk.core.quote import Spot, leaves
from defirisk.core.venue import Venue
from defirisk.reports.depth import TOLD, Direction, Step, directions
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

_KNOWN_FROM = {
    "logs": "Its state was followed log by log.",
    "read": "Its state is what it answered when it was asked.",
    "imported": "Its state was imported from a file, and is not checked.",
}
_TILES = 4


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
        ways = tuple(directions(venue))
        reading = readers(book, venue.address)
        title = f"{pair(book, venue)} at {venue.deployment}"
        return Report(
            title=title,
            header=header_of(book, run),
            lead=(Paragraph(_answer(book, venue, ways, len(reading))), _tiles(book, venue, ways)),
            sections=(
                Section("depth", "Depth", (_chart(book, venue, ways), _table(book, venue, ways))),
                Section("readers", "Prices that read this pool", (_readers(reading),)),
            ),
            data=_data(book, venue, ways, reading),
            csv="depth",
        )


def readers(book: Book, venue: Address) -> tuple[tuple[str, str, str], ...]:
    """Deployment, market and asset of every price that is read from this pool, each once."""
    found: dict[tuple[str, str, str], None] = {}
    for q, program in enumerate(book.quote_program):
        if any(isinstance(leaf, Spot) and leaf.venue == venue for leaf in leaves(program)):
            deployment = book.deployments[int(book.quote_deployment[q])].name
            asset = asset_label(book, int(book.quote_asset[q]))
            found[deployment, book.quote_market[q], asset] = None
    return tuple(found)


def _answer(book: Book, venue: Venue, ways: Sequence[Direction], reading: int) -> str:
    known = _KNOWN_FROM[venue.grade]
    if not ways:
        return f"The pool is empty: nothing can be sold there. {known}"
    way = ways[0]
    step = next(one for one in way.steps if one.move == float(TOLD))
    sold, bought = (token_label(book, venue.tokens[t]) for t in (way.sell, way.buy))
    until = (
        f"before its price is {show(step.move, 'percent')} lower"
        if step.reached
        else "before the pool runs out"
    )
    read_by = (
        f"{plural(reading, 'price')} of indexed markets {'is' if reading == 1 else 'are'} read "
        "from this pool."
        if reading
        else "No price of an indexed market is read from this pool."
    )
    return (
        f"{show(step.sell, 'token')} {sold} can be sold here for {show(step.receive, 'token')} "
        f"{bought} {until}. {read_by} {known}"
    )


def _tiles(book: Book, venue: Venue, ways: Sequence[Direction]) -> Numbers:
    tiles = [
        Number(
            key=f"spot_{w.sell}_{w.buy}",
            label=f"{token_label(book, venue.tokens[w.sell])} in "
            f"{token_label(book, venue.tokens[w.buy])}",
            value=w.spot_price,
            kind="token",
            note="for a small sale, fee taken off",
        )
        for w in ways[:_TILES]
    ]
    fee = Number(key="fee", label="Fee", value=float(venue.pool.fee), kind="fee")
    return Numbers((*tiles, fee))


def _chart(book: Book, venue: Venue, ways: Sequence[Direction]) -> Chart:
    """Each token for the next on one axis: what is sold, in dollars where all are known."""
    prices = {asset.address: p for asset, p in zip(book.assets, book.asset_price, strict=True)}
    known = [float(prices.get(token, 0.0)) for token in venue.tokens]
    usd = all(price > 0 for price in known)
    drawn = [way for way in ways if way.buy == (way.sell + 1) % len(venue.tokens)]
    series = []
    for way in drawn:
        unit = known[way.sell] if usd else 1.0
        sold, bought = (token_label(book, venue.tokens[t]) for t in (way.sell, way.buy))
        points = _drawn(way.steps)
        series.append(
            Series(
                name=f"sell {sold} for {bought}",
                x=(0.0, *(step.sell * unit for step in points)),
                y=(0.0, *(step.move for step in points)),
            )
        )
    notes = [] if usd else ["Whole tokens of what is sold: not all of them have a known price."]
    if len(drawn) < len(ways):
        notes.append("The other pairs are in the table.")
    if not all(step.reached for way in drawn for step in way.steps):
        notes.append("A line ends where the pool runs out.")
    return Chart(
        name="depth-curve",
        title="How far a sale moves the price",
        form="line",
        x=Axis("Sold", "usd" if usd else "token"),
        y=Axis("Price lower by", "percent"),
        series=tuple(series),
        note=" ".join(notes),
    )


def _drawn(steps: Sequence[Step]) -> list[Step]:
    """The steps up to the first at which the pool has run out."""
    reached = [step for step in steps if step.reached]
    return [*reached, *steps[len(reached) : len(reached) + 1]]


def _table(book: Book, venue: Venue, ways: Sequence[Direction]) -> Table:
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


def _readers(reading: tuple[tuple[Value, ...], ...]) -> Table:
    return Table(
        name="readers",
        title="",
        columns=(
            Column("deployment", "Deployment", "text"),
            Column("market", "Market", "text"),
            Column("asset", "Asset", "text"),
        ),
        rows=reading,
        empty="none",
    )


def _data(
    book: Book, venue: Venue, ways: Sequence[Direction], reading: Sequence[tuple[str, str, str]]
) -> dict[str, Any]:
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
        "grade": venue.grade,
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
        "readers": [
            dict(zip(("deployment", "market", "asset"), one, strict=True)) for one in reading
        ],
    }


REPORT = VenueReport()
