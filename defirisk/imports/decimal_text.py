"""Decimal text, read exactly: no digit passes through a float."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

MAX_LENGTH = 200
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


def exact(text: str) -> Fraction | None:
    """The value of decimal text such as 1.5 or 2e-7; None where it is something else.

    Longer text than `MAX_LENGTH` is something else: it is no amount that anybody has.
    """
    if len(text) > MAX_LENGTH or not _DECIMAL.fullmatch(text):
        return None
    return Fraction(Decimal(text))


def to_raw(text: str, decimals: int) -> tuple[int, bool] | None:
    """Base units of an amount in whole tokens, and whether digits had to be cut for it.

    None where `text` is no decimal number. Cut towards zero; zeros are no digits to miss.
    """
    whole, _, part = text.partition(".")
    if whole.isdecimal() and (part.isdecimal() or not part) and text.isascii():
        # By far the most: plain digits, without a fraction being made of each.
        if len(text) > MAX_LENGTH:
            return None
        kept = part[:decimals]
        return int(whole + kept.ljust(decimals, "0")), part[decimals:].strip("0") != ""
    value = exact(text)
    if value is None:
        return None
    scaled = abs(value) * 10**decimals
    raw = scaled.numerator // scaled.denominator
    return (-raw if value < 0 else raw), scaled.denominator != 1
