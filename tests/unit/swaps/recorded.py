"""States of real pools, as they were recorded, and where they are."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest

from defirisk.swaps.concentrated import EVERY_TICK, Concentrated
from defirisk.swaps.constant_product import ConstantProduct
from defirisk.swaps.stableswap import Generation, StableSwap
from tests.unit.imports.recorded import SHARED

Json = dict[str, Any]


def state(name: str) -> Json:
    """A recorded file; skips aloud where this machine has none."""
    path = SHARED / "amm" / "onchain_state" / f"tests__fixtures__chain_data__{name}.json"
    if not path.exists():
        pytest.skip(f"the recorded pool {name} is not here: set DEFIRISK_SHARED_DATA")
    found: Json = json.loads(path.read_text(encoding="utf-8"))
    return found


def answer(recorded: Json, pool: str, selector: str, word: int = 0) -> int:
    """A word of what a view answered at that block."""
    data = recorded["calls"][f"{pool}:{selector}"].removeprefix("0x")
    return int(data[64 * word : 64 * word + 64], 16)


def pair(recorded: Json, fee: Fraction, *, fee_leaves: bool = False) -> ConstantProduct:
    """A pair of the v2 kind."""
    reserves = (recorded["reserves_token0"], recorded["reserves_token1"])
    return ConstantProduct(reserves, fee, fee_leaves=fee_leaves)


def ranges(recorded: Json, known: tuple[int, int] = EVERY_TICK) -> Concentrated:
    """A pool of the v3 kind. Ticks are (gross, net, block)."""
    scalars = recorded["scalars"]
    return Concentrated.of(
        sqrt_price_x96=scalars["sqrt_price_x96"],
        tick=scalars["tick"],
        liquidity=scalars["liquidity"],
        fee_pips=scalars["fee"],
        tick_spacing=scalars["tick_spacing"],
        liquidity_net={int(tick): net for tick, (_, net, _) in recorded["tick_data"].items()},
        known=known,
    )


def tripool(recorded: Json, *, balances: list[int], amplification: int) -> StableSwap:
    """3pool, of the first generation."""
    return StableSwap(
        balances=tuple(balances),
        rates=tuple(10 ** (36 - token["decimals"]) for token in recorded["tokens"]),
        amplification=amplification,
        fee_e10=recorded["fee"],
        admin_fee_e10=recorded["admin_fee"],
        generation=Generation.FIRST,
    )
