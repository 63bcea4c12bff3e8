"""What every pool refuses to be asked, whatever its curve."""

from __future__ import annotations

from fractions import Fraction

from defirisk.core.errors import UsageError

MAX_UINT256 = 2**256 - 1


def check_places(token_in: int, token_out: int, count: int) -> None:
    """Two different tokens of a pool of `count`. Errors: `UsageError`."""
    for place in (token_in, token_out):
        if not 0 <= place < count:
            raise UsageError(f"token {place} is not one of the pool's {count}: count from 0")
    if token_in == token_out:
        raise UsageError(f"token {token_in} cannot be sold for itself")


def check_amount(amount_in: int) -> None:
    """An amount to sell, in base units. Errors: `UsageError`."""
    if amount_in < 0:
        raise UsageError(f"a sale of {amount_in} base units: give an amount that is not negative")


def check_price(price: Fraction) -> None:
    """A price to sell down to. Errors: `UsageError`."""
    if price <= 0:
        raise UsageError(f"a price of {price} is never reached: give one above 0")
