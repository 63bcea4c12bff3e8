"""Claims: tokens that stand for other tokens, such as vault shares, aTokens and LP shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from defirisk.core.evm import Address
from defirisk.core.quote import Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Where a vault keeps part of what it holds: a market of another protocol, by its own id.

    `assets_raw` are base units of the vault's asset.
    """

    market: str
    assets_raw: int
    cap_raw: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What one token is a claim on.

    `program` is the worth of one whole token in USD at market, over the market prices of what it
    wraps (`core.quote.Market`) and its own rates (`Conversion`). `rate` is whole tokens of
    `underlying` per whole token where it wraps a single one; both are empty and None otherwise.
    `total_assets_raw` are base units of the underlying, `supply_raw` of the token itself. `exact`:
    the rate is the contract's own at this very block; else it is the latest that is known.
    `issuer` is the name of the deployment that it belongs to, where the store said so. `decimals`
    are those of all amounts where no token says them: of what a file states.
    """

    token: Address
    kind: Literal["vault", "a-token", "c-token", "lp"]
    program: Program
    underlying: Address = ""
    rate: Fraction | None = None
    total_assets_raw: int = 0
    supply_raw: int = 0
    grade: Literal["logs", "read"] = "logs"
    exact: bool = True
    issuer: str = ""
    decimals: int | None = None
    allocations: tuple[Allocation, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What an account holds of a claim, or of a pool's range.

    `balance_raw` is in base units of the token, `decimals` its own. `label` tells ranges apart
    ("-600..600"); `worth` is what it could be taken out for, base units by token.
    """

    account: Address
    token: Address
    balance_raw: int
    decimals: int
    label: str = ""
    worth: tuple[tuple[Address, int], ...] = ()


def converted(claim: Claim, shares_raw: int, decimals: int, underlying_decimals: int) -> int | None:
    """Base units of the underlying for that many of the token, rounded down as ERC-4626 does.

    None where the claim is on no single token. The decimals are those of token and underlying.
    """
    if claim.rate is None:
        return None
    scaled = shares_raw * claim.rate * Fraction(10) ** (underlying_decimals - decimals)
    return scaled.numerator // scaled.denominator
