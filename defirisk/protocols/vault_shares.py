"""Shares of vaults: what transfers do to balances, and what a number of shares converts to.

Source: ERC20 and ERC4626 of @openzeppelin/contracts 5.1.0 (virtual shares and one virtual unit of
the asset), and EIP-4626 for vaults without virtual shares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from defirisk.core.evm import ZERO_ADDRESS, Address

UINT256 = 2**256
MAX_OFFSET = 18
"""Of OpenZeppelin's `_decimalsOffset`, as far as anybody uses it."""
SAMPLE_SCALES = (10**9, 1)
"""What `convertToAssets` is asked about: all shares times this. The more, the finer the answer;
where that is too much for the vault, all shares.
"""


def balance_changes(transfer: Mapping[str, Any]) -> tuple[tuple[tuple[Address, int], ...], int]:
    """What a Transfer of shares adds to whose balance, and to the supply."""
    sender, receiver, value = transfer["from"], transfer["to"], transfer["value"]
    minted, burnt = sender == ZERO_ADDRESS, receiver == ZERO_ADDRESS
    changes = [] if minted else [(sender, -value)]
    if not burnt:
        changes.append((receiver, value))
    return tuple(changes), value * (int(minted) - int(burnt))


def added(before: int, change: int) -> int:
    """As a contract adds. What is no vault may log transfers that do not add up: they wrap."""
    return (before + change) % UINT256


@dataclass(frozen=True, slots=True)
class SharePrice:
    """`assets` for `shares`, both in base units, virtual ones included."""

    assets: int
    shares: int

    def to_assets(self, shares: int) -> int:
        """`convertToAssets`, rounded down."""
        return shares * self.assets // self.shares

    def to_shares(self, assets: int) -> int | None:
        """`convertToShares`, rounded down; None where it reverts, all assets being lost."""
        return assets * self.shares // self.assets if self.assets else None

    def rate(self, share_decimals: int, asset_decimals: int) -> Fraction:
        """Whole assets per whole share."""
        scale = Fraction(10) ** (share_decimals - asset_decimals)
        return Fraction(self.assets, self.shares) * scale


def share_price(total_assets: int, total_supply: int, virtual_shares: int) -> SharePrice:
    """The price by a vault's totals. 0 virtual shares: it has none, nor the virtual unit."""
    if virtual_shares:
        return SharePrice(total_assets + 1, total_supply + virtual_shares)
    return SharePrice(total_assets, total_supply) if total_supply else SharePrice(1, 1)


def virtual_shares(
    total_assets: int, total_supply: int, sample: SharePrice, known: int
) -> int | None:
    """With how many virtual shares the vault's own answer `sample` agrees; None: with no number.

    Several may agree where share and asset are one for one: then what is known stays.
    """
    choices = [int(10**offset) for offset in range(MAX_OFFSET + 1)] + [0]
    for choice in ([known] if known >= 0 else []) + choices:
        price = share_price(total_assets, total_supply, choice)
        if price.to_assets(sample.shares) == sample.assets:
            return choice
    return None


def leads_back(start: Address, made_of: Mapping[Address, Iterable[Address]]) -> bool:
    """Whether a token is, through others, made of itself."""
    pending, seen = list(made_of.get(start, ())), set()
    while pending:
        token = pending.pop()
        if token == start:
            return True
        if token not in seen:
            seen.add(token)
            pending += made_of.get(token, ())
    return False
