"""How Aave v3 liquidates and accrues.

Source: `LiquidationLogic`, `ReserveLogic` and the default interest rate strategies of
@aave/core-v3 1.19.3 (POOL_REVISION 1) and @aave-dao/aave-v3-origin 3.6.0 (POOL_REVISION 10).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

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
from defirisk.core.row import Rows
from defirisk.protocols.lending.aave_v3.accrual import exponential
from defirisk.protocols.lending.aave_v3.generation import Generation
from defirisk.protocols.lending.aave_v3.market_now import MarketNow, market_now
from defirisk.protocols.lending.aave_v3.rows import RAY, InterestRateStrategy, Reserve
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
        pockets=tuple(_pockets(market, snapshot)),
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
        value_grain=Fraction(1, unit),
        collateral_rounding=Rounding.DOWN if directed else Rounding.NEAREST,
        debt_rounding=Rounding.UP if directed else Rounding.NEAREST,
    )


def _pockets(market: MarketNow, snapshot: Snapshot) -> Iterator[Pocket]:
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
            interest=_interest(
                reserve,
                _curve(reserve, snapshot.rows),
                market.generation,
                snapshot.block.timestamp - reserve.last_update_ts,
            ),
        )


class _Curve(NamedTuple):
    """The parameters of a strategy: the slopes are what is added up to the kink, and from there."""

    kink: Fraction
    base: Fraction
    slope1: Fraction
    slope2: Fraction


def _curve(reserve: Reserve, rows: Rows) -> _Curve | None:
    """What the strategy states (v3.0) or was given (since v3.1); None where neither is known.

    Nor where the kink is at 0: such a strategy of v3.0 has one rate only, or fails.
    """
    own = rows.find(InterestRateStrategy, reserve.interest_rate_strategy)
    if own is not None:
        unit = RAY
        stated = (own.optimal_usage_ray, own.base_rate_ray, own.slope1_ray, own.slope2_ray)
    else:
        unit = BPS
        stated = (
            reserve.optimal_usage_bps,
            reserve.base_rate_bps,
            reserve.slope1_bps,
            reserve.slope2_bps,
        )
    if min(stated) < 0 or not 0 < stated[0] <= unit:
        return None
    return _Curve(*(Fraction(value, unit) for value in stated))


def _interest(
    reserve: Reserve, curve: _Curve | None, generation: Generation, elapsed: int
) -> Interest:
    """Where the curve is not known, the last rate goes on."""
    borrow_rate = Fraction(reserve.variable_borrow_rate_ray, RAY)
    curve = curve or _Curve(Fraction(1), borrow_rate, Fraction(0), Fraction(0))
    beyond = 1 - curve.kink
    compounds = generation.compounding is exponential
    return Interest(
        model=Model.KINKED_EXPONENTIAL if compounds else Model.KINKED_SECONDS,
        borrow_rate=borrow_rate,
        supply_rate=Fraction(reserve.liquidity_rate_ray, RAY),
        base=curve.base,
        slope1=curve.slope1 / curve.kink,
        slope2=curve.slope2 / beyond if beyond else Fraction(0),
        kink=curve.kink,
        reserve_factor=Fraction(reserve.reserve_factor_bps, BPS),
        elapsed=elapsed,
    )
