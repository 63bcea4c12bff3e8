"""The owners of a protocol's positions who have or owe something in other protocols too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from defirisk.core.book import Book
from defirisk.metrics.owner import Part, Whole, owners
from defirisk.reports.labels import asset_label
from defirisk.reports.model import Column, Section, Table, Value
from defirisk.reports.value import listed

TOP = 15


def sections(book: Book, whole: Book | None) -> Iterator[Section]:
    """One where collateralised debt or perpetuals stand beside something else that is indexed."""
    if whole is None or len(whole.deployments) < 2:
        return
    if not any(one.perps_of or one.debt_of for one in book.deployments):
        return
    names = {one.name for one in book.deployments}
    here = {d for d, one in enumerate(whole.deployments) if one.name in names}
    found = [
        (one, _sum(one.parts, here), _sum(one.parts, set(range(len(whole.deployments))) - here))
        for one in owners(whole)
        if any(part.deployment in here for part in one.parts)
        and any(part.deployment not in here for part in one.parts)
    ]
    yield Section("owners", "The same owners elsewhere", (_table(whole, found, here),))


_Found = tuple[Whole, tuple[float, float], tuple[float, float]]


def _sum(parts: Iterable[Part], which: set[int]) -> tuple[float, float]:
    """Equity and debt."""
    own = [part for part in parts if part.deployment in which]
    return sum(part.equity_usd for part in own), sum(part.debt_usd for part in own)


def _table(whole: Book, found: Sequence[_Found], here: set[int]) -> Table:
    ranked = sorted(found, key=lambda one: (-one[2][1] - one[1][1], -abs(one[0].equity_usd)))
    shown = ranked[:TOP]
    return Table(
        name="owners-elsewhere",
        title=f"Of these accounts, {len(found):,} in other protocols too",
        columns=(
            Column("account", "Account", "address"),
            Column("equity_here_usd", "Equity here", "usd"),
            Column("debt_here_usd", "Owed here", "usd"),
            Column("elsewhere", "Elsewhere", "text"),
            Column("equity_elsewhere_usd", "Equity there", "usd"),
            Column("debt_elsewhere_usd", "Owed there", "usd"),
            Column("shared", "Exposed here and there to", "text"),
        ),
        rows=tuple(_row(whole, one, here) for one in shown),
        caption="Owners are addresses: an urn of a proxy is the proxy's. Of perpetuals, only what "
        "is owed beyond margins counts as owed. defirisk report holder ACCOUNT shows all of one.",
        empty="No account of these has or owes anything in another protocol that is indexed.",
    )


def _row(whole: Book, found: _Found, here: set[int]) -> tuple[Value, ...]:
    one, inside, outside = found
    others = [
        whole.deployments[part.deployment].name for part in one.parts if part.deployment not in here
    ]
    return (one.owner, *inside, listed(others), *outside, shared_assets(whole, one))


def shared_assets(book: Book, one: Whole, most: int = 3) -> str:
    """The assets whose fall meets an owner in several places, the largest first."""
    names = [asset_label(book, e.asset) for e in one.exposures if e.shared][:most]
    return listed(names) if names else "-"
