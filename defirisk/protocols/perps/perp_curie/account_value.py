"""What an account is worth and what is asked of it, in the contracts' integers.

Source: Vault, AccountBalance and OrderBook of npm @perp/curie-contract 2.8.4. Everything is 1e18
unless a name ends in `_raw`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from defirisk.core.evm import Address
from defirisk.protocols.perps.perp_curie.arithmetic import (
    from_settlement,
    of_ratio,
    to_settlement,
    value_at,
)
from defirisk.protocols.perps.perp_curie.funding import payment
from defirisk.protocols.perps.perp_curie.index_now import DISPATCHED_DECIMALS
from defirisk.protocols.perps.perp_curie.market_now import MarketNow
from defirisk.protocols.perps.perp_curie.perp_now import AccountNow, HeldNow, PerpNow
from defirisk.protocols.perps.perp_curie.rows import DUST, RATIO, WAD, Order
from defirisk.swaps.swap_math import amount0_delta, amount1_delta
from defirisk.swaps.tick_math import sqrt_ratio_at_tick

COLLATERAL_WINDOW = 900
"""Seconds over which collateral beside the settlement token is priced."""
SMALL_POSITION = 100 * WAD
"""Positions worth no more are liquidated whole."""
MOST_UINT24 = 2**24 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What everything counts at: marks and square-root prices of pools by base token, prices of
    collateral by token.
    """

    marks: Mapping[Address, int]
    roots: Mapping[Address, int]
    collateral: Mapping[Address, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """An account in one market, orders included. Funding above 0 is owed by the account."""

    size: int
    value: int
    open_notional: int
    base_balance: int
    quote_balance: int
    quote_in_pool: int
    pending_fee: int
    pending_funding: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """An account over all its markets."""

    positions: Mapping[Address, Position]
    settlement: int
    other_collateral: int
    owed_realized_pnl: int
    unrealized_pnl: int
    pending_fee: int
    debt_value: int
    mm_ratio: int

    @property
    def collateral(self) -> int:
        """The total collateral value: settlement balance, profits, funding, and other tokens."""
        return self.settlement + self.other_collateral

    @property
    def account_value(self) -> int:
        """Before it is rounded down to the settlement token's decimals."""
        return self.collateral + self.unrealized_pnl

    @property
    def account_value_raw(self) -> int:
        """Vault.getAccountValue."""
        return to_settlement(self.account_value)

    @property
    def total_abs_value(self) -> int:
        """AccountBalance.getTotalAbsPositionValue."""
        return sum(abs(one.value) for one in self.positions.values())

    @property
    def requirement(self) -> int:
        """AccountBalance.getMarginRequirementForLiquidation."""
        return of_ratio(self.total_abs_value, self.mm_ratio)

    @property
    def liquidatable(self) -> bool:
        """ClearingHouse._isLiquidatable."""
        return from_settlement(self.account_value_raw) < self.requirement

    def free_collateral_raw(self, ratio: int) -> int:
        """Vault.getFreeCollateralByRatio."""
        backing = min(self.collateral, self.account_value)
        return to_settlement(backing - of_ratio(self.debt_value, ratio))

    def liquidatable_size(self, base_token: Address, account_value: int) -> int | None:
        """AccountBalance.getLiquidatablePositionSize; None where it reverts.

        It does where one position is less than a 33rd of all: the ratio does not fit then.
        """
        one = self.positions.get(base_token)
        if one is None or one.size == 0 or account_value >= self.requirement:
            return 0
        if abs(one.value) <= SMALL_POSITION:
            return one.size
        part = RATIO
        if account_value >= self.requirement // 2:
            part = self.total_abs_value * RATIO // (2 * abs(one.value))
            if part > MOST_UINT24:
                return None
        return of_ratio(one.size, min(part, RATIO))


def in_pool(order: Order, root: int) -> tuple[int, int]:
    """Base and quote tokens of an order at a square-root price of the pool."""
    lower, upper = sqrt_ratio_at_tick(order.lower_tick), sqrt_ratio_at_tick(order.upper_tick)
    at = max(lower, min(upper, root))
    return (
        amount0_delta(at, upper, order.liquidity, up=False),
        amount1_delta(lower, at, order.liquidity, up=False),
    )


def position(held: HeldNow, now: MarketNow, mark: int, root: int) -> Position | None:
    """None where the market's funding is not known."""
    amounts = [in_pool(order, root) for order in held.orders]
    base, quote = sum(one[0] for one in amounts), sum(one[1] for one in amounts)
    size = base + held.base_balance
    size = 0 if abs(size) < DUST else size
    funding = _funding(held, now)
    if funding is None:
        return None
    return Position(
        size=size,
        value=value_at(size, mark),
        open_notional=quote + held.quote_balance,
        base_balance=held.base_balance,
        quote_balance=held.quote_balance,
        quote_in_pool=quote,
        pending_fee=held.read.pending_fee if held.read else 0,
        pending_funding=funding,
    )


def _funding(held: HeldNow, now: MarketNow) -> int | None:
    """Folded for who is only a taker; what orders owe depends on the path of every swap."""
    if held.orders and held.read is not None:
        return held.read.pending_funding
    if now.tw_premium_x96 is None:
        return None
    grown = now.tw_premium_x96 - held.held.last_tw_premium_growth_global_x96
    return payment(held.base_balance, grown)


def present_prices(now: PerpNow) -> Prices:
    """Those of the block; what has none is left out."""
    return Prices(
        marks={token: one.mark for token, one in now.markets.items() if one.mark is not None},
        roots={token: one.root for token, one in now.markets.items()},
        collateral={
            token: one.index.price(COLLATERAL_WINDOW)
            for token, one in now.collateral.items()
            if one.index is not None and one.decimals is not None
        },
    )


def worth(account: AccountNow, now: PerpNow, prices: Prices) -> Worth | None:
    """None where a price or a growth that the account depends on is not known."""
    if not (account.held.keys() <= prices.marks.keys() & now.markets.keys()):
        return None
    if not (account.collateral.keys() <= prices.collateral.keys()):
        return None
    positions: dict[Address, Position] = {}
    for token, held in account.held.items():
        one = position(held, now.markets[token], prices.marks[token], prices.roots[token])
        if one is None:
            return None
        positions[token] = one
    fee = sum(one.pending_fee for one in positions.values())
    funding = sum(one.pending_funding for one in positions.values())
    return Worth(
        positions=positions,
        settlement=from_settlement(account.balance_raw) + fee - funding + account.owed_realized_pnl,
        other_collateral=sum(
            collateral_value(now, token, amount, prices.collateral[token])
            for token, amount in account.collateral.items()
        ),
        owed_realized_pnl=account.owed_realized_pnl,
        unrealized_pnl=sum(one.value + one.open_notional for one in positions.values()),
        pending_fee=fee,
        debt_value=_debt_value((one, prices.marks[token]) for token, one in positions.items()),
        mm_ratio=now.ratios.mm_ratio,
    )


def collateral_value(now: PerpNow, token: Address, amount_raw: int, price: int) -> int:
    """Vault._getNonSettlementTokenValue of one token."""
    one = now.collateral[token]
    decimals = one.decimals or 0
    if decimals > DISPATCHED_DECIMALS:
        value = amount_raw * price // WAD // 10 ** (decimals - DISPATCHED_DECIMALS)
    else:
        value = amount_raw * 10 ** (DISPATCHED_DECIMALS - decimals) * price // WAD
    return of_ratio(value, one.config.collateral_ratio)


def _debt_value(positions: Iterable[tuple[Position, int]]) -> int:
    """AccountBalance.getTotalDebtValue: quote tokens net over all markets, base tokens each."""
    quote = base = 0
    for one, mark in positions:
        quote += one.quote_balance
        base += value_at(min(0, one.base_balance), mark)
    return abs(min(0, quote) + base)
