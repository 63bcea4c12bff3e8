"""Asks the contracts about what is stored: for `verify` and for the nightly run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from defirisk.core.evm import BlockTag, ChainReader
    from defirisk.core.verdict import Verdict
    from defirisk.store.database import Store


async def verified(
    reader: ChainReader,
    store: Store,
    names: Sequence[str],
    wanted: int | None,
    block: int | BlockTag | None,
    *,
    sample: int | None = None,
    seed: int = 1,
) -> list[Verdict]:
    """The verdict on every deployment that the names mean; closes the reader."""
    from defirisk.cli.progress import Bars
    from defirisk.cli.session import chosen, served_chain
    from defirisk.core.errors import UsageError
    from defirisk.indexing.verify import verify
    from defirisk.store.snapshots import stored_block

    try:
        chain_id = await served_chain(reader, wanted)
        mine = chosen(store, names, chain_id, refereed=True)
        if not mine:
            raise UsageError(f"nothing that was asked for is on the node's chain {chain_id}")
        with store.transaction() as connection:
            at = stored_block(connection, chain_id, block)
        with Bars() as bars:
            verdicts = [
                await verify(reader, store, s, at, sample=sample, seed=seed, progress=bars)
                for s in mine
            ]
        # Kinds of sources of which the chain has none are only mentioned where they were named.
        return [v for v in verdicts if names or v.compared or v.read] or verdicts
    finally:
        await reader.aclose()
