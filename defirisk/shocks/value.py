"""The VALUE of a shock, read exactly: no digit is lost between what is typed and what is moved."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

from defirisk.core.errors import UsageError

MAX_FACTOR = 10**12
"""Beyond this a price was certainly mistyped, and products of floats would lose their meaning."""

_NUMBER = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)"
_CHANGE = re.compile(rf"([+-])({_NUMBER})%")
_PRICE = re.compile(_NUMBER)


def change(text: str) -> Fraction | None:
    """The factor of a relative move: `-40%` is 3/5. None where `text` is not a signed percentage.

    Errors: `UsageError` for a fall of more than 100 % or a rise beyond `MAX_FACTOR`.
    """
    match = _CHANGE.fullmatch(text)
    if match is None:
        return None
    sign, digits = match.groups()
    step = Fraction(Decimal(digits)) / 100
    return factor(1 + step if sign == "+" else 1 - step, text)


def price(text: str) -> Fraction | None:
    """An unsigned decimal number, exactly; None where `text` is not one."""
    return Fraction(Decimal(text)) if _PRICE.fullmatch(text) else None


def factor(value: Fraction, text: str) -> Fraction:
    """`value` if it can be the factor of a move; `text` is what was typed."""
    if value < 0:
        raise UsageError(f"{text} is a fall of more than 100 %: -100% is a price of zero")
    if value > MAX_FACTOR:
        raise UsageError(f"{text} multiplies the price by more than {MAX_FACTOR:.0e}: mistyped?")
    return value


def change_or_price(text: str, current: float, symbol: str) -> Fraction:
    """The factor that `text` means: a change, or a price in USD against `current`.

    Errors: `UsageError` also where `current` is unknown (NaN) or zero and `text` is a price.
    """
    relative = change(text)
    if relative is not None:
        return relative
    usd = price(text)
    if usd is None:
        raise UsageError(f"{text!r} is neither a change nor a price in USD")
    return to_price(usd, current, symbol, text)


def to_price(usd: Fraction, current: float, symbol: str, text: str) -> Fraction:
    """The factor that takes the market price `current` to `usd`; both in USD."""
    if not current > 0:
        raise UsageError(f"{symbol} has no market price to compare {text} with: use a change")
    return factor(usd / Fraction(current), text)
