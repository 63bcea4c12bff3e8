"""The tables and charts of the report on oracle exposure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from defirisk.core.book import Book
from defirisk.manipulation.assumptions import Assumptions
from defirisk.manipulation.dependants import Dependant
from defirisk.manipulation.exposure import Exposure
from defirisk.manipulation.quoted import Quoted
from defirisk.manipulation.solvency import Hidden
from defirisk.reports.labels import asset_label
from defirisk.reports.model import Axis, Block, Chart, Column, Series, Table, Value
from defirisk.reports.oracles import words
from defirisk.reports.value import show

FEEDS = "feeds"

Relying = Mapping[Quoted, tuple[Dependant, ...]]


def feeds(book: Book, found: Sequence[Exposure]) -> Table:
    """Every price with its verdict."""
    return Table(
        name=FEEDS,
        title="",
        columns=(
            Column("verdict", "Verdict", "text"),
            Column("asset", "Asset", "text"),
            Column("kind", "Kind", "text"),
            Column("feed", "Read from", "address"),
            Column("cost_usd", "Cost to move", "usd"),
            Column("max_profit_usd", "Best profit", "usd"),
            Column("reason", "Why", "prose"),
        ),
        rows=tuple(
            (
                one.verdict,
                asset_label(book, one.quoted.asset),
                one.quoted.kind,
                one.quoted.feed,
                one.cost_usd,
                one.max_profit_usd,
                words.reason(book, one),
            )
            for one in found
        ),
        caption="A cost is what the best attack loses by moving the price; where none pays, what "
        "the least move costs that would make the collateral worth its loan.",
        empty="no market is indexed",
    )


def ages(book: Book, found: Sequence[Exposure], relying: Relying) -> Table:
    """How old each price is, and how much stands on it."""
    return Table(
        name="ages",
        title="",
        columns=(
            Column("asset", "Asset", "text"),
            Column("feed", "Read from", "address"),
            Column("age_seconds", "Age", "seconds"),
            Column("heartbeat_seconds", "Heartbeat", "seconds", absent="none"),
            Column("late", "Late", "text", absent=""),
            Column("markets", "Markets", "int"),
            Column("collateral_usd", "Collateral", "usd"),
            Column("debt_usd", "Debt", "usd"),
        ),
        rows=tuple(
            (
                asset_label(book, one.quoted.asset),
                one.quoted.feed,
                one.quoted.age_seconds,
                one.quoted.heartbeat_seconds,
                "late" if one.quoted.stale else None,
                len(relying[one.quoted]),
                sum(each.collateral_usd for each in relying[one.quoted]),
                sum(each.debt_usd for each in relying[one.quoted]),
            )
            for one in found
        ),
        caption="Of the oldest answer behind a price. Late is a feed that was silent for longer "
        "than its heartbeat.",
    )


def attacks(book: Book, found: Sequence[Exposure]) -> Iterator[Block]:
    """What pays, step by step, and how the profit depends on the size of the move."""
    columns = (
        Column("asset", "Asset", "text"),
        Column("market", "Market", "text"),
        Column("done", "What is done", "prose"),
        Column("earned_usd", "Taken", "usd"),
        Column("left_usd", "Left behind", "usd"),
        Column("cost_usd", "Lost by moving", "usd"),
        Column("profit_usd", "Profit", "usd"),
        Column("capital_usd", "Capital", "usd"),
        Column("least_capital_usd", "It pays from", "usd", absent="any capital"),
        Column("flash_profit_usd", "With a flash loan", "usd", absent="not possible"),
    )
    rows = [row for one in found if (row := _attack(book, one)) is not None]
    yield Table(name="attacks", title="", columns=columns, rows=tuple(rows))
    yield from (chart for one in found if (chart := _chart(book, one)) is not None)


def _attack(book: Book, one: Exposure) -> tuple[Value, ...] | None:
    best = one.best
    if best is None:
        return None
    return (
        asset_label(book, one.quoted.asset),
        best.listing.facts.market,
        words.done(book, best),
        best.earned_usd,
        best.left_usd,
        best.lie.cost_usd,
        best.profit_usd,
        best.capital_usd,
        one.least_capital_usd,
        one.flash_profit_usd,
    )


def _chart(book: Book, one: Exposure) -> Chart | None:
    """Profit against the size of the move, as far as the capital reaches."""
    best = one.best
    if best is None or best.lie.way is None:
        return None
    drawn = [(move, value) for move, value in best.tried if value != float("-inf")]
    return Chart(
        name=f"profit-{one.quoted.feed}",
        title=f"{words.name(book, one)}: profit by the size of the move",
        form="line",
        x=Axis("Orders of magnitude that the pool is moved by", "number"),
        y=Axis("Profit", "usd"),
        series=(
            Series(
                name="profit",
                x=tuple(words.magnitude(move) for move, _ in drawn),
                y=tuple(value for _, value in drawn),
                tone="loss",
            ),
        ),
        note="1 is a price that is ten times what it was, or a tenth; the line ends with the "
        "capital.",
    )


def ways(book: Book, found: Sequence[Exposure]) -> Table:
    """The best attempt of every way to move a price that can be moved."""
    return Table(
        name="ways",
        title="",
        columns=(
            Column("asset", "Asset", "text"),
            Column("feed", "Read from", "address"),
            Column("way", "Way", "text"),
            Column("blocks", "Blocks", "int"),
            Column("attack", "To", "text"),
            Column("move", "Moved by the factor", "token"),
            Column("cost_usd", "Lost by moving", "usd"),
            Column("capital_usd", "Capital", "usd"),
            Column("profit_usd", "Profit", "usd"),
        ),
        rows=tuple(
            (
                asset_label(book, one.quoted.asset),
                one.quoted.feed,
                attempt.lie.way.name,
                attempt.lie.way.blocks,
                attempt.aim,
                attempt.lie.move,
                attempt.lie.cost_usd,
                attempt.capital_usd,
                attempt.profit_usd,
            )
            for one in found
            for attempt in one.by_way
            if attempt.lie.way is not None
        ),
        caption="Own blocks: the attacker orders all and loses only fees. One block: others "
        "trade it back in the next. Whole window: pushed anew in each block, and traded back.",
        empty="none of these prices can be moved by trading",
    )


def relying(book: Book, found: Sequence[Exposure], by: Relying) -> Table:
    """Every market behind every price."""
    return Table(
        name="dependants",
        title="",
        columns=(
            Column("asset", "Asset", "text"),
            Column("feed", "Read from", "address"),
            Column("deployment", "Deployment", "text"),
            Column("market", "Market", "text"),
            Column("accounts", "Accounts", "int"),
            Column("collateral_usd", "Collateral", "usd"),
            Column("debt_usd", "Debt", "usd"),
        ),
        rows=tuple(_dependant(book, one, each) for one in found for each in by[one.quoted]),
        caption="Dollars are the oracles' own.",
    )


def _dependant(book: Book, one: Exposure, each: Dependant) -> tuple[Value, ...]:
    facts = each.listing.facts
    return (
        asset_label(book, one.quoted.asset),
        one.quoted.feed,
        book.deployments[facts.deployment].name,
        facts.market,
        each.accounts,
        each.collateral_usd,
        each.debt_usd,
    )


def hidden(book: Book, found: Sequence[Hidden]) -> Table:
    """Where the oracle and the market disagree so much that a loss is not seen."""
    return Table(
        name="hidden-losses",
        title="",
        columns=(
            Column("deployment", "Deployment", "text"),
            Column("market", "Market", "text"),
            Column("asset", "Owed", "text"),
            Column("accounts", "Accounts", "int"),
            Column("debt_usd", "Debt", "usd"),
            Column("uncovered_usd", "Uncovered", "usd", "loss"),
        ),
        rows=tuple(
            (
                book.deployments[one.place[0]].name,
                one.place[1],
                asset_label(book, one.place[2]),
                one.accounts,
                one.debt_usd,
                one.uncovered_usd,
            )
            for one in found
        ),
        caption="Debt that is healthy at the oracles' prices, and that the collateral does not "
        "cover at market prices: nobody is asked to liquidate it.",
    )


def assumptions(assumed: Assumptions) -> Table:
    """All that is not on the chain."""
    return Table(
        name="assumptions",
        title="",
        columns=(Column("what", "Assumed", "prose"), Column("value", "Value", "text")),
        rows=tuple((what, show(value, kind)) for _, what, value, kind in words.assumed(assumed)),
    )
