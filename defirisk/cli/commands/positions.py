"""defirisk positions"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from defirisk.cli.options import block_option, chain_option, db_option, output_options
from defirisk.core.evm import BlockTag

if TYPE_CHECKING:
    from defirisk.reports.model import Report
    from defirisk.store.database import Store


@click.command(
    epilog="""\b
Examples:
  defirisk positions aave-v3 --top 20
  defirisk positions aave-v3 --account 0x464C71f6c2F760DdA6093dCB91C24c39e5d6e18c
  defirisk positions aave-v3 --top 1000000 -o positions.csv
  defirisk positions uniswap-v2"""
)
@click.argument("protocol")
@click.option("--account", help="Only this account.")
@click.option(
    "--top",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many accounts, those that owe most first.",
)
@chain_option
@block_option
@db_option
@output_options()
def command(
    protocol: str,
    account: str | None,
    top: int,
    chain: str | None,
    block: int | BlockTag | None,
    db: str | None,
    format_: str | None,
    output: str | None,
) -> None:
    """List what accounts hold and owe, exact to the last digit.

    Of a vault or a pool: who holds its shares, and what they could be taken out for.
    """
    from defirisk.cli.output import emit
    from defirisk.cli.session import opened

    with opened(db) as (settings, store):
        made = _shares if _is_shared(store, protocol) else _positions
        report = made(store, protocol, settings.chain_id(chain), block, account, top)
    emit(report, format_, output)


def _is_shared(store: Store, protocol: str) -> bool:
    from defirisk.core.adapter import MarketAdapter
    from defirisk.core.errors import UsageError
    from defirisk.core.plugins import adapters
    from defirisk.core.sources import HoldsShares
    from defirisk.store.registry import stored_deployments

    with store.transaction() as connection:
        mine = [
            stored.deployment.protocol
            for stored in stored_deployments(connection)
            if protocol in (stored.deployment.name, stored.deployment.protocol)
        ]
    known = [adapters().get(one) for one in mine]
    if known and not any(isinstance(one, MarketAdapter | HoldsShares) for one in known):
        raise UsageError(
            f"nobody's positions in {protocol} are known: it is indexed as {mine[0]}; "
            "see defirisk list reports for what can be said of it"
        )
    return any(isinstance(one, HoldsShares) for one in known)


def _positions(
    store: Store,
    protocol: str,
    chain_id: int | None,
    block: int | BlockTag | None,
    account: str | None,
    top: int,
) -> Report:
    from defirisk.cli.session import chosen, load, provenance
    from defirisk.contagion.valuation import health_factors
    from defirisk.reports.positions import build
    from defirisk.store.positions import positions

    book, final = load(store, (protocol,), chain_id, block)
    with store.transaction() as connection:
        found = [
            position
            for stored in chosen(store, (protocol,), chain_id)
            for position in positions(connection, stored, book.block)
        ]
    if account is not None:
        found = [position for position in found if _is_of(position.account, account)]
        _refuse_nothing(found, account, protocol, book.block.number)
    run = provenance(book.chain_id, final)
    return build(book, found, health_factors(book), run=run, top=top)


def _shares(
    store: Store,
    protocol: str,
    chain_id: int | None,
    block: int | BlockTag | None,
    account: str | None,
    top: int,
) -> Report:
    from defirisk.cli.session import load_all, provenance
    from defirisk.reports.shares import build
    from defirisk.store.positions import shares
    from defirisk.store.snapshots import shared_deployments

    book, final = load_all(store, chain_id, block)
    with store.transaction() as connection:
        found = [
            (stored.deployment.name, share)
            for stored in shared_deployments(connection, (protocol,))
            if stored.deployment.chain_id == book.chain_id
            for share in shares(connection, stored, book.block)
        ]
    if account is not None:
        found = [one for one in found if _is_of(one[1].account, account)]
        _refuse_nothing(found, account, protocol, book.block.number)
    return build(book, found, run=provenance(book.chain_id, final), top=top)


def _refuse_nothing(found: Sequence[object], account: str, protocol: str, block: int) -> None:
    from defirisk.core.errors import UsageError

    if not found:
        raise UsageError(f"{account} holds nothing in {protocol} at block {block}")


def _is_of(unit: str, account: str) -> bool:
    """Whether a unit is the account's, alone or with its market behind a colon. Addresses are the
    same in capitals; names of imported files need not be.
    """
    names = (account, account.lower())
    return unit in names or unit.startswith(tuple(f"{name}:" for name in names))
