"""A small chain with one protocol beside Aave's tokens and feeds, built once per seed.

python -m tests.devnet.alone synthetix --seed 1

The protocol is a folder of this package, as `guests.py` says. The key of the cache knows that
folder and what all chains share, no other.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .accounts import draw_accounts
from .build import CHAIN_ID, CHECKPOINT_COUNT, CHECKPOINTS, DEPLOYMENT, GENESIS_TIME, STATE
from .chain import SLOT, Chain, Tx
from .checkpoints import Recorder
from .guests import Deployed, begin, life_of, market_of
from .life import Life, Pace
from .market import Market, deploy_market
from .node import run_node
from .population import DEVIATION, HEARTBEAT, STABLE_DEVIATION, THIRD_ORACLE
from .prices import DAYS, STABLE_NOISE, Prices
from .purse import Purse
from .rpc import Rpc
from .toolchain import HERE, cache_root, digest, load_toolchain, make_once, pins_digest

AFTER_LOAD = 3


@dataclass(frozen=True)
class Story:
    """How much happens on the chain: `steps` x `actions` things that accounts do."""

    accounts: int = 40
    steps: int = 75
    actions: int = 4

    @property
    def pace(self) -> Pace:
        """As lives are told it."""
        return Pace(self.steps, self.actions)


@dataclass(frozen=True)
class Alone:
    """The running chain."""

    url: str
    process: subprocess.Popen[bytes]
    chain: Chain
    market: Market
    deployed: Deployed
    deployment: dict[str, Any]


def build_alone(folder: str, seed: int, story: Story | None = None) -> Path:
    """Directory with the dump, the deployment and the checkpoints; made on the first call."""
    story = story or Story()
    files = [*HERE.glob("*.py"), *(HERE / folder).rglob("*.py")]
    sources = [path.read_bytes() for path in sorted(files)]
    name = digest(pins_digest().encode(), repr((folder, seed, story)).encode(), *sources)
    target = cache_root() / f"{folder}-{seed}-{name}"
    return make_once(target, lambda work: _write(folder, seed, story, work))


@contextmanager
def start_alone(path: Path) -> Iterator[Alone]:
    """Run the chain of a built directory, three empty blocks after its last recorded one."""
    described = json.loads((path / DEPLOYMENT).read_text())
    with run_node(
        load_toolchain().anvil,
        chain_id=described["chain_id"],
        genesis_time=described["genesis_time"],
        load=path / STATE,
    ) as node:
        chain = Chain(Rpc(node.url), load_toolchain().artifacts)
        for _ in range(AFTER_LOAD):
            chain.mine([])
        market = Market.load(chain, described["market"])
        deployed = market_of(described["folder"]).load(chain, market, described["protocol"])
        yield Alone(node.url, node.process, chain, market, deployed, described)


@contextmanager
def fresh_alone(folder: str, seed: int, story: Story | None = None) -> Iterator[Alone]:
    """The chain with all its history, in memory only."""
    story = story or Story()
    with run_node(load_toolchain().anvil, chain_id=CHAIN_ID, genesis_time=GENESIS_TIME) as node:
        world = _World.settle(Chain(Rpc(node.url), load_toolchain().artifacts), folder, seed, story)
        world.play(None)
        described = world.describe()
        yield Alone(node.url, node.process, world.chain, world.market, world.deployed, described)


def _write(folder: str, seed: int, story: Story, directory: Path) -> None:
    dump = directory / STATE
    anvil = load_toolchain().anvil
    with run_node(anvil, chain_id=CHAIN_ID, genesis_time=GENESIS_TIME, dump=dump) as node:
        world = _World.settle(Chain(Rpc(node.url), load_toolchain().artifacts), folder, seed, story)
        recorder = Recorder(world.chain, [world.life])
        world.play(recorder)
        recorder.write(directory / CHECKPOINTS)
        described = json.dumps(world.describe(), indent=1)
    (directory / DEPLOYMENT).write_text(described)


@dataclass(frozen=True)
class _World:
    """Half a year of one protocol's accounts, the same for the same seed."""

    folder: str
    chain: Chain
    market: Market
    deployed: Deployed
    life: Life
    prices: Prices
    reported: dict[str, float]
    rng: random.Random
    story: Story

    @classmethod
    def settle(cls, chain: Chain, folder: str, seed: int, story: Story) -> _World:
        rng = random.Random(f"{folder} {seed}")
        market = deploy_market(chain, begin(chain, [folder]))
        prices = Prices(rng, story.steps)
        reported = dict(prices.current)
        purse = Purse(market.tokens, reported)
        deployed = market_of(folder).deploy(chain, market, purse)
        own = random.Random(f"{folder} {seed} accounts")
        accounts = draw_accounts(seed, own, story.accounts, story.steps)
        chain.fund([account.address for account in accounts])
        life = life_of(folder).settle(chain, deployed, purse, own, accounts, story.pace)
        return cls(folder, chain, market, deployed, life, prices, reported, rng, story)

    def play(self, recorder: Recorder | None) -> None:
        """Live through all steps, with checkpoints spread evenly over them."""
        steps = self.story.steps
        chosen = {steps - 1 - n * steps // CHECKPOINT_COUNT for n in range(CHECKPOINT_COUNT)}
        for step in range(steps):
            self._report(step)
            self.life.live(step)
            if recorder is not None and step in chosen:
                recorder.record()

    def _report(self, step: int) -> None:
        """Time passes, and oracles report what moved."""
        seconds = DAYS * 86_400 / self.story.steps * self.rng.uniform(0.6, 1.4)
        self.chain.mine([], int(seconds) // SLOT * SLOT)
        self.prices.advance(step, self.market.tokens.vault_rate() / 10**18)
        txs: list[Tx] = []
        for symbol, price in self.prices.current.items():
            limit = STABLE_DEVIATION if symbol in STABLE_NOISE else DEVIATION
            moved = abs(price / self.reported[symbol] - 1) > limit
            if moved or self.rng.random() < HEARTBEAT:
                third = self.rng.random() < THIRD_ORACLE
                spread = self.rng.uniform(0.0, 0.0004)
                txs += self.market.feeds.report(symbol, price, spread, third)
                self.reported[symbol] = price
        self.chain.must(*txs)

    def describe(self) -> dict[str, Any]:
        """Everything that `deployment.json` says."""
        return {
            "folder": self.folder,
            "chain_id": CHAIN_ID,
            "genesis_time": GENESIS_TIME,
            "market": self.market.describe(),
            "protocol": self.deployed.describe(),
            "accounts": [account.address for account in self.life.accounts],
        }


def main() -> None:
    """Build and print the directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(build_alone(options.folder, options.seed))


if __name__ == "__main__":
    main()
