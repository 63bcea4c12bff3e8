"""Depositors of the vaults, what the allocator does with their money, and what is lost of it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..abi import MAX_UINT256, view_data, words
from ..accounts import Account
from ..chain import Chain, Tx
from ..life import Call, Life, Pace
from ..market import KEEPERS
from ..morpho.desk import Desk
from ..morpho.market import PARAMS, PERCENT, IsolatedMarket
from ..protocol import ADMIN, TREASURY
from ..protocols import Protocols
from ..purse import Plan, Purse
from ..tokens import WAD
from .market import ALLOCATOR, CREDIT, CURATOR, Vault, Vaults

DEPOSITORS, CREDITORS = 16, 5
SMALLEST, LARGEST, SEEDED = 20_000.0, 90_000.0, 120_000.0  # dollars of a deposit
FEE, FEE_DATE = 10 * PERCENT, 0.35
# (part of the timeline, part of what is lent in per cent by market: the last takes the rest)
REALLOCATIONS = ((0.1, (60, 30)), (0.3, (45, 30)), (0.55, (35, 30)), (0.9, (40, 30)))
DONATIONS = ((0.2, CREDIT, 1_500.0), (0.4, CREDIT, 2_500.0), (0.66, CREDIT, 900.0))
LOSS_DATE, LOST = 0.7, (65, 100)
REALLOCATE = f"reallocate(({PARAMS},uint256)[])"
ASKED = ("totalAssets()", "totalSupply()")
ASKED_ALLOCATOR = (
    *("supplyQueueLength()", "withdrawQueueLength()", "fee()", "feeRecipient()"),
    *("lastTotalAssets()", "curator()", "timelock()", "DECIMALS_OFFSET()", "MORPHO()"),
)
ASKED_ABOUT = 64  # accounts, of everybody's shares
OUT = 0.35  # the part of what depositors do that is to leave again


@dataclass(frozen=True)
class VaultCustoms:
    """Customs of the vaults; yWETH has its own earnings, which come with the prices."""

    chain: Chain
    vaults: Vaults
    desk: Desk
    rng: random.Random
    steps: int
    creditors: set[str]
    """Those who bring their money to the credit vault, not to the allocator."""
    holders: list[str]
    loses: bool
    """Whether a part of the credit is lost."""

    def reforms(self, step: int) -> Sequence[Tx]:
        """What owner and curator do, and gifts."""
        return list(self._due(step))

    def _due(self, step: int) -> Iterator[Tx]:
        allocator, credit = self._vault(ALLOCATOR), self._vault(CREDIT)
        if step == 0:
            accept = f"acceptCap({PARAMS})"
            yield from (Tx(CURATOR, allocator.address, accept, (one.params,)) for one in self._lent)
            queue = [bytes.fromhex(one.id[2:]) for one in self._lent]
            yield Tx(CURATOR, allocator.address, "setSupplyQueue(bytes32[])", (queue,))
            yield Tx(ADMIN, allocator.address, "setFeeRecipient(address)", (TREASURY,))
            # A gift to a vault that nobody has shares of would make its rate absurd.
            seeded = self.desk.purse.units(credit.asset_symbol, SEEDED)
            yield from self.desk.purse.fund(ADMIN, credit.asset_symbol, seeded, credit.address)
            yield Tx(ADMIN, credit.address, "deposit(uint256,address)", (seeded, ADMIN))
        if step == self._date(FEE_DATE):
            yield Tx(ADMIN, allocator.address, "setFee(uint256)", (FEE,))
        for date, parts in REALLOCATIONS:
            if step == self._date(date):
                yield self._reallocate(allocator, parts)
        for date, symbol, dollars in DONATIONS:
            if step == self._date(date):
                vault = self._vault(symbol)
                amount = self.desk.purse.units(vault.asset_symbol, dollars)
                yield from self.desk.purse.tokens.grant(vault.asset_symbol, ADMIN, amount)
                yield Tx(ADMIN, vault.asset, "transfer(address,uint256)", (vault.address, amount))
        if self.loses and step == self._date(LOSS_DATE):
            lost = self._assets(credit) * LOST[0] // LOST[1]
            yield Tx(ADMIN, credit.address, "lose(uint256,address)", (lost, TREASURY))

    def _reallocate(self, allocator: Vault, parts: tuple[int, ...]) -> Tx:
        """Those that shrink come first: what they give back is lent by those after them."""
        whole = self._assets(allocator)
        wanted = [whole * part // 100 for part in parts]
        wanted.append(whole - sum(wanted))
        lent = [self._lent_to(allocator, one) for one in self._lent]
        order = sorted(range(len(lent)), key=lambda place: wanted[place] - lent[place])
        allocations = [(self._lent[place].params, wanted[place]) for place in order]
        allocations[-1] = (allocations[-1][0], MAX_UINT256)
        return Tx(CURATOR, allocator.address, REALLOCATE, (allocations,))

    def liquidate(self, accounts: list[str]) -> None:
        """Nobody owes anything here."""

    def join(self, account: Account) -> Plan:
        """A deposit."""
        symbol = CREDIT if account.address in self.creditors else ALLOCATOR
        return self._deposit(account.address, self._vault(symbol))

    def act(self, accounts: list[str]) -> Sequence[Plan]:
        """More of the same, or a part of it back."""
        return [self._act(who) for who in accounts]

    def _act(self, who: str) -> Plan:
        vault = self._vault(CREDIT if who in self.creditors else ALLOCATOR)
        if self.rng.random() > OUT:
            return self._deposit(who, vault)
        held = words(self.chain.call(vault.address, "balanceOf(address)", who))[0]
        shares = held * self.rng.randint(5, 60) // 100
        if not shares:
            return []
        return [Tx(who, vault.address, "redeem(uint256,address,address)", (shares, who, who))]

    def _deposit(self, who: str, vault: Vault) -> Plan:
        purse, symbol = self.desk.purse, vault.asset_symbol
        amount = purse.units(symbol, self.rng.uniform(SMALLEST, LARGEST))
        order = Tx(who, vault.address, "deposit(uint256,address)", (amount, who))
        return [*purse.fund(who, symbol, amount, vault.address), order]

    def worthwhile(self, txs: list[Tx]) -> list[Tx]:
        """See `Customs`."""
        return [tx for tx, ok in zip(txs, self.chain.would_succeed(txs), strict=True) if ok]

    def questions(self) -> Sequence[Call]:
        """Totals, the rate, and who holds shares; of the allocator also how it is set up."""
        calls: list[Call] = []
        others = (self.desk.morpho.address, ADMIN, TREASURY, CURATOR, *KEEPERS)
        for vault in self.vaults.by_symbol.values():
            views = [view_data(view) for view in ASKED]
            views.append(view_data("convertToAssets(uint256)", WAD))
            views += [view_data("balanceOf(address)", one) for one in (*self.holders, *others)]
            calls += [(vault.address, view) for view in views]
        return [*calls, *self._of_allocator(self._vault(ALLOCATOR))]

    def _of_allocator(self, vault: Vault) -> Iterator[Call]:
        for view in ASKED_ALLOCATOR:
            yield vault.address, view_data(view)
        for place, market in enumerate(self._lent):
            raw = bytes.fromhex(market.id[2:])
            yield vault.address, view_data("supplyQueue(uint256)", place)
            yield vault.address, view_data("withdrawQueue(uint256)", place)
            yield vault.address, view_data("config(bytes32)", raw)
            asked = view_data("position(bytes32,address)", raw, vault.address)
            yield self.desk.morpho.address, asked

    def trials(self) -> Sequence[Tx]:
        """None: every vault has a view."""
        return ()

    @property
    def _lent(self) -> list[IsolatedMarket]:
        """The markets of the allocator, in the order of its queue."""
        known = {market.id: market for market in self.desk.morpho.markets}
        return [known[one] for one in self._vault(ALLOCATOR).markets]

    def _lent_to(self, allocator: Vault, market: IsolatedMarket) -> int:
        """By the last booking, which is near enough to tell who shrinks."""
        raw, morpho = bytes.fromhex(market.id[2:]), self.desk.morpho.address
        held = self.chain.call(morpho, "position(bytes32,address)", raw, allocator.address)
        assets, shares = words(self.chain.call(morpho, "market(bytes32)", raw))[:2]
        return words(held)[0] * assets // max(1, shares)

    def _assets(self, vault: Vault) -> int:
        return words(self.chain.call(vault.address, "totalAssets()"))[0]

    def _vault(self, symbol: str) -> Vault:
        return self.vaults.by_symbol[symbol]

    def _date(self, date: float) -> int:
        return max(1, int(date * self.steps))


def settle_vaults(
    chain: Chain,
    protocols: Protocols,
    purse: Purse,
    rng: random.Random,
    accounts: list[Account],
    pace: Pace,
) -> Life:
    """A few of the accounts are depositors as well."""
    some = accounts[: DEPOSITORS + CREDITORS]
    creditors = {account.address for account in some[::4][:CREDITORS]}
    customs = VaultCustoms(
        chain=chain,
        vaults=protocols.vaults,
        desk=Desk(protocols.morpho, purse),
        rng=rng,
        steps=pace.steps,
        creditors=creditors,
        holders=[account.address for account in accounts[:ASKED_ABOUT]],
        loses=protocols.planted,
    )
    return Life(chain, Pace(pace.steps, 1), rng, some, customs)
