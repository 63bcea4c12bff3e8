"""The Aave markets of the recorded demo chain, as proposals see them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import and_, update

from defirisk.core.book import Book
from defirisk.core.row import Row
from defirisk.governance.aave_v3.proposal import Market, Proposal, deployment_of, proposal
from defirisk.governance.losses import Engine
from defirisk.governance.request import Wanted
from defirisk.governance.scenarios import asset_places, default_scenarios
from defirisk.store.database import Store, open_store
from defirisk.store.frames import load_book
from defirisk.store.row_tables import row_table
from defirisk.store.snapshots import market_deployments, snapshot, stored_block
from tests.demo import CHAIN_ID

NEW, OLD = "aave-v3-devnet", "aave-v3.0-devnet"


def market_in(store: Store, name: str = NEW) -> Market:
    """A deployment of an open store, in the book of all of them."""
    with store.transaction() as connection:
        every = market_deployments(connection, ())
        block = stored_block(connection, CHAIN_ID, None)
        book = load_book(connection, every, block)
        stored = next(one for one in every if one.deployment.name == name)
        return Market(book, deployment_of(book, name), snapshot(connection, stored, block))


def market_at(database: Path, name: str = NEW) -> Market:
    """As `market_in`, of a database file."""
    store = open_store(f"sqlite:///{database}", create=False)
    try:
        return market_in(store, name)
    finally:
        store.close()


def proposed(market: Market, *wanted: Wanted, engine: Engine = "static") -> Proposal:
    """The proposal of these changes under the default scenarios."""
    changes, rows = market.changes(wanted)
    assets = asset_places(market.book, [change.asset for change in changes])
    texts = default_scenarios(market.book, market.deployment, assets)
    return proposal(market, changes, rows, texts, "defirisk propose", engine)


@contextmanager
def stored_rows(
    store: Store, market: Market, rows: tuple[Row, ...]
) -> Iterator[Callable[[], Book]]:
    """The book of a store in which these rows are those of the deployment: the slow way."""
    with store.transaction() as connection:
        every = market_deployments(connection, ())
        own = next(one for one in every if one.deployment.name == market.snapshot.deployment.name)
        for row in rows:
            table = row_table(type(row))
            here = [table.c.deployment_id == own.id, table.c.valid_to_block.is_(None)]
            here += [table.c[name] == getattr(row, name) for name in row.key]
            stated = {c.name: getattr(row, c.name) for c in table.c if hasattr(row, c.name)}
            assert connection.execute(update(table).where(and_(*here)).values(**stated)).rowcount
    yield lambda: market_in(store, market.snapshot.deployment.name).book
