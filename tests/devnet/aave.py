"""The accounts of an Aave v3 market: what is the same in all its versions."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .abi import view_data
from .accounts import OWNERS, Account
from .actions import Actions
from .book import read_positions
from .chain import Chain, Tx
from .desk import Desk
from .governance import Governance
from .joining import Joining, lending_of_anchors
from .keepers import Keepers
from .life import Call, Life, Pace, neglect
from .market import KEEPERS, Market
from .protocol import ADMIN, TREASURY
from .purse import Plan, Purse

NEGLECTED_ONE_IN = 80
V3_6_VIEWS = (
    *("getReserveNormalizedIncome", "getReserveNormalizedVariableDebt", "getReserveDeficit"),
    *("getVirtualUnderlyingBalance", "getConfiguration"),
)


@dataclass(frozen=True)
class Aave:
    """Customs of a market; `views` of the pool are asked for each asset."""

    chain: Chain
    desk: Desk
    addresses: list[str]
    joining: Joining
    actions: Actions
    keepers: Keepers
    due: Callable[[int], Sequence[Tx]]
    views: Sequence[str]

    def reforms(self, step: int) -> Sequence[Tx]:
        """See `Customs`."""
        return self.due(step)

    def liquidate(self, accounts: list[str]) -> None:
        """See `Customs`."""
        self.keepers.work(accounts)

    def join(self, account: Account) -> Plan:
        """See `Customs`."""
        return self.joining.plan(account)

    def act(self, accounts: list[str]) -> Sequence[Plan]:
        """See `Customs`."""
        positions = read_positions(self.chain, self.desk.market, accounts)
        return [self.actions.draw(position) for position in positions]

    def worthwhile(self, txs: list[Tx]) -> list[Tx]:
        """See `Customs`."""
        return [tx for tx, ok in zip(txs, self.chain.would_succeed(txs), strict=True) if ok]

    def questions(self) -> Sequence[Call]:
        """Of everybody who can come to hold a token of the market, and of every asset."""
        market = self.desk.market
        pool, oracle = market.pool, market.addresses["oracle"]
        everybody = [*self.addresses, *OWNERS, *KEEPERS, TREASURY, ADMIN]
        calls = [(pool, view_data("getUserAccountData(address)", one)) for one in everybody]
        for asset in market.assets.values():
            calls += [(pool, view_data(f"{view}(address)", asset.token)) for view in self.views]
            calls.append((oracle, view_data("getAssetPrice(address)", asset.token)))
            for token in (asset.a_token, asset.variable_debt_token):
                calls.append((token, view_data("scaledTotalSupply()")))
        return calls

    def trials(self) -> Sequence[Tx]:
        """None: the market has a view for everything."""
        return ()


def settle_aave(
    chain: Chain,
    desk: Desk,
    rng: random.Random,
    accounts: list[Account],
    pace: Pace,
    due: Callable[[int], Sequence[Tx]],
    views: Sequence[str],
) -> Life:
    """Give the accounts of a market and its keepers what they start with."""
    addresses = [account.address for account in accounts]
    keepers = Keepers(chain, desk, rng, neglect(rng, addresses, NEGLECTED_ONE_IN))
    chain.fund(addresses)
    chain.must(*keepers.equip())
    customs = Aave(
        chain=chain,
        desk=desk,
        addresses=addresses,
        joining=Joining(desk, rng, lending_of_anchors(accounts)),
        actions=Actions(desk, rng, addresses),
        keepers=keepers,
        due=due,
        views=views,
    )
    return Life(chain, pace, rng, accounts, customs)


def settle_aave_v3(
    chain: Chain,
    market: Market,
    purse: Purse,
    rng: random.Random,
    accounts: list[Account],
    pace: Pace,
) -> Life:
    """The market of v3.6."""
    desk = Desk(market, purse)
    governance = Governance.start(chain, desk, pace.steps)
    return settle_aave(chain, desk, rng, accounts, pace, governance.due, V3_6_VIEWS)
