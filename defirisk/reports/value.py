"""How a raw value reads: the one place where numbers become text."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

from defirisk.reports.model import Kind, Value

UNKNOWN = "unknown"
_MINUS = "\N{MINUS SIGN}"
_SUFFIXES = ("", "K", "M", "B", "T")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_LONG_HEX = re.compile(r"0x[0-9a-fA-F]{40,64}")


def is_unknown(value: Value) -> bool:
    """None and NaN: never to be shown as a number."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def is_address(text: str) -> bool:
    """Whether this is a whole account address."""
    return _ADDRESS.fullmatch(text) is not None


def short_address(text: str) -> str:
    """0x8787…A4E2, also of an account in one of many markets; other text stays as it is."""
    return ":".join(
        f"{part[:6]}…{part[-4:]}" if _LONG_HEX.fullmatch(part) else part for part in text.split(":")
    )


def show(value: Value, kind: Kind, absent: str = UNKNOWN) -> str:
    """The value as people read it, with its unit. Text is not escaped here."""
    if is_unknown(value):
        return absent
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return short_address(value) if kind == "address" else value
    assert value is not None
    if math.isinf(value):
        return "∞" if value > 0 else _MINUS + "∞"
    if value < 0:
        return _MINUS + _positive(-value, kind)
    return _positive(value, kind)


def _positive(value: float, kind: Kind) -> str:
    match kind:
        case "usd":
            return _usd(value)
        case "price":
            return _price(value)
        case "percent":
            return "<0.1 %" if 0 < value < 0.0005 else f"{value * 100:,.1f} %"
        case "fee":
            return f"{value * 100:.4g} %"
        case "health":
            return _health(value)
        case "time":
            return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case "seconds":
            return _duration(int(value))
        case "int":
            return f"{round(value):,}"
        case "number" if 0.0005 <= value < 999.9995:
            return f"{value:.3f}"
        case _:
            return _amount(value)


def _usd(value: float) -> str:
    if 0 < value < 0.01:
        return "<$0.01"
    if value == 0:
        return "$0"
    if value < 99.995:
        return f"${value:.2f}"
    return "$" + _suffixed(value)


def _suffixed(value: float) -> str:
    """Three significant digits and K, M, B or T."""
    power = 0
    while value >= 999.5 and power < len(_SUFFIXES) - 1:
        value, power = value / 1000, power + 1
    decimals = 0 if power == 0 or value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{value:,.{decimals}f}{_SUFFIXES[power]}"


def _price(value: float) -> str:
    if value >= 1e6 or value == 0:
        return _usd(value)
    if value >= 1:
        return f"${value:,.2f}" if value >= 10 else f"${value:.4f}"
    return f"${value:.4g}"


def _health(value: float) -> str:
    """Rounded down: 0.999 is liquidatable and must not read 1.00."""
    if value >= 1000:
        return _suffixed(value)
    return f"{math.floor(value * 100 + 1e-9) / 100:.2f}"


def _amount(value: float) -> str:
    if value == 0:
        return "0"
    if value >= 999_500:
        return _suffixed(value)
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def _duration(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if hours == 0:
        return f"{minutes} min"
    if days == 0:
        return f"{hours} h {minutes % 60:02} min"
    return f"{days} d {hours % 24} h"


def plural(count: int, one: str, many: str = "") -> str:
    """'1 account', '2 accounts', 'no accounts'."""
    word = one if count == 1 else many or one + "s"
    return f"{count:,} {word}" if count else f"no {word}"


def listed(words: list[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
