"""The PoolConfigurator's rules; that it does refuse is tested on the local chain."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.core.errors import UsageError
from defirisk.governance.aave_v3.rules import changed, terms
from defirisk.governance.request import Wanted
from defirisk.protocols.lending.aave_v3.generation import V3_0, V3_6, Generation
from defirisk.protocols.lending.aave_v3.rows import Reserve

WETH = Reserve(
    asset="0xaa",
    ltv_bps=8050,
    liquidation_threshold_bps=8300,
    liquidation_bonus_bps=10500,
    supply_cap=400,
    borrow_cap=300,
    scaled_supply_raw=1,
)


def after(reserve: Reserve = WETH, generation: Generation = V3_6, /, **wanted: int) -> Reserve:
    return changed(reserve, Wanted(asset="WETH", **wanted), generation, "WETH")


def test_what_is_not_named_stays() -> None:
    made = after(liquidation_bonus_bps=600)
    assert made == replace(WETH, liquidation_bonus_bps=10600)
    assert terms(made).liquidation_bonus_bps == 600


@pytest.mark.parametrize(
    ("wanted", "rule"),
    [
        ({"ltv_bps": 8301}, "ltv <= liquidationThreshold"),
        ({"liquidation_threshold_bps": 8049}, "ltv <= liquidationThreshold"),
        ({"ltv_bps": -1}, "below 0 %"),
        ({"liquidation_bonus_bps": 0}, "liquidationBonus > 100 %"),
        ({"liquidation_bonus_bps": -1}, "liquidationBonus > 100 %"),
        ({"liquidation_threshold_bps": 9525}, "percentMul"),
        ({"liquidation_bonus_bps": 2050}, "percentMul"),
        ({"liquidation_threshold_bps": 0, "ltv_bps": 0}, "nobody supplies it"),
        ({"supply_cap": 2**36}, "setSupplyCap"),
        ({"borrow_cap": 2**36}, "setBorrowCap"),
        ({"liquidation_threshold_bps": 8300}, "nothing would change"),
    ],
)
def test_a_rule_is_cited(wanted: dict[str, int], rule: str) -> None:
    with pytest.raises(UsageError, match=rule) as caught:
        after(**wanted)
    assert str(caught.value).startswith("WETH: ")
    assert "\n" not in str(caught.value)


@given(st.integers(0, 10_000), st.integers(1, 20_000))
def test_threshold_times_bonus_is_rounded_as_the_contract_rounds(lt: int, bonus: int) -> None:
    """`percentMul` rounds half up: 95.24 % times 105 % is 100.00 %."""
    fits = (lt * (10_000 + bonus) + 5_000) // 10_000 <= 10_000
    wanted = {"liquidation_threshold_bps": lt, "liquidation_bonus_bps": bonus, "ltv_bps": 0}
    if fits and lt:
        assert after(**wanted).liquidation_threshold_bps == lt
    else:
        with pytest.raises(UsageError):
            after(**wanted)


def test_what_is_said_to_be_the_most_is_accepted() -> None:
    with pytest.raises(UsageError, match="at most") as caught:
        after(liquidation_threshold_bps=9900)
    most = str(caught.value).rpartition("at most ")[2].removesuffix(" %")
    assert after(liquidation_threshold_bps=round(float(most) * 100))


def test_the_ltv_of_a_frozen_reserve_is_kept_pending() -> None:
    frozen = replace(WETH, frozen=True, ltv_bps=0, pending_ltv_bps=8050)
    made = after(frozen, ltv_bps=7900)
    assert (made.ltv_bps, made.pending_ltv_bps) == (0, 7900)
    made = after(frozen, liquidation_threshold_bps=8200)
    assert (made.ltv_bps, made.pending_ltv_bps) == (0, 8050)


def test_the_first_generation_keeps_nothing_pending() -> None:
    made = after(replace(WETH, frozen=True), V3_0, ltv_bps=7900)
    assert (made.ltv_bps, made.pending_ltv_bps) == (7900, 0)


def test_a_reserve_that_nobody_supplies_may_stop_being_collateral() -> None:
    empty = replace(WETH, scaled_supply_raw=0)
    with pytest.raises(UsageError, match="bonus=0%"):
        after(empty, liquidation_threshold_bps=0, ltv_bps=0)
    made = after(empty, liquidation_threshold_bps=0, ltv_bps=0, liquidation_bonus_bps=0)
    assert made.liquidation_bonus_bps == 0
