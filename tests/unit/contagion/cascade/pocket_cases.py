"""Random markets of the three kinds, as the adapters' rows and as pockets."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import strategies as st

from defirisk.core.adapter import Deployment, Snapshot
from defirisk.core.evm import Block
from defirisk.core.liquidation import Liquidates, Pocket
from defirisk.core.row import Row
from defirisk.protocols.lending.aave_v3 import ADAPTER as AAVE
from defirisk.protocols.lending.aave_v3.generation import Generation
from defirisk.protocols.lending.aave_v3.rows import RAY, THE_POOL, PoolCode, Reserve
from defirisk.protocols.lending.compound_v2 import ADAPTER as COMPOUND
from defirisk.protocols.lending.compound_v2.rows import (
    MANTISSA,
    Comptroller,
    CToken,
    InterestRateModel,
)
from defirisk.protocols.lending.morpho_blue import ADAPTER as MORPHO
from defirisk.protocols.lending.morpho_blue.rows import Irm, Market
from defirisk.protocols.lending.morpho_blue.shares import VIRTUAL_ASSETS, VIRTUAL_SHARES, WAD
from tests.unit.protocols.rows_in_memory import RowsInMemory

CLOSE = 1e-13
"""Everything in floats is that close to the contracts' integers, relatively."""
_TOTALS = st.integers(10**9, 10**27)
STEPS = st.lists(st.sampled_from([1, 12, 12, 60, 3_600]), min_size=1, max_size=12)
"""Seconds between rounds."""
ELAPSED = st.sampled_from([0, 1, 2, 84, 86_400, 60 * 86_400])


@st.composite
def reserves(draw: st.DrawFn) -> Reserve:
    """An Aave reserve that was stored at second 0."""
    return Reserve(
        asset="0xa",
        a_token="0xb",
        liquidity_index_ray=draw(st.integers(RAY, 2 * RAY)),
        variable_borrow_index_ray=draw(st.integers(RAY, 3 * RAY)),
        liquidity_rate_ray=draw(st.integers(0, RAY // 4)),
        variable_borrow_rate_ray=draw(st.integers(0, 2 * RAY)),
        scaled_supply_raw=draw(_TOTALS),
        scaled_variable_debt_raw=draw(st.one_of(st.just(0), _TOTALS)),
        virtual_underlying_raw=draw(_TOTALS),
        deficit_raw=draw(st.one_of(st.just(0), _TOTALS)),
        optimal_usage_bps=draw(st.integers(100, 9_900)),
        base_rate_bps=draw(st.integers(0, 500)),
        slope1_bps=draw(st.integers(0, 2_000)),
        slope2_bps=draw(st.integers(0, 40_000)),
        reserve_factor_bps=draw(st.integers(0, 10_000)),
    )


@st.composite
def c_tokens(draw: st.DrawFn) -> tuple[CToken, InterestRateModel]:
    """A cToken that was accrued in block 0, and its rate model."""
    borrows = draw(st.one_of(st.just(0), _TOTALS))
    token = CToken(
        c_token="0xc",
        cash_raw=draw(_TOTALS),
        total_borrows_raw=borrows,
        total_reserves_raw=draw(st.integers(0, 10**8)),
        total_supply_raw=draw(st.integers(10**9, 10**20)),
        borrow_index_mantissa=draw(st.integers(MANTISSA, 3 * MANTISSA)),
        reserve_factor_mantissa=draw(st.integers(0, MANTISSA)),
    )
    model = InterestRateModel(
        model="0xd",
        kind=draw(st.sampled_from(["jump", "white paper"])),
        base_rate_per_block_mantissa=draw(st.integers(0, 10**11)),
        multiplier_per_block_mantissa=draw(st.integers(0, 10**12)),
        jump_multiplier_per_block_mantissa=draw(st.integers(0, 10**13)),
        kink_mantissa=draw(st.integers(MANTISSA // 10, MANTISSA)),
    )
    return token, model


@st.composite
def morpho_markets(draw: st.DrawFn) -> Market:
    """A Morpho Blue market that was stored at second 0."""
    supplied = draw(_TOTALS)
    return Market(
        market_id="0xb",
        irm="0xd",
        total_supply_assets_raw=supplied,
        total_supply_shares_raw=supplied * draw(st.integers(900_000, 10**6)),
        total_borrow_assets_raw=(borrowed := draw(st.integers(0, supplied))),
        total_borrow_shares_raw=borrowed * draw(st.integers(900_000, 10**6)),
        fee_wad=draw(st.integers(0, WAD // 4)),
    )


def pockets(
    adapter: Liquidates, *rows: Row, seconds: int = 0, blocks: int = 0
) -> tuple[Pocket, ...]:
    """What the adapter says of a market's rows, this long after they were stored."""
    snapshot = Snapshot(
        deployment=Deployment(
            name="market",
            protocol=adapter.name,
            chain_id=1,
            contracts=dict.fromkeys(adapter.required_contracts, "0xe"),
        ),
        block=Block(number=blocks, hash="0x", parent_hash="0x", timestamp=seconds),
        rows=RowsInMemory(*rows),
        tokens={},
        answers={},
    )
    return adapter.liquidation(snapshot, adapter.holdings(snapshot)).pockets


def aave_pockets(reserve: Reserve, generation: Generation, seconds: int) -> tuple[Pocket, ...]:
    """As `pockets`, under a generation's rules."""
    code = PoolCode(role=THE_POOL, since_revision=generation.since_revision)
    return pockets(AAVE, reserve, code, seconds=seconds)


def compound_pockets(token: CToken, model: InterestRateModel, blocks: int) -> tuple[Pocket, ...]:
    """As `pockets`."""
    listed = replace(token, listed=True, interest_rate_model=model.model)
    return pockets(COMPOUND, Comptroller(comptroller="0xe"), listed, model, blocks=blocks)


def morpho_pockets(market: Market, irm: Irm, seconds: int, *rows: Row) -> tuple[Pocket, ...]:
    """As `pockets`."""
    return pockets(MORPHO, market, irm, *rows, seconds=seconds)


def off(ours: float, exact: Fraction | int) -> float:
    """By how much, relative to the exact number."""
    return float(abs(Fraction(ours) - exact) / exact) if exact else abs(float(ours))


def near(
    ours: float, exact: Fraction | int, *, units: Fraction | int, within: float = CLOSE
) -> bool:
    """Off by that many base units at most, or by that much relatively."""
    allowed = Fraction(units) + abs(Fraction(exact)) * Fraction(within)
    return abs(Fraction(float(ours)) - exact) <= allowed


def share(market: Market) -> tuple[Fraction, Fraction]:
    """What a debt share and a supply share are worth."""
    return (
        Fraction(
            market.total_borrow_assets_raw + VIRTUAL_ASSETS,
            market.total_borrow_shares_raw + VIRTUAL_SHARES,
        ),
        Fraction(
            market.total_supply_assets_raw + VIRTUAL_ASSETS,
            market.total_supply_shares_raw + VIRTUAL_SHARES,
        ),
    )
