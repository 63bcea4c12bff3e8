"""Decimal text becomes base units without losing a digit."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.imports.decimal_text import MAX_LENGTH, exact, to_raw

DIGITS = st.text("0123456789", min_size=0, max_size=60)


@given(whole=DIGITS, part=DIGITS, exponent=st.integers(-99, 40), decimals=st.integers(0, 77))
def test_base_units_are_the_amount_cut_at_the_decimals(
    whole: str, part: str, exponent: int, decimals: int
) -> None:
    whole = whole or "0"
    for text, power in ((f"{whole}.{part}", 0), (f"{whole}.{part}e{exponent}", exponent)):
        true = Fraction(int(whole + part), 10 ** len(part)) * Fraction(10) ** power
        assert exact(text) == true
        read = to_raw(text, decimals)
        assert read is not None
        raw, cut = read
        missing = true * 10**decimals - raw
        assert 0 <= missing < 1
        assert cut == (missing != 0)


@pytest.mark.parametrize(
    "text",
    ["", ".", "-", "abc", "0x10", "1,000", "1 000", "NaN", "inf", "1e", "1e9999", "½", "١٢", "1_0"],
)
def test_what_is_no_decimal_number_is_none(text: str) -> None:
    assert exact(text) is None
    assert to_raw(text, 18) is None


def test_a_number_that_fills_pages_is_none() -> None:
    assert to_raw("1" * MAX_LENGTH, 18) is not None
    assert to_raw("1" * (MAX_LENGTH + 1), 18) is None
    assert exact("1" * (MAX_LENGTH + 1)) is None


@pytest.mark.parametrize(
    ("text", "raw"), [("-1.5", -1500), ("+2", 2000), (".5", 500), ("7.", 7000), ("1.5E-3", 1)]
)
def test_signs_points_and_exponents(text: str, raw: int) -> None:
    read = to_raw(text, 3)
    assert read is not None
    assert read[0] == raw
