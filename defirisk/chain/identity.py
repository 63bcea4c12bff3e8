"""Which chain an endpoint serves: its id, and its first block, as two chains may have one id."""

from __future__ import annotations

from defirisk.chain.answers import BrokenAnswer, Request
from defirisk.chain.transport import JsonRpcTransport
from defirisk.chain.wire import read_block, read_quantity
from defirisk.core.errors import NodeError, RetryableNodeError
from defirisk.core.evm import Hash


async def identity_of(transport: JsonRpcTransport) -> tuple[int, Hash | None]:
    """EIP-155 chain id, and the hash of block 0 where the endpoint still has that block.

    Errors: `NodeError`.
    """

    async def ask() -> tuple[int, Hash | None]:
        chain_id, genesis = await transport.batch(
            [Request("eth_chainId"), Request("eth_getBlockByNumber", ["0x0", False])]
        )
        if isinstance(chain_id, NodeError):
            raise chain_id
        known = genesis is not None and not isinstance(genesis, NodeError)
        try:
            return read_quantity(chain_id, "chain id"), read_block(genesis).hash if known else None
        except RetryableNodeError as error:
            raise BrokenAnswer(str(error)) from error

    return await transport.settings.retry.run(ask, BrokenAnswer)
