"""Shares and assets. Source: `MathLib` and `SharesMathLib` of @morpho-org/morpho-blue 1.0.0."""

from __future__ import annotations

WAD = 10**18
VIRTUAL_SHARES = 10**6
VIRTUAL_ASSETS = 1


def mul_div_down(x: int, y: int, d: int) -> int:
    """`x` times `y` over `d`, rounded down."""
    return x * y // d


def mul_div_up(x: int, y: int, d: int) -> int:
    """`x` times `y` over `d`, rounded up."""
    return (x * y + d - 1) // d


def w_mul_down(x: int, y: int) -> int:
    """`x` times `y` in wad, rounded down."""
    return mul_div_down(x, y, WAD)


def w_div_down(x: int, y: int) -> int:
    """`x` over `y` in wad, rounded down."""
    return mul_div_down(x, WAD, y)


def to_shares_down(assets: int, total_assets: int, total_shares: int) -> int:
    """How many shares an amount is worth, rounded down."""
    return mul_div_down(assets, total_shares + VIRTUAL_SHARES, total_assets + VIRTUAL_ASSETS)


def to_assets_down(shares: int, total_assets: int, total_shares: int) -> int:
    """What shares are worth to a lender."""
    return mul_div_down(shares, total_assets + VIRTUAL_ASSETS, total_shares + VIRTUAL_SHARES)


def to_assets_up(shares: int, total_assets: int, total_shares: int) -> int:
    """What shares cost a borrower."""
    return mul_div_up(shares, total_assets + VIRTUAL_ASSETS, total_shares + VIRTUAL_SHARES)
