"""An anvil process on a free port."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .rpc import Rpc

GAS_LIMIT = 200_000_000
START_SECONDS = 30.0
STOP_SECONDS = 120.0  # writing a dump takes its time


@dataclass(frozen=True)
class Node:
    """A running node."""

    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def run_node(
    anvil: Path,
    *,
    chain_id: int,
    genesis_time: int,
    load: Path | None = None,
    dump: Path | None = None,
) -> Iterator[Node]:
    """Run anvil, from the state file `load` if given; write `dump` when it ends."""
    port = _free_port()
    command = [
        *(str(anvil), "--silent", "--port", str(port), "--chain-id", str(chain_id)),
        *("--timestamp", str(genesis_time), "--gas-limit", str(GAS_LIMIT)),
        # One slot per epoch: the safe block is head - 1 and the finalized block head - 2.
        *("--slots-in-an-epoch", "1"),
        # Blocks are mined on request, with transactions in the order they were sent.
        *("--no-mining", "--order", "fifo", "--auto-impersonate"),
    ]
    if load is not None:
        command += ["--load-state", str(load)]
    if dump is not None:
        # Old states are most of the work of a block, and a dump has none of them.
        command += ["--dump-state", str(dump), "--prune-history"]
    # Anvil writes old states to disk and never removes them, so they get a place that goes away.
    with tempfile.TemporaryDirectory(prefix="devnet-states-") as states:
        command += ["--cache-path", states]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for_answer(url, process)
            yield Node(url, process)
        finally:
            process.terminate()
            process.wait(timeout=STOP_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_for_answer(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"anvil ended with status {process.returncode}")
        rpc = Rpc(url)
        try:
            rpc.call("web3_clientVersion")
            return
        except OSError:
            time.sleep(0.01)
        finally:
            rpc.close()
    raise RuntimeError("anvil did not answer in time")
