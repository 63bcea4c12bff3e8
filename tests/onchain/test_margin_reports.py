"""What reports say of margins and debt, against the running contracts and the proven screen."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak

from defirisk.contagion.cascade.pools.table import VIRTUAL, pool_table
from defirisk.contagion.screen import liquidatable_units
from defirisk.core.book import Book
from defirisk.core.evm import Address
from defirisk.core.margin import PerpPosition
from defirisk.core.scenario import Moves, Scenario
from defirisk.metrics.debt_fall import after_falls
from defirisk.metrics.perp_gap import reached
from defirisk.shocks.grammar import scenario
from defirisk.store.database import open_store
from defirisk.store.frames import load_chain
from defirisk.store.snapshots import market_deployments, stored_block
from tests.command import CommandLine
from tests.devnet.alone import build_alone, start_alone
from tests.devnet.rpc import Rpc
from tests.onchain.alone_stores import indexed_alone

pytestmark = pytest.mark.onchain
FALLS = (0, 5, 13, 27, 40, 55)


def book_of(adapter: str, shared: Path) -> Book:
    store = open_store(f"sqlite:///{indexed_alone(adapter, shared)}", create=False)
    try:
        with store.transaction() as connection:
            stored = market_deployments(connection, ())
            chain_id = stored[0].deployment.chain_id
            return load_chain(
                connection, chain_id, stored, stored_block(connection, chain_id, None)
            )
    finally:
        store.close()


def falling(made: Book, token: Address, percent: int) -> Moves:
    """A fall as users write it."""
    texts = [f"price:{token}=-{percent}%"] if percent else []
    return scenario("", texts, made).moves


def fallen(made: Book, moves: Moves) -> list[str]:
    """Whom the screen finds: it is compared with the contracts elsewhere."""
    scene = Scenario(name="", shocks=(), moves=moves)
    return [made.units[int(unit)] for unit in liquidatable_units(made, scene)]


def test_debt_after_falls_is_that_of_the_screen_in_recovery_mode(shared: Path) -> None:
    made = book_of("liquity-v1", shared)
    system = made.deployments[0].debt
    assert system is not None
    (market,) = system.markets
    assert market.recovery_mode  # and its end is one of what is asked
    owed = {one.unit: one.debt_raw for one in system.positions}
    found = after_falls(system, market, [Fraction(percent, 100) for percent in FALLS])
    for percent, after in zip(FALLS, found, strict=True):
        due = fallen(made, falling(made, market.collateral, percent))
        assert (after.positions, after.debt_raw) == (len(due), sum(owed[unit] for unit in due))


def test_debt_after_falls_is_that_of_the_screen_in_every_ilk(shared: Path) -> None:
    """The screen judges at the stored rate, as the contract does until somebody drips: interest
    that nobody wrote down may make one more fall.
    """
    made = book_of("maker-mcd", shared)
    system = made.deployments[0].debt
    assert system is not None
    same = 0
    for market in system.markets:
        found = after_falls(system, market, [Fraction(percent, 100) for percent in FALLS])
        for percent, after in zip(FALLS, found, strict=True):
            moves = falling(made, market.collateral, percent)
            due = [unit for unit in fallen(made, moves) if unit.endswith(market.market)]
            assert 0 <= after.positions - len(due) <= 1
            same += after.positions == len(due)
    assert same >= len(system.markets) * len(FALLS) - 3
    assert system.reserves is not None
    assert system.reserves.surplus_raw is not None
    assert {one.market for one in system.auctions} <= {one.market for one in system.markets}


@pytest.mark.parametrize("adapter", ["perp-curie", "synthetix-perps-v2"])
def test_positions_that_a_move_reaches_are_those_of_the_screen(adapter: str, shared: Path) -> None:
    """Each of these moves, of one market alone; accounts without a position are left aside."""
    made = book_of(adapter, shared)
    perps = made.deployments[0].perps
    assert perps is not None
    held = {one.unit for one in perps.positions if one.size}
    seen = set()
    for market in perps.markets:
        (asset,) = (
            n
            for n, one in enumerate(made.assets)
            if one.address == market.base_asset or one.symbol == market.name
        )
        quotes = np.flatnonzero(made.quote_asset == asset)
        for percent in (-40, -20, -5, 0, 5, 20, 40):
            move = Fraction(percent, 100)
            (found,) = reached(perps, [move], market.base_asset)
            moves = Moves(quotes={int(q): 1 + move for q in quotes})
            due = [unit for unit in fallen(made, moves) if unit in held]
            assert found.units == len(due), (market.name, percent)
            seen.add(found.units)
    assert len(seen) > 2


def test_orders_hold_what_the_order_book_says(shared: Path) -> None:
    """The referee is OrderBook's own view; amounts there are whole base units of 1e18."""
    made = book_of("perp-curie", shared)
    perps = made.deployments[0].perps
    assert perps is not None
    asked = [one for one in perps.positions if one.maker]
    assert len(asked) > 5
    with start_alone(build_alone("curie_perp", 1)) as alone:
        to = alone.deployment["protocol"]["contracts"]["order_book"]
        rpc = Rpc(alone.url)
        for one in asked:
            base, quote = (
                _tokens(rpc.call("eth_call", {"to": to, "data": _data(one, of_base)}, "latest"))
                for of_base in (True, False)
            )
            assert one.mark_price is not None
            assert one.provided is not None
            # A size below 10 base units counts as none, and values are cut.
            assert abs(one.provided - base * one.mark_price - quote) < Fraction(10**7, 10**18)
        rpc.close()


def _data(one: PerpPosition, of_base: bool) -> str:
    name = b"getTotalTokenAmountInPoolAndPendingFee(address,address,bool)"
    arguments = encode(["address", "address", "bool"], [one.unit, one.market, of_base])
    return "0x" + (keccak(name)[:4] + arguments).hex()


def _tokens(answer: str) -> Fraction:
    return Fraction(int(answer[2:66], 16), 10**18)


def test_nothing_is_sold_in_pools_of_virtual_tokens(shared: Path) -> None:
    made = book_of("perp-curie", shared)
    assert made.sources.venues
    table = pool_table(made)
    assert table.venues == ()
    assert {why for _, why in table.left_out} == {VIRTUAL}
    units = {one.symbol for one in made.assets if one.unit}
    assert units == {"vUSD"}
    assert {one.symbol for one in made.assets if one.virtual} == {"vBTC", "vETH", "vUSD"}
    prices = {one.symbol: made.asset_price[n] for n, one in enumerate(made.assets)}
    assert prices["vUSD"] == 1  # whatever a pool of entries in books pays


def test_a_lie_about_a_perpetual_is_not_said_to_seize_collateral(
    shared: Path, cli: CommandLine
) -> None:
    """Whoever liquidates takes a position over: what a lie earns so is not computed."""
    where = f"sqlite:///{indexed_alone('perp-curie', shared)}"
    ran = cli("oracle", "--db", where, "--format", "json")
    assert ran.code == 0, ran
    feeds = json.loads(ran.out)["feeds"]
    assert {one["verdict"] for one in feeds} == {"unknown"}
    assert len(feeds) == 2


@pytest.mark.parametrize("adapter", ["perp-curie", "synthetix-perps-v2", "liquity-v1", "maker-mcd"])
def test_every_page_is_one_page(adapter: str, shared: Path, cli: CommandLine) -> None:
    where = f"sqlite:///{indexed_alone(adapter, shared)}"
    for format_ in ("html", "json", "csv", "md", "table"):
        ran = cli("report", "protocol", adapter, "--db", where, "--format", format_)
        assert ran.code == 0, ran
        if format_ == "json":
            assert json.loads(ran.out, parse_constant=pytest.fail)["sections"]
    assert cli("report", "holder", "--db", where).code == 0
