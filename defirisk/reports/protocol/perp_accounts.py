"""Perpetuals by account: leverage, margin ratios, and how far margins are from what is asked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from defirisk.core.book import Book
from defirisk.core.margin import MarginAccount, PerpPosition, Perps
from defirisk.metrics.margin import Margin, by_unit, distribution, margins
from defirisk.reports.model import Axis, Block, Chart, Column, Section, Series, Table, Value
from defirisk.reports.protocol.naming import market_names, number, sections_of, yes_no
from defirisk.reports.value import plural, show

TOP = 20
LEVERAGES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
RATIOS = (1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
"""The upper ends of the classes."""
NONE, BROKE, UNKNOWN = "no position", "owes more than it has", "unknown"
BELOW, BETWEEN, ABOVE = "below maintenance", "below initial", "above initial"


def sections(book: Book) -> Iterator[Section]:
    """One for each deployment that states perpetuals."""
    yield from sections_of(book, "margins", "Margins", _blocks)


def _blocks(of: Perps) -> Iterator[Block]:
    if not of.accounts:
        return
    known = margins(of)
    idle = len(of.accounts) - len(known)
    yield from _leverage(known, idle)
    if known:
        yield from _ratios(known)
        yield _quantiles(of)
        yield _buffers(known)
    yield _closest(of, known)


_Class = tuple[str, list[Margin]]


def _leverage(known: Sequence[Margin], idle: int) -> Iterator[Block]:
    classes = _classes(known, [one.leverage for one in known], LEVERAGES, BROKE)
    rows: list[tuple[Value, ...]] = [(NONE, idle, 0.0)] if idle else []
    rows += [_counted(label, own) for label, own in classes]
    if known:
        yield _bars("leverage-chart", "Positions by leverage", "Leverage", classes)
    yield Table(
        name="leverage",
        title="Accounts by leverage",
        columns=(Column("leverage", "Leverage", "text"), *_COUNTED),
        rows=tuple(rows),
        caption="Leverage: positions at mark prices over equity, which is margin, profit, loss and "
        "funding together.",
    )


def _ratios(known: Sequence[Margin]) -> Iterator[Block]:
    classes = _classes(known, [one.margin_ratio for one in known], RATIOS, "nothing to keep")
    yield _bars(
        "margin-ratio-chart",
        "Positions by margin ratio",
        "Margin ratio (below 1: can be liquidated)",
        classes,
    )
    yield Table(
        name="margin-ratios",
        title="Accounts by margin ratio",
        columns=(Column("margin_ratio", "Margin ratio", "text"), *_COUNTED),
        rows=tuple(_counted(label, own) for label, own in classes),
        caption="Margin ratio: equity over maintenance margin, by the numbers of the block.",
    )


_COUNTED = (
    Column("accounts", "Accounts", "int"),
    Column("notional_usd", "Positions", "usd"),
)


def _counted(label: str, own: Sequence[Margin]) -> tuple[Value, ...]:
    return label, len(own), float(sum(one.notional or 0 for one in own))


def _bars(name: str, title: str, axis: str, classes: Sequence[_Class]) -> Chart:
    shown = [(label, own) for label, own in classes if label != UNKNOWN]
    return Chart(
        name=name,
        title=title,
        form="bar",
        x=Axis(axis, "text"),
        y=Axis("USD of positions", "usd"),
        series=(
            Series(
                name="positions",
                x=tuple(label for label, _ in shown),
                y=tuple(float(sum(one.notional or 0 for one in own)) for _, own in shown),
            ),
        ),
    )


def _classes(
    known: Sequence[Margin], values: Sequence[float], ends: Sequence[float], infinite: str
) -> list[_Class]:
    """Units by value, classes up to each end; then what is infinite, then what is unknown. Only
    outer classes are left out where they are empty.
    """
    labels = [
        *(f"{f'{low:g} to' if low else 'up to'} {high:g}" for low, high in _pairs(ends)),
        f"above {ends[-1]:g}",
    ]
    found: dict[str, list[Margin]] = {label: [] for label in (*labels, infinite, UNKNOWN)}
    for one, value in zip(known, values, strict=True):
        if math.isnan(value):
            found[UNKNOWN].append(one)
        elif math.isinf(value):
            found[infinite].append(one)
        else:
            found[labels[sum(1 for end in ends if value > end)]].append(one)
    used = [place for place, label in enumerate(labels) if found[label]]
    inner = labels[used[0] : used[-1] + 1] if used else []
    return [
        (label, own)
        for label, own in found.items()
        if label in inner or (own and label not in labels)
    ]


def _pairs(ends: Sequence[float]) -> Iterator[tuple[float, float]]:
    return zip((0.0, *ends), ends, strict=False)


def _quantiles(of: Perps) -> Table:
    found = distribution([of])
    rows: list[tuple[Value, ...]] = [
        (level, leverage, ratio)
        for level, leverage, ratio in zip(
            found.levels, found.leverage, found.margin_ratio, strict=True
        )
    ]
    left = f" {plural(found.unknown, 'account')} without a known price left out." * bool(
        found.unknown
    )
    tight = show(found.at_risk, "percent")
    return Table(
        name="margin-quantiles",
        title="Leverage and margin ratio, by size of the positions",
        columns=(
            Column("share", "Part of all positions", "percent"),
            Column("leverage", "Leverage up to", "number"),
            Column("margin_ratio", "Margin ratio up to", "number"),
        ),
        rows=tuple(rows),
        caption=f"{tight} of all positions are of accounts that have no more than their initial "
        f"margin.{left}",
    )


def _buffers(known: Sequence[Margin]) -> Table:
    """Where equity stands between what opening and what keeping the positions demands."""
    found: dict[str, list[Margin]] = {BELOW: [], BETWEEN: [], ABOVE: [], UNKNOWN: []}
    for one in known:
        found[_place(one)].append(one)
    return Table(
        name="initial-and-maintenance",
        title="Initial against maintenance margin",
        columns=(
            Column("equity_is", "Equity is", "text"),
            Column("accounts", "Accounts", "int"),
            Column("notional_usd", "Positions", "usd"),
            Column("equity_usd", "Equity", "usd"),
            Column("maintenance_usd", "Maintenance margin", "usd"),
            Column("buffer_usd", "Initial beyond it", "usd"),
            Column("spare_usd", "Equity beyond it", "usd"),
        ),
        rows=tuple(_buffer(label, own) for label, own in found.items() if own),
        caption="Between initial and maintenance margin an account cannot grow its positions; "
        "below maintenance margin it can be liquidated. Initial beyond it: how much more opening "
        "the positions demands than keeping them, which may be less where a protocol asks opening "
        "for what is owed only.",
    )


def _place(one: Margin) -> str:
    if one.spare is None or one.buffer is None:
        return UNKNOWN
    if one.spare < 0:
        return BELOW
    return BETWEEN if one.spare < one.buffer else ABOVE


def _buffer(label: str, own: Sequence[Margin]) -> tuple[Value, ...]:
    if label == UNKNOWN:
        return label, len(own), None, None, None, None, None
    return (
        label,
        len(own),
        float(sum(one.notional or 0 for one in own)),
        float(sum(one.equity or 0 for one in own)),
        float(sum((one.equity or 0) - (one.spare or 0) for one in own)),
        float(sum(one.buffer or 0 for one in own)),
        float(sum(one.spare or 0 for one in own)),
    )


def _closest(of: Perps, known: Sequence[Margin]) -> Table:
    """Those whose equity is least beyond what must be kept, as a part of their positions."""
    ranked = sorted(
        (
            (one.spare / one.notional, one)
            for one in known
            if one.spare is not None and one.notional
        ),
        key=lambda pair: (pair[0], pair[1].unit),
    )[:TOP]
    accounts, held = {one.unit: one for one in of.accounts}, by_unit(of)
    names = market_names(of)
    return Table(
        name="margin-buffers",
        title=f"The {plural(len(ranked), 'account')} closest to their maintenance margin",
        columns=(
            Column("account", "Account", "address"),
            Column("market", "Market", "text"),
            Column("mode", "Margin", "text"),
            Column("notional_usd", "Positions", "usd"),
            Column("equity_usd", "Equity", "usd"),
            Column("initial_usd", "Initial", "usd"),
            Column("maintenance_usd", "Maintenance", "usd"),
            Column("buffer_usd", "Beyond it", "usd"),
            Column("buffer", "Of positions", "percent"),
            Column("liquidation_price", "Liquidated at", "price", absent="-"),
            Column("liquidatable", "Due now", "text"),
        ),
        rows=tuple(
            _account(one, float(part), accounts[one.unit], held[one.unit], names)
            for part, one in ranked
        ),
        caption="Initial and maintenance margin, and how much equity is beyond the latter. Of "
        "positions: how far prices may move against all of them, about. Liquidated at: the price "
        "of the market; an account in several has one for each.",
        empty="nobody has a position",
    )


def _account(
    one: Margin,
    part: float,
    account: MarginAccount,
    own: Sequence[PerpPosition],
    names: Mapping[str, str],
) -> tuple[Value, ...]:
    single = own[0] if len(own) == 1 else None
    return (
        one.owner,
        f"{len(own)} markets" if single is None else names[single.market],
        str(account.mode),
        number(one.notional),
        number(one.equity),
        number(account.initial),
        number(account.maintenance),
        number(one.spare),
        part,
        None if single is None else number(single.liquidation_price),
        yes_no(account.liquidatable),
    )
