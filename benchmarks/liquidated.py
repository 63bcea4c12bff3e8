"""The synthetic book with what a cascade needs: rules, markets' cash, and a pool for each asset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from benchmarks import synthetic
from defirisk.core.book import Book, Floats
from defirisk.core.holdings import Side
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
from defirisk.core.scenario import Scenario
from defirisk.core.sources import Sources
from defirisk.core.venue import Venue
from defirisk.swaps.constant_product import ConstantProduct

DOLLARS = 5
DECIMALS = 18

RULES = (
    Rule(
        mechanism=Mechanism.HEALTH_CLOSE_FACTOR,
        close_factor=Fraction(1, 2),
        of_all_debts=True,
        full_close_health=Fraction(95, 100),
        full_close_below=Fraction(2000),
        leftover=Fraction(1000),
        bad_debt=BadDebt.DEFICIT,
        collateral_rounding=Rounding.DOWN,
        debt_rounding=Rounding.UP,
    ),
    Rule(
        mechanism=Mechanism.HEALTH_CLOSE_FACTOR,
        close_factor=Fraction(1, 2),
        full_close_health=Fraction(95, 100),
        bad_debt=BadDebt.STAYS,
        collateral_rounding=Rounding.NEAREST,
        debt_rounding=Rounding.NEAREST,
    ),
    Rule(
        mechanism=Mechanism.CLOSE_FACTOR,
        close_factor=Fraction(1, 2),
        bad_debt=BadDebt.STAYS,
    ),
)
"""As Aave v3.6, Aave v3.0 and Compound v2 have them; deployments take them in turn."""

FEES = (Fraction(1, 10), Fraction(1, 10), Fraction(28, 1000))


def book(
    units: int, depth: float, *, assets: int = 50, deployments: int = 10, seed: int = 1
) -> Book:
    """`synthetic.book` whose last five assets are dollars.

    Every asset trades against the first dollar in one constant-product pool, whose dollars are
    `depth` times what units pledge of the asset.
    """
    plain = synthetic.book(
        units, assets=assets, deployments=deployments, dollars=DOLLARS, seed=seed
    )
    made = replace(
        plain,
        sources=Sources(venues={venue.address: venue for venue in _venues(plain, depth)}),
        liquidation=_liquidation(plain),
    )
    edge = plain.edge
    assert isinstance(edge, synthetic.ExactEdge)
    edge.book = made
    return made


def scenarios(made: Book, count: int) -> list[Scenario]:
    """`synthetic.scenarios` over its assets, half as severe."""
    return synthetic.scenarios(made, count, dollars=DOLLARS, severity=0.5)


def _venues(made: Book, depth: float) -> Iterator[Venue]:
    prices, pledged = made.asset_price, _held(made, Side.COLLATERAL)
    dollar = len(made.assets) - DOLLARS
    for a, asset in enumerate(made.assets):
        if a == dollar:
            continue
        worth = depth * max(pledged[made.quote_asset == a].sum(), 1e4)
        reserves = [int(worth / float(prices[one]) * 10**DECIMALS) for one in (a, dollar)]
        yield Venue(
            address=f"0x{a + 1:040x}",
            deployment="pools",
            label=f"{asset.symbol}/{made.assets[dollar].symbol}",
            kind="constant-product",
            tokens=(asset.address, made.assets[dollar].address),
            decimals=(DECIMALS, DECIMALS),
            pool=ConstantProduct((reserves[0], reserves[1])),
        )


def _liquidation(made: Book) -> Liquidation:
    """Markets hold twice what is borrowed in cash, and what is supplied is that and the debt."""
    rules = made.unit_deployment % len(RULES)
    scale = made.quote_rate / made.quote_price * 10**DECIMALS
    pledged = _held(made, Side.COLLATERAL) * scale
    owed = _held(made, Side.DEBT) * scale
    pockets = []
    for supply in range(0, len(made.quote_asset), 2):
        lent = int(pledged[supply]) + int(owed[supply + 1])
        pockets.append(
            Pocket(
                market=supply // 2,
                supply_quote=supply,
                debt_quote=supply + 1,
                cash_raw=2 * lent,
                supplied_raw=3 * lent,
                borrowed_raw=lent,
                interest=Interest(
                    model=Model.KINKED_EXPONENTIAL,
                    borrow_rate=Fraction(2, 100),
                    supply_rate=Fraction(1, 100),
                    base=Fraction(1, 100),
                    slope1=Fraction(4, 100),
                    slope2=Fraction(60, 100),
                    kink=Fraction(9, 10),
                    reserve_factor=Fraction(1, 10),
                ),
                fee=FEES[int(made.quote_deployment[supply]) % len(FEES)],
            )
        )
    return Liquidation(
        rules=RULES, unit_rule=tuple(int(rule) for rule in rules), pockets=tuple(pockets)
    )


def _held(made: Book, side: Side) -> Floats:
    """USD by quote, shape (Q,)."""
    mine = made.holding_side == side
    held = np.bincount(
        made.holding_quote[mine], made.holding_amount[mine], minlength=len(made.quote_asset)
    )
    return np.asarray(held * made.quote_price, dtype=np.float64)
