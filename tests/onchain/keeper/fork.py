"""A copy of the shared chain of one's own, a block in the making on it, and a keeper with means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.devnet.abi import MAX_UINT256, call_data, derived_address, words
from tests.devnet.build import Devnet, build, start
from tests.devnet.chain import Chain, Reverted, Tx

KEEPER = derived_address("the keeper of the cascade")
ETHER = 10**27
BLOCK_GAS = 10**11
AT_ONCE = 400  # calls of one simulation
WHOLE_TOKENS = 10**11
TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"


@dataclass(frozen=True)
class Log:
    """An event as the node writes it, addresses and topics in lower case."""

    address: str
    topics: tuple[str, ...]
    data: str

    @classmethod
    def of(cls, raw: dict[str, Any]) -> Log:
        """From the node's answer."""
        topics = tuple(topic.lower() for topic in raw["topics"])
        return cls(raw["address"].lower(), topics, raw["data"])


@dataclass(frozen=True)
class Outcome:
    """What became of one call."""

    ok: bool
    data: str
    logs: tuple[Log, ...]

    @property
    def words(self) -> list[int]:
        """The result in words; none where the call reverted."""
        return words(self.data) if self.ok else []

    @property
    def word(self) -> int:
        """The first one. Errors: `Reverted` where there is none."""
        if not self.words:
            raise Reverted(self.data)
        return self.words[0]


@dataclass
class Block:
    """A block in the making: what was decided so far, and what the contracts say after it."""

    chain: Chain
    number: int
    time: int
    txs: list[Tx] = field(default_factory=list)
    _calls: list[dict[str, str]] = field(default_factory=list)

    def copy(self) -> Block:
        """The same, to be continued otherwise."""
        return Block(self.chain, self.number, self.time, list(self.txs), list(self._calls))

    def add(self, txs: Sequence[Tx]) -> slice:
        """Decide on these, after the others; tells their places."""
        first = len(self.txs)
        self.txs += txs
        self._calls += [_call(tx) for tx in txs]
        return slice(first, len(self.txs))

    def tried(self, txs: Sequence[Tx]) -> list[Outcome]:
        """One after the other at the end of this block; nothing is sent.

        Each sees what those before it did, unless they reverted.
        """
        overrides = {"number": hex(self.number), "time": hex(self.time), "gasLimit": hex(BLOCK_GAS)}
        calls = [*self._calls, *(_call(tx) for tx in txs)]
        asked = {"blockStateCalls": [{"blockOverrides": overrides, "calls": calls}]}
        (block,) = self.chain.rpc.call("eth_simulateV1", asked, "latest")
        return [_outcome(call) for call in block["calls"][len(self._calls) :]]

    def asked(self, views: Sequence[Tx]) -> list[Outcome]:
        """Any number of questions likewise; they must change nothing."""
        return [
            outcome
            for at in range(0, len(views), AT_ONCE)
            for outcome in self.tried(views[at : at + AT_ONCE])
        ]

    def mine(self) -> list[Outcome]:
        """Send everything, in one block of this number and time.

        Errors: `Reverted` where a transaction did; nothing is decided that cannot be done.
        """
        chain = self.chain
        chain.fund({tx.sender for tx in self.txs}, wei=ETHER)
        succeeded = chain.mine(self.txs, self.time - chain.time)
        receipts = chain.rpc.call("eth_getBlockReceipts", "latest")
        for tx, ok in zip(self.txs, succeeded, strict=True):
            if not ok:
                raise Reverted(f"{tx.signature} {tx.args}")
        if chain.head != self.number:
            raise RuntimeError("the block has another number than planned")
        return [
            Outcome(True, "0x", tuple(Log.of(log) for log in receipt["logs"]))
            for receipt in receipts
        ]


def _call(tx: Tx) -> dict[str, str]:
    return {"from": tx.sender, "to": tx.to, "data": tx.data, "value": hex(tx.value)}


def _outcome(call: dict[str, Any]) -> Outcome:
    if call["status"] == "0x1":
        return Outcome(True, call["returnData"], tuple(Log.of(log) for log in call["logs"]))
    return Outcome(False, str(call.get("error", {}).get("data") or call["returnData"]), ())


def view(to: str, signature: str, *args: Any) -> Tx:
    """A question of the keeper's."""
    return Tx(KEEPER, to, signature, args)


def moved(logs: Sequence[Log], token: str, giver: str | None, taker: str | None) -> int:
    """How much of a token went from one to the other, anybody where none is named."""
    wanted = [(1, giver), (2, taker)]
    return sum(
        int(log.data, 16)
        for log in logs
        if log.address == token and len(log.topics) == 3 and log.topics[0] == TRANSFER
        if all(who is None or log.topics[at] == topic(who) for at, who in wanted)
    )


def topic(address: str) -> str:
    """An address as an indexed argument."""
    return "0x" + address[2:].lower().rjust(64, "0")


def balance(chain: Chain, token: str, who: str = KEEPER) -> int:
    """Of the keeper at the head."""
    return words(chain.call(token, "balanceOf(address)", who))[0]


@contextmanager
def copied(seed: int = 1) -> Iterator[Devnet]:
    """The shared chain of a seed, in a node of one's own at the same head."""
    with start(build(seed)) as devnet:
        devnet.chain.rpc.call("evm_setBlockGasLimit", hex(BLOCK_GAS))
        yield devnet


def equip(chain: Chain, tokens: Sequence[str], spenders: Sequence[str]) -> None:
    """Give the keeper plenty of every token, and allowances, without a block and without a trace
    in any market or pool: only its own balances and allowances are written.
    """
    chain.fund([KEEPER], wei=ETHER)
    for token in tokens:
        decimals = words(chain.call(token, "decimals()"))[0]
        chain.rpc.call("anvil_dealERC20", KEEPER, token, hex(WHOLE_TOKENS * 10**decimals))
        for spender in spenders:
            allowance = (KEEPER, spender, token, hex(MAX_UINT256))
            chain.rpc.call("anvil_setERC20Allowance", *allowance)


@contextmanager
def undone(chain: Chain) -> Iterator[None]:
    """What is done to the chain in here is undone afterwards."""
    before = chain.rpc.call("evm_snapshot")
    try:
        yield
    finally:
        chain.rpc.call("evm_revert", before)
        chain.resync()


def selector(signature: str) -> str:
    """The first four bytes of call data or of a custom error."""
    return call_data(signature, ())[:10]
