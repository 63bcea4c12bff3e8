"""What views of a vault and of Morpho say, applied to the rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from defirisk.core.adapter import View
from defirisk.core.evm import Block
from defirisk.core.row import State
from defirisk.protocols.vault_shares import SharePrice
from defirisk.protocols.wrappers.meta_morpho.fold import market_id
from defirisk.protocols.wrappers.meta_morpho.rows import Lent, TotalAssets, Totals, Vault
from defirisk.protocols.wrappers.meta_morpho.worth import price_by_totals

CONSTANTS = {"asset": "asset", "MORPHO": "morpho", "DECIMALS_OFFSET": "decimals_offset"}


def observe_vault(view: View, answer: tuple[Any, ...] | None, block: Block, state: State) -> None:
    """Immutables hold since the vault was made; what it holds only for now."""
    vault = view.contract.address
    if view.function == "totalAssets":
        now = TotalAssets(
            vault=vault,
            read_block=block.number,
            answered=answer is not None,
            total_assets_raw=answer[0] if answer else 0,
        )
        # Read again at the same block, the sample is as good as it was.
        read = state.get(TotalAssets, vault)
        again = replace(read, sample_shares_raw=0, sample_assets_raw=0) == now
        state.put(read if again else now)
    elif answer is None:
        return
    elif view.function == "convertToAssets":
        _observe_sample(state, vault, SharePrice(answer[0], view.args[0]))
    else:
        changes: dict[str, Any] = {CONSTANTS[view.function]: answer[0]}
        state.amend(replace(state.get(Vault, vault), **changes))


def _observe_sample(state: State, vault: str, sample: SharePrice) -> None:
    """The first sample that was answered decides; the others are coarser."""
    read, known = state.get(TotalAssets, vault), state.get(Vault, vault)
    if not read.answered or read.sample_shares_raw:
        return
    totals = state.get(Totals, vault)
    price = price_by_totals(totals, read.total_assets_raw, known.decimals_offset)
    conforms = price is not None and price.to_assets(sample.shares) == sample.assets
    (state.put if known.conforms else state.amend)(replace(known, conforms=conforms))
    sampled = replace(read, sample_shares_raw=sample.shares, sample_assets_raw=sample.assets)
    state.put(sampled)


def observe_morpho(view: View, answer: tuple[Any, ...] | None, block: Block, state: State) -> None:
    """The vault's shares of a market, and the market's totals."""
    if answer is None:
        return
    lent = state.get(Lent, view.contract.subject, market_id(view.args[0]))
    if view.function == "position":
        lent = replace(lent, supply_shares_raw=answer[0])
    else:
        lent = replace(lent, total_supply_assets_raw=answer[0], total_supply_shares_raw=answer[1])
    state.put(replace(lent, read_block=block.number))
