"""The accounts of Maker and those who serve them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ..accounts import Account, Role
from ..chain import Chain, Tx
from ..life import IDLE_STEPS, Call, Life, Pace
from ..purse import Plan, Purse
from .actions import OF_SHARED_TOKENS, SHARES, TIGHT, TIGHTER, Actions
from .book import system_questions, vault_questions
from .governance import Governance
from .keepers import Keepers
from .market import KINDS, Maker

NEGLECTED_ROLES = (Role.ISOLATED, Role.STABLE_LOOPER)
BITTEN, BITTEN_ONE_IN = 12, 3


@dataclass
class MakerCustoms:
    """Customs of Maker."""

    chain: Chain
    maker: Maker
    actions: Actions
    keepers: Keepers
    governance: Governance
    step: int = 0

    def reforms(self, step: int) -> Sequence[Tx]:
        """Prices are passed on, and governance decides."""
        self.step = step
        passed_on = self.keepers.pass_on(step, self.governance.steps)
        return [*passed_on, *self.governance.decisions(step)]

    def liquidate(self, accounts: list[str]) -> None:
        """See `Customs`."""
        self.keepers.work(self.actions.every())
        self.actions.look()

    def join(self, account: Account) -> Plan:
        """See `Customs`."""
        if not self.actions.terms:
            self.actions.look()
        return self.actions.join(account)

    def act(self, accounts: list[str]) -> Sequence[Plan]:
        """See `Customs`. Who has given everything away has nothing to do, or looks away."""
        self.actions.look()
        busy = [one for one in accounts if one in self.actions.vaults]
        plans = [self.actions.act(one) for one in busy if one not in self.keepers.neglected]
        if self.step >= self.governance.steps - IDLE_STEPS:
            # Somebody bites, though no keeper is there to bid.
            every = self.actions.every()
            chosen = self.keepers.rng.sample(every, min(BITTEN, len(every) // BITTEN_ONE_IN))
            plans += [[self.maker.bite(one.kind, one.urn)] for one in chosen]
        return plans

    def worthwhile(self, txs: list[Tx]) -> list[Tx]:
        """What would not revert."""
        return [tx for tx, ok in zip(txs, self.chain.would_succeed(txs), strict=True) if ok]

    def questions(self) -> Sequence[Call]:
        """Everything about all vaults and about the whole."""
        calls = system_questions(self.maker)
        for vault in self.actions.every():
            calls += vault_questions(self.maker, vault)
        return calls

    def trials(self) -> Sequence[Tx]:
        """Biting each of them, and counting the interest of each kind."""
        bites = [self.maker.bite(one.kind, one.urn) for one in self.actions.every()]
        return [*bites, *(self.maker.drip(kind) for kind in KINDS)]


def settle(
    chain: Chain,
    deployed: Maker,
    purse: Purse,
    rng: random.Random,
    accounts: list[Account],
    pace: Pace,
) -> Life:
    """Some draw nearly all they may, and of these some have no keeper that looks after them."""
    tight = (Role.EDGE, Role.LOOPER)
    neglected = {one.address for one in accounts if one.role in NEGLECTED_ROLES}
    used = {one.address: TIGHT for one in accounts if one.role in tight}
    used |= dict.fromkeys(neglected, TIGHTER)
    shares = OF_SHARED_TOKENS if pace.brief else SHARES
    actions = Actions(deployed, rng, accounts, used, shares)
    keepers = Keepers(deployed, rng, neglected)
    keepers.equip()
    customs = MakerCustoms(chain, deployed, actions, keepers, Governance(deployed, pace.steps))
    return Life(chain, pace, rng, accounts, customs)
