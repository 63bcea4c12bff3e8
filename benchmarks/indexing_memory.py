"""Peak memory of gathering a chain and one ten times as long, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.alone import peak_mb
from benchmarks.gathered import gather, new_store
from benchmarks.generated_chain import ChainShape, GeneratedChain, deployment, serve
from benchmarks.measure import Result

PER_BLOCK = 50


def measure(result: Result, blocks: int, more_blocks: int) -> None:
    """Chains with 50 logs in every block."""
    short, long = _peak(blocks), _peak(more_blocks)
    result.figures |= {"memory_mb": short, "memory_long_mb": long}
    result.ratio("memory", short / long, f"a chain of {more_blocks / blocks:g} times the length")


def _peak(blocks: int) -> float:
    chain = GeneratedChain(ChainShape(blocks=blocks, every=1, logs_per_block=PER_BLOCK))
    with serve(chain, process=True) as url:
        command = [sys.executable, "-m", "benchmarks.indexing_memory", url, str(blocks)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["peak_mb"])


def main() -> None:
    """The process that is measured: it knows the chain's deployment, not its blocks."""
    url, blocks = sys.argv[1], int(sys.argv[2])
    chain = GeneratedChain(ChainShape(blocks=blocks, every=1, logs_per_block=PER_BLOCK))
    with (
        tempfile.TemporaryDirectory() as folder,
        new_store(f"sqlite:///{Path(folder) / 'long.db'}") as store,
    ):
        gather(url, deployment(chain), store)
    print(json.dumps({"peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
