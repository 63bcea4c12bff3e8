"""The accounts of Compound and those who serve them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..abi import view_data
from ..accounts import Account
from ..chain import Chain, Tx
from ..life import Call, Life, Pace, neglect
from ..market import KEEPERS
from ..protocol import ADMIN
from ..protocols import Protocols
from ..purse import Plan, Purse
from .actions import Actions
from .book import liquidity_question, read_positions, snapshot_question
from .desk import Desk, succeeded
from .governance import Governance
from .joining import Joining, lending_of_anchors
from .keepers import Keepers

NEGLECTED_ONE_IN = 30
HOPELESS_ANYWAY = 0.35  # of the calls that would fail silently, so that Failure events are there
PER_CTOKEN = (
    *("exchangeRateStored()", "borrowIndex()", "totalBorrows()", "totalReserves()"),
    *("totalSupply()", "getCash()", "accrualBlockNumber()"),
)


@dataclass
class CompoundCustoms:
    """Customs of Compound; `touched` are accounts and the cTokens that they ever had or owed."""

    chain: Chain
    desk: Desk
    rng: random.Random
    addresses: list[str]
    joining: Joining
    actions: Actions
    keepers: Keepers
    governance: Governance
    touched: dict[tuple[str, str], None] = field(default_factory=dict)
    deprecated: str | None = None

    def reforms(self, step: int) -> Sequence[Tx]:
        """See `Customs`."""
        self.deprecated = self.governance.deprecated(step)
        return self.governance.due(step)

    def liquidate(self, accounts: list[str]) -> None:
        """See `Customs`."""
        self.keepers.work(accounts, self.deprecated)

    def join(self, account: Account) -> Plan:
        """See `Customs`."""
        return self.joining.plan(account)

    def act(self, accounts: list[str]) -> Sequence[Plan]:
        """See `Customs`."""
        positions = read_positions(self.chain, self.desk.compound, accounts)
        return [self.actions.draw(position) for position in positions]

    def worthwhile(self, txs: list[Tx]) -> list[Tx]:
        """What would work, and a part of what would fail without reverting."""
        return [
            tx
            for tx, (said, _) in zip(txs, self.chain.try_out(txs), strict=True)
            if said is not None and (succeeded(tx, said) or self.rng.random() < HOPELESS_ANYWAY)
        ]

    def questions(self) -> Sequence[Call]:
        """Everybody's liquidity, the snapshots of those who ever had one, and all markets."""
        compound = self.desk.compound
        everybody = [*self.addresses, *KEEPERS, ADMIN]
        for position in read_positions(self.chain, compound, everybody):
            for symbol in (*position.supplied(), *position.owed()):
                self.touched[self.desk.ctoken(symbol), position.account] = None
        calls = [liquidity_question(compound, account) for account in everybody]
        calls += [snapshot_question(*place) for place in self.touched]
        for one in compound.ctokens.values():
            calls += [(one.ctoken, view_data(view)) for view in PER_CTOKEN]
            calls.append((compound.comptroller, view_data("markets(address)", one.ctoken)))
            calls.append((compound.oracle, view_data("getUnderlyingPrice(address)", one.ctoken)))
        return calls

    def trials(self) -> Sequence[Tx]:
        """None: the comptroller has a view for everything."""
        return ()


def settle_compound(
    chain: Chain,
    protocols: Protocols,
    purse: Purse,
    rng: random.Random,
    accounts: list[Account],
    pace: Pace,
) -> Life:
    """Give the keepers what they start with."""
    desk = Desk(protocols.compound_v2, purse)
    addresses = [account.address for account in accounts]
    keepers = Keepers(chain, desk, rng, neglect(rng, addresses, NEGLECTED_ONE_IN))
    chain.must(*keepers.equip())
    customs = CompoundCustoms(
        chain=chain,
        desk=desk,
        rng=rng,
        addresses=addresses,
        joining=Joining(desk, rng, lending_of_anchors(accounts)),
        actions=Actions(desk, rng, addresses),
        keepers=keepers,
        governance=Governance(chain, desk, pace.steps),
    )
    return Life(chain, pace, rng, accounts, customs)
