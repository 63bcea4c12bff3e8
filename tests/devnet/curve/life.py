"""Providers, traders and arbitrageurs of Curve."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass

from ..accounts import Account
from ..chain import Chain, Tx
from ..life import Call, Life, Pace
from ..protocol import ADMIN
from ..protocols import Protocols
from ..purse import Plan, Purse
from ..trading import ARBITRAGEURS, equip, provides, ticket
from .desk import Desk, read_answers
from .market import COUNT, UNLISTED

DAY = 86_400
TICKET = 20_000.0
PROBE = 1_000.0
SIZES = (20_000.0, 60_000.0, 180_000.0, 500_000.0, 1_200_000.0)
PROFIT = 1.0003  # arbitrage of less does not pay its gas
PAIRS = tuple(itertools.permutations(range(COUNT), 2))
SAMPLES = (1.0, 50_000.0, 5_000_000.0)  # dollars
# (part of the timeline, the amplification to come, in how many days)
RAMPS = ((0.25, 500, 30), (0.70, 120, 60))
STOPPED, CLAIMED = 0.85, 0.5
# In this part of the timeline nobody believes in the peg of the coin that no feed reports.
DOUBT = (0.52, 0.62, 0.965)


@dataclass(frozen=True)
class CurveCustoms:
    """Customs of Curve."""

    chain: Chain
    desk: Desk
    steps: int
    rng: random.Random

    def reforms(self, step: int) -> Sequence[Tx]:
        """The amplification moves, and stops on its way; the owner's part of the fees leaves."""
        start, end, level = DOUBT
        doubted = int(start * self.steps) <= step < int(end * self.steps)
        self.desk.purse.prices[UNLISTED] = level if doubted else 1.0
        pool, now = self.desk.pool.address, self.chain.time
        txs = [
            Tx(ADMIN, pool, "ramp_A(uint256,uint256)", (level, now + days * DAY))
            for date, level, days in RAMPS
            if step == int(date * self.steps)
        ]
        if step == int(STOPPED * self.steps):
            txs.append(Tx(ADMIN, pool, "stop_ramp_A()"))
        if step == int(CLAIMED * self.steps):
            txs.append(Tx(ADMIN, pool, "withdraw_admin_fees()"))
        return txs

    def liquidate(self, accounts: list[str]) -> None:
        """There is nobody to liquidate."""

    def join(self, account: Account) -> Plan:
        """Providers add liquidity; the others begin with a trade."""
        if provides(account):
            return self._add(account.address, account.size)
        return self._trade(account.address)

    def act(self, accounts: list[str]) -> Sequence[Plan]:
        """Arbitrageurs go first."""
        return [*self._arbitrage(), *(self._one(account, accounts) for account in accounts)]

    def worthwhile(self, txs: list[Tx]) -> list[Tx]:
        """See `Customs`."""
        return [tx for tx, ok in zip(txs, self.chain.would_succeed(txs), strict=True) if ok]

    def questions(self) -> Sequence[Call]:
        """What the pool stores, the shares of every holder, and its own quotes."""
        views = ("A()", "A_precise()", "fee()", "admin_fee()", "totalSupply()")
        ramp = ("initial_A()", "future_A()", "initial_A_time()", "future_A_time()")
        calls = [self.desk.view(view) for view in (*views, *ramp, "get_virtual_price()")]
        for place in range(COUNT):
            calls.append(self.desk.view("balances(uint256)", place))
            calls.append(self.desk.view("admin_balances(uint256)", place))
        calls += [self.desk.view("balanceOf(address)", who) for who in self.desk.holders]
        calls += [self._quote(pair, dollars) for pair in PAIRS for dollars in SAMPLES]
        return calls

    def trials(self) -> Sequence[Tx]:
        """The pool's quotes say it all."""
        return ()

    def _one(self, account: str, accounts: list[str]) -> Plan:
        (held,) = read_answers(self.chain, [self.desk.view("balanceOf(address)", account)])
        if not held or self.rng.random() < 0.5:
            return self._trade(account)
        kinds = ("add", "remove", "all", "one", "exactly", "give")
        kind = self.rng.choices(kinds, (3, 2, 1, 2, 2, 1))[0]
        part = int(held * self.rng.uniform(0.05, 0.6))
        if kind == "add":
            return self._add(account, ticket(self.rng, TICKET))
        if kind == "remove":
            return [self.desk.remove(account, part)]
        if kind == "all":
            return [self.desk.remove(account, held)]
        if kind == "one":
            return [self.desk.remove_one(account, part, self.rng.randrange(COUNT))]
        if kind == "exactly":
            total = part / 1e18 * 0.9
            return [self.desk.remove_exactly(account, self._split(total), held)]
        return [self.desk.give(account, self.rng.choice(accounts), part)]

    def _add(self, account: str, dollars: float) -> Plan:
        even = self.rng.random() < 0.5
        split = [dollars / COUNT] * COUNT if even else self._split(dollars)
        return self.desk.add(account, split)

    def _split(self, dollars: float) -> list[float]:
        """One or two coins only."""
        split = [0.0] * COUNT
        for _ in range(2):
            split[self.rng.randrange(COUNT)] += dollars / 2
        return split

    def _trade(self, account: str) -> Plan:
        sold, bought = self.rng.choice(PAIRS)
        symbol = self.desk.pool.symbols[sold]
        amount = self.desk.purse.units(symbol, ticket(self.rng, TICKET))
        funded = self.desk.purse.fund(account, symbol, amount, self.desk.pool.address)
        return [*funded, self.desk.exchange(account, sold, bought, amount)]

    def _arbitrage(self) -> list[Plan]:
        """The pair that pays best on a probe, in the size that pays most."""
        probes = [(pair, PROBE) for pair in PAIRS]
        gains = self._gains(probes)
        best = max(range(len(PAIRS)), key=lambda place: gains[place])
        if gains[best] < PROBE * (PROFIT - 1):
            return []
        orders = [(PAIRS[best], dollars) for dollars in (PROBE, *SIZES)]
        gains = self._gains(orders)
        (sold, bought), dollars = orders[gains.index(max(gains))]
        amount = self.desk.purse.units(self.desk.pool.symbols[sold], dollars)
        return [[self.desk.exchange(self.rng.choice(ARBITRAGEURS), sold, bought, amount)]]

    def _gains(self, orders: list[tuple[tuple[int, int], float]]) -> list[float]:
        """Dollars that each order earns at the feeds' prices."""
        answers = read_answers(self.chain, [self._quote(*order) for order in orders])
        symbols, purse = self.desk.pool.symbols, self.desk.purse
        return [
            purse.dollars(symbols[pair[1]], got) - dollars
            for (pair, dollars), got in zip(orders, answers, strict=True)
        ]

    def _quote(self, pair: tuple[int, int], dollars: float) -> Call:
        amount = self.desk.purse.units(self.desk.pool.symbols[pair[0]], dollars)
        return self.desk.quote(*pair, amount)


def settle_curve(
    chain: Chain,
    protocols: Protocols,
    purse: Purse,
    rng: random.Random,
    accounts: list[Account],
    pace: Pace,
) -> Life:
    """Give the arbitrageurs what they start with."""
    (pool,) = protocols.curve.pools.values()
    chain.must(*equip(chain, purse, pool.symbols, pool.address))
    customs = CurveCustoms(chain, Desk(pool, purse), pace.steps, rng)
    return Life(chain, pace, rng, accounts, customs)
