"""A long chain with few logs behind a slow, limited node: wall time against what its limits allow.

1 block in 100 has 10 logs; 100 ms of latency, 25 HTTP requests a second, at most 10,000 logs and
10,000 blocks an answer. The least that any complete index needs are the ranges at these caps, and
the headers of blocks with logs in batches of 200.
"""

from __future__ import annotations

import tempfile
from math import ceil
from pathlib import Path

from benchmarks.gathered import gather, new_store
from benchmarks.generated_chain import (
    ChainShape,
    GeneratedChain,
    ServeLimits,
    deployment,
    serve,
)
from benchmarks.measure import Result
from benchmarks.stored import Clock

RATE, CAP, HEADERS = 25, 10_000, 200
EVERY, LOGS = 100, 10


def measure(result: Result, blocks: int) -> None:
    """Gathers the chain once: at this size a second run says nothing new."""
    chain = GeneratedChain(ChainShape(blocks=blocks, every=EVERY, logs_per_block=LOGS))
    limits = ServeLimits(latency=0.1, rate=RATE, max_logs=CAP, max_blocks=CAP)
    with (
        serve(chain, limits, process=True) as url,
        tempfile.TemporaryDirectory() as folder,
        new_store(f"sqlite:///{Path(folder) / 'sparse.db'}") as store,
        Clock() as clock,
    ):
        done = gather(url, deployment(chain), store)
    least = ceil(blocks / CAP) + ceil(blocks / EVERY / HEADERS)
    result.figures |= {
        "sparse_blocks": blocks,
        "sparse_logs": done.logs,
        "sparse_seconds": clock.seconds,
        "sparse_cpu_seconds": clock.cpu_seconds,
        "sparse_requests": done.requests,
        "sparse_calls": done.calls,
        "sparse_least_requests": least,
    }
    result.ratio("sparse", least / RATE / clock.seconds, "the fewest requests at 25 a second")
