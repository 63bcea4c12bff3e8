"""An attacker on a fork of the local chain, who does with real transactions what was predicted."""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from defirisk.core.book import Book
from defirisk.manipulation.attempts import Attempt
from tests.devnet.abi import MAX_UINT256, view_data, words
from tests.devnet.build import Devnet
from tests.devnet.chain import SLOT, Chain, Tx
from tests.devnet.morpho.book import read_positions
from tests.devnet.morpho.desk import Desk
from tests.devnet.morpho.market import IsolatedMarket
from tests.devnet.node import GAS_LIMIT, START_SECONDS
from tests.devnet.protocol import ADMIN
from tests.devnet.purse import Plan, Purse
from tests.devnet.rpc import Rpc
from tests.devnet.toolchain import load_toolchain
from tests.devnet.uniswap_v2.desk import SWAP
from tests.devnet.uniswap_v2.market import DEADLINE

ATTACKER = "0x" + "66" * 20
LABEL_ID = 10
"""Characters of its id that the label of a Morpho market ends with."""


@contextmanager
def forked(devnet: Devnet) -> Iterator[Chain]:
    """A node of its own that continues the running chain; what is done there stays there."""
    anvil = load_toolchain().anvil
    with tempfile.TemporaryDirectory(prefix="fork-states-") as states:
        port = _free_port()
        process = subprocess.Popen(
            [
                *(str(anvil), "--silent", "--port", str(port), "--fork-url", devnet.url),
                *("--gas-limit", str(GAS_LIMIT), "--cache-path", states, "--no-storage-caching"),
                *("--no-mining", "--order", "fifo", "--auto-impersonate"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield Chain(_answering(f"http://127.0.0.1:{port}", process), devnet.chain.artifacts)
        finally:
            process.terminate()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answering(url: str, process: subprocess.Popen[bytes]) -> Rpc:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            rpc = Rpc(url)
            rpc.call("eth_blockNumber")
            return rpc
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("the fork does not answer")


def written(attempt: Attempt, feed: str, path: Path) -> dict[str, Any]:
    """What was predicted, as it stands in a file before anything is sent."""
    (push,) = attempt.lie.pushes
    said: dict[str, Any] = {
        "feed": feed,
        "market": attempt.listing.facts.market,
        "pool": push.venue.address,
        "sold": push.venue.tokens[push.sold],
        "taken": push.venue.tokens[push.taken],
        "paid": push.paid,
        "bought": push.bought,
        "returned": push.returned,
        "collateral": attempt.listing.asset,
        "held_seconds": attempt.lie.moved.held_seconds,
        "profit_usd": attempt.profit_usd,
    }
    if attempt.loan is not None:
        ((loan, borrowed),) = attempt.loan.borrowed
        said |= {"left": attempt.loan.left, "loan": loan.asset, "borrowed": borrowed}
    path.write_text(json.dumps(said, indent=1), encoding="utf-8")
    return dict(json.loads(path.read_text(encoding="utf-8")))


@dataclass
class Attacker:
    """Does what a prediction says, on one chain. `prices` are at market, by address."""

    chain: Chain
    devnet: Devnet
    prices: Mapping[str, float]
    decimals: Mapping[str, int]

    @classmethod
    def of(cls, chain: Chain, devnet: Devnet, book: Book) -> Attacker:
        tokens = book.sources.tokens
        pairs = zip(book.assets, book.asset_price, strict=True)
        return cls(
            chain,
            devnet,
            {asset.address: float(price) for asset, price in pairs},
            {address: token.decimals for address, token in tokens.items()},
        )

    def realised(self, said: Mapping[str, Any], *, stop_before_the_loan: bool = False) -> float:
        """The attacker's tokens after less those before, at market prices."""
        self.chain.fund((ATTACKER,), wei=10**30)
        self._equip(said)
        before = self.worth(said)
        loan = [] if stop_before_the_loan else self._loan(said)
        if said["held_seconds"]:
            self._over_blocks(said, loan)
        elif stop_before_the_loan:
            self.chain.must(self._push(said))
        else:
            self.chain.must(self._push(said), *loan, self._back(said))
        return self.worth(said) - before

    def refused(self, said: Mapping[str, Any]) -> bool:
        """Whether nobody would lend against what is left behind; nothing is changed by asking."""
        before = self.chain.rpc.call("evm_snapshot")
        supply, borrow = self._loan(said)
        self.chain.must(supply)
        (lent,) = self.chain.mine([borrow])
        self.chain.rpc.call("evm_revert", before)
        self.chain.resync()
        return not lent

    def worth(self, said: Mapping[str, Any]) -> float:
        """Of every token that the attack touches, in dollars at market."""
        tokens = {said[name] for name in ("sold", "taken", "collateral", "loan")}
        units = {token: 10.0 ** self.decimals[token] for token in tokens}
        return sum(self._held(one) / units[one] * self.prices[one] for one in tokens)

    def _held(self, token: str) -> int:
        (answer,) = self.chain.calls([(token, view_data("balanceOf(address)", ATTACKER))])
        return words(answer or "0x")[0]

    def _over_blocks(self, said: Mapping[str, Any], loan: Plan) -> None:
        """Closes the window that is open; has the pool pushed by the end of the next one."""
        update = Tx(ATTACKER, said["feed"], "update()")
        (period,) = words(self.chain.call(said["feed"], "PERIOD()"))
        rested = period - said["held_seconds"]
        if rested:
            self.chain.must(update)
            self.chain.mine([], rested - SLOT)
            self.chain.must(self._push(said))
        else:
            self.chain.must(update, self._push(said))
        for _ in range(said["held_seconds"] // SLOT - 1):
            self.chain.mine([])
        self.chain.must(self._back(said), update, *loan)

    def liquidated(self, said: Mapping[str, Any]) -> float:
        """As `realised`, with everybody liquidated who can be once the lie stands."""
        morpho, market = self.devnet.protocols.morpho, self.market(said["market"])
        desk = Desk(morpho, Purse(self.devnet.market.tokens, {}))
        self.chain.fund((ATTACKER,), wei=10**30)
        self._equip({**said, "left": 0})
        self.chain.must(self._approve(said["loan"], morpho.address))
        self.chain.must(*self._grant(said["loan"], 10**12))
        before = self.worth(said)
        self._over_blocks(said, [])
        places = [(market.id, who) for who in self.devnet.deployment["accounts"]]
        for one in read_positions(self.chain, morpho, places):
            if one.owed > one.limit:
                assert one.collateral * one.state.price // 10**36 < one.owed
                order = desk.liquidate(ATTACKER, market, one.account, seized=one.collateral)
                self.chain.must(order)
        return self.worth(said) - before

    def _equip(self, said: Mapping[str, Any]) -> None:
        """Capital and collateral, bought elsewhere, and every allowance."""
        morpho, router = self.devnet.protocols.morpho, self.devnet.protocols.uniswap_v2.router
        self.chain.must(
            *self._grant(said["sold"], said["paid"]),
            *(self._grant(said["collateral"], left) if (left := self._left(said)) else ()),
            self._approve(said["sold"], router),
            self._approve(said["taken"], router),
            self._approve(said["collateral"], morpho.address),
        )

    def _left(self, said: Mapping[str, Any]) -> int:
        return -int(-said["left"] * 10 ** self.decimals[said["collateral"]] // 1)

    def _grant(self, token: str, amount: int) -> Plan:
        tokens = self.devnet.market.tokens
        symbols = {address.lower(): symbol for symbol, address in tokens.by_symbol.items()}
        if token in symbols:
            return tokens.grant(symbols[token], ATTACKER, amount)
        return [Tx(ADMIN, token, "transfer(address,uint256)", (ATTACKER, amount))]

    def _approve(self, token: str, spender: str) -> Tx:
        return Tx(ATTACKER, token, "approve(address,uint256)", (spender, MAX_UINT256))

    def _swap(self, path: tuple[str, str], amount: int) -> Tx:
        router = self.devnet.protocols.uniswap_v2.router
        return Tx(ATTACKER, router, SWAP, (amount, 0, list(path), ATTACKER, DEADLINE))

    def _push(self, said: Mapping[str, Any]) -> Tx:
        return self._swap((said["sold"], said["taken"]), said["paid"])

    def _back(self, said: Mapping[str, Any]) -> Tx:
        return self._swap((said["taken"], said["sold"]), said["bought"])

    def _loan(self, said: Mapping[str, Any]) -> Plan:
        morpho = self.devnet.protocols.morpho
        desk = Desk(morpho, Purse(self.devnet.market.tokens, {}))
        market = self.market(said["market"])
        borrowed = int(said["borrowed"] * 10 ** self.decimals[said["loan"]])
        return [
            desk.supply_collateral(ATTACKER, market, self._left(said)),
            desk.borrow(ATTACKER, market, borrowed),
        ]

    def market(self, label: str) -> IsolatedMarket:
        """The market that a label of the book means."""
        (found,) = (
            one for one in self.devnet.protocols.morpho.markets if label.endswith(one.id[:LABEL_ID])
        )
        return found
