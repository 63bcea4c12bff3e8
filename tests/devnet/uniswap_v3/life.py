"""Providers, traders and arbitrageurs of Uniswap v3."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ..accounts import Account
from ..chain import Chain, Tx
from ..life import Call, Life, Pace
from ..market import KEEPERS
from ..protocol import ADMIN
from ..protocols import Protocols
from ..purse import Plan, Purse
from ..trading import ARBITRAGEURS, STOCK, equip, provides, ticket
from ..uniswap_v2.market import MAKER
from .book import (
    Ticket,
    pool_questions,
    position_question,
    read_direct,
    read_sqrt_prices,
    read_tickets,
)
from .desk import Desk
from .market import LISTINGS, TICKS_PER_WORD, Pool, fill, listed_ranges

TICKET = 15_000.0
LARGEST_TICKET = 60_000.0
MILLION = 1_000_000
DIRECT = 0.25  # part of the newcomers who do without the position manager
SHARE = 4  # of the swap fees, one in this many for the protocol
# (part of the timeline, label, cardinality of the observations)
MEMORIES = ((0.25, "WETH/USDC 0.3%", 40), (0.6, "WETH/USDC 0.05%", 72))
PROTOCOL_FEE_AT, COLLECTED_AT = 0.45, 0.8
MOVES, FOLLOWING = (0.22, 0.41, 0.58, 0.77, 0.93), 0.4


@dataclass(frozen=True)
class UniswapV3Customs:
    """Customs of Uniswap v3."""

    chain: Chain
    desk: Desk
    steps: int
    rng: random.Random

    def reforms(self, step: int) -> Sequence[Tx]:
        """Pools remember more, and the protocol takes and collects its share."""
        pools = self.desk.uniswap.pools
        raise_to = "increaseObservationCardinalityNext(uint16)"
        txs = [
            Tx(ADMIN, pools[label].address, raise_to, (count,))
            for date, label, count in MEMORIES
            if step == int(date * self.steps)
        ]
        if step in {int(date * self.steps) for date in MOVES}:
            txs += self._move_maker()
        taxed = self._pools[0].address
        if step == int(PROTOCOL_FEE_AT * self.steps):
            txs.append(Tx(ADMIN, taxed, "setFeeProtocol(uint8,uint8)", (SHARE, SHARE)))
        if step == int(COLLECTED_AT * self.steps):
            signature = "collectProtocol(address,uint128,uint128)"
            txs.append(Tx(ADMIN, taxed, signature, (KEEPERS[0], 2**128 - 1, 2**128 - 1)))
        return txs

    def _move_maker(self) -> Plan:
        """Half of the market maker's ranges follow the price; the whole range stays."""
        plan: Plan = []
        for held in read_tickets(self.chain, self.desk.uniswap, MAKER):
            if held.ticks[0] > -held.pool.highest and self.rng.random() < 0.5:
                plan += self.desk.decrease(MAKER, held.id, held.liquidity)
                plan.append(self.desk.burn(MAKER, held.id))
        positions = self.desk.uniswap.positions
        for listing, pool in zip(LISTINGS, self._pools, strict=True):
            plan += fill(self.desk.purse, positions, pool, listing.dollars * FOLLOWING)
            for _, *ticks in listed_ranges(pool, pool.tick_of(self.desk.purse.prices)):
                self.desk.ranges[pool.label, positions, ticks[0], ticks[1]] = None
        return plan

    def liquidate(self, accounts: list[str]) -> None:
        """There is nobody to liquidate."""

    def join(self, account: Account) -> Plan:
        """Providers choose a range; the others begin with a trade."""
        if not provides(account):
            return self._trade(account.address)
        return self._provide(account.address, account.size)

    def act(self, accounts: list[str]) -> Sequence[Plan]:
        """Arbitrageurs go first."""
        return [*self._arbitrage(), *(self._one(account, accounts) for account in accounts)]

    def worthwhile(self, txs: list[Tx]) -> list[Tx]:
        """See `Customs`."""
        return [tx for tx, ok in zip(txs, self.chain.would_succeed(txs), strict=True) if ok]

    def questions(self) -> Sequence[Call]:
        """What the pools store, every range that ever had liquidity, and quotes."""
        calls = [
            call for pool in self._pools for call in pool_questions(self.chain, self.desk, pool)
        ]
        return [*calls, *(position_question(self.desk.uniswap, one) for one in self.desk.ranges)]

    def trials(self) -> Sequence[Tx]:
        """The quoter says it all."""
        return ()

    def _one(self, account: str, accounts: list[str]) -> Plan:
        if self.rng.random() < 0.5:
            return self._trade(account)
        direct = read_direct(self.chain, self.desk, account)
        if direct:
            pool, ticks, liquidity = self.rng.choice(direct)
            part = self.rng.choice((0.0, 0.3, 0.6, 1.0))  # none of it: only what is owed
            burnt = liquidity if part == 1.0 else int(liquidity * part)
            return self.desk.burn_directly(account, pool, ticks, burnt)
        tickets = read_tickets(self.chain, self.desk.uniswap, account)
        if tickets:
            return self._change(account, self.rng.choice(tickets), accounts)
        return self._trade(account)

    def _change(self, account: str, held: Ticket, accounts: list[str]) -> Plan:
        """Something that the owner of a token does with it."""
        desk = self.desk
        kinds = ("more", "less", "fees", "move", "leave", "give")
        kind = self.rng.choices(kinds, (2, 2, 1, 3, 1, 1))[0]
        if kind == "more" or not held.liquidity:
            (root,) = read_sqrt_prices(self.chain, [held.pool])
            dollars = ticket(self.rng, TICKET)
            return desk.increase(account, held.id, held.pool, root, held.ticks, dollars)
        if kind == "less":
            part = self.rng.uniform(0.1, 0.8)
            return desk.decrease(account, held.id, int(held.liquidity * part))
        if kind == "fees":
            return [desk.collect(account, held.id)]
        if kind == "give":
            return [desk.give(account, held.id, self.rng.choice(accounts))]
        left = [*desk.decrease(account, held.id, held.liquidity), desk.burn(account, held.id)]
        if kind == "leave":
            return left
        return [*left, *self._provide(account, 3 * ticket(self.rng, TICKET))]

    def _provide(self, account: str, dollars: float) -> Plan:
        pool = self.rng.choice(self._pools)
        (root,) = read_sqrt_prices(self.chain, [pool])
        ticks = self._range(pool, pool.tick_of(self.desk.purse.prices))
        if self.rng.random() < DIRECT:
            return self.desk.mint_directly(account, pool, root, ticks, dollars)
        return self.desk.mint(account, pool, root, ticks, dollars)

    def _range(self, pool: Pool, tick: int) -> tuple[int, int]:
        """The whole range, a wide or a narrow one, one side, or across the edge of a word."""
        kinds = ("whole", "wide", "narrow", "below", "above", "edge")
        kind = self.rng.choices(kinds, (2, 4, 4, 1, 1, 1))[0]
        spacing = pool.spacing
        if kind == "whole":
            return -pool.highest, pool.highest
        if kind == "edge":
            word = TICKS_PER_WORD * spacing
            edge = round(tick / word) * word
            return edge - self.rng.randint(0, 3) * spacing, edge + self.rng.randint(1, 3) * spacing
        around = pool.usable(tick)
        width = spacing * self.rng.randint(1, 8) + (
            pool.usable(self.rng.randint(1000, 8000)) if kind == "wide" else 0
        )
        if kind == "below":
            return around - 2 * width, around - width
        if kind == "above":
            return around + width, around + 2 * width
        return around - width, around + width

    def _trade(self, account: str) -> Plan:
        desk, purse = self.desk, self.desk.purse
        dollars = min(LARGEST_TICKET, ticket(self.rng, TICKET))
        if self.rng.random() < 0.1:
            pools = [self._pools[2], self._pools[self.rng.choice((0, 1))]]
            sold = "WBTC" if self.rng.random() < 0.5 else "WETH"
            if sold == "WETH":
                pools.reverse()
            amount = purse.units(sold, dollars)
            funded = purse.fund(account, sold, amount, desk.uniswap.router)
            return [*funded, desk.sell_through(account, pools, sold, amount)]
        pool, zero = self.rng.choice(self._pools), self.rng.random() < 0.5
        sold, bought = pool.symbols if zero else pool.symbols[::-1]
        if self.rng.random() < 0.2:
            funded = purse.fund(account, sold, purse.units(sold, dollars * 2), desk.uniswap.router)
            return [*funded, desk.buy(account, pool, zero, purse.units(bought, dollars))]
        amount = purse.units(sold, dollars)
        funded = purse.fund(account, sold, amount, desk.uniswap.router)
        return [*funded, desk.sell(account, pool, zero, amount)]

    def _arbitrage(self) -> list[Plan]:
        """Down to where the price with the fee is the feeds' one, wherever that is."""
        plans = []
        purse = self.desk.purse
        for pool, root in zip(self._pools, read_sqrt_prices(self.chain, self._pools), strict=True):
            target, fee = pool.sqrt_price_of(purse.prices), pool.fee / MILLION
            low, high = int(target * (1 - fee / 2)), int(target * (1 + fee / 2))
            if low <= root <= high:
                continue
            zero = root > high
            amount = purse.units(pool.symbols[0 if zero else 1], STOCK / 2)
            who = self.rng.choice(ARBITRAGEURS)
            plans.append([self.desk.sell(who, pool, zero, amount, high if zero else low)])
        return plans

    @property
    def _pools(self) -> list[Pool]:
        return list(self.desk.uniswap.pools.values())


def settle_uniswap_v3(
    chain: Chain,
    protocols: Protocols,
    purse: Purse,
    rng: random.Random,
    accounts: list[Account],
    pace: Pace,
) -> Life:
    """Give the arbitrageurs what they start with, and note what the market maker provided."""
    desk = Desk(protocols.uniswap_v3, purse)
    for held in read_tickets(chain, desk.uniswap, MAKER):
        desk.ranges[held.pool.label, desk.uniswap.positions, *held.ticks] = None
    symbols = sorted({symbol for pool in desk.uniswap.pools.values() for symbol in pool.symbols})
    chain.must(*equip(chain, purse, symbols, desk.uniswap.router))
    customs = UniswapV3Customs(chain, desk, pace.steps, rng)
    return Life(chain, pace, rng, accounts, customs)
