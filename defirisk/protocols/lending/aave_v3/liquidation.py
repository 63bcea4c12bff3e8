"""How Aave v3 liquidates and accrues.

Source: `LiquidationLogic`, `ReserveLogic` and the default interest rate strategies of
@aave/core-v3 1.19.3 (POOL_REVISION 1) and @aave-dao/aave-v3-origin 3.6.0 (POOL_REVISION 10).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from defirisk.core.adapter import Snapshot
from defirisk.core.holdings import Holdings
from defirisk.core.liquidation import (
    BadDebt,
    Interest,
    Liquidation,
    Mechanism,
    Model,
    Pocket,
    Rounding,
    Rule,
)
from defirisk.protocols.lending.aave_v3.accrual import exponential
from defirisk.protocols.lending.aave_v3.generation import Generation
from defirisk.protocols.lending.aave_v3.market_now import MarketNow, market_now
from defirisk.protocols.lending.aave_v3.rows import RAY, Reserve
from defirisk.protocols.lending.aave_v3.scaled_balance import DIRECTED

BPS = 10_000
DEFAULT_LIQUIDATION_CLOSE_FACTOR = Fraction(1, 2)
CLOSE_FACTOR_HF_THRESHOLD = Fraction(95, 100)
MIN_BASE_MAX_CLOSE_FACTOR_THRESHOLD = 2_000 * 10**8
MIN_LEFTOVER_BASE = MIN_BASE_MAX_CLOSE_FACTOR_THRESHOLD // 2
"""The last two are in the market's base currency, raw, since v3.3."""


def liquidation(snapshot: Snapshot, exact: Holdings) -> Liquidation:
    """One rule for all accounts, and one pocket to a reserve."""
    market = market_now(snapshot)
    return Liquidation(
        rules=(_rule(market.generation, market.base_currency_unit),),
        unit_rule=(0,) * len(exact.units),
        pockets=tuple(_pockets(market, snapshot.block.timestamp)),
    )


def _rule(generation: Generation, unit: int) -> Rule:
    """What came with the booking of bad debt: small positions, no dust, half of all debts."""
    directed = generation.balances is DIRECTED
    least, leftover = MIN_BASE_MAX_CLOSE_FACTOR_THRESHOLD, MIN_LEFTOVER_BASE
    return Rule(
        mechanism=Mechanism.HEALTH_CLOSE_FACTOR,
        close_factor=DEFAULT_LIQUIDATION_CLOSE_FACTOR,
        bad_debt=BadDebt.DEFICIT if generation.deficits else BadDebt.STAYS,
        full_close_health=CLOSE_FACTOR_HF_THRESHOLD,
        full_close_below=Fraction(least, unit) if generation.deficits else Fraction(0),
        leftover=Fraction(leftover, unit) if generation.deficits else Fraction(0),
        of_all_debts=generation.deficits,
        collateral_rounding=Rounding.DOWN if directed else Rounding.NEAREST,
        debt_rounding=Rounding.UP if directed else Rounding.NEAREST,
    )


def _pockets(market: MarketNow, now_ts: int) -> Iterator[Pocket]:
    balances = market.generation.balances
    for at, (asset, now) in enumerate(market.reserves.items()):
        reserve = now.reserve
        yield Pocket(
            market=at,
            supply_quote=2 * at,
            debt_quote=2 * at + 1,
            cash_raw=market.cash(asset),
            supplied_raw=balances.a_token(reserve.scaled_supply_raw, reserve.liquidity_index_ray),
            borrowed_raw=balances.variable_debt(
                reserve.scaled_variable_debt_raw, reserve.variable_borrow_index_ray
            ),
            deficit_raw=reserve.deficit_raw,
            fee=Fraction(reserve.liquidation_protocol_fee_bps, BPS),
            interest=_interest(reserve, market.generation, now_ts),
        )


def _interest(reserve: Reserve, generation: Generation, now_ts: int) -> Interest:
    """Before v3.1 a strategy's parameters are in its code only: what it said last goes on."""
    borrow_rate = Fraction(reserve.variable_borrow_rate_ray, RAY)
    kink = Fraction(reserve.optimal_usage_bps, BPS)
    known = 0 < kink < 1
    slope1, slope2 = Fraction(reserve.slope1_bps, BPS), Fraction(reserve.slope2_bps, BPS)
    compounds = generation.compounding is exponential
    return Interest(
        model=Model.KINKED_EXPONENTIAL if compounds else Model.KINKED_SECONDS,
        borrow_rate=borrow_rate,
        supply_rate=Fraction(reserve.liquidity_rate_ray, RAY),
        base=Fraction(reserve.base_rate_bps, BPS) if known else borrow_rate,
        slope1=slope1 / kink if known else Fraction(0),
        slope2=slope2 / (1 - kink) if known else Fraction(0),
        kink=kink if known else Fraction(1),
        reserve_factor=Fraction(reserve.reserve_factor_bps, BPS),
        elapsed=now_ts - reserve.last_update_ts,
    )
