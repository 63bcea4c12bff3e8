"""A chain in this process: py-evm behind eth-tester, written to by tests, read by the product."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from eth_tester import EthereumTester, PyEVMBackend
from eth_tester.exceptions import TransactionFailed

from defirisk.core.errors import NodeBehind
from defirisk.core.evm import (
    Address,
    Block,
    BlockTag,
    Call,
    CallResult,
    LogPage,
    LogQuery,
    RawLog,
)
from tests.devnet.abi import call_data
from tests.hostile.vyper_contracts import creation_code

# Later than any clock says, so that the time of a block never is this machine's.
GENESIS_TIME = 4_102_444_800
DEPLOY_GAS = 16_000_000  # a transaction may not ask for more than 2**24
GAS = 2_000_000
VIEW_GAS = 1_000_000


class PyEvmChain:
    """Every transaction has a block of its own."""

    def __init__(self) -> None:
        parameters = PyEVMBackend.generate_genesis_params(
            {"timestamp": GENESIS_TIME, "gas_limit": 30_000_000}
        )
        self.tester: Any = EthereumTester(PyEVMBackend(genesis_parameters=parameters))
        self.logs: list[RawLog] = []  # eth-tester looks through all blocks to find them
        self.accounts: list[Address] = [account.lower() for account in self.tester.get_accounts()]

    @property
    def time(self) -> int:
        """Timestamp of the head."""
        return int(self.tester.get_block_by_number("latest")["timestamp"])

    def deploy(self, name: str, *args: Any) -> Address:
        """Address of a new contract of the first account."""
        receipt = self._send({"data": creation_code(name, args), "gas": DEPLOY_GAS})
        return str(receipt["contract_address"]).lower()

    def send(self, to: Address, signature: str, *args: Any, sender: int = 0) -> None:
        """A transaction of the account of that number, which must succeed."""
        self._send({"to": to, "data": call_data(signature, args), "gas": GAS}, sender)

    def _send(self, fields: dict[str, Any], sender: int = 0) -> dict[str, Any]:
        sent = self.tester.send_transaction({"from": self.accounts[sender], **fields})
        receipt: dict[str, Any] = self.tester.get_transaction_receipt(sent)
        assert receipt["status"] == 1, fields
        self.logs += map(_raw_log, receipt["logs"])
        return receipt


class PyEvmReader:
    """Reads a `PyEvmChain`. Implements `core.evm.ChainReader`."""

    def __init__(self, chain: PyEvmChain) -> None:
        self._chain = chain
        self._tester = chain.tester
        self._asking = chain.accounts[0]

    async def chain_id(self) -> int:
        return int(self._tester.backend.chain.chain_id)

    async def block(self, ref: int | BlockTag) -> Block:
        head = int(self._tester.get_block_by_number("latest")["number"])
        number = ref if isinstance(ref, int) else head
        if number > head:
            raise NodeBehind(f"the chain ends at block {head}")
        found = self._tester.get_block_by_number(number)
        return Block(
            number=int(found["number"]),
            hash=str(found["hash"]),
            parent_hash=str(found["parent_hash"]),
            timestamp=int(found["timestamp"]),
        )

    async def blocks(self, numbers: Sequence[int]) -> list[Block]:
        return [await self.block(number) for number in numbers]

    async def logs(
        self, query: LogQuery, first_block: int, last_block: int
    ) -> AsyncIterator[LogPage]:
        wanted = (
            log
            for log in self._chain.logs
            if first_block <= log.block_number <= last_block
            and log.address in query.addresses
            and (not query.topics0 or log.topics[0] in query.topics0)
        )
        yield LogPage(first_block, last_block, tuple(wanted))

    async def calls(self, calls: Sequence[Call], block: Block) -> list[CallResult]:
        return [self._call(call, block) for call in calls]

    async def aclose(self) -> None:
        pass

    def _call(self, call: Call, block: Block) -> CallResult:
        fields = {
            "from": self._asking,
            "to": call.to,
            "data": "0x" + call.data.hex(),
            "gas": VIEW_GAS,
        }
        try:
            said = self._tester.call(fields, block.number)
        except TransactionFailed:
            return CallResult(False, b"")
        return CallResult(True, bytes.fromhex(said.removeprefix("0x")))


def _raw_log(found: dict[str, Any]) -> RawLog:
    return RawLog(
        block_number=int(found["block_number"]),
        block_hash=str(found["block_hash"]),
        tx_hash=str(found["transaction_hash"]),
        log_index=int(found["log_index"]),
        address=str(found["address"]).lower(),
        topics=tuple(bytes.fromhex(topic.removeprefix("0x")) for topic in found["topics"]),
        data=bytes.fromhex(str(found["data"]).removeprefix("0x")),
    )
