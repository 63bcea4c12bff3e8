"""`index --follow` as a process: new blocks, reorgs, a node that goes away, signals, metrics."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

from benchmarks.generated_chain import ChainShape, GeneratedChain, deployment, serve
from defirisk.store.database import open_store
from tests.devnet.record import as_toml
from tests.following import PATIENCE, following
from tests.gateway import SECRET, gateway
from tests.logical_dump import Dump, logical_dump

SHAPE = ChainShape(blocks=120, every=3, logs_per_block=4, safe_distance=2, finalized_distance=20)


def dumped(folder: Path) -> Dump:
    store = open_store(f"sqlite:///{folder / 'defirisk.db'}", create=False)
    try:
        return logical_dump(store)
    finally:
        store.close()


def configured(folder: Path, chain: GeneratedChain) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "defirisk.toml").write_text(as_toml(deployment(chain)))
    return folder


def test_new_blocks_failures_and_reorgs_until_a_signal(tmp_path: Path) -> None:
    chain = GeneratedChain(SHAPE)
    folder = configured(tmp_path / "followed", chain)
    with (
        serve(chain) as url,
        gateway(url) as node,
        following(folder, node.url, "--metrics", "0") as seen,
    ):
        seen.wait(lambda: bool(seen.steps()))
        node.fail("refuses")
        seen.wait(lambda: any("trying again" in line for line in seen.lines))
        chain.mine(5)
        node.recover()
        seen.wait(lambda: seen.steps()[-1]["block"] == chain.tip.head)
        chain.reorg(3, seed=7)
        chain.mine(1)
        seen.wait(lambda: any(step["reorg_depth"] for step in seen.steps()))
        seen.wait(lambda: seen.steps()[-1]["block"] == chain.tip.head)
        (port,) = (m[1] for m in map(re.compile(r"metrics: .*:(\d+)/").match, seen.lines) if m)
        with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            scraped = answer.read().decode()
        assert f'defirisk_verified_block{{chain_id="31337"}} {float(chain.tip.head)}' in scraped
        seen.process.send_signal(signal.SIGTERM)
        assert seen.process.wait(PATIENCE) == 0
    assert SECRET not in "".join(seen.lines)
    fresh = configured(tmp_path / "fresh", chain)
    with serve(chain) as url:
        command = [sys.executable, "-m", "defirisk", "index", "--to-block", "latest"]
        subprocess.run([*command, "--rpc-url", url], cwd=fresh, check=True, capture_output=True)
    ours, theirs = dumped(folder), dumped(fresh)
    # Views are asked where runs end, which were other blocks.
    for table in ("raw_logs", "verified_ranges", "erc4626_shares", "erc4626_totals"):
        assert ours[table] == theirs[table], table
        assert ours[table]
