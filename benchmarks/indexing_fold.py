"""Folding logs into rows: Aave's of the recorded chain, and the base layer made rows again."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.emitted import Emitted
from benchmarks.measure import Result
from defirisk.chain.rpc import RpcChainReader
from defirisk.indexing.rederiving import rederive
from defirisk.indexing.run import index
from defirisk.store.database import Store, open_store
from tests.demo import demo_markets, demo_reader

AAVE = "aave-v3-devnet"
PAIRS = 3


def measure_aave(result: Result) -> None:
    """Logs a second of Aave v3 alone, folded from the store into rows."""
    from defirisk.indexing.status import read_status

    with tempfile.TemporaryDirectory() as folder:
        store = _opened(Path(folder) / "aave.db")
        asyncio.run(index(demo_reader(), store, demo_markets(), "finalized"))
        logs = next(d.raw_logs for d in read_status(store).deployments if d.deployment == AAVE)
        seconds = median(_rederived(store, [AAVE]) for _ in range(PAIRS))
        store.close()
    result.figures |= {"fold_aave_logs": logs, "fold_aave_logs_per_cpu_second": logs / seconds}


def measure_rederive(result: Result, chain: Emitted) -> None:
    """Everything derived made again from the store, against indexing it from the node."""
    indexed, again = [], []
    for _ in range(PAIRS):
        with tempfile.TemporaryDirectory() as folder:
            store = _opened(Path(folder) / "again.db")
            begun = time.process_time()
            asyncio.run(_index(chain, store))
            indexed.append(time.process_time() - begun)
            again.append(_rederived(store, []))
            store.close()
    result.figures |= {
        "index_with_fold_logs_per_cpu_second": chain.logs / median(indexed),
        "rederive_logs_per_cpu_second": chain.logs / median(again),
    }
    ratio = median(one / other for one, other in zip(indexed, again, strict=True))
    result.ratio("rederive", ratio, "index with its fold, from the node")


def _opened(path: Path) -> Store:
    return open_store(f"sqlite:///{path}", create=True)


def _rederived(store: Store, names: list[str]) -> float:
    begun = time.process_time()
    rederive(store, names)
    return time.process_time() - begun


async def _index(chain: Emitted, store: Store) -> None:
    reader = RpcChainReader(chain.url)
    try:
        await index(reader, store, [chain.deployment], "latest")
    finally:
        await reader.aclose()
