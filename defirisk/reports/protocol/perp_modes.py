"""The same positions with cross and with isolated margin, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from defirisk.core.book import Book
from defirisk.core.margin import Perps
from defirisk.metrics.margin_mode import ModePosition, Modes, modes
from defirisk.reports.model import Block, Column, Section, Table, Value
from defirisk.reports.protocol.naming import market_names, number, sections_of, yes_no
from defirisk.reports.value import plural

TOP = 12


def sections(book: Book) -> Iterator[Section]:
    """One for each deployment that states perpetuals in which somebody has a position."""
    yield from sections_of(book, "cross-and-isolated", "Cross against isolated margin", _blocks)


def _blocks(of: Perps) -> Iterator[Block]:
    found = modes(of)
    if not found:
        return
    yield _summary(of, found)
    several = [one for one in found if len(one.positions) > 1]
    shown = sorted(several or found, key=lambda one: -one.notional)[:TOP]
    yield _positions(of, shown, bool(several))


def _summary(of: Perps, found: Sequence[Modes]) -> Table:
    now = {str(one.mode) for one in of.accounts}
    cross = [one for one in found if one.cross_liquidatable]
    alone = [one for one in found if one.isolated_liquidatable]
    return Table(
        name="margin-modes",
        title="All accounts in either mode",
        columns=(
            Column("mode", "Margin", "text"),
            Column("accounts", "Accounts that would lose something", "int", "loss"),
            Column("positions", "Positions", "int", "loss"),
            Column("notional_usd", "Positions in USD", "usd", "loss"),
            Column("missing_usd", "Margin that is missing", "usd"),
            Column("freed_usd", "Freed by cross margin", "usd", absent=""),
        ),
        rows=(
            (
                "cross" + " (as it is)" * (now == {"cross"}),
                len(cross),
                sum(len(one.positions) for one in cross),
                float(sum(one.notional for one in cross)),
                float(sum(one.cross_missing for one in found)),
                float(sum(one.isolated_missing - one.cross_missing for one in found)),
            ),
            (
                "isolated" + " (as it is)" * (now == {"isolated"}),
                len(alone),
                sum(p.isolated_liquidatable for one in alone for p in one.positions),
                float(sum(one.isolated_liquidatable for one in alone)),
                float(sum(one.isolated_missing for one in found)),
                None,
            ),
        ),
        caption="With cross margin, everything that an owner has here answers for everything. With "
        "isolated margin, what was cross is shared out by what each position must keep, and each "
        "position keeps its own profit and funding. Margin that is missing: without it, something "
        "can be liquidated now. Both modes ask for the same maintenance margin.",
    )


def _positions(of: Perps, shown: Sequence[Modes], several: bool) -> Table:
    names = market_names(of)
    which = " with several positions" * several
    return Table(
        name="mode-positions",
        title=f"The {plural(len(shown), 'largest account')}{which}",
        columns=(
            Column("account", "Account", "address"),
            Column("market", "Market", "text"),
            Column("size", "Size", "token"),
            Column("mark_price", "Mark price", "price"),
            Column("cross_price", "Liquidated at, cross", "price", absent="no price"),
            Column("isolated_price", "Liquidated at, isolated", "price", absent="no price"),
            Column("cross_liquidatable", "Liquidatable, cross", "text"),
            Column("isolated_liquidatable", "Liquidatable, isolated", "text"),
            Column("margin_usd", "Margin of its own", "usd"),
        ),
        rows=tuple(_position(one, p, names[p.market]) for one in shown for p in one.positions),
        caption="Liquidated at: all other prices unchanged; markets of one asset move together. "
        "Margin of its own: what the position would have in isolated mode, profit and funding left "
        "aside." + ("" if several else " Nobody has several positions: both modes are the same."),
    )


def _position(one: Modes, p: ModePosition, name: str) -> tuple[Value, ...]:
    return (
        one.owner,
        name,
        float(p.size),
        float(p.mark_price),
        number(p.cross_price),
        number(p.isolated_price),
        yes_no(one.cross_liquidatable),
        yes_no(p.isolated_liquidatable),
        float(p.margin),
    )
