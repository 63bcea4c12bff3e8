"""defirisk positions"""

from __future__ import annotations

import click

from defirisk.cli.options import block_option, chain_option, db_option, output_options
from defirisk.core.evm import BlockTag


@click.command(
    epilog="""\b
Examples:
  defirisk positions aave-v3 --top 20
  defirisk positions aave-v3 --account 0x464C71f6c2F760DdA6093dCB91C24c39e5d6e18c
  defirisk positions aave-v3 --top 1000000 -o positions.csv"""
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
    """List what accounts hold and owe, exact to the last digit."""
    from defirisk.cli.output import emit
    from defirisk.cli.session import chosen, load, opened, provenance
    from defirisk.contagion.valuation import health_factors
    from defirisk.core.errors import UsageError
    from defirisk.reports.positions import build
    from defirisk.store.positions import positions

    with opened(db) as (settings, store):
        chain_id = settings.chain_id(chain)
        book, final = load(store, (protocol,), chain_id, block)
        with store.transaction() as connection:
            found = [
                position
                for stored in chosen(store, (protocol,), chain_id)
                for position in positions(connection, stored, book.block)
            ]
    if account is not None:
        found = [position for position in found if _is_of(position.account, account)]
        if not found:
            raise UsageError(f"{account} holds nothing in {protocol} at block {book.block.number}")
    run = provenance(book.chain_id, final)
    emit(build(book, found, health_factors(book), run=run, top=top), format_, output)


def _is_of(unit: str, account: str) -> bool:
    """Whether a unit is the account's, alone or with its market behind a colon. Addresses are the
    same in capitals; names of imported files need not be.
    """
    names = (account, account.lower())
    return unit in names or unit.startswith(tuple(f"{name}:" for name in names))
