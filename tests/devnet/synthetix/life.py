"""The accounts of Perps V2 and those who serve them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..accounts import Account
from ..chain import Chain, Tx
from ..life import Call, Life, Pace, neglect
from ..market import KEEPERS
from ..purse import Plan, Purse
from .book import questions, read_positions
from .desk import Desk
from .governance import Governance
from .joining import Actions, Joining
from .keepers import Keepers
from .market import Perp, Synthetix
from .orders import Orders

NEGLECTED_ONE_IN = 6


@dataclass
class SynthetixCustoms:
    """Customs of Perps V2; `open` are the markets of the present step."""

    chain: Chain
    desk: Desk
    rng: random.Random
    addresses: list[str]
    joining: Joining
    actions: Actions
    orders: Orders
    keepers: Keepers
    governance: Governance
    open: list[Perp] = field(default_factory=list)

    def reforms(self, step: int) -> Sequence[Tx]:
        """See `Customs`."""
        perps = self.desk.synthetix.perps
        self.open = [perp for name, perp in perps.items() if self.governance.open(name, step)]
        return self.governance.due(step)

    def liquidate(self, accounts: list[str]) -> None:
        """Keepers, then orders: both need several blocks."""
        self.keepers.work(self.open, accounts)
        self.orders.work(self.open, accounts)

    def join(self, account: Account) -> Plan:
        """See `Customs`."""
        return self.joining.plan(account, self.open)

    def act(self, accounts: list[str]) -> Sequence[Plan]:
        """Each in one market."""
        every = read_positions(self.chain, self.open, accounts)
        plans = []
        for account in accounts:
            mine = [one for one in every if one.account == account]
            held = [one for one in mine if one.margin] or mine
            if held:
                plans.append(self.actions.draw(self.rng.choice(held)))
        return plans

    def worthwhile(self, txs: list[Tx]) -> list[Tx]:
        """What would work."""
        works = self.chain.would_succeed(txs)
        return [tx for tx, ok in zip(txs, works, strict=True) if ok]

    def questions(self) -> Sequence[Call]:
        """All views about everybody who ever had margin, and all markets."""
        everybody = [*self.addresses, KEEPERS[0]]
        return questions(self.chain, self.desk.synthetix, everybody)

    def trials(self) -> Sequence[Tx]:
        """None: the markets have a view for everything."""
        return ()


def settle(
    chain: Chain,
    deployed: Synthetix,
    purse: Purse,
    rng: random.Random,
    accounts: list[Account],
    pace: Pace,
) -> Life:
    """Keepers need nothing to start with."""
    desk = Desk(deployed)
    addresses = [account.address for account in accounts]
    customs = SynthetixCustoms(
        chain=chain,
        desk=desk,
        rng=rng,
        addresses=addresses,
        joining=Joining(desk, rng, purse.prices),
        actions=Actions(desk, rng),
        orders=Orders(chain, desk, rng),
        keepers=Keepers(chain, desk, rng, neglect(rng, addresses, NEGLECTED_ONE_IN)),
        governance=Governance(deployed, pace.steps),
    )
    return Life(chain, pace, rng, accounts, customs)
