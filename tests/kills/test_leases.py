"""One run works on a chain of a store; another ends at once, and nobody waits for the dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select, update

from benchmarks.generated_chain import ChainShape
from defirisk.store.base_tables import leases, raw_logs
from defirisk.store.database import Store, open_store
from tests.databases import BOTH, Kind, database_url
from tests.kills.chains import Remembering, configured, node_of

SHAPE = ChainShape(blocks=600, every=2, logs_per_block=2)
MOST = 1
"""Ranges after which the node falls silent, so that a run is still there while others come."""


def started(folder: Path) -> subprocess.Popen[str]:
    """`defirisk index`, as somebody types it."""
    command = [sys.executable, "-m", "defirisk", "index", "--to-block", "600"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DEFIRISK_")}
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, env=kept)


def holders(store: Store) -> list[str]:
    with store.transaction() as connection:
        return list(connection.scalars(select(leases.c.holder)))


def logs(store: Store) -> int:
    with store.transaction() as connection:
        return len(connection.execute(select(raw_logs.c.block_number)).all())


def until_it_works(store: Store, node: Remembering, process: subprocess.Popen[str]) -> None:
    """Waits until the process has the lease and has read something."""
    deadline = time.monotonic() + 120
    while not (holders(store) and node.given):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("kind", BOTH)
def test_of_two_runs_one_works_and_one_ends_and_a_signal_lets_go(
    kind: Kind, tmp_path: Path
) -> None:
    url = database_url(tmp_path / "store.db", kind)
    store = open_store(url, create=False)
    with node_of(SHAPE, most=MOST) as (node, rpc):
        configured(tmp_path, SHAPE, rpc, url)
        first = started(tmp_path)
        until_it_works(store, node, first)
        held = holders(store)
        assert len(held) == 1

        second = started(tmp_path)
        said = second.communicate(timeout=120)[1]
        assert second.returncode == 4, said
        assert said.startswith("error: chain 31337 is being indexed by process ")
        assert str(first.pid) in said
        assert holders(store) == held

        first.send_signal(signal.SIGTERM)
        said = first.communicate(timeout=120)[1]
        assert first.returncode == 128 + signal.SIGTERM, said
        assert "what was finished is stored" in said
        assert "Traceback" not in said
        assert holders(store) == []
    store.close()


@pytest.mark.parametrize("kind", BOTH)
def test_a_run_that_lost_its_lease_stores_nothing_more(kind: Kind, tmp_path: Path) -> None:
    url = database_url(tmp_path / "store.db", kind)
    store = open_store(url, create=False)
    with node_of(SHAPE, most=MOST) as (node, rpc):
        configured(tmp_path, SHAPE, rpc, url)
        first = started(tmp_path)
        until_it_works(store, node, first)
        with store.transaction() as connection:
            connection.execute(update(leases).values(holder="elsewhere - 1 x", until_ts=2**40))
        stored = logs(store)
        node.most = None
        said = first.communicate(timeout=120)[1]
        assert first.returncode == 4, said
        assert "another run took over chain 31337" in said
        assert holders(store) == ["elsewhere - 1 x"]
        assert logs(store) == stored

        # The holder is of another machine: nobody here can know whether it is still there.
        second = started(tmp_path)
        said = second.communicate(timeout=120)[1]
        assert second.returncode == 4
        assert "process 1 on elsewhere" in said
    store.close()
