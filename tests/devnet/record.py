"""Records the local chain as the product reads it: the demo's fixture, and the tests' recordings.

python -m tests.devnet.record --seed 1 --fixture      makes fixtures/ anew
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from defirisk.chain.recorded import Recorder
from defirisk.chain.rpc import RpcChainReader
from defirisk.core.adapter import Deployment
from defirisk.core.evm import BlockTag
from defirisk.core.plugins import adapters
from defirisk.indexing.run import index
from defirisk.indexing.verify import verify
from defirisk.store.database import open_store
from defirisk.store.snapshots import refereed_deployments, stored_block

from .build import CHECKPOINTS, DEPLOYMENT, build, start
from .checkpoints import read_checkpoints
from .guest_deployments import VAULT, guest_deployment
from .guests import FOLDERS
from .toolchain import digest, make_once

RECORDING = "recording.jsonl.xz"
ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "fixtures"
ASKING = ("defirisk/chain", "defirisk/indexing", "defirisk/protocols")
NAME = "aave-v3-devnet"


def deployment(described: dict[str, Any]) -> Deployment:
    """The product's deployment for the described market of Aave v3.6."""
    return _aave(described, described["aave-v3"])


def deployments(described: dict[str, Any]) -> list[Deployment]:
    """The product's deployments for everything on the local chain that it has an adapter for."""
    morpho, compound = described["morpho"], described["compound-v2"]
    every = [
        deployment(described),
        _deployment(described, morpho, "morpho-blue", {"morpho": morpho["morpho"]}),
        _deployment(described, compound, "compound-v2", {"comptroller": compound["comptroller"]}),
        _aave(described, described["aave-v3.0"]),
    ]
    every += [
        _deployment(described, section, protocol, {role: section[role] for role in roles})
        for protocol, section, roles in (
            ("uniswap-v2", described["uniswap-v2"], ("factory", "router")),
            ("uniswap-v3", described["uniswap-v3"], ("factory", "position_manager", "quoter")),
            ("curve-stableswap", described["curve"], ("factory",)),
        )
    ]
    every += [
        guest_deployment(folder, described["chain_id"], described[folder])
        for folder in FOLDERS
        if folder in described
    ]
    known = adapters()
    return [one for one in every if one.protocol in known]


def _aave(described: dict[str, Any], market: dict[str, Any]) -> Deployment:
    roles = ("pool", "pool_configurator", "pool_addresses_provider", "oracle")
    contracts = {role: market["addresses"][role] for role in roles}
    return _deployment(described, market, "aave-v3", contracts)


def _deployment(
    described: dict[str, Any], section: dict[str, Any], protocol: str, contracts: dict[str, str]
) -> Deployment:
    return Deployment(
        name=section["name"],
        protocol=protocol,
        chain_id=described["chain_id"],
        first_block=section["first_block"],
        contracts={role: address.lower() for role, address in contracts.items()},
        follows=VAULT,
    )


async def record(
    url: str,
    markets: Sequence[Deployment],
    checkpoints: Path,
    to: Path,
    until: BlockTag = "finalized",
) -> None:
    """Index and verify through a recorder, and add what the contracts said at the checkpoints."""
    reader = RpcChainReader(url)
    recorder = Recorder(reader)
    try:
        with TemporaryDirectory() as folder:
            store = open_store(f"sqlite:///{folder}/record.db", create=True)
            summary = await index(recorder, store, list(markets), until)
            with store.transaction() as connection:
                every = refereed_deployments(connection, ())
                block = stored_block(connection, summary.chain_id, None)
            for stored in every:
                await verify(recorder, store, stored, block)
            store.close()
        recording = await recorder.recording()
        for checkpoint in read_checkpoints(checkpoints):
            await recorder.block(checkpoint["block"])
            recording.add_calls(
                checkpoint["block"],
                [
                    (
                        call,
                        bytes.fromhex(data[2:]),
                        None if said is None else bytes.fromhex(said[2:]),
                    )
                    for call, data, said in checkpoint["calls"]
                ],
            )
        await recorder.save(to)
    finally:
        await reader.aclose()


def recorded(seed: int) -> Path:
    """Directory of a built seed whose recording is there too; made on the first call."""
    built = build(seed)

    def write(work: Path) -> None:
        with start(built) as running:
            markets = deployments(running.deployment)
            asyncio.run(record(running.url, markets, built / CHECKPOINTS, work / RECORDING))

    return make_once(built.with_name(f"{built.name}-recording-{_asked()}"), write)


def _asked() -> str:
    """What is recorded depends on what the product asks."""
    sources = [path for part in ASKING for path in sorted((ROOT / part).rglob("*.py"))]
    return digest(*(path.read_bytes() for path in sources))


HEADER = "# What is on the recorded demo chain. Made by python -m tests.devnet.record --fixture\n"


def as_toml(market: Deployment) -> str:
    """A `[[deployment]]` table."""
    lines = [
        "[[deployment]]",
        f'name = "{market.name}"',
        f'protocol = "{market.protocol}"',
        f"chain_id = {market.chain_id}",
        f"first_block = {market.first_block}",
        *(f'{role} = "{address}"' for role, address in market.contracts.items()),
        "follows = { "
        + ", ".join(f'{json.dumps(a)} = "{b}"' for a, b in market.follows.items())
        + " }",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Record a seed; with --fixture, into fixtures/."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fixture", action="store_true")
    options = parser.parse_args()
    path = recorded(options.seed)
    if options.fixture:
        described = json.loads((build(options.seed) / DEPLOYMENT).read_text())
        FIXTURES.mkdir(exist_ok=True)
        (FIXTURES / "demo.toml").write_text(
            HEADER + "\n".join(as_toml(one) for one in deployments(described))
        )
        (FIXTURES / "demo-chain.jsonl.xz").write_bytes((path / RECORDING).read_bytes())
    print(path)


if __name__ == "__main__":
    main()
