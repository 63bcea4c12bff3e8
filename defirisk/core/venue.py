"""Venues: pools in which assets are sold, each with its state in its own integers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol

from defirisk.core.errors import UsageError
from defirisk.core.evm import Address

VenueKind = Literal["constant-product", "concentrated", "stableswap", "depth"]


@dataclass(frozen=True, slots=True)
class Sale:
    """What a sale does: base units taken, base units given, and the pool after it.

    `sold` includes the fee. It is less than was offered where liquidity or a price limit ends the
    sale, and 0 where the contract would revert: nothing is sold then, and the pool stays.
    """

    sold: int
    received: int
    pool: Pool


class Pool(Protocol):
    """The state of one pool, exact. Tokens are their places in the pool's own order, amounts base
    units of each token.

    Errors of every method: `UsageError` where a place is not one of the pool's tokens, where both
    are the same, where an amount is negative or a price not positive.
    """

    @property
    def fee(self) -> Fraction:
        """The part of what is sold that the pool keeps."""

    def sell(self, token_in: int, token_out: int, amount_in: int) -> Sale:
        """Sells `amount_in` base units, rounded as the contract rounds."""

    def sell_until(self, token_in: int, token_out: int, price: Fraction) -> Sale:
        """The largest sale after which `price()` is not below `price`; nothing where it is already.

        Where the pool has a price limit of its own, the sale is the one that it ends.
        """

    def price(self, token_in: int, token_out: int) -> Fraction:
        """Base units of `token_out` per base unit of `token_in` for the next one, without fee.

        Errors: `CheckFailed` where the pool is empty, and so has no price.
        """


class PriceHistory(Protocol):
    """What a pool remembers of its prices, for those who read a mean of them."""

    def accumulated(self, timestamp: int) -> tuple[int, int]:
        """The pool's own running sums over seconds by `timestamp`, in its own integers.

        Errors: `CheckFailed` where the pool does not remember that far back.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """One pool of a deployment. `label` is made of the tokens' own words: to be escaped.

    `history` is for pools that accumulate their prices: kinds are in `swaps.twap`.
    """

    address: Address
    deployment: str
    label: str
    kind: VenueKind
    tokens: tuple[Address, ...]
    decimals: tuple[int, ...]
    pool: Pool
    grade: Literal["logs", "read", "imported"] = "logs"
    history: PriceHistory | None = None

    def place(self, token: Address) -> int:
        """Where in the pool's order a token is. Errors: `UsageError` where it is not there."""
        if token not in self.tokens:
            raise UsageError(f"{self.label} ({self.address}) does not trade {token}")
        return self.tokens.index(token)
