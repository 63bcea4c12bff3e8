"""Providers, traders and arbitrageurs of Uniswap v2."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from ..abi import ZERO_ADDRESS, call_data, view_data
from ..accounts import Account
from ..chain import Chain, Tx
from ..life import Call, Life, Pace
from ..protocol import ADMIN, TREASURY
from ..protocols import Protocols
from ..purse import Plan, Purse
from ..trading import ARBITRAGEURS, THIN_WATCHED, equip, fair, provides, ticket
from .desk import Desk, balance_question, read_reserves, read_shares
from .market import LISTINGS, Pool

KEPT = 0.997  # of what is sold, after the fee
WORTH_IT = 0.0005  # of the reserve; arbitrage of less does not pay its gas
FEE_ON, FEE_OFF = 0.35, 0.85  # parts of the timeline between which the protocol takes its share
TICKET, TICKET_THIN = 9_000.0, 400.0
SIDES = {f"{one.base}/{one.quote}": one.side for one in LISTINGS}
LARGEST_TICKET, LARGEST_THIN = 0.003, 0.05  # of a side of the pool
# (part of the timeline, label, symbol, dollars, whether the reserves follow)
DONATIONS = (
    (0.15, "LINK/USDC", "USDC", 900.0, True),
    (0.30, "WETH/USDC", "WETH", 5_000.0, False),
    (0.55, "LINK/WETH", "LINK", 3_000.0, True),
    (0.70, "yWETH/WETH", "yWETH", 8_000.0, True),
    (0.90, "LINK/USDC", "LINK", 500.0, False),
)
SAMPLES = (1e-6, 1e-3, 0.05, 0.6)  # of a reserve, sold in a checkpoint's questions


@dataclass(frozen=True)
class UniswapV2Customs:
    """Customs of Uniswap v2."""

    chain: Chain
    desk: Desk
    steps: int
    rng: random.Random

    def reforms(self, step: int) -> Sequence[Tx]:
        """The protocol's share is switched on and off; donations, with sync or skim."""
        factory = self.desk.uniswap.factory
        txs: list[Tx] = []
        for date, collector in ((FEE_ON, TREASURY), (FEE_OFF, ZERO_ADDRESS)):
            if step == int(date * self.steps):
                txs.append(Tx(ADMIN, factory, "setFeeTo(address)", (collector,)))
                self.desk.holders.update({(label, TREASURY): None for label in self._labels})
        for date, label, symbol, dollars, followed in DONATIONS:
            if step == int(date * self.steps):
                pool, who = self.desk.uniswap.pools[label], ARBITRAGEURS[0]
                amount = self.desk.purse.units(symbol, dollars)
                txs += self.desk.donate(who, pool, symbol, amount)
                last = ("sync()", ()) if followed else ("skim(address)", (who,))
                txs.append(Tx(who, pool.address, *last))
        return txs

    def liquidate(self, accounts: list[str]) -> None:
        """There is nobody to liquidate."""

    def join(self, account: Account) -> Plan:
        """Providers add liquidity to a pool or two; the others begin with a trade."""
        if not provides(account):
            return self._trade(account.address)
        count = self.rng.choice((1, 1, 2))
        plan: Plan = []
        for pool in self.rng.sample(self._pools, count):
            share = 0.02 if pool.thin else 1.0
            plan += self.desk.add(account.address, pool, account.size / count * share)
        return plan

    def act(self, accounts: list[str]) -> Sequence[Plan]:
        """Arbitrageurs go first."""
        return [*self._arbitrage(), *(self._one(account, accounts) for account in accounts)]

    def worthwhile(self, txs: list[Tx]) -> list[Tx]:
        """See `Customs`."""
        return [tx for tx, ok in zip(txs, self.chain.would_succeed(txs), strict=True) if ok]

    def questions(self) -> Sequence[Call]:
        """What the pools store, the shares of every holder, and quotes of the router."""
        views = ("getReserves()", "price0CumulativeLast()", "price1CumulativeLast()")
        more = ("totalSupply()", "kLast()")
        pools = self.desk.uniswap.pools
        calls = [(one.address, view_data(view)) for one in self._pools for view in views + more]
        calls += [balance_question(pools[label], who) for label, who in self.desk.holders]
        calls += [balance_question(one, ZERO_ADDRESS) for one in self._pools]
        for pool, reserves in zip(self._pools, read_reserves(self.chain, self._pools), strict=True):
            for path, reserve in ((pool.tokens, reserves[0]), (pool.tokens[::-1], reserves[1])):
                for part in SAMPLES:
                    view = "getAmountsOut(uint256,address[])"
                    data = call_data(view, (max(1, int(reserve * part)), path))
                    calls.append((self.desk.uniswap.router, data))
        return calls

    def trials(self) -> Sequence[Tx]:
        """The router's quotes say it all."""
        return ()

    def _one(self, account: str, accounts: list[str]) -> Plan:
        held = read_shares(self.chain, self.desk, account)
        if not held or self.rng.random() < 0.5:
            return self._trade(account)
        pool, shares = self.rng.choice(held)
        kind = self.rng.choices(("more", "less", "none", "give"), (3, 3, 1, 1))[0]
        if kind == "more":
            middle = TICKET_THIN if pool.thin else TICKET
            return self.desk.add(account, pool, ticket(self.rng, middle))
        if kind == "give":
            to = self.rng.choice(accounts)
            return self.desk.give(account, pool, to, int(shares * self.rng.uniform(0.1, 0.6)))
        part = 1.0 if kind == "none" else self.rng.uniform(0.05, 0.7)
        return self.desk.remove(account, pool, shares if part == 1.0 else int(shares * part) or 1)

    def _trade(self, account: str) -> Plan:
        pool = self.rng.choice(self._pools)
        middle, largest = (TICKET_THIN, LARGEST_THIN) if pool.thin else (TICKET, LARGEST_TICKET)
        dollars = min(ticket(self.rng, middle), SIDES[pool.label] * largest)
        path = list(pool.symbols)
        self.rng.shuffle(path)
        if path[-1] == "WETH" and path[0] != "USDC" and self.rng.random() < 0.3:
            path.append("USDC")
        amount = self.desk.purse.units(path[0], dollars)
        router = self.desk.uniswap.router
        return [
            *self.desk.purse.fund(account, path[0], amount, router),
            self.desk.sell(account, path, amount),
        ]

    def _arbitrage(self) -> list[Plan]:
        watched = [
            pool for pool in self._pools if not pool.thin or self.rng.random() < THIN_WATCHED
        ]
        plans = []
        for pool, reserves in zip(watched, read_reserves(self.chain, watched), strict=True):
            for way in (1, -1):
                symbols, (held, other) = list(pool.symbols[::way]), reserves[::way]
                worth = fair(self.desk.purse, *symbols)
                amount = int((math.sqrt(KEPT * held * other / worth) - held) / KEPT)
                if amount > held * WORTH_IT:
                    plans.append([self.desk.sell(self.rng.choice(ARBITRAGEURS), symbols, amount)])
        return plans

    @property
    def _pools(self) -> list[Pool]:
        return list(self.desk.uniswap.pools.values())

    @property
    def _labels(self) -> list[str]:
        return list(self.desk.uniswap.pools)


def settle_uniswap_v2(
    chain: Chain,
    protocols: Protocols,
    purse: Purse,
    rng: random.Random,
    accounts: list[Account],
    pace: Pace,
) -> Life:
    """Give the arbitrageurs what they start with."""
    desk = Desk(protocols.uniswap_v2, purse)
    symbols = sorted({symbol for pool in desk.uniswap.pools.values() for symbol in pool.symbols})
    chain.must(*equip(chain, purse, symbols, desk.uniswap.router))
    customs = UniswapV2Customs(chain, desk, pace.steps, rng)
    return Life(chain, pace, rng, accounts, customs)
