"""Which stored block a tag means."""

from __future__ import annotations

from pathlib import Path

import pytest

from defirisk.core.errors import StoreError
from defirisk.core.evm import Block
from defirisk.store.database import open_store
from defirisk.store.raw import put_blocks
from defirisk.store.registry import StoredChain, put_chain
from defirisk.store.snapshots import stored_block


def header(number: int) -> Block:
    return Block(number=number, hash=f"0x{number:064x}", parent_hash="0x00", timestamp=number)


@pytest.mark.parametrize(
    ("finalized", "expected"), [(50, 40), (40, 40), (39, 20), (20, 20), (99, 60)]
)
def test_finalized_is_the_last_stored_block_that_is_final(
    finalized: int, expected: int, tmp_path: Path
) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'a.db'}", create=True)
    chain = StoredChain(1, verified_to=60, head=70, head_ts=70, finalized=finalized, reorgs=0)
    with store.transaction() as connection:
        put_blocks(connection, 1, map(header, (20, 40, 60)))
        put_chain(connection, chain)

        assert stored_block(connection, 1, "finalized") == header(expected)
        assert stored_block(connection, 1, "latest") == header(60)
        assert stored_block(connection, 1, "safe") == header(60)
        assert stored_block(connection, 1, None) == header(60)


def test_without_a_final_block_the_error_says_so(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'a.db'}", create=True)
    with store.transaction() as connection:
        put_blocks(connection, 1, [header(20)])
        put_chain(connection, StoredChain(1, 20, 30, 30, None, 0))

        with pytest.raises(StoreError, match="known to be final"):
            stored_block(connection, 1, "finalized")
