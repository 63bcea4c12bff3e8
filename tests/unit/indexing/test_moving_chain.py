"""A chain that is replaced while it is read is noticed before anything of it is folded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from defirisk.core.errors import ReorgDetected
from defirisk.core.evm import LogPage, LogQuery
from defirisk.indexing.run import index
from defirisk.store.database import open_store
from tests.demo import demo_markets, demo_reader
from tests.onchain.dump import dump


class Replaced:
    """The recorded chain; from the `after`-th question for logs on, blocks have other hashes."""

    def __init__(self, after: int) -> None:
        self._reader = demo_reader()
        self._left = after
        self.chain_id = self._reader.chain_id
        self.block = self._reader.block
        self.blocks = self._reader.blocks
        self.calls = self._reader.calls
        self.aclose = self._reader.aclose

    async def logs(
        self, query: LogQuery, first_block: int, last_block: int
    ) -> AsyncIterator[LogPage]:
        self._left -= 1
        async for page in self._reader.logs(query, first_block, last_block):
            changed = tuple(replace(log, block_hash="0xbad") for log in page.logs)
            yield LogPage(
                page.first_block, page.last_block, page.logs if self._left >= 0 else changed
            )


@pytest.mark.parametrize("after", [0, 1])
def test_logs_of_another_block_than_the_stored_one_stop_the_run(
    tmp_path: Path, demo_database: Path, after: int
) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'cut.db'}", create=True)
    with pytest.raises(ReorgDetected, match="was replaced while it was read"):
        asyncio.run(index(Replaced(after), store, demo_markets(), "finalized"))
    cut_off = dump(store)
    assert bool(cut_off["raw_logs"]) == bool(after)
    assert cut_off["aave_v3_reserves"] == []

    asyncio.run(index(demo_reader(), store, demo_markets(), "finalized"))
    whole = open_store(f"sqlite:///{demo_database}", create=False)
    assert dump(store) == dump(whole)
    store.close()
    whole.close()
