"""Perp Curie: what single logs do to the rows, in the order in which the contracts emit them."""

from __future__ import annotations

from typing import Any, cast

from defirisk.core.adapter import Contract, Log
from defirisk.core.row import R, Row, key_of
from defirisk.protocols.perps.perp_curie import ADAPTER
from defirisk.protocols.perps.perp_curie.rows import (
    ALL,
    Account,
    AccountMarket,
    Collateral,
    CollateralConfig,
    InsuranceLedger,
    Market,
    Order,
    PriceFeed,
    PriceObservation,
)
from tests.conformance.folding import CheckedState

WHO, BASE, USDC, WETH, FEED = ("0x" + digit * 40 for digit in "12345")
TICKS: dict[str, Any] = {"lowerTick": -60, "upperTick": 60}


class Chain:
    """Folds logs, each declared key by key; nothing else may be read or written."""

    def __init__(self, *rows: Any) -> None:
        self.rows = CheckedState()
        self.rows.rows = {(type(row), key_of(row)): row for row in rows}
        self.block, self.index = 7, 0

    def log(self, role: str, event: str, address: str = WHO, skip: int = 1, **args: Any) -> None:
        self.index += skip
        log = Log(
            block_number=self.block,
            timestamp=1_000 * self.block,
            log_index=self.index,
            contract=Contract(address=address, role=role, first_block=0),
            event=event,
            args=args,
        )
        self.rows.name(ADAPTER.touches(log))
        ADAPTER.fold(log, self.rows)

    def row(self, row_type: type[R], *key: Any) -> R:
        return cast(R, self.rows.rows[row_type, key])

    def put(self, row: Row) -> None:
        self.rows.rows[type(row), key_of(row)] = row

    def traded(self, size: int, notional: int) -> None:
        self.log(
            "clearing_house",
            "PositionChanged",
            trader=WHO,
            baseToken=BASE,
            exchangedPositionSize=size,
            openNotional=notional,
        )

    def provided(self, liquidity: int, base: int, quote: int, skip: int = 1) -> None:
        self.log(
            "clearing_house",
            "LiquidityChanged",
            skip=skip,
            maker=WHO,
            baseToken=BASE,
            base=base,
            quote=quote,
            liquidity=liquidity,
            **TICKS,
        )

    @property
    def held(self) -> AccountMarket:
        return self.row(AccountMarket, WHO, BASE)


def test_what_is_left_of_a_closed_position_is_forgotten_where_it_is_dust() -> None:
    chain = Chain(Market(base_token=BASE, tw_premium_x96=5))
    chain.traded(1_000, -2_000)
    assert chain.held.last_tw_premium_growth_global_x96 == 5
    chain.traded(-991, 0)

    assert chain.held.taker_position_size == 0
    assert chain.held.last_tw_premium_growth_global_x96 == 0


def test_ten_wei_are_no_dust() -> None:
    chain = Chain()
    chain.traded(1_000, -2_000)
    chain.traded(-990, 0)

    assert chain.held.taker_position_size == 10


def test_dust_stays_while_there_is_an_order_and_goes_with_it() -> None:
    """A removal states the position first, and right after it the liquidity."""
    chain = Chain()
    chain.provided(100, 50, 60)
    chain.traded(3, 0)
    assert chain.held.taker_position_size == 3
    chain.traded(2, 0)
    chain.provided(-100, -50, -60)

    assert chain.held.orders == 0
    assert chain.held.taker_position_size == 0


def test_cancelled_orders_state_the_liquidity_first() -> None:
    """Dust from before counts into the new position: nothing is forgotten in between."""
    chain = Chain()
    chain.provided(100, 50, 60)
    chain.traded(3, 0)
    chain.provided(-100, -50, -60, skip=3)  # the pool's Burn and Collect stand before it
    assert chain.held.taker_position_size == 3
    chain.traded(1_000, -900)

    assert chain.held.taker_position_size == 1_003


def test_debts_shrink_with_the_part_that_is_removed() -> None:
    chain = Chain()
    chain.provided(99, 1_000, 2_000)
    chain.provided(1, 1, 1)
    chain.provided(-30, -5, -5)
    order = chain.row(Order, WHO, BASE, -60, 60)

    assert (order.liquidity, chain.held.orders) == (70, 1)
    assert order.base_debt == 1_001 - 1_001 * 30 // 100
    assert order.quote_debt == 2_001 - 2_001 * 30 // 100
    chain.provided(0, 0, 0)
    assert chain.row(Order, WHO, BASE, -60, 60) == order


def test_a_withdrawal_pays_out_profits_and_settles_every_market() -> None:
    """Profits are rounded down to the token, losses too; the rest is gone."""
    chain = Chain(Market(base_token=BASE, tw_premium_x96=1))
    chain.log("vault", "Deposited", collateralToken=USDC, trader=WHO, amount=500)
    chain.traded(1_000, -2_000)
    chain.log("account_balance", "PnlRealized", trader=WHO, amount=-7 * 10**12 - 1)
    chain.put(Market(base_token=BASE, tw_premium_x96=9))
    chain.log("vault", "Withdrawn", collateralToken=USDC, trader=WHO, amount=100)
    account = chain.row(Account, WHO)

    assert account.balance_raw == 500 - 8 - 100
    assert account.owed_realized_pnl == 0
    assert chain.held.last_tw_premium_growth_global_x96 == 9


def test_other_collateral_pays_out_no_profits() -> None:
    chain = Chain(CollateralConfig(token=WETH, listed=True))
    chain.log("vault", "Deposited", collateralToken=WETH, trader=WHO, amount=500)
    chain.log("account_balance", "PnlRealized", trader=WHO, amount=10**12)
    chain.log("vault", "Withdrawn", collateralToken=WETH, trader=WHO, amount=100)

    assert chain.row(Collateral, WHO, WETH).balance_raw == 400
    assert chain.row(Account, WHO).owed_realized_pnl == 10**12
    assert chain.row(Account, WHO).balance_raw == 0


def test_bad_debt_is_taken_from_the_insurance_fund() -> None:
    chain = Chain(Account(account=WHO, balance_raw=-40))
    chain.log("vault", "BadDebtSettled", trader=WHO, amount=40)

    assert chain.row(Account, WHO).balance_raw == 0
    assert chain.row(InsuranceLedger, ALL).bad_debt_raw == 40


def test_collateral_that_is_liquidated_pays_debts_and_the_fund() -> None:
    chain = Chain(Collateral(account=WHO, token=WETH, balance_raw=100))
    chain.log(
        "vault",
        "CollateralLiquidated",
        trader=WHO,
        collateralToken=WETH,
        collateral=30,
        repaidSettlementWithoutInsuranceFundFeeX10_S=97,
        insuranceFundFeeX10_S=3,
    )

    assert chain.row(Collateral, WHO, WETH).balance_raw == 70
    assert chain.row(Account, WHO).balance_raw == 97
    assert chain.row(InsuranceLedger, ALL).fees_raw == 3


def test_an_index_remembers_changes_only() -> None:
    """The same price at a later time moves the time, not the ring; a frozen one does neither."""
    chain = Chain()
    for price, timestamp, frozen in ((5, 100, 0), (5, 130, 0), (7, 150, 0), (9, 160, 4)):
        chain.log(
            "price_feed",
            "ChainlinkPriceUpdated",
            FEED,
            price=price,
            timestamp=timestamp,
            freezedReason=frozen,
        )
    feed = chain.row(PriceFeed, FEED)

    assert (feed.observation_index, feed.last_valid_price) == (1, 7)
    assert (feed.last_valid_timestamp, feed.freezed_reason) == (150, 4)
    assert chain.row(PriceObservation, FEED, 0).timestamp == 100
    assert chain.row(PriceObservation, FEED, 1).price_cumulative == 5 * 50


def test_a_mean_that_no_tick_has_ends_what_is_known_of_funding() -> None:
    chain = Chain(Market(base_token=BASE, first_traded_timestamp=1, last_settled_timestamp=100))
    update: dict[str, Any] = {
        "baseToken": BASE,
        "marketTwap": 1234 * 10**18 + 1,
        "indexTwap": 10**18,
    }
    chain.log("exchange", "FundingUpdated", **update)

    market = chain.row(Market, BASE)
    assert not market.growth_known
    assert market.last_settled_timestamp == 7_000
