"""The state of vaults that lend to several markets of Morpho Blue.

Names are the contract's own. `_raw` are base units, of the share or of the asset; `_wad` is 1e18.
"""

from __future__ import annotations

from dataclasses import dataclass

from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.row import Row, Wide


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault(Row, table="meta_morpho_vaults", key=("vault",)):
    """Immutables. `conforms`: its `convertToAssets` was MetaMorpho's whenever it was asked."""

    vault: str
    asset: str = ZERO_ADDRESS
    morpho: str = ZERO_ADDRESS
    decimals_offset: int = 0
    conforms: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Queues(Row, table="meta_morpho_queues", key=("vault",)):
    """Ids of markets in the order in which they are lent to and withdrawn from, blanks between."""

    vault: str
    supply_queue: str = ""
    withdraw_queue: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap(Row, table="meta_morpho_caps", key=("vault", "market_id")):
    """How much may be lent to a market at most."""

    vault: str
    market_id: str
    cap_raw: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals(Row, table="meta_morpho_totals", key=("vault",)):
    """What logs say: the supply, the fee on interest, and the assets when they were last booked."""

    vault: str
    total_supply_raw: Wide = 0
    fee_wad: Wide = 0
    last_total_assets_raw: Wide = 0
    last_total_block: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalAssets(Row, table="meta_morpho_total_assets", key=("vault",)):
    """What the vault answered where a run ended: markets earn and lose without a log of its own.

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
class Lent(Row, table="meta_morpho_lent", key=("vault", "market_id")):
    """What Morpho answered where a run ended: the vault's shares of a market, and all shares and
    assets of it as they were last booked.
    """

    vault: str
    market_id: str
    read_block: int = 0
    supply_shares_raw: Wide = 0
    total_supply_assets_raw: Wide = 0
    total_supply_shares_raw: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareBalance(Row, table="meta_morpho_shares", key=("vault", "account")):
    """Shares of an account."""

    vault: str
    account: str
    balance_raw: Wide = 0


ROWS: tuple[type[Row], ...] = (Vault, Queues, Cap, Totals, TotalAssets, Lent, ShareBalance)
