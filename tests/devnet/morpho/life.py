"""The accounts of Morpho, those who serve them, and what its owner does along the way."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ..accounts import Account
from ..chain import Chain, Tx
from ..life import Call, Life, Pace, neglect
from ..market import KEEPERS
from ..protocol import ADMIN, TREASURY
from ..protocols import Protocols
from ..purse import Plan, Purse
from .actions import Actions
from .book import market_questions, position_question, read_positions
from .desk import Desk
from .joining import Joining, lending_of_anchors
from .keepers import Keepers
from .market import PERCENT, IsolatedMarket

NEGLECTED_ONE_IN = 30
# (part of the timeline, place of the market, its fee in per cent)
FEES = ((0.2, 1, 5), (0.4, 0, 15), (0.55, 3, 25), (0.65, 1, 0), (0.8, 5, 10))


@dataclass(frozen=True)
class MorphoCustoms:
    """Customs of Morpho."""

    chain: Chain
    desk: Desk
    steps: int
    joining: Joining
    actions: Actions
    keepers: Keepers

    def reforms(self, step: int) -> Sequence[Tx]:
        """Fees are switched on, changed and switched off."""
        return [
            self.desk.set_fee(ADMIN, self._markets[place], per_cent * PERCENT)
            for date, place, per_cent in FEES
            if step == int(date * self.steps)
        ]

    def liquidate(self, accounts: list[str]) -> None:
        """See `Customs`."""
        self.keepers.work(accounts)

    def join(self, account: Account) -> Plan:
        """See `Customs`."""
        return self.joining.plan(account)

    def act(self, accounts: list[str]) -> Sequence[Plan]:
        """See `Customs`."""
        places = [(market.id, account) for account in accounts for market in self._markets]
        positions = iter(read_positions(self.chain, self.desk.morpho, places))
        return [self.actions.draw([next(positions) for _ in self._markets]) for _ in accounts]

    def worthwhile(self, txs: list[Tx]) -> list[Tx]:
        """See `Customs`."""
        return [tx for tx, ok in zip(txs, self.chain.would_succeed(txs), strict=True) if ok]

    def questions(self) -> Sequence[Call]:
        """Totals and prices of all markets, and positions of those who came to the plain ones."""
        morpho = self.desk.morpho
        calls = [call for market in morpho.markets for call in market_questions(morpho, market)]
        recipient = [(market.id, TREASURY) for market in morpho.markets]
        return [
            *calls,
            *(position_question(morpho, one) for one in (*self.desk.places, *recipient)),
        ]

    def trials(self) -> Sequence[Tx]:
        """The smallest liquidation of everybody who owes something."""
        return [
            self.desk.liquidate(KEEPERS[0], one.market, one.account, repaid_shares=1)
            for one in read_positions(self.chain, self.desk.morpho, self.desk.places)
            if one.borrow_shares
        ]

    @property
    def _markets(self) -> list[IsolatedMarket]:
        return self.desk.morpho.plain


def settle_morpho(
    chain: Chain,
    protocols: Protocols,
    purse: Purse,
    rng: random.Random,
    accounts: list[Account],
    pace: Pace,
) -> Life:
    """Give the keepers what they start with."""
    desk = Desk(protocols.morpho, purse)
    addresses = [account.address for account in accounts]
    keepers = Keepers(chain, desk, rng, neglect(rng, addresses, NEGLECTED_ONE_IN))
    chain.must(*keepers.equip())
    customs = MorphoCustoms(
        chain=chain,
        desk=desk,
        steps=pace.steps,
        joining=Joining(desk, rng, lending_of_anchors(accounts)),
        actions=Actions(desk, rng),
        keepers=keepers,
    )
    return Life(chain, pace, rng, accounts, customs)
