"""A real node's chain of ERC-20 transfers: 2,000 blocks of 50, as 100,000 logs of one vault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vyper.compiler import compile_code

from defirisk.core.adapter import Deployment
from tests.devnet.chain import Chain, Tx
from tests.devnet.node import run_node
from tests.devnet.rpc import Rpc
from tests.devnet.toolchain import Artifact, load_toolchain

CHAIN_ID = 31337
GENESIS_TIME = 1_704_067_200
SENDER = "0x00000000000000000000000000000000000e0117"
HOLDERS = 5_000
EMIT = "emit_transfers(uint256,uint256,uint256)"
SOURCE = Path(__file__).parent / "contracts" / "Emitter.vy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Emitted:
    """The running node; `logs` is how many transfers `vault` has logged up to `head`."""

    url: str
    vault: str
    head: int
    logs: int

    @property
    def deployment(self) -> Deployment:
        """What defirisk indexes of it."""
        return Deployment(
            name="emitted",
            protocol="erc4626",
            chain_id=CHAIN_ID,
            first_block=0,
            contracts={"vault": self.vault},
        )


@contextmanager
def emitted(blocks: int = 2_000, per_block: int = 50) -> Iterator[Emitted]:
    """Runs the node and makes its blocks, which takes some seconds."""
    anvil = load_toolchain().anvil
    with run_node(anvil, chain_id=CHAIN_ID, genesis_time=GENESIS_TIME) as node:
        chain = Chain(Rpc(node.url), {"Emitter": _artifact()})
        chain.fund([SENDER])
        asset = chain.deploy("Emitter", SENDER, SENDER)
        vault = chain.deploy("Emitter", SENDER, asset)
        for n in range(blocks):
            chain.must(
                Tx(
                    SENDER,
                    vault,
                    "emit_transfers(uint256,uint256,uint256)",
                    (per_block, n, HOLDERS),
                )
            )
        yield Emitted(url=node.url, vault=vault, head=chain.head, logs=blocks * per_block + 1)


def _artifact() -> Artifact:
    compiled = compile_code(SOURCE.read_text("utf-8"), output_formats=["bytecode"])
    code = str(compiled["bytecode"]).removeprefix("0x")
    return Artifact(constructor=("address",), bytecode=code, links=())
