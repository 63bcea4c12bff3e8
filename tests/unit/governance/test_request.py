"""What is typed behind --set."""

from __future__ import annotations

import pytest

from defirisk.core.errors import UsageError
from defirisk.governance.request import pairs, parse


@pytest.mark.parametrize(
    ("text", "bps"),
    [("79%", 7900), ("79", 7900), ("0.79", 7900), ("79.25%", 7925), ("0.01%", 1), ("0", 0)],
)
def test_a_percentage_may_be_written_in_three_ways(text: str, bps: int) -> None:
    assert parse("WETH", f"lt={text}").liquidation_threshold_bps == bps


def test_everything_at_once() -> None:
    wanted = parse("WETH", " ltv=74%, lt = 79% ,bonus=5%,supply_cap=1_000_000,borrow_cap=0")
    assert (wanted.asset, wanted.ltv_bps, wanted.liquidation_threshold_bps) == ("WETH", 7400, 7900)
    assert (wanted.liquidation_bonus_bps, wanted.supply_cap, wanted.borrow_cap) == (500, 10**6, 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lt", "has no value"),
        ("lt=", "has no value"),
        ("lt=1", "either 1 % or 100 %"),
        ("lt=79.001%", "finer than the contract's 0.01 %"),
        ("lt=high", "is no percentage"),
        ("lt=1e1", "is no percentage"),
        ("lt=79%,lt=80%", "twice"),
        ("threshold=79%", "is no parameter"),
        ("emode=1", "setEModeCategory"),
        ("supply_cap=1.5", "whole tokens"),
        ("supply_cap=-1", "whole tokens"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        parse("WETH", text)
    assert "\n" not in str(caught.value)


def test_every_asset_has_its_own_settings() -> None:
    both = pairs(("WETH", "DAI"), ("lt=80%", "bonus=6%"))
    assert [one.asset for one in both] == ["WETH", "DAI"]
    assert both[1].liquidation_bonus_bps == 600
    with pytest.raises(UsageError, match="2 --asset and 1 --set"):
        pairs(("WETH", "DAI"), ("lt=80%",))
