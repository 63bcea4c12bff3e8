"""The accounts of Zero and those who serve them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ..accounts import Account, Role
from ..chain import Chain, Tx
from ..life import Call, Life, Pace
from ..market import KEEPERS
from ..purse import Plan, Purse
from .actions import SAFE, TIGHT, TIGHTER, Actions
from .book import read_positions, system_questions, trove_questions
from .keepers import Keepers
from .market import Zero

NEGLECTED_ROLES = (Role.ISOLATED, Role.STABLE_LOOPER)


@dataclass
class ZeroCustoms:
    """Customs of Zero."""

    chain: Chain
    zero: Zero
    actions: Actions
    keepers: Keepers
    addresses: list[str]

    def reforms(self, step: int) -> Sequence[Tx]:
        """Nothing to reform: the parameters stay as they were deployed."""
        self.actions.look()
        return ()

    def liquidate(self, accounts: list[str]) -> None:
        """See `Customs`."""
        self.keepers.work(accounts)
        self.actions.look()

    def join(self, account: Account) -> Plan:
        """See `Customs`."""
        return self.actions.join(account)

    def act(self, accounts: list[str]) -> Sequence[Plan]:
        """See `Customs`."""
        return [self.actions.draw(one) for one in read_positions(self.zero, accounts)]

    def worthwhile(self, txs: list[Tx]) -> list[Tx]:
        """What would not revert."""
        return [tx for tx, ok in zip(txs, self.chain.would_succeed(txs), strict=True) if ok]

    def questions(self) -> Sequence[Call]:
        """Everything about everybody and about the whole, at the price of the moment."""
        price = self.zero.price()
        calls = system_questions(self.zero, price)
        for account in (*self.addresses, *KEEPERS):
            calls += trove_questions(self.zero, account, price)
        return calls

    def trials(self) -> Sequence[Tx]:
        """Liquidating each of them."""
        return [self.keepers.liquidate(account) for account in self.addresses]


def settle(
    chain: Chain,
    deployed: Zero,
    purse: Purse,
    rng: random.Random,
    accounts: list[Account],
    pace: Pace,
) -> Life:
    """The first accounts are safe and large, so that others may be neither."""
    ratios = {one.address: SAFE for one in accounts if one.role in (Role.ANCHOR, Role.SUPPLIER)}
    ratios |= {one.address: TIGHT for one in accounts if one.role in (Role.EDGE, Role.LOOPER)}
    neglected = {one.address for one in accounts if one.role in NEGLECTED_ROLES}
    ratios |= dict.fromkeys(neglected, TIGHTER)
    actions = Actions(deployed, rng, accounts, ratios)
    addresses = [account.address for account in accounts]
    keepers = Keepers(deployed, rng, neglected)
    customs = ZeroCustoms(chain, deployed, actions, keepers, addresses)
    return Life(chain, pace, rng, accounts, customs)
