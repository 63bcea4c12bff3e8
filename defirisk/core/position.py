"""One position as the protocol states it, still exact."""

from __future__ import annotations

from dataclasses import dataclass

from defirisk.core.evm import Address
from defirisk.core.holdings import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What an account holds or owes in one market. `balance_raw` is in base units.

    `price_usd` is what the market's own oracle says of a whole token; None where it has no answer.
    """

    deployment: str
    account: Address
    asset: Address
    symbol: str
    side: Side
    balance_raw: int
    decimals: int
    price_usd: float | None

    @property
    def balance(self) -> str:
        """The balance in whole tokens, as decimal text that loses no digit."""
        return decimal_text(self.balance_raw, self.decimals)


def decimal_text(raw: int, decimals: int) -> str:
    """Base units as whole tokens: decimal text that loses no digit."""
    digits = str(raw).zfill(decimals + 1)
    whole, part = digits[: len(digits) - decimals], digits[len(digits) - decimals :]
    return f"{whole}.{part}" if part else whole
