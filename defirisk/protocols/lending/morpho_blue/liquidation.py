"""How Morpho Blue liquidates and accrues.

Source: `Morpho.liquidate` and `_accrueInterest` of @morpho-org/morpho-blue 1.0.0.
"""

from __future__ import annotations

from fractions import Fraction

from defirisk.core.adapter import Snapshot
from defirisk.core.evm import ZERO_ADDRESS
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
from defirisk.protocols.lending.morpho_blue.health import DEBT, QUOTES_PER_MARKET, SUPPLY
from defirisk.protocols.lending.morpho_blue.interest import SECONDS_PER_YEAR
from defirisk.protocols.lending.morpho_blue.market_now import MarketNow, markets_now
from defirisk.protocols.lending.morpho_blue.rows import Irm
from defirisk.protocols.lending.morpho_blue.shares import WAD

RULE = Rule(
    mechanism=Mechanism.WHOLE_POSITION,
    close_factor=Fraction(1),
    bad_debt=BadDebt.SOCIALISED,
    debt_rounding=Rounding.UP,
)


def liquidation(snapshot: Snapshot, exact: Holdings) -> Liquidation:
    """One rule for all, and one pocket to a market: that of its loan token."""
    pockets: list[Pocket] = []
    place = 0
    for at, now in enumerate(markets_now(snapshot)):
        pockets.append(_pocket(snapshot, at, place, now))
        # A market has a second state where its collateral is another token.
        place += 1 if now.market.collateral_token == now.market.loan_token else 2
    return Liquidation(rules=(RULE,), unit_rule=(0,) * len(exact.units), pockets=tuple(pockets))


def _pocket(snapshot: Snapshot, at: int, place: int, now: MarketNow) -> Pocket:
    stored = now.stored
    return Pocket(
        market=place,
        supply_quote=QUOTES_PER_MARKET * at + SUPPLY,
        debt_quote=QUOTES_PER_MARKET * at + DEBT,
        cash_raw=stored.total_supply_assets_raw - stored.total_borrow_assets_raw,
        supplied_raw=stored.total_supply_assets_raw,
        borrowed_raw=stored.total_borrow_assets_raw,
        shares_raw=stored.total_borrow_shares_raw,
        supply_shares_raw=stored.total_supply_shares_raw,
        interest=_interest(snapshot, now),
    )


def _interest(snapshot: Snapshot, now: MarketNow) -> Interest:
    """A model that is not proportional goes on at its last rate. Without one nothing accrues."""
    stored = now.stored
    rate = Fraction(now.rate.wad, WAD)
    irm = snapshot.rows.find(Irm, stored.irm)
    known = stored.irm != ZERO_ADDRESS and irm is not None and irm.proportional
    fee = Fraction(stored.fee_wad, WAD)
    supplied, borrowed = stored.total_supply_assets_raw, stored.total_borrow_assets_raw
    used = Fraction(borrowed, supplied) if supplied else Fraction(0)
    return Interest(
        model=Model.LINEAR,
        borrow_rate=rate,
        supply_rate=rate * used * (1 - fee),
        base=Fraction(0) if known else rate,
        slope1=Fraction(1, SECONDS_PER_YEAR) if known else Fraction(0),
        reserve_factor=fee,
        elapsed=snapshot.block.timestamp - stored.last_update_ts,
    )
