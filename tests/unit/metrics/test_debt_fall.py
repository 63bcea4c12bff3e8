"""Collateralised debt after falls of its collateral, by hand and by the protocol's own rules."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from defirisk.core.debt_position import DebtMarket, DebtPosition, DebtSystem
from defirisk.metrics.debt_fall import after_falls, distance_to_recovery, redemptions
from defirisk.protocols.cdp.liquity_v1.rows import ACTIVE, WAD, Trove
from defirisk.protocols.cdp.liquity_v1.troves import Rules, TroveNow

MARKET = DebtMarket(
    market="ETH",
    collateral="0x01",
    collateral_decimals=18,
    debt="0x02",
    debt_decimals=18,
    collateral_raw=0,
    debt_raw=0,
    price=Fraction(1),
    minimum_ratio=Fraction(11, 10),
    minimum_debt_raw=0,
    debt_ceiling_raw=None,
    stability_fee_apr=None,
    stability_deposits_raw=100,
    liquidation_penalty=Fraction(1, 10),
    total_ratio=None,
    critical_ratio=Fraction(3, 2),
    recovery_mode=None,
    redeemable=True,
)


def system(
    held: list[tuple[int, int]], deposits: int | None = 100
) -> tuple[DebtSystem, DebtMarket]:
    """Of positions (collateral, debt) at a price of 1."""
    coll, debt = (sum(one[k] for one in held) for k in (0, 1))
    market = replace(
        MARKET,
        collateral_raw=coll,
        debt_raw=debt,
        stability_deposits_raw=deposits,
        total_ratio=Fraction(coll, debt) if debt else None,
    )
    positions = tuple(
        DebtPosition(
            unit=str(n),
            owner=str(n),
            market="ETH",
            collateral_raw=coll,
            debt_raw=debt,
            ratio=Fraction(coll, debt) if debt else None,
            liquidatable=None,
        )
        for n, (coll, debt) in enumerate(held)
    )
    return DebtSystem(positions=positions, markets=(market,), bad_debt_raw=0), market


def test_recovery_mode_begins_where_everything_is_at_the_critical_ratio() -> None:
    made, market = system([(1500, 800), (500, 200)])  # 200 %
    away = distance_to_recovery(market)
    assert away == Fraction(1, 4)
    before, after = after_falls(made, market, [away, away + Fraction(1, 100)])
    assert (before.recovery_mode, after.recovery_mode) == (False, True)
    assert before.total_ratio == Fraction(3, 2)
    calm = replace(market, critical_ratio=None)
    assert distance_to_recovery(calm) is None
    _, low = system([(1200, 1000)])
    assert distance_to_recovery(low) == Fraction(-1, 4)  # 120 %: the price has to rise by a quarter


def test_deposits_absorb_what_they_can_and_what_is_short_is_counted() -> None:
    made, market = system([(880, 800), (230, 100), (300, 100)])
    (now, fallen) = after_falls(made, market, [Fraction(0), Fraction(1, 2)])
    # 110 % is not below the minimum, and the system's 141 % is: but only small debts are absorbed.
    assert (now.recovery_mode, now.positions) == (True, 0)
    assert (fallen.positions, fallen.debt_raw, fallen.absorbed_raw) == (1, 800, 100)
    assert fallen.uncovered_raw == 800 - 440


def test_maker_has_no_such_mode_and_the_last_urn_falls_too() -> None:
    made, market = system([(150, 100)], deposits=None)
    plain = replace(market, critical_ratio=None, stability_deposits_raw=None)
    (fallen,) = after_falls(made, plain, [Fraction(1, 2)])
    assert (fallen.positions, fallen.absorbed_raw, fallen.recovery_mode) == (1, None, None)
    assert after_falls(made, market, [Fraction(1, 2)])[0].positions == 0


@given(
    st.lists(st.tuples(st.integers(1, 400), st.integers(1, 200)), min_size=2, max_size=8),
    st.integers(0, 99),
    st.integers(0, 150),
)
def test_the_same_troves_fall_as_by_the_contracts_integers(
    held: list[tuple[int, int]], percent: int, deposits: int
) -> None:
    """`Rules` is what the running contracts were compared with."""
    made, market = system([(c * WAD, d * WAD) for c, d in held], deposits * WAD)
    (found,) = after_falls(made, market, [Fraction(percent, 100)])
    price = WAD * (100 - percent) // 100
    coll, debt = (sum(one[k] for one in held) for k in (0, 1))
    rules = Rules(
        mcr_wad=11 * WAD // 10,
        ccr_wad=15 * WAD // 10,
        deposits_raw=deposits * WAD,
        tcr_wad=coll * price // debt,
        troves=len(held),
        price_wad=price,
    )
    due = [
        d
        for c, d in held
        if rules.can_be_liquidated(
            TroveNow(
                stored=Trove(borrower="0x", status=ACTIVE, coll_raw=c * WAD, debt_raw=d * WAD),
                pending_debt_raw=0,
                pending_coll_raw=0,
            )
        )
    ]
    if any(_at_an_edge(c, d, percent, coll, debt) for c, d in held):
        return  # the contract rounds down there
    assert (found.positions, found.debt_raw) == (len(due), sum(due) * WAD)
    assert found.recovery_mode == rules.recovery


def _at_an_edge(coll: int, debt: int, percent: int, all_coll: int, all_debt: int) -> bool:
    left = Fraction(100 - percent, 100)
    ratio, total = Fraction(coll, debt) * left, Fraction(all_coll, all_debt) * left
    return ratio in (1, MARKET.minimum_ratio, total) or total == MARKET.critical_ratio


def test_redemptions_begin_at_the_least_ratio_that_is_not_below_the_minimum() -> None:
    made, market = system([(300, 100), (100, 100), (120, 100), (500, 250)])
    found = redemptions(made, market)
    assert [(one.position.unit, one.before_raw) for one in found] == [
        ("2", 0),
        ("3", 100),
        ("0", 350),
    ]
    assert redemptions(made, replace(market, redeemable=False)) == ()
    low, poor = system([(100, 100), (120, 110)])
    assert redemptions(low, poor) == ()
