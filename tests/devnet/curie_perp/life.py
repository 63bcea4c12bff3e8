"""Makers and takers of Perp Curie, and who serves them."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..abi import derived_address, view_data
from ..accounts import Account, Role
from ..chain import Chain, Tx
from ..life import Call, Life, Pace, neglect
from ..market import KEEPERS
from ..protocol import ADMIN
from ..purse import Plan, Purse
from .desk import Desk, Range, read_free, read_orders, read_price, read_sizes
from .keepers import ARBITRAGEURS, Keepers
from .market import SETTLEMENT, TICK_SPACING, WAD, Curie

MAKERS = {Role.ANCHOR, Role.SUPPLIER, Role.STABLE_LOOPER}
WIDE, ANCHORED = 30_000, 30_000_000.0
"""Ticks to either side of an anchor's range (a factor of 20), and its dollars in each market."""
BRIEF_PART = 0.2
"""Of all fortunes, where others live on the chain, too."""
NEGLECTED_ONE_IN = 8
MOST = 60_000.0
RUSH_FROM, RUSH, RUSH_AT_ONCE = 0.82, 26, 2
"""Late in the story others come, most of them with little and on credit."""
DONATION = (0.83, 400_000 * 10**6)
REFORMS = (
    (0.25, "clearing_house_config", "setMarkPriceMarketTwapInterval(uint32)", (1_200,)),
    (0.40, "clearing_house_config", "setMarkPricePremiumInterval(uint32)", (600,)),
    (0.55, "clearing_house_config", "setMaxFundingRate(uint24)", (50_000,)),
    (0.60, "clearing_house_config", "setTwapInterval(uint32)", (1_200,)),
    (0.65, "clearing_house_config", "setMarkPricePremiumInterval(uint32)", (900,)),
    (0.70, "clearing_house_config", "setLiquidationPenaltyRatio(uint24)", (20_000,)),
)


@dataclass
class CurieCustoms:
    """Customs of Perp Curie; `waiting` are those who come late, `arriving` who comes now."""

    chain: Chain
    desk: Desk
    steps: int
    rng: random.Random
    addresses: list[str]
    keepers: Keepers
    waiting: list[str]
    arriving: list[str] = field(default_factory=list)
    staying: set[str] = field(default_factory=set)
    """They provide, and do nothing else: a single anchor that leaves takes the market along."""

    def reforms(self, step: int) -> Sequence[Tx]:
        """Parameters change, and late in the story somebody fills the insurance fund."""
        txs = [
            Tx(ADMIN, self.desk.curie[role], setter, values)
            for date, role, setter, values in REFORMS
            if step == int(date * self.steps)
        ]
        if step >= int(RUSH_FROM * self.steps):
            self.arriving, self.waiting = (
                self.waiting[:RUSH_AT_ONCE],
                self.waiting[RUSH_AT_ONCE:],
            )
        if step == int(0.5 * self.steps):
            ratio = (self.desk.purse.token("WETH"), 650_000)
            manager = self.desk.curie["collateral_manager"]
            txs.append(Tx(ADMIN, manager, "setCollateralRatio(address,uint24)", ratio))
        date, amount = DONATION
        if step == int(date * self.steps):
            fund = self.desk.curie["insurance_fund"]
            txs += self.desk.purse.tokens.grant(SETTLEMENT, fund, amount)
        return txs

    def liquidate(self, accounts: list[str]) -> None:
        """See `Customs`."""
        self.keepers.work(accounts)

    def join(self, account: Account) -> Plan:
        """Makers deposit and provide, takers deposit and open one or two positions."""
        who, size = account.address, min(account.size, MOST)
        if account.role is Role.ANCHOR:
            return self._anchor(who)
        if account.role in MAKERS:
            symbols = self.rng.sample(list(self.desk.curie.bases), self.rng.choice((1, 2)))
            share = size * self.rng.uniform(1.0, 4.0) / len(symbols)
            orders = [self._order(who, symbol, share) for symbol in symbols]
            return [*self.desk.deposit(who, size), *orders]
        return self._take(who, size, account.appetite)

    def act(self, accounts: list[str]) -> Sequence[Plan]:
        """Arbitrageurs go first: while the liquidators are away, somebody moves the pools."""
        trades = [[tx] for tx in self.keepers.trades()]
        unwound = [[tx] for tx in self.keepers.unwind()]
        rush = [
            self._take(who, self.rng.uniform(1_000.0, 9_000.0), self.rng.uniform(0.2, 1.0))
            for who in self.arriving
        ]
        active = [who for who in accounts if who not in self.staying]
        return [*trades, *unwound, *rush, *(self._one(who) for who in active)]

    def worthwhile(self, txs: list[Tx]) -> list[Tx]:
        """See `Customs`."""
        return self.keepers.useful(txs)

    def questions(self) -> Sequence[Call]:
        """What the contracts say of every account, every market and every order."""
        curie = self.desk.curie
        everybody = [*self.addresses, *KEEPERS, *ARBITRAGEURS, curie["insurance_fund"]]
        calls = [call for who in everybody for call in account_questions(self.desk, who)]
        for base in curie.bases.values():
            calls.append((curie["account_balance"], view_data("getMarkPrice(address)", base.token)))
            calls += [
                (base.token, view_data("getIndexPrice(uint256)", seconds))
                for seconds in (0, 600, 900, 1200)
            ]
        return [*calls, *(self.desk.order_question(one) for one in self.desk.ranges)]

    def trials(self) -> Sequence[Tx]:
        """Whether a rich keeper could liquidate each account in each market."""
        return [
            self.desk.liquidate(KEEPERS[0], who, symbol)
            for who in self.addresses
            for symbol in self.desk.curie.bases
        ]

    def _anchor(self, who: str) -> Plan:
        dollars = ANCHORED * self.keepers.part
        plan = self.desk.deposit(who, dollars)
        for symbol in self.desk.curie.bases:
            plan.append(self._order(who, symbol, dollars, WIDE))
        return plan

    def _take(self, who: str, size: float, appetite: float) -> Plan:
        """Two to nine times the deposit; a few back it with WETH as well."""
        symbols = list(self.desk.curie.bases)
        chosen = self.rng.sample(symbols, self.rng.choice((1, 1, 2)))
        leverage = 2.0 + 6.8 * appetite
        long = self.rng.random() < 0.55
        plan = self.desk.deposit(who, size)
        if self.rng.random() < 0.25:
            plan += self.desk.deposit(who, size * 0.6, "WETH")
        for symbol in chosen:
            dollars = size * leverage / len(chosen)
            plan.append(self.desk.trade(who, symbol, dollars, long=long))
            long = long if self.rng.random() < 0.6 else not long
        return plan

    def _order(self, who: str, symbol: str, dollars: float, width: int = 0) -> Tx:
        """Liquidity around the price, or for a third of the makers to one side of it."""
        root, tick, _ = read_price(self.chain, self.desk, symbol)
        low = high = width or self.rng.choice((600, 1_800, 4_200))
        if not width and self.rng.random() < 0.3:
            low, high = (-120, high) if self.rng.random() < 0.5 else (low, -120)
        ticks = (_whole(tick - low), _whole(tick + high))
        quote = int(dollars / 2 * WAD)
        base = int(quote / (root / 2**96) ** 2)
        return self.desk.provide(who, symbol, ticks, base, quote)

    def _one(self, who: str) -> Plan:
        """Something that an account does; who was closed or liquidated comes back."""
        orders, sizes = (read(self.chain, self.desk, who) for read in (read_orders, read_sizes))
        if not orders and not sizes:
            return self._take(who, self.rng.uniform(2_000.0, 40_000.0), self.rng.random())
        kinds = ("trade", "close", "deposit", "withdraw", "provide", "remove", "fees", "token")
        for _ in range(4):
            kind = self.rng.choices(kinds, (6, 2, 1, 2, 1, 2, 1, 1))[0]
            plan = self._plan(who, kind)
            if plan:
                return plan
        return []

    def _plan(self, who: str, kind: str) -> Plan:
        symbol = self.rng.choice(list(self.desk.curie.bases))
        if kind == "deposit":
            return self.desk.deposit(who, self.rng.uniform(100.0, 8_000.0))
        if kind == "token":
            return self._token(who)
        if kind == "withdraw":
            free = read_free(self.chain, self.desk, who)
            part = self.rng.choice((0.2, 0.6, 1.0))
            return [self.desk.withdraw(who, int(free * part))] if free else []
        if kind in ("remove", "fees"):
            return self._remove(who, kind)
        dollars = read_free(self.chain, self.desk, who) / 10**6 * self.rng.uniform(0.5, 6.0)
        if kind == "close":
            sizes = read_sizes(self.chain, self.desk, who)
            return [self.desk.close(who, one) for one in sorted(sizes)[:1]]
        if dollars < 10.0:
            return []
        if kind == "provide":
            return [self._order(who, symbol, dollars / 2)]
        return [self.desk.trade(who, symbol, dollars, long=self.rng.random() < 0.5)]

    def _token(self, who: str) -> Plan:
        """WETH into the vault, or out of it."""
        free = read_free(self.chain, self.desk, who, "WETH")
        if free:
            return [self.desk.withdraw(who, free // self.rng.choice((1, 2)), "WETH")]
        return self.desk.deposit(who, self.rng.uniform(200.0, 5_000.0), "WETH")

    def _remove(self, who: str, kind: str) -> Plan:
        orders = read_orders(self.chain, self.desk, who)
        if not orders:
            return []
        one: Range = self.rng.choice(list(orders))
        part = 0.0 if kind == "fees" else self.rng.choice((0.35, 0.8, 1.0))
        liquidity = orders[one] if part == 1.0 else int(orders[one] * part)
        return [self.desk.remove(who, one[1], (one[2], one[3]), liquidity)]


def account_questions(desk: Desk, who: str) -> list[Call]:
    """Every referee of an account."""
    curie = desk.curie
    vault, balance = curie["vault"], curie["account_balance"]
    calls = [
        (vault, view_data("getAccountValue(address)", who)),
        (vault, view_data("getBalance(address)", who)),
        (vault, view_data("getBalanceByToken(address,address)", who, desk.purse.token("WETH"))),
        *(
            (vault, view_data("getFreeCollateralByRatio(address,uint24)", who, ratio))
            for ratio in (100_000, 62_500)
        ),
        *(
            (balance, view_data(f"{name}(address)", who))
            for name in (
                "getMarginRequirementForLiquidation",
                "getPnlAndPendingFee",
                "getTotalDebtValue",
            )
        ),
    ]
    for base in curie.bases.values():
        calls += [
            (balance, view_data(f"{name}(address,address)", who, base.token))
            for name in (
                *("getTotalPositionSize", "getTotalPositionValue", "getTotalOpenNotional"),
                *("getAccountInfo", "getBase", "getQuote"),
            )
        ]
        pending = "getPendingFundingPayment(address,address)"
        calls.append((curie["exchange"], view_data(pending, who, base.token)))
    return calls


def settle(
    chain: Chain,
    deployed: Curie,
    purse: Purse,
    rng: random.Random,
    accounts: list[Account],
    pace: Pace,
) -> Life:
    """Give keepers and arbitrageurs what they start with."""
    desk = Desk(deployed, purse, {})
    addresses = [account.address for account in accounts]
    rush = 0 if pace.brief else RUSH
    late = [derived_address(f"{addresses[0]} late {number}") for number in range(rush)]
    chain.fund(late)
    anchors = {account.address for account in accounts if account.role is Role.ANCHOR}
    neglected = anchors | neglect(rng, addresses, NEGLECTED_ONE_IN)
    keepers = Keepers(chain, desk, rng, neglected, BRIEF_PART if pace.brief else 1.0)
    chain.must(*keepers.equip())
    customs = CurieCustoms(chain, desk, pace.steps, rng, [*addresses, *late], keepers, late)
    if pace.brief:
        customs.staying |= anchors
    return Life(chain, pace, rng, accounts, customs)


def _whole(tick: int) -> int:
    return math.floor(tick / TICK_SPACING) * TICK_SPACING
