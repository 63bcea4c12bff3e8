"""What every store that was filled from a running chain can be asked."""

from __future__ import annotations

from defirisk.core.adapter import Deployment, Snapshot
from defirisk.core.evm import Block
from defirisk.core.plugins import adapters
from defirisk.core.verdict import Verdict
from defirisk.indexing.verify import verify
from defirisk.store.database import Store
from defirisk.store.snapshots import snapshot
from tests.devnet.alone import Alone
from tests.onchain.markets import stored, with_reader


class Verified:
    """Of one deployment, mostly on a chain of its own; `block` is where its last run ended."""

    alone: Alone
    store: Store
    market: Deployment
    block: Block

    @property
    def url(self) -> str:
        """Of the node."""
        return self.alone.url

    def verdict(self) -> Verdict:
        """Every number of ours against the contracts at the indexed block."""
        of = stored(self.store, self.market)
        return with_reader(self.url, lambda reader: verify(reader, self.store, of, self.block))

    def snapshot(self, block: Block | None = None) -> Snapshot:
        """All rows at a block."""
        with self.store.transaction() as connection:
            # Rows are loaded where they are asked for: the connection has to outlive this.
            found = snapshot(connection, stored(self.store, self.market), block or self.block)
            for row_type in adapters()[self.market.protocol].rows:
                found.rows.all(row_type)
        return found
