"""Rates and interest against what the contracts themselves stored, on the recorded chain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from eth_hash.auto import keccak
from sqlalchemy import select

from defirisk.contagion.cascade import pockets
from defirisk.contagion.cascade.pockets.columns import (
    BORROW_RATE,
    BORROWED,
    DEBT_GROWTH,
    RESERVES,
    SUPPLIED,
    SUPPLY_RATE,
)
from defirisk.contagion.cascade.pockets.table import table_of
from defirisk.core.adapter import Snapshot
from defirisk.core.evm import Block
from defirisk.core.holdings import Holdings
from defirisk.core.liquidation import Liquidates, Pocket
from defirisk.core.plugins import adapter
from defirisk.core.row import Row
from defirisk.core.sources import Sources
from defirisk.protocols.lending.aave_v3.rows import RAY, Reserve
from defirisk.protocols.lending.compound_v2.rows import CToken
from defirisk.protocols.lending.morpho_blue.rows import Market
from defirisk.store.base_tables import raw_logs
from defirisk.store.database import Store, open_store
from defirisk.store.raw import block_at
from defirisk.store.registry import StoredDeployment, find_deployment
from defirisk.store.row_tables import row_table
from defirisk.store.snapshots import snapshot
from tests.demo import CHAIN_ID

SAMPLES = 120
NOBODY = Holdings(units=(), quotes=(), parameters=(), holdings=(), markets=())


@pytest.fixture(scope="module")
def store(demo_database: Path) -> Iterator[Store]:
    """The recorded chain. To be read only."""
    opened = open_store(f"sqlite:///{demo_database}", create=False)
    yield opened
    opened.close()


class History:
    """One deployment at the blocks in which rows of one kind changed."""

    def __init__(self, store: Store, name: str, row_type: type[Row]) -> None:
        self._store = store
        with store.transaction() as connection:
            found = find_deployment(connection, name)
            assert found is not None
            self._stored: StoredDeployment = found
            column = row_table(row_type).c.valid_from_block
            query = select(column).where(row_table(row_type).c.deployment_id == found.id)
            self.blocks = sorted(set(connection.execute(query).scalars()))

    def at(self, number: int) -> tuple[Snapshot, tuple[Pocket, ...]]:
        """What the adapter knows at a block, its rows loaded, and the pockets that it states."""
        market = adapter(self._stored.deployment.protocol)
        assert isinstance(market, Liquidates)
        with self._store.transaction() as connection:
            block = block_at(connection, CHAIN_ID, number)
            block = block or Block(number=number, hash="0x", parent_hash="0x", timestamp=0)
            found = snapshot(connection, self._stored, block, Sources())
            for row_type in market.rows:
                found.rows.all(row_type)
            return found, market.liquidation(found, NOBODY).pockets

    def sampled(self) -> list[int]:
        """Some of the blocks, over the whole history."""
        return self.blocks[:: max(1, len(self.blocks) // SAMPLES)]


def just_stored(pocket: Pocket, elapsed: int = 0) -> Pocket:
    """The pocket that long after the protocol stored it."""
    return replace(pocket, interest=replace(pocket.interest, elapsed=elapsed))


@pytest.mark.parametrize("name", ["aave-v3-devnet", "aave-v3.0-devnet"])
def test_aave_stored_the_rates_that_follow_from_its_totals(store: Store, name: str) -> None:
    """Where rates were renewed: aTokens that are seized move indexes alone.

    Where a reserve was liquidated for itself, the rates of v3.0 leave out what was just repaid.
    """
    history = History(store, name, Reserve)
    odd = _liquidated_for_themselves(store) if name == "aave-v3.0-devnet" else set()
    compared = 0
    for number in history.sampled():
        before, _ = history.at(number - 1)
        found, stated = history.at(number)
        reserves = [row for row in found.rows.all(Reserve) if int(row.a_token, 16)]
        for reserve, pocket in zip(reserves, stated, strict=True):
            old = before.rows.find(Reserve, reserve.asset)
            if old is None or _rates(old) == _rates(reserve) or (number, reserve.asset) in odd:
                continue
            # Where the curve is not known, the rate that was stored is its own proof.
            assert pocket.interest.slope2 > pocket.interest.slope1 > 0
            table = table_of((just_stored(pocket),))
            pockets.renew_rates(table, 0)
            for column, ray in zip((BORROW_RATE, SUPPLY_RATE), _rates(reserve), strict=True):
                assert abs(table[0, column] - ray / RAY) <= 1e-12 * ray / RAY, (number, reserve)
                compared += ray > 0
    assert compared > 100


def _liquidated_for_themselves(store: Store) -> set[tuple[int, str]]:
    """Blocks and assets of liquidations of a debt for a collateral in the same asset."""
    called = keccak(b"LiquidationCall(address,address,address,uint256,uint256,address,bool)")
    query = select(raw_logs.c.block_number, raw_logs.c.topic1).where(
        raw_logs.c.topic0 == called, raw_logs.c.topic1 == raw_logs.c.topic2
    )
    with store.transaction() as connection:
        return {(block, "0x" + topic[-20:].hex()) for block, topic in connection.execute(query)}


def _rates(reserve: Reserve) -> tuple[int, int]:
    return reserve.variable_borrow_rate_ray, reserve.liquidity_rate_ray


def test_compound_accrued_what_follows_from_its_totals(store: Store) -> None:
    history = History(store, "compound-v2-devnet", CToken)
    compared = 0
    for number in history.sampled():
        before, stated = history.at(number - 1)
        after, _ = history.at(number)
        tokens = [row for row in before.rows.all(CToken) if row.listed]
        for token, pocket in zip(tokens, stated, strict=True):
            then = after.rows.find(CToken, token.c_token)
            assert then is not None
            if then.accrual_block_number != number or not token.total_borrows_raw:
                continue
            table = table_of((just_stored(pocket, number - token.accrual_block_number),))
            pockets.accrue(table, 0, 12, 0)
            index = Fraction(then.borrow_index_mantissa, token.borrow_index_mantissa)
            assert abs(Fraction(table[0, DEBT_GROWTH]) - index) <= Fraction(1, 10**13)
            compared += 1
    assert compared > 100


def test_morpho_accrued_at_the_rate_of_its_totals(store: Store) -> None:
    history = History(store, "morpho-devnet", Market)
    compared = 0
    for number in history.sampled():
        before, stated = history.at(number - 1)
        after, _ = history.at(number)
        ordered = sorted(before.rows.all(Market), key=lambda m: (m.created_block, m.market_id))
        for market, pocket in zip(ordered, stated, strict=True):
            then = after.rows.find(Market, market.market_id)
            assert then is not None
            if then.last_update_ts == market.last_update_ts or not market.total_borrow_assets_raw:
                continue
            table = table_of((just_stored(pocket),))
            pockets.renew_rates(table, 0)
            assert table[0, BORROW_RATE] == then.prev_borrow_rate_wad
            compared += 1
    assert compared > 50


def test_what_is_in_force_is_what_the_rows_say(store: Store) -> None:
    for name, row_type in (("aave-v3-devnet", Reserve), ("compound-v2-devnet", CToken)):
        history = History(store, name, row_type)
        _, stated = history.at(history.blocks[-1])
        for pocket in stated:
            table = table_of((pocket,))
            interest = pocket.interest
            scale = 10**18 if name.startswith("compound") else 1
            assert table[0, BORROW_RATE] == float(interest.borrow_rate * scale)
            pockets.renew_rates(table, 0)
            assert table[0, RESERVES] == pocket.reserves_raw
            assert table[0, SUPPLIED] >= pocket.supplied_raw * (1 - 1e-15)
            assert table[0, BORROWED] >= pocket.borrowed_raw * (1 - 1e-15)
