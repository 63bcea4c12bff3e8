"""How Compound v2 liquidates and accrues.

Source: `Comptroller.liquidateBorrowAllowed`, `CToken.liquidateBorrowFresh`, `seizeInternal` and
`accrueInterest` of npm @thenextblock/hardhat-compound 0.0.14.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from defirisk.core.adapter import Snapshot
from defirisk.core.holdings import Holdings
from defirisk.core.liquidation import (
    NO_RULE,
    BadDebt,
    Interest,
    Liquidation,
    Mechanism,
    Model,
    Pocket,
    Rule,
)
from defirisk.protocols.lending.compound_v2.market_now import CTokenNow, MarketNow, market_now
from defirisk.protocols.lending.compound_v2.rows import (
    MANTISSA,
    Implementation,
    InterestRateModel,
)

PROTOCOL_SEIZE_SHARE = Fraction(28, 1_000)
"""`protocolSeizeShareMantissa`: a constant of the code that has it. Older code keeps nothing."""


def liquidation(snapshot: Snapshot, exact: Holdings) -> Liquidation:
    """One rule for all accounts, and one pocket to a cToken."""
    market = market_now(snapshot)
    rule = Rule(
        mechanism=Mechanism.CLOSE_FACTOR,
        close_factor=Fraction(market.comptroller.close_factor_mantissa, MANTISSA),
        bad_debt=BadDebt.STAYS,
        in_shares=True,
    )
    place = NO_RULE if market.comptroller.seize_paused else 0
    return Liquidation(
        rules=(rule,),
        unit_rule=(place,) * len(exact.units),
        pockets=tuple(_pockets(snapshot, market)),
    )


def _pockets(snapshot: Snapshot, market: MarketNow) -> Iterator[Pocket]:
    for at, (c_token, now) in enumerate(market.tokens.items()):
        token = now.token
        code = snapshot.rows.find(Implementation, c_token)
        yield Pocket(
            market=at,
            supply_quote=2 * at,
            debt_quote=2 * at + 1,
            cash_raw=token.cash_raw,
            supplied_raw=token.cash_raw + token.total_borrows_raw - token.total_reserves_raw,
            borrowed_raw=token.total_borrows_raw,
            reserves_raw=token.total_reserves_raw,
            fee=PROTOCOL_SEIZE_SHARE if code is not None and code.proven else Fraction(0),
            interest=_interest(snapshot, now),
        )


def _interest(snapshot: Snapshot, now: CTokenNow) -> Interest:
    """A model that never stated its parameters goes on at the rate that was read of it."""
    token = now.token
    borrow, supply = (Fraction(rate, MANTISSA) for rate in now.rates or (0, 0))
    model = snapshot.rows.find(InterestRateModel, token.interest_rate_model)
    base, slope1, slope2, kink = borrow, Fraction(0), Fraction(0), Fraction(1)
    if model is not None:
        base = Fraction(model.base_rate_per_block_mantissa, MANTISSA)
        slope1 = slope2 = Fraction(model.multiplier_per_block_mantissa, MANTISSA)
        if model.kind != "white paper":
            slope2 = Fraction(model.jump_multiplier_per_block_mantissa, MANTISSA)
            kink = Fraction(model.kink_mantissa, MANTISSA)
    return Interest(
        model=Model.KINKED_BLOCKS,
        borrow_rate=borrow,
        supply_rate=supply,
        base=base,
        slope1=slope1,
        slope2=slope2,
        kink=kink,
        reserve_factor=Fraction(token.reserve_factor_mantissa, MANTISSA),
        elapsed=snapshot.block.number - token.accrual_block_number,
    )
