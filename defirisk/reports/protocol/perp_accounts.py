"""Perpetuals by account: leverage, and how far margins are from what must be kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from fractions import Fraction

from defirisk.core.book import Book
from defirisk.core.margin import MarginAccount, PerpPosition, Perps
from defirisk.reports.model import Column, Section, Table, Value
from defirisk.reports.value import plural

TOP = 20
LEVERAGES = (1, 2, 5, 10, 20, 50)
"""The upper ends of the classes."""


def sections(book: Book) -> Iterator[Section]:
    """One for each deployment that states perpetuals."""
    for facts in book.deployments:
        if facts.perps is not None and facts.perps.accounts:
            several = len(book.deployments) > 1
            yield Section(
                "margins" + (f"-{facts.name}" if several else ""),
                f"Margins of {facts.name}" if several else "Margins",
                (_leverage(facts.perps), _buffers(facts.perps)),
            )


def notionals(of: Perps) -> Mapping[str, Fraction | None]:
    """What the positions of each unit come to at mark prices; None where a price is unknown."""
    found: dict[str, Fraction | None] = defaultdict(Fraction)
    for one in of.positions:
        before, more = found[one.unit], one.notional
        found[one.unit] = None if before is None or more is None else before + more
    return found


def _leverage(of: Perps) -> Table:
    sizes = notionals(of)
    accounts: dict[str, int] = defaultdict(int)
    total: dict[str, Fraction] = defaultdict(Fraction)
    for one in of.accounts:
        size = sizes.get(one.unit, Fraction(0))
        label = _class(size, one.equity)
        accounts[label] += 1
        total[label] += size or 0
    order = [*_CLASSES, BROKE, UNKNOWN]
    return Table(
        name="leverage",
        title="Accounts by leverage",
        columns=(
            Column("leverage", "Leverage", "text"),
            Column("accounts", "Accounts", "int"),
            Column("notional_usd", "Positions", "usd"),
        ),
        rows=tuple(
            (label, accounts[label], float(total[label])) for label in order if accounts[label]
        ),
        caption="Leverage: positions at mark prices over equity, which is margin, profit, loss and "
        "funding together.",
    )


BROKE, UNKNOWN = "owes more than it has", "unknown"
_CLASSES = (
    "no position",
    *(
        f"{'up to' if low == 0 else f'{low} to'} {high}"
        for low, high in zip((0, *LEVERAGES), LEVERAGES, strict=False)
    ),
    f"above {LEVERAGES[-1]}",
)


def _class(size: Fraction | None, equity: Fraction | None) -> str:
    if size == 0:
        return _CLASSES[0]
    if size is None or equity is None:
        return UNKNOWN
    if equity <= 0:
        return BROKE
    place = sum(1 for high in LEVERAGES if size / equity > high)
    return _CLASSES[1 + place]


def _buffers(of: Perps) -> Table:
    """Those whose equity is least beyond what must be kept, as a part of their positions."""
    sizes, own = notionals(of), _positions(of)
    ranked = sorted(
        (
            ((one.equity - one.maintenance) / size, one)
            for one in of.accounts
            if one.equity is not None
            and one.maintenance is not None
            and (size := sizes.get(one.unit))
        ),
        key=lambda pair: (pair[0], pair[1].unit),
    )[:TOP]
    return Table(
        name="margin-buffers",
        title=f"The {plural(len(ranked), 'account')} closest to their maintenance margin",
        columns=(
            Column("account", "Account", "address"),
            Column("mode", "Margin", "text"),
            Column("notional_usd", "Positions", "usd"),
            Column("equity_usd", "Equity", "usd"),
            Column("initial_usd", "Initial margin", "usd"),
            Column("maintenance_usd", "Maintenance margin", "usd"),
            Column("buffer_usd", "Above maintenance", "usd"),
            Column("buffer", "Of positions", "percent"),
            Column("liquidation_price", "Liquidation price", "price", absent="none or several"),
            Column("liquidatable", "Liquidatable", "text"),
        ),
        rows=tuple(
            _account(one, part, sizes[one.unit], own.get(one.unit, [])) for part, one in ranked
        ),
        caption="Between initial and maintenance margin an account cannot grow its positions; "
        "below maintenance margin it can be liquidated. Of positions: how far prices may move "
        "against all of them, about.",
        empty="nobody has a position",
    )


def _positions(of: Perps) -> Mapping[str, list[PerpPosition]]:
    found: dict[str, list[PerpPosition]] = defaultdict(list)
    for one in of.positions:
        found[one.unit].append(one)
    return found


def _account(
    one: MarginAccount, part: Fraction, size: Fraction | None, own: list[PerpPosition]
) -> tuple[Value, ...]:
    assert one.equity is not None
    assert one.maintenance is not None
    price = own[0].liquidation_price if len(own) == 1 else None
    due = None if one.liquidatable is None else ("yes" if one.liquidatable else "no")
    return (
        one.owner,
        str(one.mode),
        _float(size),
        float(one.equity),
        _float(one.initial),
        float(one.maintenance),
        float(one.equity - one.maintenance),
        float(part),
        _float(price),
        due,
    )


def _float(value: Fraction | None) -> float | None:
    return None if value is None else float(value)
