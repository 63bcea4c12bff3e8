"""Half a year of everybody's life, followed as it happens: nothing grows, nothing is missed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.devnet.build import CHAIN_ID, GENESIS_TIME
from tests.devnet.chain import Chain
from tests.devnet.life import Pace
from tests.devnet.node import run_node
from tests.devnet.population import Population
from tests.devnet.protocols import Protocols
from tests.devnet.record import as_toml, deployments
from tests.devnet.rpc import Rpc
from tests.devnet.toolchain import load_toolchain
from tests.following import following

pytestmark = [pytest.mark.onchain, pytest.mark.nightly]

ACCOUNTS = 120
GROWTH = 1.15
"""Of the process' memory between the first third and the end: caches of code, and noise."""


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024 / 1e6


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_feeds_and_users_act_while_it_follows(tmp_path: Path) -> None:
    pace = Pace(steps=120, actions=4)
    with run_node(load_toolchain().anvil, chain_id=CHAIN_ID, genesis_time=GENESIS_TIME) as node:
        chain = Chain(Rpc(node.url), load_toolchain().artifacts)
        protocols = Protocols.deploy(chain)
        population = Population.settle(chain, protocols, 5, ACCOUNTS, pace)
        described = {"name": "followed", "chain_id": CHAIN_ID, **protocols.describe()}
        (tmp_path / "defirisk.toml").write_text("".join(map(as_toml, deployments(described))))
        begun = chain.head
        with following(tmp_path, node.url) as seen:
            memory: list[float] = []

            def after_step(step: int) -> None:
                seen.wait(lambda: bool(seen.steps()) and seen.steps()[-1]["block"] == chain.head)
                memory.append(resident_mb(seen.process.pid))

            population.play(after_step)
            seen.process.terminate()
            assert seen.process.wait(60) == 0
        assert chain.head - begun > 1_000
        third = len(memory) // 3
        assert max(memory[third:]) < GROWTH * max(memory[:third]), memory
        words = ["verify", "--rpc-url", node.url, "--block", str(seen.steps()[-1]["block"])]
        done = subprocess.run(
            [sys.executable, "-m", "defirisk", *words], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
