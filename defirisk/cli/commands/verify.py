"""defirisk verify"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from defirisk.cli.options import block_option, db_option, node_options, output_options
from defirisk.core.evm import BlockTag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defirisk.store.database import Store


@click.command(
    epilog="""\b
Examples:
  defirisk verify
  defirisk verify aave-v3 --sample 500 --format json
  defirisk verify aave-v3-ethereum --block 23100000       (needs an archive node)"""
)
@click.argument("protocols", nargs=-1, metavar="[PROTOCOL|DEPLOYMENT]...")
@click.option("--sample", type=click.IntRange(min=1), help="Only so many accounts.")
@click.option("--seed", type=int, default=1, show_default=True, help="Which sample.")
@block_option
@node_options
@db_option
@output_options()
def command(
    protocols: tuple[str, ...],
    sample: int | None,
    seed: int,
    block: int | BlockTag | None,
    rpc_url: str | None,
    chain: str | None,
    timeout: float,
    db: str | None,
    format_: str | None,
    output: str | None,
) -> int:
    """Compare our numbers with the protocols' own answers, to the wei.

    Every account and every reserve is computed here and asked of the contracts at the same block.
    Numbers that were themselves read from that view count as read, not as compared. Exit code 1
    where anything differs.
    """
    import asyncio

    from defirisk.cli.output import emit
    from defirisk.cli.session import node, opened, provenance, share_rates
    from defirisk.cli.verifying import verified
    from defirisk.reports.verification import build

    with opened(db) as (settings, store):
        wanted = settings.chain_id(chain)
        _refuse_imports(store, protocols, wanted)
        reader = node(settings, rpc_url, chain, timeout)
        share_rates(reader, store)
        verdicts = asyncio.run(
            verified(reader, store, protocols, wanted, block, sample=sample, seed=seed)
        )
    emit(build(verdicts, run=provenance(verdicts[0].chain_id, None)), format_, output)
    return 1 if any(verdict.mismatches for verdict in verdicts) else 0


def _refuse_imports(store: Store, names: Sequence[str], wanted: int | None) -> None:
    """No node is needed to say that there is nothing to verify."""
    from defirisk.cli.session import chosen
    from defirisk.core.errors import UsageError
    from defirisk.core.plugins import adapter

    mine = [s.deployment for s in chosen(store, names, wanted, refereed=True)]
    proofs = {getattr(adapter(one.protocol), "proof", "") for one in mine}
    if proofs == {"imported"}:
        listed = ", ".join(one.name for one in mine)
        raise UsageError(
            f"there is nothing to verify: {listed} was imported from a file, and no contract "
            "answers for it"
        )
