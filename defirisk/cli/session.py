"""What most commands need: settings, an open store, the book of what was asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from defirisk import __version__
from defirisk.cli.settings import Settings, load_settings

if TYPE_CHECKING:
    from defirisk.chain.counts import RequestBudget
    from defirisk.chain.rpc import RpcChainReader
    from defirisk.core.book import Book
    from defirisk.core.evm import Block, BlockTag, ChainReader
    from defirisk.core.heartbeat import Heartbeats
    from defirisk.reports.model import Run
    from defirisk.store.database import Store
    from defirisk.store.registry import StoredDeployment


@contextmanager
def opened(db: str | None, *, create: bool = False) -> Iterator[tuple[Settings, Store]]:
    """Settings and the store they name; closed afterwards."""
    from defirisk.store.database import open_store

    settings = load_settings()
    store = open_store(settings.database(db), create=create)
    try:
        yield settings, store
    finally:
        store.close()


def node(
    settings: Settings,
    url: str | None,
    chain: str | None,
    timeout: float,
    *,
    budget: RequestBudget | None = None,
) -> RpcChainReader:
    """The endpoints that the flags, the environment or the settings name."""
    from defirisk.chain.rpc import RpcChainReader
    from defirisk.chain.transport import TransportSettings

    urls = settings.rpc_urls(url, chain)
    return RpcChainReader(
        urls,
        transport=TransportSettings(timeout=timeout),
        chain_id=settings.chain_id(chain) if len(urls) > 1 else None,
        budget=budget,
    )


def share_rates(reader: RpcChainReader, store: Store) -> None:
    """All processes with this store ask a provider together no faster than it bears."""
    from defirisk.store.endpoint_health import EndpointHealth

    if store.engine.url.database not in (None, "", ":memory:"):
        reader.share_rates(EndpointHealth(store))


async def served_chain(reader: ChainReader, wanted: int | None) -> int:
    """The id of the node's chain; `UsageError` where it is not the wanted one."""
    from defirisk.core.errors import UsageError

    served = await reader.chain_id()
    if wanted not in (None, served):
        raise UsageError(
            f"the node serves chain {served}, not chain {wanted}: give --rpc-url of a node of "
            "that chain"
        )
    return served


def chosen(
    store: Store, names: Sequence[str], chain_id: int | None, *, refereed: bool = False
) -> list[StoredDeployment]:
    """The indexed markets that the names mean, on one chain if one is named; all that contracts
    can be asked about if `refereed`.
    """
    from defirisk.store.snapshots import market_deployments, refereed_deployments

    with store.transaction() as connection:
        find = refereed_deployments if refereed else market_deployments
        found = find(connection, tuple(names))
    return [stored for stored in found if chain_id in (None, stored.deployment.chain_id)]


def load(
    store: Store, names: Sequence[str], wanted: int | None, block: int | BlockTag | None
) -> tuple[Book, bool | None]:
    """The book at a block of the wanted chain, and whether that block is final (None: unknown)."""
    from defirisk.core.errors import UsageError
    from defirisk.store.frames import load_book
    from defirisk.store.registry import find_chain
    from defirisk.store.snapshots import stored_block

    deployments = chosen(store, names, wanted)
    if not deployments:
        raise UsageError(f"nothing that was asked for is indexed on chain {wanted}")
    chain_id = deployments[0].deployment.chain_id
    with store.transaction() as connection:
        at: Block = stored_block(connection, chain_id, block)
        book = replace(load_book(connection, deployments, at), heartbeats=_heartbeats())
        state = find_chain(connection, chain_id)
    final = None if state is None or state.finalized is None else at.number <= state.finalized
    return book, final


def _heartbeats() -> Heartbeats:
    return load_settings().heartbeats


def load_all(
    store: Store, wanted: int | None, block: int | BlockTag | None
) -> tuple[Book, bool | None]:
    """As `load`, with every market of the chain, of which there may be none: for what is said of
    its pools and feeds.
    """
    from defirisk.core.errors import StoreError, UsageError
    from defirisk.store.frames import load_chain
    from defirisk.store.registry import find_chain, stored_chains
    from defirisk.store.snapshots import market_deployments, stored_block

    with store.transaction() as connection:
        chains = [one.chain_id for one in stored_chains(connection)]
        if wanted is None and len(chains) > 1:
            listed = ", ".join(map(str, chains))
            raise UsageError(f"several chains are indexed ({listed}): give --chain to choose one")
        if not chains:
            raise StoreError("nothing is indexed yet: run defirisk index first")
        chain_id = chains[0] if wanted is None else wanted
        at = stored_block(connection, chain_id, block)
        try:
            markets = market_deployments(connection, ())
        except StoreError:
            markets = []
        mine = [one for one in markets if one.deployment.chain_id == chain_id]
        book = replace(load_chain(connection, chain_id, mine, at), heartbeats=_heartbeats())
        state = find_chain(connection, chain_id)
    final = None if state is None or state.finalized is None else at.number <= state.finalized
    return book, final


def provenance(chain_id: int, final: bool | None) -> Run:
    """How this report came about: the command line without secrets, the version, the chain."""
    from defirisk.chain.chains import chain_of
    from defirisk.reports.model import Run

    chain = chain_of(chain_id)
    return Run(
        command=command_line(),
        version=__version__,
        final=final,
        chain=chain.short_name,
        explorer=chain.explorer,
    )


def command_line() -> str:
    """The command that was typed, to be typed again; URLs of nodes and databases left out."""
    import shlex

    kept: list[str] = []
    skip = False
    for word in sys.argv[1:]:
        if skip:
            skip = False
        elif word in ("--rpc-url", "--db", "-o", "--output"):
            skip = True
        elif not word.startswith(("--rpc-url=", "--db=", "--output=")):
            kept.append(word)
    return shlex.join(["defirisk", *kept])
