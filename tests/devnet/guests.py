"""Protocols that have a chain of their own and also live, in small, on the shared one.

Each is a folder of this package: `market.py` deploys and describes it, `life.py` lets accounts live
on it. With a `begin(chain)` in `market.py`, that comes first on a chain, and says which tokens it
left there.
"""

from __future__ import annotations

import importlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from .accounts import Account, draw_accounts
from .chain import Chain
from .life import Life, Pace
from .market import Market
from .purse import Purse

FOLDERS = ("maker", "synthetix", "curie_perp", "zero")
MEMBERS, MOST_STEPS, ACTIONS = 10, 22, 2
"""Accounts of a guest, and what happens of it on the shared chain."""


class Deployed(Protocol):
    """A protocol on the chain."""

    def describe(self) -> dict[str, Any]:
        """Its section of `deployment.json`."""


class MarketModule(Protocol):
    """What `market.py` of the protocol's folder offers."""

    def deploy(self, chain: Chain, market: Market, purse: Purse) -> Deployed:
        """Deploy it over the tokens and the feeds of `market`."""

    def load(self, chain: Chain, market: Market, described: dict[str, Any]) -> Deployed:
        """What is on a chain that was built before."""


class LifeModule(Protocol):
    """What `life.py` of the protocol's folder offers."""

    def settle(
        self,
        chain: Chain,
        deployed: Deployed,
        purse: Purse,
        rng: random.Random,
        accounts: list[Account],
        pace: Pace,
    ) -> Life:
        """The life of these accounts on it."""


def market_of(folder: str) -> MarketModule:
    """Its `market.py`."""
    return cast(MarketModule, importlib.import_module(f"{__package__}.{folder}.market"))


def life_of(folder: str) -> LifeModule:
    """Its `life.py`."""
    return cast(LifeModule, importlib.import_module(f"{__package__}.{folder}.life"))


def begin(chain: Chain, folders: Sequence[str]) -> dict[str, str]:
    """What has to come first on the chain; the tokens that it left there, by symbol."""
    tokens: dict[str, str] = {}
    for folder in folders:
        first = getattr(market_of(folder), "begin", None)
        tokens |= {} if first is None else first(chain)
    return tokens


@dataclass(frozen=True)
class Visit:
    """A life of fewer and longer steps than the chain's; the last of both is the same."""

    life: Life
    steps: int
    every: int

    def live(self, step: int) -> None:
        """See `Life`; does nothing in most steps of the chain."""
        left = self.steps - 1 - step
        if left % self.every == 0:
            self.life.live(self.life.pace.steps - 1 - left // self.every)


def settle_guests(
    chain: Chain, guests: dict[str, Deployed], purse: Purse, seed: int, steps: int
) -> dict[str, Visit]:
    """Give each guest accounts that nobody else has."""
    every = -(-steps // MOST_STEPS)
    pace = Pace(1 + (steps - 1) // every, ACTIONS, brief=True)
    visits = {}
    for folder, deployed in guests.items():
        own = random.Random(f"devnet {seed} {folder}")
        accounts = draw_accounts(seed, own, MEMBERS, pace.steps, crowd=f"{folder} ")
        chain.fund(account.address for account in accounts)
        life = life_of(folder).settle(chain, deployed, purse, own, accounts, pace)
        visits[folder] = Visit(life, steps, every)
    return visits
