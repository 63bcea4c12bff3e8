"""Pools rebuilt from logs, against what the pools themselves say: at the head, and wherever they
were asked while the population lived.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import decode
from sqlalchemy import Connection, or_, select, update

from defirisk.core.adapter import Deployment, Refereed
from defirisk.core.evm import Block, CallResult, ChainReader
from defirisk.core.plugins import adapter
from defirisk.core.row import Row
from defirisk.core.sources import HoldsShares, VenueAdapter
from defirisk.core.venue import Venue
from defirisk.core.verdict import Mismatch, Verdict
from defirisk.indexing.codecs import Codecs
from defirisk.indexing.run import index
from defirisk.indexing.verify import differences, verify
from defirisk.protocols.amm.curve_stableswap.rows import Amplification, Balances, LpBalance
from defirisk.protocols.amm.uniswap_v2.rows import Balance, Reserves
from defirisk.protocols.amm.uniswap_v3.rows import Observation, Position, Slot, Tick
from defirisk.store.database import Store
from defirisk.store.registry import find_deployment
from defirisk.store.row_tables import row_table
from defirisk.store.snapshots import snapshot
from defirisk.swaps.stableswap import StableSwap
from tests.devnet.build import CHECKPOINTS, DEPLOYMENT, build, start
from tests.devnet.checkpoints import read_checkpoints
from tests.devnet.record import deployments
from tests.onchain.markets import new_store, stored, with_reader

pytestmark = pytest.mark.onchain

SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in (2, 3, 4, 5))]
PROTOCOLS = ("uniswap-v2", "uniswap-v3", "curve-stableswap")
ANSWERED = {
    "uniswap-v2": {
        "getReserves",
        "price0CumulativeLast",
        "price1CumulativeLast",
        "totalSupply",
        "balanceOf",
    },
    "uniswap-v3": {"slot0", "liquidity", "ticks", "tickBitmap", "observations", "positions"},
    "curve-stableswap": {
        "balances",
        "A_precise",
        "initial_A",
        "future_A_time",
        "fee",
        "get_virtual_price",
        "totalSupply",
        "balanceOf",
    },
}
"""The views that checkpoints hold answers of."""

STEPS = 4000
"""Words of the bitmap that a sale may cross: each step rounds by less than a base unit."""

Answers = Mapping[tuple[str, str], str | None]


@dataclass(frozen=True)
class Lived:
    """A seed's exchanges as they were indexed, what verify found, and what its contracts said."""

    store: Store
    markets: Mapping[str, Deployment]
    verdicts: Mapping[str, Verdict]
    checkpoints: tuple[tuple[Block, Answers], ...]


def exchanges(described: dict[str, Any]) -> dict[str, Deployment]:
    """The deployments of the local chain by protocol."""
    return {one.protocol: one for one in deployments(described) if one.protocol in PROTOCOLS}


@pytest.fixture(scope="module", params=SEEDS)
def lived(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lived]:
    path: Path = build(request.param)
    markets = exchanges(json.loads((path / DEPLOYMENT).read_text()))
    store = new_store(tmp_path_factory.mktemp("venues"))
    said = list(read_checkpoints(path / CHECKPOINTS))

    async def work(reader: ChainReader) -> tuple[dict[str, Verdict], list[Block]]:
        summary = await index(reader, store, list(markets.values()), "latest")
        verdicts = {
            name: await verify(reader, store, stored(store, market), summary.block)
            for name, market in markets.items()
        }
        return verdicts, await reader.blocks([one["block"] for one in said])

    with start(path) as devnet:
        verdicts, blocks = with_reader(devnet.url, work)
    checkpoints = tuple(
        (block, {(to.lower(), data): answer for to, data, answer in one["calls"]})
        for block, one in zip(blocks, said, strict=True)
    )
    yield Lived(store, markets, verdicts, checkpoints)
    store.close()


def compared(
    connection: Connection, market: Deployment, at: Block, said: Answers
) -> tuple[Counter[str], list[Mismatch]]:
    """Our numbers that the checkpoint has an answer to: how many by view, and those that differ."""
    refereed = adapter(market.protocol)
    assert isinstance(refereed, Refereed)
    found = find_deployment(connection, market.name)
    assert found is not None
    codecs, asked, wrong = Codecs(refereed), Counter[str](), list[Mismatch]()
    for question in refereed.questions(snapshot(connection, found, at)):
        call = codecs.call(question.view)
        key = (call.to, "0x" + call.data.hex())
        if key in said:
            data = said[key]
            result = CallResult(data is not None, bytes.fromhex((data or "0x")[2:]))
            asked[question.view.function] += len(question.fields)
            wrong += differences(question, codecs.answer(question.view, result))
    return asked, wrong


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_number_agrees_with_the_running_pools_at_the_head(
    protocol: str, lived: Lived
) -> None:
    verdict = lived.verdicts[protocol]
    assert verdict.mismatches == ()
    assert verdict.accounts >= 10
    assert verdict.compared > 60
    assert verdict.read == (5 if protocol == "uniswap-v2" else 0)  # kLast, which nothing states


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_number_agrees_with_what_the_pools_said_at_every_checkpoint(
    protocol: str, lived: Lived
) -> None:
    asked = Counter[str]()
    with lived.store.transaction() as connection:
        for at, said in lived.checkpoints:
            counts, wrong = compared(connection, lived.markets[protocol], at, said)
            assert wrong == [], at.number
            asked += counts
    assert len(lived.checkpoints) >= 20
    assert asked.keys() >= ANSWERED[protocol]
    assert all(asked[view] >= len(lived.checkpoints) for view in ANSWERED[protocol])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_all_could_take_out_is_in_the_pools(protocol: str, lived: Lived) -> None:
    """Rounding is in the pools' favour, by less than a base unit for each share and token."""
    its, at = adapter(protocol), lived.checkpoints[-1][0]
    assert isinstance(its, HoldsShares)
    with lived.store.transaction() as connection:
        found = find_deployment(connection, lived.markets[protocol].name)
        assert found is not None
        shares = list(its.shares(snapshot(connection, found, at)))
        venues = venues_at(connection, lived.markets[protocol], at)
    worth, count = Counter[tuple[str, str]](), Counter[str]()
    for share in shares:
        count[share.token] += 1
        for token, amount in share.worth:
            worth[share.token, token] += amount

    assert min(count[venue.address] for venue in venues) >= 1
    assert count.total() >= 3 * len(venues)
    for venue in venues:
        balances = getattr(venue.pool, "reserves", getattr(venue.pool, "balances", None))
        for place, token in enumerate(venue.tokens):
            out = worth[venue.address, token]
            if balances is None:  # ranges: what a swap to either end would take out of them
                other = (place + 1) % 2
                ends = venue.pool.sell(other, place, 10**40).received
                assert abs(out - ends) <= STEPS
            else:
                locked = balances[place] // 1000  # what v2 locks
                assert balances[place] - count[venue.address] - locked <= out <= balances[place]


def test_quotes_of_routers_and_pools_are_met_to_the_wei(lived: Lived) -> None:
    met = Counter[str]()
    for at, said in lived.checkpoints[::4]:
        with lived.store.transaction() as connection:
            venues = [
                venue
                for market in lived.markets.values()
                for venue in venues_at(connection, market, at)
            ]
        for (to, data), answer in said.items():
            if answer is not None:
                met[data[:10]] += quote_is_met(venues, to, data, bytes.fromhex(answer[2:]))
    assert {kind for kind, count in met.items() if count} == {GET_AMOUNTS_OUT, QUOTE, GET_DY}
    assert min(met[kind] for kind in (GET_AMOUNTS_OUT, QUOTE, GET_DY)) >= 30


GET_AMOUNTS_OUT, QUOTE, GET_DY = "0xd06ca61f", "0xc6a5026a", "0x5e0d443f"


def venues_at(connection: Connection, market: Deployment, at: Block) -> list[Venue]:
    found, its = find_deployment(connection, market.name), adapter(market.protocol)
    assert found is not None
    assert isinstance(its, VenueAdapter)
    return list(its.venues(snapshot(connection, found, at)))


def quote_is_met(venues: list[Venue], to: str, data: str, answer: bytes) -> bool:
    """Whether this call is a quote of one of the venues; it must be met then."""
    arguments = bytes.fromhex(data[10:])
    if data.startswith(GET_DY):
        (venue,) = (one for one in venues if one.address == to)
        assert isinstance(venue.pool, StableSwap)
        i, j, amount = decode(["int128", "int128", "uint256"], arguments)
        assert venue.pool.get_dy(i, j, amount) == int.from_bytes(answer)
        return True
    if data.startswith(GET_AMOUNTS_OUT):
        amount, path = decode(["uint256", "address[]"], arguments)
        kind, received = "constant-product", decode(["uint256[]"], answer)[0][-1]
        fee = None
    elif data.startswith(QUOTE):
        order = "(address,address,uint256,uint24,uint160)"
        ((*path, amount, fee, _),) = decode([order], arguments)
        kind, received = "concentrated", decode(["uint256"], answer[:32])[0]
    else:
        return False
    (venue,) = (
        one
        for one in venues
        if one.kind == kind
        and set(one.tokens) == set(path)
        and fee in (None, getattr(one.pool, "fee_pips", None))
    )
    places = (venue.place(path[0]), venue.place(path[1]))
    assert venue.pool.sell(*places, amount).received == received
    return True


COLUMNS: list[tuple[str, type[Row], str]] = [
    ("uniswap-v2", Reserves, "reserve0"),
    ("uniswap-v2", Reserves, "block_timestamp_last"),
    ("uniswap-v2", Reserves, "price0_cumulative_last"),
    ("uniswap-v2", Reserves, "price1_cumulative_last"),
    ("uniswap-v2", Reserves, "total_supply_raw"),
    ("uniswap-v2", Balance, "balance_raw"),
    ("uniswap-v3", Slot, "sqrt_price_x96"),
    ("uniswap-v3", Slot, "liquidity"),
    ("uniswap-v3", Slot, "observation_index"),
    ("uniswap-v3", Slot, "observation_cardinality"),
    ("uniswap-v3", Tick, "liquidity_gross"),
    ("uniswap-v3", Tick, "liquidity_net"),
    ("uniswap-v3", Observation, "tick_cumulative"),
    ("uniswap-v3", Observation, "seconds_per_liquidity_cumulative_x128"),
    ("uniswap-v3", Position, "liquidity"),
    ("curve-stableswap", Balances, "balance1"),
    ("curve-stableswap", Balances, "total_supply_raw"),
    ("curve-stableswap", Amplification, "future_a"),
    ("curve-stableswap", LpBalance, "balance_raw"),
]


@pytest.mark.parametrize(("protocol", "row_type", "column"), COLUMNS)
def test_an_off_by_one_in_a_stored_number_is_found(
    protocol: str, row_type: type[Row], column: str, lived: Lived
) -> None:
    table, (at, said) = row_table(row_type), lived.checkpoints[-1]
    market = lived.markets[protocol]
    valid = (
        table.c.valid_from_block <= at.number,
        or_(table.c.valid_to_block.is_(None), table.c.valid_to_block > at.number),
    )
    with lived.store.engine.connect() as connection, connection.begin() as attempt:
        rows = connection.execute(select(table).where(*valid)).mappings().all()
        victim = max(rows, key=lambda row: int(row[column]))
        here = [*valid, *(table.c[name] == victim[name] for name in row_type.key)]
        change = {column: victim[column] + 1}
        connection.execute(update(table).where(*here).values(**change))
        assert compared(connection, market, at, said)[1]
        attempt.rollback()
