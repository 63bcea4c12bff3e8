"""What a plain pass over the honest node finds, and how a store differs from it.

Nothing of the product reads the chain here: the logs are those of one unlimited eth_getLogs.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from benchmarks.generated_chain import GeneratedChain, Node
from defirisk.core.plugins import adapters
from defirisk.store.base_tables import (
    blocks,
    chains,
    metadata,
    raw_logs,
    unverified_ranges,
    verified_ranges,
)
from defirisk.store.database import Store
from defirisk.store.row_tables import declare

Stored = tuple[Any, ...]
ZERO = "0x" + "0" * 40


@dataclass(frozen=True, slots=True)
class Difference:
    """A store against the honest chain.

    `to_block`: up to where the store says to be, None where no run came to its end.
    `lost`: blocks whose logs the store claims to have and has not; `owned_up`: those that it lacks
    and says so. `surplus`: logs that are not of the chain. `marked`: its unverified ranges.
    `uncovered`: blocks that are neither verified nor marked. `unfolded`: balances that are not
    those of the naive pass.
    """

    to_block: int | None
    lost: list[tuple[str, int]]
    owned_up: list[tuple[str, int]]
    surplus: list[Stored]
    marked: list[tuple[str, int, int]]
    uncovered: list[tuple[str, int]]
    unfolded: list[str]

    @property
    def complete(self) -> bool:
        """Whether the store is what the naive pass found, all of it verified."""
        return self.to_block is not None and not any(
            (self.lost, self.owned_up, self.surplus, self.marked, self.uncovered, self.unfolded)
        )


def naive_logs(chain: GeneratedChain, tokens: Collection[str], last: int) -> set[Stored]:
    """Every log, as a row of the store has it."""
    query = {"fromBlock": "0x0", "toBlock": hex(last), "address": sorted(tokens)}
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [query]}
    answer = json.loads(Node(chain).answer(json.dumps(call).encode()))
    return {
        (
            int(log["blockNumber"], 16),
            int(log["logIndex"], 16),
            log["blockHash"],
            log["transactionHash"],
            log["address"],
            *(bytes.fromhex(topic[2:]) for topic in log["topics"]),
            bytes.fromhex(log["data"][2:]),
        )
        for log in answer["result"]
    }


def difference(store: Store, chain: GeneratedChain, tokens: Collection[str]) -> Difference:
    """What a store has of some tokens, against what it should have by its own word."""
    with store.transaction() as connection:
        to_block = connection.execute(select(chains.c.verified_to_block)).scalar()
        c = raw_logs.c
        columns = (c.block_number, c.evt_index, c.block_hash, c.tx_hash, c.contract_address)
        words = (c.topic0, c.topic1, c.topic2, c.data)
        held = {tuple(row) for row in connection.execute(select(*columns, *words))}
        verified = _ranges(connection.execute(select(verified_ranges)))
        marked = _ranges(connection.execute(select(unverified_ranges)))
        headers = [*connection.execute(select(blocks))]
    last = chain.tip.head if to_block is None else to_block
    honest = naive_logs(chain, tokens, last)
    claimed = {token: _blocks(verified[token]) - _blocks(marked[token]) for token in tokens}
    missing = sorted({(one[4], one[0]) for one in honest - held})
    covered = {token: claimed[token] | _blocks(marked[token]) for token in tokens}
    return Difference(
        to_block=to_block,
        lost=[(token, block) for token, block in missing if block in claimed[token]],
        owned_up=[(token, block) for token, block in missing if block not in claimed[token]],
        surplus=sorted(held - honest) + [tuple(row) for row in headers if _strange(chain, row)],
        marked=[(token, *one) for token in tokens for one in marked[token]],
        uncovered=[(t, block) for t in tokens for block in {*range(last + 1)} - covered[t]],
        unfolded=_unfolded(store, honest),
    )


def _ranges(rows: Iterable[Any]) -> defaultdict[str, list[tuple[int, int]]]:
    found: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in rows:
        found[row.contract_address].append((row.first_block, row.last_block))
    return found


def _blocks(ranges: Iterable[tuple[int, int]]) -> set[int]:
    return {block for first, last in ranges for block in range(first, last + 1)}


def _strange(chain: GeneratedChain, row: Any) -> bool:
    """Whether a stored header is not the chain's."""
    number, tip = row.block_number, chain.tip
    honest = (
        chain.hash(number, tip),
        chain.hash(number - 1, tip),
        chain.timestamp(number, tip.fork(number)),
    )
    return (row.block_hash, row.parent_hash, row.block_time) != honest


def _unfolded(store: Store, logs: Iterable[Stored]) -> list[str]:
    """The balances that differ from sums over the naive logs."""
    declare(adapters())
    table = metadata.tables["erc4626_shares"]
    with store.transaction() as connection:
        current = connection.execute(select(table).where(table.c.valid_to_block.is_(None)))
        ours = {(row.vault, row.account): row.balance_raw for row in current if row.balance_raw}
    theirs: defaultdict[tuple[str, str], int] = defaultdict(int)
    for _, _, _, _, token, _, sender, receiver, data in logs:
        amount = int.from_bytes(data, "big")
        theirs[token, "0x" + sender[12:].hex()] -= amount
        theirs[token, "0x" + receiver[12:].hex()] += amount
    theirs = defaultdict(int, {k: v for k, v in theirs.items() if v and k[1] != ZERO})
    return sorted(
        f"{account} has {ours.get((token, account), 0)} and not {theirs[token, account]} of {token}"
        for token, account in ours.keys() | theirs.keys()
        if ours.get((token, account), 0) != theirs[token, account]
    )
