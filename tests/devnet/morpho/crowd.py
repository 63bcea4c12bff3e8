"""The accounts of the composed markets, and what is planted there for whoever looks for it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..abi import derived_address, view_data
from ..accounts import Account, Role
from ..chain import Chain, Tx
from ..life import Call, Life, Pace
from ..market import KEEPERS
from ..protocol import ADMIN
from ..protocols import Protocols
from ..purse import Plan, Purse
from ..tokens import WAD
from .actions import Actions
from .book import position_question, read_positions
from .composed import A_TOKEN, BAD, LOOPED, LP, PEG
from .desk import Desk
from .keepers import Keepers
from .market import IsolatedMarket
from .wrapping import WrappingPurse, stock_up

LENDERS = tuple(derived_address(f"devnet composed lender {number}") for number in range(2))
LOOPER = derived_address("devnet looper")
LENT, LENT_BAD, LENT_LOOPED = 150_000.0, 350_000.0, 4_000_000.0  # dollars of each lender
LOOPS, EQUITY, LEVERAGED = 20, 20 * WAD, (92, 100)
LOOP_DATE = 0.12
PARTICIPANTS, LARGEST, SMALLEST = 64, 90_000.0, 2_000.0
# One account in eight comes to the bad market, with collateral of so many dollars at its face.
BAD_SHARE, BAD_DATES, BAD_USED, BAD_SIZE = 8, (0.15, 0.5), 0.7, (40_000.0, 160_000.0)
CUSHION, LATEST = 0.97, 0.8
PLANTED = (LOOPED, BAD, PEG)
"""Markets in which nobody moves after joining, so that later tests find what was planted."""


@dataclass(frozen=True)
class Crowd:
    """Customs of the composed markets: lenders from the beginning, borrowers as they come."""

    chain: Chain
    desk: Desk
    purse: WrappingPurse
    steps: int
    rng: random.Random
    actions: Actions
    keepers: Keepers
    homes: dict[str, list[IsolatedMarket]]
    """The markets that each account comes to."""

    def reforms(self, step: int) -> Sequence[Tx]:
        """Lenders come on the first day, and somebody loops a share of a vault."""
        if step == 0:
            return list(self._lend())
        looped = LOOPED in self.desk.morpho.composed and step == int(LOOP_DATE * self.steps)
        return list(self._loop()) if looped else []

    def _lend(self) -> Iterator[Tx]:
        for market in self.desk.morpho.composed.values():
            dollars = {BAD: LENT_BAD, LOOPED: LENT_LOOPED}.get(market.label, LENT)
            for lender in LENDERS:
                amount = self.purse.units(market.loan, dollars)
                yield from self.desk.fund(lender, market.loan, amount)
                yield self.desk.supply(lender, market, amount)

    def _loop(self) -> Iterator[Tx]:
        """Shares pledged, WETH borrowed on them, shares of it pledged again: twenty times."""
        market, tokens = self.desk.morpho.composed[LOOPED], self.purse.tokens
        vault, rate, amount = self.purse.token("yWETH"), tokens.vault_rate(), EQUITY
        yield from self.purse.fund(LOOPER, "WETH", amount, vault)
        yield self.purse.approve(LOOPER, "yWETH", self.desk.morpho.address)
        for number in range(LOOPS + 1):
            shares = amount * WAD // rate - 1
            yield Tx(LOOPER, vault, "mint(uint256,address)", (shares, LOOPER))
            yield self.desk.supply_collateral(LOOPER, market, shares)
            amount = amount * LEVERAGED[0] // LEVERAGED[1]
            if number < LOOPS:
                yield self.desk.borrow(LOOPER, market, amount)

    def liquidate(self, accounts: list[str]) -> None:
        """See `Customs`."""
        self.keepers.work(accounts)

    def join(self, account: Account) -> Plan:
        """Collateral, and a loan by what the market's own oracle says of it."""
        places = [(market.id, account.address) for market in self.homes[account.address]]
        plan: Plan = []
        for position in read_positions(self.chain, self.desk.morpho, places):
            who, market = account.address, position.market
            dollars = min(LARGEST, max(SMALLEST, account.size)) / len(places)
            if market.label == BAD:
                dollars = self.rng.uniform(*BAD_SIZE)
            collateral = self.purse.units(market.collateral, dollars)
            pledged = replace(position, collateral=position.collateral + collateral)
            used = BAD_USED if market.label == BAD else account.appetite * CUSHION
            loan = min(int(pledged.limit * used) - position.owed, position.state.idle // 2)
            plan += self.desk.fund(who, market.collateral, collateral)
            plan.append(self.desk.supply_collateral(who, market, collateral))
            if loan > 0:
                plan.append(self.desk.borrow(who, market, loan))
        return plan

    def act(self, accounts: list[str]) -> Sequence[Plan]:
        """See `Customs`."""
        places = [(one.id, who) for who in accounts for one in self._lively(who)]
        positions = iter(read_positions(self.chain, self.desk.morpho, places))
        held = {who: [next(positions) for _ in self._lively(who)] for who in accounts}
        return [self.actions.draw(held[who]) if held[who] else [] for who in accounts]

    def worthwhile(self, txs: list[Tx]) -> list[Tx]:
        """See `Customs`."""
        return [tx for tx, ok in zip(txs, self.chain.would_succeed(txs), strict=True) if ok]

    def questions(self) -> Sequence[Call]:
        """Positions, and who holds the claims that are pledged."""
        morpho, aave = self.desk.morpho, self.purse.parts.aave
        pair, a_token = self.purse.token(LP), aave.assets["WETH"].a_token
        holders = dict.fromkeys([ADMIN, *KEEPERS, *(who for _, who in self.desk.places)])
        return [
            *(position_question(morpho, place) for place in self.desk.places),
            (aave.pool, view_data("getUserAccountData(address)", morpho.address)),
            (a_token, view_data("balanceOf(address)", morpho.address)),
            *((pair, view_data("balanceOf(address)", one)) for one in (morpho.address, *holders)),
        ]

    def trials(self) -> Sequence[Tx]:
        """The smallest liquidation of everybody who owes something."""
        return [
            self.desk.liquidate(KEEPERS[0], one.market, one.account, repaid_shares=1)
            for one in read_positions(self.chain, self.desk.morpho, self.desk.places)
            if one.borrow_shares
        ]

    def _lively(self, account: str) -> list[IsolatedMarket]:
        return [market for market in self.homes[account] if market.label not in PLANTED]


def settle_crowd(
    chain: Chain,
    protocols: Protocols,
    purse: Purse,
    rng: random.Random,
    accounts: list[Account],
    pace: Pace,
) -> Life:
    """Choose who comes to which markets, and give the lenders their ether."""
    wrapping = stock_up(chain, purse, protocols.parts)
    desk = Desk(protocols.morpho, wrapping)
    chain.fund((*LENDERS, LOOPER), wei=10**25)
    chosen, homes = _choose(protocols, rng, accounts, pace.steps)
    crowd = Crowd(
        chain=chain,
        desk=desk,
        purse=wrapping,
        steps=pace.steps,
        rng=rng,
        actions=Actions(desk, rng),
        keepers=Keepers(chain, desk, rng, set()),
        homes=homes,
    )
    return Life(chain, Pace(pace.steps, 2), rng, chosen, crowd)


def _choose(
    protocols: Protocols, rng: random.Random, accounts: list[Account], steps: int
) -> tuple[list[Account], dict[str, list[IsolatedMarket]]]:
    """Accounts of the other protocols, spread over all markets; some come to the bad one."""
    composed = protocols.morpho.composed
    spread = [one for one in composed.values() if one.label not in (BAD, LOOPED)]
    chosen, homes = [], {}
    for number, account in enumerate(accounts[:PARTICIPANTS]):
        homes[account.address] = [spread[number % len(spread)]]
        if number % 3 == 1:
            homes[account.address].append(spread[(number * 5 + 2) % len(spread)])
        joins = max(1, account.joins)
        if number % BAD_SHARE == 0 and BAD in composed:
            homes[account.address] = [composed[BAD], composed[A_TOKEN]]
            joins = max(1, int(steps * rng.uniform(*BAD_DATES)))
        elif account.role is not Role.EDGE:
            joins = min(joins, int(steps * LATEST))  # so that debts have time to grow
        homes[account.address] = list(dict.fromkeys(homes[account.address]))
        chosen.append(replace(account, joins=joins))
    return chosen, homes
