"""Reading a chain into the store: python -m benchmarks.indexing [--json FILE] [--quick]

The first chain is a real node's: 2,000 blocks of 50 transfers. The sparse and the long one are
generated (`generated_chain.py`). Ratios of one chain are of CPU seconds of this process, medians of
paired runs; what the node computes is not in them. PostgreSQL is another process, so its ratio to
SQLite is of seconds on the clock, and so are the sparse chain's, which is bound by its node.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks import indexing_decoder, indexing_fold, indexing_memory, indexing_sparse
from benchmarks.emitted import Emitted, emitted
from benchmarks.gathered import gather, new_store
from benchmarks.measure import Result, arguments
from benchmarks.naive_indexing import naive_index
from benchmarks.narrow_indexing import narrow_index
from benchmarks.postgres import postgres
from benchmarks.stored import Clock, Stored

_Run = Callable[[Path], Stored]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is measured."""

    blocks: int = 2_000
    per_block: int = 50
    pairs: int = 3
    sparse_blocks: int = 2_000_000
    long_blocks: tuple[int, int] = (2_000, 20_000)


def main() -> None:
    """Measures and writes."""
    options = arguments(__doc__)
    sizes = Sizes()
    if options.quick:
        sizes = Sizes(blocks=40, pairs=1, sparse_blocks=20_000, long_blocks=(40, 80))
    result = Result("indexing")
    indexing_decoder.measure(result, quick=options.quick)
    with emitted(sizes.blocks, sizes.per_block) as chain:
        _transfers(result, chain, sizes.pairs)
        indexing_fold.measure_rederive(result, chain)
    indexing_fold.measure_aave(result)
    indexing_sparse.measure(result, sizes.sparse_blocks)
    indexing_memory.measure(result, *sizes.long_blocks)
    result.write(options.json)


def _transfers(result: Result, chain: Emitted, pairs: int) -> None:
    """The same transfers by us, by the naive path, by the narrow ceiling, and into PostgreSQL."""
    runs: dict[str, _Run] = {
        "sqlite": partial(_ours, chain, _new_file),
        "naive": partial(naive_index, chain),
        "narrow": partial(narrow_index, chain),
    }
    with postgres() as new_database:
        if new_database is not None:
            runs["postgresql"] = partial(_ours, chain, lambda _: new_database())
        cpu: dict[str, list[float]] = {name: [] for name in runs}
        wall: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(pairs):
            for name, run in runs.items():
                with tempfile.TemporaryDirectory() as folder:
                    done = run(Path(folder))
                if done.logs != chain.logs:
                    raise SystemExit(f"{name} stored {done.logs} of {chain.logs} logs")
                cpu[name].append(done.cpu_seconds)
                wall[name].append(done.seconds)
                result.figures[f"{name}_requests"] = done.requests
                result.figures[f"{name}_calls"] = done.calls
    for name in runs:
        result.figures[f"{name}_logs_per_cpu_second"] = chain.logs / median(cpu[name])
        result.figures[f"{name}_logs_per_second"] = chain.logs / median(wall[name])
    result.ratio("naive", _ratio(cpu, "naive"), "web3.py get_logs and process_log, ORM")
    result.ratio("narrow", _ratio(cpu, "narrow"), "one narrow row, no audit, orjson, executemany")
    if "postgresql" in runs:
        pairs_of = zip(wall["sqlite"], wall["postgresql"], strict=True)
        ratio = median(ours / theirs for ours, theirs in pairs_of)
        result.ratio("postgresql", ratio, "our SQLite, on the clock")


def _ratio(cpu: dict[str, list[float]], reference: str) -> float:
    """How many times as fast as the reference we are."""
    pairs = zip(cpu["sqlite"], cpu[reference], strict=True)
    return median(theirs / ours for ours, theirs in pairs)


def _ours(chain: Emitted, database: Callable[[Path], str], folder: Path) -> Stored:
    with new_store(database(folder)) as store, Clock() as clock:
        done = gather(chain.url, chain.deployment, store)
    return clock.stored(done.logs, done.requests, done.calls)


def _new_file(folder: Path) -> str:
    return f"sqlite:///{folder / 'ours.db'}"


if __name__ == "__main__":
    main()
