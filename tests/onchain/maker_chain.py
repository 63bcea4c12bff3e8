"""The chain on which Maker lives alone, and what we make of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from eth_hash.auto import keccak

from defirisk.core.adapter import Deployment, Snapshot
from defirisk.core.evm import Block
from defirisk.core.verdict import Verdict
from defirisk.indexing.verify import verify
from defirisk.protocols.cdp.maker_mcd import ADAPTER
from defirisk.store.database import Store
from defirisk.store.snapshots import snapshot
from tests.devnet.alone import Alone, build_alone, start_alone
from tests.devnet.maker.market import KINDS, Kind, Maker
from tests.onchain.markets import index_live, new_store, stored, with_reader

ROLES = {
    "vat": "MCD_VAT",
    "spotter": "MCD_SPOT",
    "jug": "MCD_JUG",
    "cat": "MCD_CAT",
    "dai": "MCD_DAI",
    "cdp_manager": "CDP_MANAGER",
}
CALLS = (
    *("frob(bytes32,address,address,address,int256,int256)", "heal(uint256)", "drip(bytes32)"),
    *("grab(bytes32,address,address,address,int256,int256)", "give(uint256,address)"),
    *("fork(bytes32,address,address,int256,int256)", "fold(bytes32,address,int256)"),
    *("tend(uint256,uint256,uint256)", "dent(uint256,uint256,uint256)", "deal(uint256)"),
    *("tick(uint256)", "quit(uint256,address)", "enter(address,uint256)", "claw(uint256)"),
    *("file(bytes32,uint256)", "file(bytes32,bytes32,uint256)"),
)
EVENTS = (
    "Poke(bytes32,bytes32,uint256)",
    "Bite(bytes32,address,uint256,uint256,uint256,address,uint256)",
    "NewCdp(address,address,uint256)",
)


def deployment_of(chain: Alone) -> Deployment:
    """The product's deployment for what is on the chain."""
    described = chain.deployment["protocol"]
    return Deployment(
        name=described["name"],
        protocol=ADAPTER.name,
        chain_id=chain.deployment["chain_id"],
        first_block=described["first_block"],
        contracts={role: described["addresses"][name] for role, name in ROLES.items()},
    )


@dataclass(frozen=True)
class Indexed:
    """A running chain and a store filled from it."""

    chain: Alone
    path: Path
    store: Store
    market: Deployment
    block: Block

    @property
    def maker(self) -> Maker:
        return cast(Maker, self.chain.deployed)

    def verdict(self) -> Verdict:
        of = stored(self.store, self.market)
        return with_reader(
            self.chain.url, lambda reader: verify(reader, self.store, of, self.block)
        )

    def snapshot(self, block: Block | None = None) -> Snapshot:
        with self.store.transaction() as connection:
            # Rows are loaded where they are asked for: the connection has to outlive this.
            found = snapshot(connection, stored(self.store, self.market), block or self.block)
            for row_type in ADAPTER.rows:
                found.rows.all(row_type)
        return found

    def logs(self) -> list[dict[str, Any]]:
        """Of the contracts of the population, after the package's own history."""
        flips = [self.maker.of("MCD_FLIP", kind) for kind in KINDS]
        watched = [*(self.maker[name] for name in ROLES.values()), *flips]
        since = {"address": watched, "fromBlock": hex(self.history + 1)}
        return list(self.chain.chain.rpc.call("eth_getLogs", since))

    @property
    def history(self) -> int:
        """The last block that the package's own chain had."""
        return 669

    def happened(self) -> Counter[str]:
        """How often each call was noted and each event emitted."""
        names = {keccak(one.encode()).hex(): one for one in EVENTS}
        names |= {keccak(one.encode())[:4].hex() + 56 * "0": one for one in CALLS}
        known = (names.get(log["topics"][0][2:], "") for log in self.logs())
        return Counter(one.split("(")[0] for one in known)

    def kind_of(self, ilk: str) -> Kind:
        return next(kind for kind in KINDS if kind.ilk == ilk)


@contextmanager
def indexed_chain(seed: int, folder: Path) -> Iterator[Indexed]:
    """The chain of a seed, running, and indexed to its head."""
    path = build_alone("maker", seed)
    with start_alone(path) as chain:
        store, market = new_store(folder), deployment_of(chain)
        block = index_live(chain.url, store, market).block
        yield Indexed(chain, path, store, market, block)
        store.close()
