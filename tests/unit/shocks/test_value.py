"""Numbers of shocks are read exactly or not at all."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.core.errors import UsageError
from defirisk.shocks import value


@pytest.mark.parametrize(
    ("text", "factor"),
    [
        ("-40%", Fraction(3, 5)),
        ("+30%", Fraction(13, 10)),
        ("-0.1%", Fraction(999, 1000)),
        ("-100%", Fraction(0)),
        ("-.5%", Fraction(199, 200)),
        ("+1.%", Fraction(101, 100)),
    ],
)
def test_changes_are_exact(text: str, factor: Fraction) -> None:
    assert value.change(text) == factor


@pytest.mark.parametrize("text", ["40%", "-40", "--40%", "-4 0%", "-nan%", "-1e3%", "", "%", "-%"])
def test_what_is_not_a_signed_percentage_is_no_change(text: str) -> None:
    assert value.change(text) is None


@pytest.mark.parametrize("text", ["-100.0001%", "-101%", "+1" + "0" * 400 + "%"])
def test_impossible_changes_are_errors(text: str) -> None:
    with pytest.raises(UsageError):
        value.change(text)


@pytest.mark.parametrize("text", ["nan", "inf", "1e3", "1_000", "1,000", "-1", "+1", "", "٣", "."])
def test_only_plain_decimals_are_prices(text: str) -> None:
    assert value.price(text) is None


def test_an_absolute_price_is_relative_to_the_exact_market_price() -> None:
    assert value.change_or_price("1200", 2400.0, "WETH") == Fraction(1, 2)
    assert value.change_or_price("0.1", 0.1, "X") == Fraction(1, 10) / Fraction(0.1)


@pytest.mark.parametrize("current", [0.0, float("nan")])
def test_an_absolute_price_needs_a_market_price(current: float) -> None:
    with pytest.raises(UsageError, match="WETH has no market price"):
        value.change_or_price("1200", current, "WETH")


@given(st.text(max_size=8))
def test_any_text_is_a_factor_or_a_usage_error(text: str) -> None:
    try:
        factor = value.change_or_price(text, 2.0, "WETH")
    except UsageError:
        return
    assert 0 <= factor <= value.MAX_FACTOR
