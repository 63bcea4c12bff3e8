"""The state of ERC-4626 vaults, as far as logs and views tell it.

`_raw` are base units, of the share or of the asset.
"""

from __future__ import annotations

from dataclasses import dataclass

from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.row import Row, Wide


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault(Row, table="erc4626_vaults", key=("vault",)):
    """What does not change. `virtual_shares_raw` is 10^`_decimalsOffset` of OpenZeppelin's vaults,
    0 of a vault without virtual shares, -1 where `convertToAssets` follows neither formula.
    """

    vault: str
    asset: str = ZERO_ADDRESS
    virtual_shares_raw: Wide = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals(Row, table="erc4626_totals", key=("vault",)):
    """What logs say: the supply of shares, and the assets and shares of the last Deposit or
    Withdraw that was large enough to tell a rate, in `traded_block`.
    """

    vault: str
    total_supply_raw: Wide = 0
    traded_assets_raw: Wide = 0
    traded_shares_raw: Wide = 0
    traded_block: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalAssets(Row, table="erc4626_total_assets", key=("vault",)):
    """What the vault answered where a run ended: no log tells of a gift, a loss or interest.

    `sample_assets_raw` is what `sample_shares_raw` convert to; `answered`: `totalAssets` did not
    revert.
    """

    vault: str
    read_block: int = 0
    answered: bool = False
    total_assets_raw: Wide = 0
    sample_shares_raw: Wide = 0
    sample_assets_raw: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareBalance(Row, table="erc4626_shares", key=("vault", "account")):
    """Shares of an account."""

    vault: str
    account: str
    balance_raw: Wide = 0


ROWS: tuple[type[Row], ...] = (Vault, Totals, TotalAssets, ShareBalance)
