"""Builds the chain once per seed, starts it from its dump, or leaves a fresh one running.

python -m tests.devnet.build --seed 1      with --control, the one on which nothing was planted
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .chain import Chain
from .checkpoints import Recorder
from .guests import FOLDERS, begin
from .life import Pace
from .market import Market
from .node import run_node
from .planted import planted
from .population import Population
from .protocols import Protocols
from .rpc import Rpc
from .toolchain import HERE, cache_root, digest, load_toolchain, make_once, pins_digest

GENESIS_TIME = 1_704_067_200  # 2024-01-01
CHAIN_ID = 31337
STATE = "state.json"
DEPLOYMENT = "deployment.json"
CHECKPOINTS = "checkpoints.jsonl.xz"
CHECKPOINT_COUNT = 24
# After a load, only the head and younger blocks answer calls; safe and finalized need two more.
BLOCKS_AFTER_LOAD = 3


@dataclass(frozen=True)
class Devnet:
    """A running chain: the address of its node, what is on it, and a way to write to it."""

    url: str
    process: subprocess.Popen[bytes]
    deployment: dict[str, Any]
    chain: Chain
    protocols: Protocols

    @property
    def market(self) -> Market:
        """The market of Aave v3.6, which brings the tokens and the feeds."""
        return self.protocols.aave_v3


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a chain, apart from this package's own code."""

    seed: int
    accounts: int = 330
    genesis_time: int = GENESIS_TIME
    chain_id: int = CHAIN_ID
    weth: str | None = None
    """Where WETH is or has to be, if no guest brings one: Maker does."""
    planted: bool = True
    guests: tuple[str, ...] = FOLDERS


def build(
    seed: int,
    *,
    accounts: int = 330,
    genesis_time: int = GENESIS_TIME,
    chain_id: int = CHAIN_ID,
    guests: tuple[str, ...] = FOLDERS,
) -> Path:
    """Directory with the dump, the deployment and the checkpoints; made on the first call."""
    return _made(f"seed-{seed}", Recipe(seed, accounts, genesis_time, chain_id, guests=guests))


def build_control(seed: int, *, accounts: int = 60) -> Path:
    """The same of a small chain without guests, on which nothing was planted."""
    return _made(f"control-{seed}", Recipe(seed, accounts, planted=False, guests=()))


def _made(label: str, recipe: Recipe) -> Path:
    sources = [path.read_bytes() for path in sorted(HERE.rglob("*.py"))]
    name = digest(pins_digest().encode(), json.dumps(asdict(recipe)).encode(), *sources)
    return make_once(cache_root() / f"{label}-{name}", lambda work: write(recipe, work))


def write(recipe: Recipe, directory: Path) -> None:
    """Live through the whole story and leave its three files in `directory`."""
    with run_node(
        load_toolchain().anvil,
        chain_id=recipe.chain_id,
        genesis_time=recipe.genesis_time,
        dump=directory / STATE,
    ) as node:
        chain = _chain(node.url)
        ready = begin(chain, recipe.guests) or ({"WETH": recipe.weth} if recipe.weth else {})
        protocols = Protocols.deploy(chain, ready, recipe.planted, recipe.guests)
        pace = _pace(recipe.accounts)
        population = Population.settle(chain, protocols, recipe.seed, recipe.accounts, pace)
        recorder = Recorder(chain, population.everywhere)
        _play(population, recorder)
        recorder.write(directory / CHECKPOINTS)
        described = json.dumps(_describe(recipe, population), indent=1)
    (directory / DEPLOYMENT).write_text(described)


@contextmanager
def start(path: Path) -> Iterator[Devnet]:
    """Run the chain of a built directory, three empty blocks after its last recorded one."""
    deployment = json.loads((path / DEPLOYMENT).read_text())
    with run_node(
        load_toolchain().anvil,
        chain_id=deployment["chain_id"],
        genesis_time=deployment["genesis_time"],
        load=path / STATE,
    ) as node:
        chain = _chain(node.url)
        for _ in range(BLOCKS_AFTER_LOAD):
            chain.mine([])
        protocols = Protocols.load(chain, deployment)
        yield Devnet(node.url, node.process, deployment, chain, protocols)


@contextmanager
def fresh(seed: int, accounts: int = 12, actions: int = 60) -> Iterator[Devnet]:
    """A small chain with all its history, in memory only."""
    pace = Pace(steps=max(8, actions // 3), actions=3)
    anvil = load_toolchain().anvil
    with run_node(anvil, chain_id=CHAIN_ID, genesis_time=GENESIS_TIME) as node:
        chain = _chain(node.url)
        protocols = Protocols.deploy(chain)
        population = Population.settle(chain, protocols, seed, accounts, pace)
        population.play()
        deployment = _describe(Recipe(seed, accounts), population)
        yield Devnet(node.url, node.process, deployment, chain, protocols)


def _chain(url: str) -> Chain:
    return Chain(Rpc(url), load_toolchain().artifacts)


def _pace(accounts: int) -> Pace:
    """Small chains live through the same half year in fewer steps."""
    return Pace(steps=max(CHECKPOINT_COUNT, min(130, accounts)), actions=4)


def _play(population: Population, recorder: Recorder) -> None:
    steps = population.pace.steps
    chosen = {steps - 1 - number * steps // CHECKPOINT_COUNT for number in range(CHECKPOINT_COUNT)}

    def after_step(step: int) -> None:
        if step in chosen:
            recorder.record()

    population.play(after_step)


def _describe(recipe: Recipe, population: Population) -> dict[str, Any]:
    return {
        "name": f"devnet-{recipe.seed}",
        "chain_id": recipe.chain_id,
        "genesis_time": recipe.genesis_time,
        **population.protocols.describe(),
        "accounts": population.addresses,
        "planted": planted(population.chain, population.protocols, population.borrowers),
    }


def main() -> None:
    """Build and print the directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--accounts", type=int)
    parser.add_argument("--control", action="store_true", help="the chain with nothing planted")
    options = parser.parse_args()
    chosen = {} if options.accounts is None else {"accounts": options.accounts}
    print((build_control if options.control else build)(options.seed, **chosen))


if __name__ == "__main__":
    main()
