"""What Perp Curie itself answers: every number of ours with the view that decides on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from defirisk.core.adapter import Contract, Question, Snapshot, View
from defirisk.core.evm import Address
from defirisk.protocols.perps.perp_curie.account_value import Worth, present_prices, worth
from defirisk.protocols.perps.perp_curie.arithmetic import from_settlement
from defirisk.protocols.perps.perp_curie.liquidation import NO_RATIO, capacity_raw, refusal
from defirisk.protocols.perps.perp_curie.market_now import MarketNow
from defirisk.protocols.perps.perp_curie.perp_now import AccountNow, HeldNow, PerpNow, perp_now
from defirisk.protocols.perps.perp_curie.rows import OPEN, Order

INDEX_WINDOWS = (0, 600, 900, 1200)
REFUSALS = ("CH_CLWTISO", "CH_EAV", "CH_PSZ", "CH_MNO", NO_RATIO)
"""What a liquidator of no means is told before anybody looks at his own margin."""


def questions(snapshot: Snapshot) -> Iterator[Question]:
    """Every account, everything it has in a market, every market's prices, the insurance fund.

    What makers earned is known where it was read at this very block; elsewhere only what follows
    from logs is asked about.
    """
    now, ask = perp_now(snapshot), _Ask(snapshot)
    prices = present_prices(now)
    for account in now.accounts.values():
        yield from _balances(ask, account)
        value = worth(account, now, prices)
        for token, held in account.held.items():
            yield from _held(ask, account, token, held, now.markets[token])
            if value is not None:
                yield from _position(ask, account, token, held, value)
        if value is not None and account.exact:
            yield from _account(ask, account, value, now)
    for token, market in now.markets.items():
        yield from _market(ask, token, market)
    yield from _config(ask, now)
    yield from _collateral(ask, now)
    if now.wallet.read_block == snapshot.block.number:
        yield ask("insurance_fund", "getInsuranceFundCapacity", (), (capacity_raw(now),))


class _Ask:
    """Questions to the contracts of a deployment, by role."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._contracts: Mapping[str, Address] = snapshot.deployment.contracts

    def __call__(
        self,
        role: str,
        function: str,
        args: tuple[object, ...],
        ours: tuple[Any, ...] | None,
        *,
        fields: tuple[str, ...] = (),
        unit: str = "",
        grade: Literal["compared", "read"] = "compared",
        address: Address = "",
        refusal: bytes = b"",
    ) -> Question:
        contract = Contract(address=address or self._contracts[role], role=role, first_block=0)
        return Question(
            subject=" ".join(str(arg) for arg in args) or contract.address,
            unit=unit,
            view=View(contract, function, args),
            fields=fields or (function,),
            ours=ours,
            grade=grade,
            refusal=refusal,
        )


def _balances(ask: _Ask, account: AccountNow) -> Iterator[Question]:
    who = account.account
    yield ask("vault", "getBalance", (who,), (account.balance_raw,), unit=who)
    for token, amount in account.collateral.items():
        yield ask("vault", "getBalanceByToken", (who, token), (amount,), unit=who)


def _held(
    ask: _Ask, account: AccountNow, token: Address, held: HeldNow, market: MarketNow
) -> Iterator[Question]:
    """What follows from logs alone, of takers and makers.

    A maker whose orders are in balance settles a funding of 0, which leaves no log: until when it
    was settled is asked of takers only, and what a maker owes is read.
    """
    key, who = (account.account, token), account.account
    stored = {
        "takerPositionSize": held.held.taker_position_size,
        "takerOpenNotional": held.held.taker_open_notional,
    }
    if market.market.growth_known and not held.orders:
        growth = held.held.last_tw_premium_growth_global_x96
        stored["lastTwPremiumGrowthGlobalX96"] = growth
    yield ask(
        *("account_balance", "getAccountInfo", key, tuple(stored.values())),
        fields=tuple(stored),
        unit=who,
    )
    for function, ours in (("getBase", held.base_balance), ("getQuote", held.quote_balance)):
        yield ask("account_balance", function, key, (ours,), unit=who)
    for order in held.orders:
        yield _order(ask, order)


def _order(ask: _Ask, order: Order) -> Question:
    ticks = (order.lower_tick, order.upper_tick)
    return ask(
        *("order_book", "getOpenOrder", (order.account, order.base_token, *ticks)),
        (order.liquidity, *ticks),
        fields=("liquidity", "lowerTick", "upperTick"),
        unit=order.account,
    )


def _position(
    ask: _Ask, account: AccountNow, token: Address, held: HeldNow, value: Worth
) -> Iterator[Question]:
    key, who, one = (account.account, token), account.account, value.positions[token]
    for function, ours in (
        ("getTotalPositionSize", one.size),
        ("getTotalPositionValue", one.value),
        ("getTotalOpenNotional", one.open_notional),
    ):
        yield ask("account_balance", function, key, (ours,), unit=who)
    if not held.exact:
        return
    grade: Literal["compared", "read"] = "read" if held.orders else "compared"
    yield ask(
        *("exchange", "getPendingFundingPayment", key, (one.pending_funding,)),
        unit=who,
        grade=grade,
    )
    if held.orders:
        amounts = (one.quote_in_pool,)
        view = "getTotalTokenAmountInPoolAndPendingFee"
        yield ask("order_book", view, (*key, False), amounts, fields=("tokenAmount",), unit=who)


def _account(ask: _Ask, account: AccountNow, value: Worth, now: PerpNow) -> Iterator[Question]:
    who = account.account
    yield ask("vault", "getAccountValue", (who,), (value.account_value_raw,), unit=who)
    for ratio in (now.ratios.im_ratio, now.ratios.mm_ratio):
        free = value.free_collateral_raw(ratio)
        yield ask("vault", "getFreeCollateralByRatio", (who, ratio), (free,), unit=who)
    yield ask(
        *("account_balance", "getPnlAndPendingFee", (who,)),
        (value.owed_realized_pnl, value.unrealized_pnl, value.pending_fee),
        fields=("owedRealizedPnl", "unrealizedPnl", "pendingFee"),
        unit=who,
    )
    for function, ours in (
        ("getMarginRequirementForLiquidation", value.requirement),
        ("getTotalDebtValue", value.debt_value),
    ):
        yield ask("account_balance", function, (who,), (ours,), unit=who)
    worth_now = from_settlement(value.account_value_raw)
    for token in account.held:
        size = value.liquidatable_size(token, worth_now)
        yield ask(
            *("account_balance", "getLiquidatablePositionSize", (who, token, worth_now)),
            None if size is None else (size,),
            unit=who,
        )
        words = refusal(account, value, now, token)
        if words in REFUSALS:
            yield ask(
                *("clearing_house", "liquidate", (who, token, 0), (1,)),
                unit=who,
                refusal=words.encode(),
            )


def _market(ask: _Ask, token: Address, market: MarketNow) -> Iterator[Question]:
    pool = market.market.pool
    yield ask("pool", "slot0", (), (market.root,), fields=("sqrtPriceX96",), address=pool)
    yield ask("market_registry", "getPool", (token,), (pool,))
    if market.market.status != OPEN:
        said = (market.paused.paused_index_price,)
        yield ask("base_token", "getIndexPrice", (0,), said, address=token, grade="read")
        return
    if market.legs is not None:
        mark = market.legs.median
        yield ask("account_balance", "getMarkPrice", (token,), (mark,))
    if market.index is not None:
        for seconds in INDEX_WINDOWS:
            ours = (market.index.price(seconds),)
            yield ask("base_token", "getIndexPrice", (seconds,), ours, address=token)


def _config(ask: _Ask, now: PerpNow) -> Iterator[Question]:
    config, role = now.config, "clearing_house_config"
    yield ask(role, "getLiquidationPenaltyRatio", (), (config.liquidation_penalty_ratio,))
    yield ask(role, "getTwapInterval", (), (config.twap_interval,))
    yield ask(role, "getMaxFundingRate", (), (config.max_funding_rate,))
    yield ask(
        *(role, "getMarkPriceConfig", (), (config.market_twap_interval, config.premium_interval)),
        fields=("marketTwapInterval", "premiumInterval"),
    )
    yield ask(role, "getImRatio", (), (now.ratios.im_ratio,), grade="read")
    yield ask(role, "getMmRatio", (), (now.ratios.mm_ratio,), grade="read")


def _collateral(ask: _Ask, now: PerpNow) -> Iterator[Question]:
    for token, one in now.collateral.items():
        row = one.config
        yield ask(
            *("collateral_manager", "getCollateralConfig", (token,)),
            (row.price_feed, row.collateral_ratio, row.discount_ratio),
            fields=("priceFeed", "collateralRatio", "discountRatio"),
        )
