"""The first columns of every table by market: only those that tell its rows apart."""

from __future__ import annotations

from defirisk.core.book import Book
from defirisk.reports.labels import asset_label
from defirisk.reports.model import Column, Value


def place_columns(book: Book) -> tuple[Column, ...]:
    """Deployment and market where there are several, then the asset."""
    columns = [Column("asset", "Asset", "text")]
    if has_markets(book):
        columns.insert(0, Column("market", "Market", "text"))
    if len(book.deployments) > 1:
        columns.insert(0, Column("deployment", "Deployment", "text"))
    return tuple(columns)


def place(book: Book, deployment: int, market: str | None, asset: int | None) -> tuple[Value, ...]:
    """The values of `place_columns`; 'all' where a number is for the whole."""
    cells: list[Value] = ["all" if asset is None else asset_label(book, asset)]
    if has_markets(book):
        cells.insert(0, market or "all")
    if len(book.deployments) > 1:
        cells.insert(0, book.deployments[deployment].name)
    return tuple(cells)


def has_markets(book: Book) -> bool:
    """Whether a deployment is divided into markets, as Morpho is and Aave is not."""
    places = {(facts.deployment, facts.market) for facts in book.markets}
    return len(places) > len({deployment for deployment, _ in places})
