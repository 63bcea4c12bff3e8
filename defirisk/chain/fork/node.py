"""An anvil process that continues a live chain from one of its blocks.

The URL of the chain's node is a secret: it is told to anvil over its own local port, so it is in no
command line that others on the machine could list, and what anvil caches goes away with it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from defirisk.chain.retry import RetryPolicy
from defirisk.chain.transport import JsonRpcTransport, TransportSettings
from defirisk.core.errors import NodeError
from defirisk.core.evm import Address, Block

START_SECONDS = 30.0
ANSWER_SECONDS = 300.0
"""A fork asks the other node for all state it does not have yet."""


@asynccontextmanager
async def fork(anvil: Path, url: str, chain_id: int, block: Block) -> AsyncIterator[Fork]:
    """Runs a fork of the chain behind `url` at `block`. Errors: `NodeError`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="defirisk-fork-") as home:
        process = subprocess.Popen(
            [
                *(str(anvil), "--silent", "--port", str(port), "--chain-id", str(chain_id)),
                *("--no-mining", "--order", "fifo", "--cache-path", home),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": home},
        )
        made = Fork(f"http://127.0.0.1:{port}", chain_id)
        try:
            await made.begin(url, block, process)
            yield made
        finally:
            await made.aclose()
            process.terminate()
            process.wait()


class Fork:
    """A running fork. `url` is its own, local address, and no secret."""

    def __init__(self, url: str, chain_id: int) -> None:
        self.url = url
        self.chain_id = chain_id
        settings = TransportSettings(timeout=ANSWER_SECONDS, retry=RetryPolicy(attempts=1))
        self._rpc = JsonRpcTransport(url, settings)

    async def begin(self, url: str, block: Block, process: subprocess.Popen[bytes]) -> None:
        """Waits for the process, and takes it to the block of the other chain."""
        await self._answering(process)
        forking = {"jsonRpcUrl": url, "blockNumber": block.number}
        try:
            await self._rpc.request("anvil_reset", {"forking": forking})
        except NodeError:
            failed = f"anvil cannot fork block {block.number}: does the node still have its state?"
        else:
            head = await self._rpc.request("eth_getBlockByNumber", "latest", False)
            if isinstance(head, dict) and head.get("hash") == block.hash:
                return
            failed = f"the node's block {block.number} is not the indexed one: index again"
        raise NodeError(failed)  # outside: what anvil says may hold the URL

    async def execute(
        self, calls: Sequence[tuple[Address, Address, bytes]], timestamp: int
    ) -> list[NodeError | None]:
        """Mines (sender, contract, calldata) as transactions of one block, in this order.

        Senders are impersonated and given ether. Returns why each failed (`CallReverted` with the
        contract's own data), None where it did not.
        """
        for sender in dict.fromkeys(sender for sender, _, _ in calls):
            await self._rpc.request("anvil_impersonateAccount", sender)
            await self._rpc.request("anvil_setBalance", sender, hex(10**24))
        before = await self._rpc.request("eth_blockNumber")
        fields = [
            {"from": sender, "to": to, "data": "0x" + data.hex(), "gas": hex(4_000_000)}
            for sender, to, data in calls
        ]
        sent = [await self._rpc.request("eth_sendTransaction", one) for one in fields]
        # No time may pass: what interest would do to positions is not what the calls do.
        await self._rpc.request("evm_setNextBlockTimestamp", timestamp)
        await self._rpc.request("evm_mine")
        failures: list[NodeError | None] = []
        for one, name in zip(fields, sent, strict=True):
            receipt = await self._rpc.request("eth_getTransactionReceipt", name)
            mined = isinstance(receipt, dict) and receipt.get("status") == "0x1"
            failures.append(None if mined else await self._reason(one, before))
        return failures

    async def _reason(self, fields: dict[str, str], block: object) -> NodeError:
        try:
            await self._rpc.request("eth_call", fields, block)
        except NodeError as error:
            return error
        return NodeError("it fails only after the calls before it")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._rpc.aclose()

    async def _answering(self, process: subprocess.Popen[bytes]) -> None:
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            if process.poll() is not None:
                raise NodeError(
                    f"anvil ended with status {process.returncode}: is it 1.7 or later?"
                )
            try:
                await self._rpc.request("web3_clientVersion")
            except NodeError:
                await asyncio.sleep(0.02)
            else:
                return
        raise NodeError("anvil did not answer in time: is the machine overloaded?")
