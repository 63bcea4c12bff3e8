"""Deterministic blocks: explicit nonces, explicit timestamps, transactions in a fixed order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .abi import call_data, constructor_data
from .rpc import Request, Rpc
from .toolchain import Artifact

SLOT = 12
CALL_GAS = 4_000_000
DEPLOY_GAS = 16_000_000  # a transaction may not ask for more than 2**24
MAX_FEE = 10**10
SENT_AT_ONCE = 50  # the node handles more than some hundred requests of a batch out of order


class Reverted(Exception):
    """A transaction that had to succeed did not."""


@dataclass(frozen=True)
class Tx:
    """A call that somebody wants to make."""

    sender: str
    to: str
    signature: str
    args: tuple[Any, ...] = ()
    value: int = 0
    gas: int = CALL_GAS

    @property
    def data(self) -> str:
        """Encoded call data."""
        return call_data(self.signature, self.args)


@dataclass
class Chain:
    """A node's chain as seen by its only writer."""

    rpc: Rpc
    artifacts: dict[str, Artifact]
    libraries: dict[str, str] = field(default_factory=dict)
    sent: int = 0
    reverted: int = 0
    _nonces: dict[str, int] = field(default_factory=dict)
    _time: int = 0

    def __post_init__(self) -> None:
        self.resync()

    def resync(self) -> None:
        """Look at the head again, after a reorg or after somebody else's block."""
        self._nonces.clear()
        self._time = int(self.rpc.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    @property
    def time(self) -> int:
        """Timestamp of the head."""
        return self._time

    @property
    def head(self) -> int:
        """Number of the head."""
        return int(self.rpc.call("eth_blockNumber"), 16)

    def fund(self, accounts: Iterable[str], wei: int = 10**24) -> None:
        """Give ether to `accounts` (takes effect at once, so before anything is recorded)."""
        requests: list[Request] = [
            ("anvil_setBalance", [account, hex(wei)]) for account in accounts
        ]
        self.rpc.batch(requests)

    def deploy(self, name: str, sender: str, *args: Any) -> str:
        """Address of a new contract, in a block of its own."""
        artifact = self.artifacts[name]
        code = artifact.linked(self.libraries)
        data = code + constructor_data(artifact.constructor, args)
        fields = self._fields(sender, data, DEPLOY_GAS)
        receipt = self._mine([("eth_sendTransaction", [fields])], SLOT)[0]
        if receipt["status"] != "0x1":
            raise Reverted(f"deployment of {name}")
        return str(receipt["contractAddress"])

    def call(self, to: str, signature: str, *args: Any) -> str:
        """Result of a view call at the head."""
        return str(self.rpc.call("eth_call", {"to": to, "data": call_data(signature, args)}))

    def calls(self, calls: Sequence[tuple[str, str]], block: int | None = None) -> list[str | None]:
        """Results of many (to, data) view calls; None where one reverts."""
        tag = "latest" if block is None else hex(block)
        return self.rpc.batch_or_none(
            [("eth_call", [{"to": to, "data": data}, tag]) for to, data in calls]
        )

    def would_succeed(self, txs: Sequence[Tx]) -> list[bool]:
        """Whether each transaction, tried alone on the head, does not revert."""
        return [result is not None for result, _ in self.try_out(txs)]

    def try_out(
        self, txs: Sequence[Tx], block: int | None = None
    ) -> list[tuple[str | None, str | None]]:
        """What each transaction, tried alone, returns, or with which data it reverts.

        The data of a revert is None where the node has none.
        """
        fields = [
            {"from": tx.sender, "to": tx.to, "data": tx.data, "value": hex(tx.value)} for tx in txs
        ]
        tag = "latest" if block is None else hex(block)
        answers = self.rpc.answers([("eth_call", [call, tag]) for call in fields])
        return [(answer.get("result"), answer.get("error", {}).get("data")) for answer in answers]

    def mine(self, txs: Sequence[Tx], seconds: int = SLOT) -> list[bool]:
        """Put `txs` into one block that much later; tells which succeeded."""
        requests: list[Request] = [
            ("eth_sendTransaction", [self._fields(tx.sender, tx.data, tx.gas, tx.to, tx.value)])
            for tx in txs
        ]
        ok = [receipt["status"] == "0x1" for receipt in self._mine(requests, seconds)]
        self.reverted += ok.count(False)
        return ok

    def must(self, *txs: Tx) -> None:
        """Mine `txs` in one block; none may revert."""
        for tx, ok in zip(txs, self.mine(txs), strict=True):
            if not ok:
                raise Reverted(f"{tx.signature} {tx.args}")

    def repeat(self, txs: Sequence[dict[str, Any]], seconds: int) -> list[dict[str, Any]]:
        """One block of transactions that were made elsewhere, with their nonces: its receipts."""
        self._nonces.clear()
        return self._mine([("eth_sendTransaction", [tx]) for tx in txs], seconds)

    def _mine(self, requests: Sequence[Request], seconds: int) -> list[dict[str, Any]]:
        self._time += seconds
        hashes: list[str] = []
        for start in range(0, len(requests), SENT_AT_ONCE):
            hashes += self.rpc.batch(requests[start : start + SENT_AT_ONCE])
        self.rpc.call("evm_mine", hex(self._time))
        receipts = self.rpc.call("eth_getBlockReceipts", "latest")
        if [receipt["transactionHash"] for receipt in receipts] != hashes:
            raise RuntimeError("the block does not hold the transactions in the order sent")
        self.sent += len(hashes)
        return list(receipts)

    def _fields(
        self, sender: str, data: str, gas: int, to: str | None = None, value: int = 0
    ) -> dict[str, Any]:
        if sender not in self._nonces:
            known = self.rpc.call("eth_getTransactionCount", sender, "latest")
            self._nonces[sender] = int(known, 16)
        nonce = self._nonces[sender]
        self._nonces[sender] = nonce + 1
        fields = {
            "from": sender,
            "data": data,
            "nonce": hex(nonce),
            "gas": hex(gas),
            "value": hex(value),
            "maxFeePerGas": hex(MAX_FEE),
            "maxPriorityFeePerGas": hex(0),
        }
        return fields if to is None else fields | {"to": to}
