"""A step in the life of one protocol: reforms, liquidations, newcomers and what accounts do."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from .accounts import Account
from .chain import Chain, Tx
from .purse import Plan

IDLE_STEPS = 2  # at the end the keepers are away
PLANS_PER_BLOCK = 6
DRAWS = 4

P = TypeVar("P")

Call = tuple[str, str]
"""To and data of a view call."""


@dataclass(frozen=True)
class Pace:
    """How long the story is and how much happens in a step."""

    steps: int
    actions: int
    brief: bool = False
    """Whether the story is told in small, beside others."""


class Customs(Protocol):
    """What is particular to a protocol."""

    def reforms(self, step: int) -> Sequence[Tx]:
        """What the owner does at the beginning of a step."""

    def liquidate(self, accounts: list[str]) -> None:
        """Look at some accounts, and mine what the keepers do about them."""

    def join(self, account: Account) -> Plan:
        """All transactions of joining; each fits on top of those before it in one block."""

    def act(self, accounts: list[str]) -> Sequence[Plan]:
        """One thing that each of them does; empty where there is nothing to do."""

    def worthwhile(self, txs: list[Tx]) -> list[Tx]:
        """Those of `txs` that are sent, given what each alone would do at the head."""

    def questions(self) -> Sequence[Call]:
        """The views whose answers a checkpoint keeps."""

    def trials(self) -> Sequence[Tx]:
        """Transactions of which a checkpoint keeps what they would return at the head."""


@dataclass(frozen=True)
class Life:
    """The accounts of one protocol, and how they come and go."""

    chain: Chain
    pace: Pace
    rng: random.Random
    accounts: list[Account]
    customs: Customs

    def live(self, step: int) -> None:
        """Everything of one step, after prices were reported."""
        reforms = self.customs.reforms(step)
        if reforms:
            self.chain.must(*reforms)
        present = self._present(step)
        if step < self.pace.steps - IDLE_STEPS:
            self.customs.liquidate(present)
        self._welcome(step)
        txs = self._doings(present)
        if txs:
            self.chain.mine(txs)

    def moves(self, step: int) -> list[Tx]:
        """Everything of one step where nobody is liquidated, for a block that others share."""
        reforms = self.customs.reforms(step)
        joining = [tx for one in self._newcomers(step) for tx in self.customs.join(one)]
        return [*reforms, *joining, *self._doings(self._present(step))]

    def _present(self, step: int) -> list[str]:
        return [account.address for account in self.accounts if account.joins < step]

    def _newcomers(self, step: int) -> list[Account]:
        return [account for account in self.accounts if account.joins == step]

    def _welcome(self, step: int) -> None:
        newcomers = self._newcomers(step)
        for start in range(0, len(newcomers), PLANS_PER_BLOCK):
            group = newcomers[start : start + PLANS_PER_BLOCK]
            self.chain.mine([tx for account in group for tx in self.customs.join(account)])

    def _doings(self, present: list[str]) -> list[Tx]:
        """A few accounts do something; hopeless calls are dropped before they are sent."""
        chosen = self.rng.sample(present, min(self.pace.actions, len(present)))
        plans = self.customs.act(chosen)
        # A plan that starts by getting tokens cannot be tried alone, and needs it least.
        useful = self.customs.worthwhile([plan[0] for plan in plans if len(plan) == 1])
        funded = [tx for plan in plans if len(plan) > 1 for tx in plan]
        return [*useful, *funded]


def draw_plan(rng: random.Random, weights: dict[Callable[[P], Plan], int], position: P) -> Plan:
    """What the owner of a position does; drawn again if there is nothing of the kind to do."""
    for _ in range(DRAWS):
        plan = rng.choices(list(weights), list(weights.values()))[0](position)
        if plan:
            return plan
    return []


def neglect(rng: random.Random, addresses: Sequence[str], one_in: int) -> set[str]:
    """A few accounts that no keeper ever looks at."""
    return set(rng.sample(addresses, max(1, len(addresses) // one_in)))
