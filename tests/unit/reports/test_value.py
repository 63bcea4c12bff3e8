"""How numbers read."""

from __future__ import annotations

import math

import pytest

from defirisk.reports.model import Kind, Value
from defirisk.reports.value import listed, plural, show


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (12_400_000.0, "usd", "$12.4M"),
        (999.6, "usd", "$1.00K"),
        (999_499.0, "usd", "$999K"),
        (999_600.0, "usd", "$1.00M"),
        (1.5e9, "usd", "$1.50B"),
        (99.999, "usd", "$100"),
        (0.42, "usd", "$0.42"),
        (0.001, "usd", "<$0.01"),
        (0.0, "usd", "$0"),
        (-2500.0, "usd", "\N{MINUS SIGN}$2.50K"),
        (61_000.0, "price", "$61,000.00"),
        (0.9998, "price", "$0.9998"),
        (0.00001234, "price", "$1.234e-05"),
        (0.83, "percent", "83.0 %"),
        (0.0001, "percent", "<0.1 %"),
        (0.0, "percent", "0.0 %"),
        (0.9999999, "health", "0.99"),
        (1.0, "health", "1.00"),
        (1.239, "health", "1.23"),
        (math.inf, "health", "∞"),
        (1_763_000_000, "time", "2025-11-13T02:13:20Z"),
        (59, "seconds", "59 s"),
        (3660, "seconds", "1 h 01 min"),
        (90_000, "seconds", "1 d 1 h"),
        (1234567, "int", "1,234,567"),
        (0.04273, "number", "0.043"),
        (1520.25, "token", "1,520"),
        (0.0012345, "token", "0.001234"),
        (True, "text", "yes"),
        ("0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2", "address", "0x8787…a4e2"),
        ("cdp 12", "address", "cdp 12"),
    ],
)
def test_reads_as(value: Value, kind: Kind, text: str) -> None:
    assert show(value, kind) == text


@pytest.mark.parametrize("kind", ["usd", "percent", "health", "time", "int", "text"])
@pytest.mark.parametrize("value", [None, math.nan])
def test_unknown_is_never_zero(value: Value, kind: Kind) -> None:
    assert show(value, kind) == "unknown"


def test_counts_and_lists_read_well() -> None:
    assert [plural(n, "account") for n in (0, 1, 2)] == ["no accounts", "1 account", "2 accounts"]
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
