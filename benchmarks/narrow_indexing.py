"""A ceiling for Python: one hard-wired event, one narrow row, no audit, no header, no reorg.

The shape of `recipes/indexing/ours_like.py` in its json mode, which names the goal: connections of
plain asyncio that read whole answers, orjson, sqlite3's executemany, the checkpoint in the same
transaction.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import orjson
from eth_hash.auto import keccak

from benchmarks.emitted import Emitted
from benchmarks.stored import Clock, Stored

STEP, CONNECTIONS = 100, 4
TOPIC = "0x" + keccak(b"Transfer(address,address,uint256)").hex()
SCHEMA = """
create table transfers (block_number integer not null, log_index integer not null,
  tx_hash blob not null, sender blob not null, receiver blob not null, amount text not null,
  primary key (block_number, log_index)) without rowid;
create table checkpoint (source text primary key, next_block integer not null);
"""
INSERT = "insert into transfers values (?, ?, ?, ?, ?, ?) on conflict do nothing"
CHECKPOINT = (
    "insert into checkpoint values ('transfers', ?) "
    "on conflict (source) do update set next_block = excluded.next_block"
)
_Row = tuple[int, int, bytes, bytes, bytes, str]


def narrow_index(chain: Emitted, folder: Path) -> Stored:
    """Stores every transfer of the chain in a new SQLite file."""
    database = sqlite3.connect(folder / "narrow.db", isolation_level=None)
    database.executescript("pragma journal_mode=wal; pragma synchronous=normal;" + SCHEMA)
    with Clock() as clock:
        count = asyncio.run(_run(chain, database))
    database.close()
    requests = chain.head // STEP + 1
    return clock.stored(count, requests, requests)


async def _run(chain: Emitted, database: sqlite3.Connection) -> int:
    ranges = deque(
        (first, min(first + STEP - 1, chain.head)) for first in range(0, chain.head + 1, STEP)
    )
    answers: asyncio.Queue[tuple[int, bytes] | None] = asyncio.Queue(CONNECTIONS * 2)
    tasks = [asyncio.create_task(_fetch(chain, ranges, answers)) for _ in range(CONNECTIONS)]
    waiting: dict[int, bytes] = {}
    following, count, running = 0, 0, CONNECTIONS
    while running:
        answer = await answers.get()
        if answer is None:
            running -= 1
            continue
        waiting[answer[0]] = answer[1]
        while following in waiting:
            rows = list(_rows(orjson.loads(waiting.pop(following))["result"]))
            following += STEP
            database.execute("begin")
            database.executemany(INSERT, rows)
            database.execute(CHECKPOINT, (following,))
            database.execute("commit")
            count += len(rows)
    await asyncio.gather(*tasks)
    return count


async def _fetch(
    chain: Emitted,
    ranges: deque[tuple[int, int]],
    answers: asyncio.Queue[tuple[int, bytes] | None],
) -> None:
    at = urlsplit(chain.url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port, limit=1 << 26)
    while ranges:
        first, last = ranges.popleft()
        asked = {
            "address": chain.vault,
            "topics": [TOPIC],
            "fromBlock": hex(first),
            "toBlock": hex(last),
        }
        call = {"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [asked]}
        body = orjson.dumps(call)
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        writer.write(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        headers = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(headers.partition(b"content-length:")[2].split(b"\r\n")[0])
        await answers.put((first, await reader.readexactly(length)))
    writer.close()
    await answers.put(None)


def _rows(logs: Iterable[dict[str, str | Sequence[str]]]) -> Iterable[_Row]:
    unhex = bytes.fromhex
    for log in logs:
        yield (
            int(str(log["blockNumber"]), 16),
            int(str(log["logIndex"]), 16),
            unhex(str(log["transactionHash"])[2:]),
            unhex(log["topics"][1][26:]),
            unhex(log["topics"][2][26:]),
            str(int(str(log["data"]), 16)),
        )
