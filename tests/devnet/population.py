"""Half a year in the life of the market, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from .accounts import Account, draw_accounts
from .actions import Actions
from .book import read_positions
from .chain import SLOT, Chain, Tx
from .desk import Desk
from .governance import Governance
from .joining import Joining, lending_of_anchors
from .keepers import Keepers
from .market import KEEPERS, Market
from .prices import DAYS, STABLE_NOISE, Prices
from .protocol import ADMIN, TREASURY

DEVIATION = 0.012  # a feed reports when its price moved that much, or by chance
STABLE_DEVIATION = 0.001
HEARTBEAT = 0.15
THIRD_ORACLE = 0.35
DONATION_EVERY = 6
YEARLY_YIELD = 0.035
IDLE_STEPS = 2  # at the end the keepers are away
NEGLECTED_ONE_IN = 80  # accounts that no keeper ever looks at
PLANS_PER_BLOCK = 6


@dataclass(frozen=True)
class Pace:
    """How long the story is and how much happens in a step."""

    steps: int
    actions: int


@dataclass(frozen=True)
class Population:
    """The accounts of one seed on one market, and everybody who serves them."""

    chain: Chain
    market: Market
    pace: Pace
    rng: random.Random
    accounts: list[Account]
    prices: Prices
    reported: dict[str, float]
    joining: Joining
    actions: Actions
    keepers: Keepers
    governance: Governance

    @classmethod
    def settle(cls, chain: Chain, market: Market, seed: int, count: int, pace: Pace) -> Population:
        """Choose who takes part, and give them and the keepers what they start with."""
        rng = random.Random(f"devnet {seed}")
        accounts = draw_accounts(seed, rng, count, pace.steps)
        addresses = [account.address for account in accounts]
        neglected = set(rng.sample(addresses, max(1, count // NEGLECTED_ONE_IN)))
        prices = Prices(rng, pace.steps)
        reported = dict(prices.current)
        desk = Desk(market, reported)
        keepers = Keepers(chain, desk, rng, neglected)
        chain.fund(addresses)
        chain.must(*keepers.equip())
        return cls(
            chain=chain,
            market=market,
            pace=pace,
            rng=rng,
            accounts=accounts,
            prices=prices,
            reported=reported,
            joining=Joining(desk, rng, lending_of_anchors(accounts)),
            actions=Actions(desk, rng, addresses),
            keepers=keepers,
            governance=Governance.start(chain, desk, pace.steps),
        )

    @property
    def addresses(self) -> list[str]:
        """Everybody who can come to hold a token of the market."""
        return [*(account.address for account in self.accounts), *KEEPERS, TREASURY, ADMIN]

    def play(self, after_step: Callable[[int], None] | None = None) -> None:
        """Live through all steps; `after_step` is told the number of each when it is over."""
        for step in range(self.pace.steps):
            self._live(step)
            if after_step is not None:
                after_step(step)

    def _live(self, step: int) -> None:
        self._report_prices(step)
        reforms = self.governance.due(step)
        if reforms:
            self.chain.must(*reforms)
        present = [account.address for account in self.accounts if account.joins < step]
        if step < self.pace.steps - IDLE_STEPS:
            self.keepers.work(present)
        self._welcome(step)
        self._act(present)

    def _report_prices(self, step: int) -> None:
        """Time passes, the vault earns, and oracles report what moved."""
        seconds = DAYS * 86_400 / self.pace.steps * self.rng.uniform(0.6, 1.4)
        self.chain.mine(self._earnings(step), int(seconds) // SLOT * SLOT)
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

    def _earnings(self, step: int) -> list[Tx]:
        if step == 0 or step % DONATION_EVERY:
            return []
        assets = self.market.tokens.vault_assets()
        share = YEARLY_YIELD * DAYS / 365 * DONATION_EVERY / self.pace.steps
        return self.market.tokens.donate(int(assets * share))

    def _welcome(self, step: int) -> None:
        newcomers = [account for account in self.accounts if account.joins == step]
        for start in range(0, len(newcomers), PLANS_PER_BLOCK):
            group = newcomers[start : start + PLANS_PER_BLOCK]
            self.chain.mine([tx for account in group for tx in self.joining.plan(account)])

    def _act(self, present: list[str]) -> None:
        """A few accounts do something; hopeless calls are dropped before they are sent."""
        chosen = self.rng.sample(present, min(self.pace.actions, len(present)))
        positions = read_positions(self.chain, self.market, chosen)
        plans = [self.actions.draw(position) for position in positions]
        # A plan that starts by getting tokens cannot be tried alone, and needs it least.
        alone = [plan[0] for plan in plans if len(plan) == 1]
        useful = [tx for tx, ok in zip(alone, self.chain.would_succeed(alone), strict=True) if ok]
        funded = [tx for plan in plans if len(plan) > 1 for tx in plan]
        if useful or funded:
            self.chain.mine([*useful, *funded])
