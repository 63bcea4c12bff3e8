"""Morpho Blue: positions, markets, prices and who can be liquidated, as the contract says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from defirisk.chain.rpc import RpcChainReader
from defirisk.contagion.screen import liquidatable_units, screen
from defirisk.core.adapter import Deployment, Question, Snapshot, View
from defirisk.core.book import Book
from defirisk.core.evm import Call, CallResult
from defirisk.core.plugins import adapter
from defirisk.core.quote import Feed, leaves
from defirisk.core.row import Row
from defirisk.core.scenario import Scenario
from defirisk.core.verdict import Verdict
from defirisk.indexing.codecs import Codecs
from defirisk.indexing.source import Source
from defirisk.indexing.verify import verify
from defirisk.protocols.lending.morpho_blue.interest import accrue, proportional_rate
from defirisk.protocols.lending.morpho_blue.referee import HEALTHY_POSITION
from defirisk.protocols.lending.morpho_blue.rows import Irm, Market, Oracle, Position
from defirisk.shocks.grammar import scenario
from defirisk.store.database import Store
from defirisk.store.frames import load_book
from defirisk.store.raw import block_at
from defirisk.store.row_tables import row_table
from defirisk.store.snapshots import snapshot, stored_block
from tests.conformance.folding import recorded_logs
from tests.devnet.abi import call_data
from tests.devnet.build import CHECKPOINTS, Devnet, build, fresh, start
from tests.devnet.checkpoints import read_checkpoints
from tests.devnet.record import deployments
from tests.onchain.markets import index_live, new_store, stored, with_reader
from tests.unit.protocols.rows_in_memory import RowsInMemory

pytestmark = pytest.mark.onchain

MORPHO_BLUE = adapter("morpho-blue")
SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in (2, 3, 4, 5))]


@dataclass(frozen=True)
class Lived:
    """A small chain with all its history, and a store of it."""

    devnet: Devnet
    store: Store
    deployment: Deployment

    def verdict(self, number: int | None = None) -> Verdict:
        """What the contracts say of our numbers at a block; None for the last."""
        of = stored(self.store, self.deployment)
        with self.store.transaction() as connection:
            block = stored_block(connection, self.deployment.chain_id, number)
        return with_reader(self.devnet.url, lambda reader: verify(reader, self.store, of, block))

    def rows(self, row_type: type[Row]) -> list[Any]:
        """The current rows as they are stored."""
        table = row_table(row_type)
        with self.store.engine.connect() as connection:
            query = select(table).where(table.c.valid_to_block.is_(None))
            return list(connection.execute(query).mappings())

    def source(self) -> Source:
        return Source(
            stored=stored(self.store, self.deployment),
            adapter=MORPHO_BLUE,
            codecs=Codecs(MORPHO_BLUE),
        )

    def book(self) -> Book:
        with self.store.transaction() as connection:
            block = stored_block(connection, self.deployment.chain_id, None)
            return load_book(connection, [stored(self.store, self.deployment)], block)


def morpho(described: dict[str, Any]) -> Deployment:
    return next(one for one in deployments(described) if one.protocol == "morpho-blue")


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """A life of 60 accounts."""
    with fresh(1, accounts=60, actions=240) as devnet:
        store = new_store(tmp_path_factory.mktemp("morpho"))
        deployment = morpho(devnet.deployment)
        index_live(devnet.url, store, deployment)
        yield Lived(devnet, store, deployment)
        store.close()


def questions_at(at: Snapshot) -> list[Question]:
    return list(MORPHO_BLUE.questions(at))  # type: ignore[attr-defined]


def test_every_number_agrees_with_the_contract_all_along(lived: Lived) -> None:
    """At 25 blocks of the market's life, between runs: all but the rate model is in the logs."""
    numbers = sorted({log.block_number for log in recorded_logs(lived.store, lived.source())})
    chosen = [*numbers[:: max(1, len(numbers) // 25)], None]

    verdicts = [lived.verdict(number) for number in chosen]

    assert len(verdicts) >= 25
    assert [verdict.mismatches for verdict in verdicts] == [()] * len(verdicts)
    assert [verdict.read for verdict in verdicts] == [0] * len(verdicts)
    assert verdicts[-1].accounts >= 40
    # Three numbers of a position, eleven of each market.
    assert verdicts[-1].compared >= 3 * verdicts[-1].accounts + 11 * 6


def test_every_accrual_was_foreseen_to_the_wei(lived: Lived) -> None:
    """Rate, interest and fee of each AccrueInterest, from what was known just before it."""
    rows, seen = RowsInMemory(), 0
    for log in recorded_logs(lived.store, lived.source()):
        if log.event == "AccrueInterest":
            before = rows.get(Market, "0x" + log.args["id"].hex())
            rate = proportional_rate(before)
            ours = accrue(before, rate, log.timestamp)
            assert rate == log.args["prevBorrowRate"]
            assert (ours.interest, ours.fee_shares) == (log.args["interest"], log.args["feeShares"])
            seen += log.args["interest"] > 0
        MORPHO_BLUE.fold(log, rows)
    assert seen >= 50


class CheckpointReader:
    """Answers what a checkpoint holds, with the data of a liquidation that was refused."""

    def __init__(self, checkpoint: dict[str, Any]) -> None:
        self._known = {
            (to.lower(), data): CallResult(said is not None, bytes.fromhex((said or "0x")[2:]))
            for to, data, said in checkpoint["calls"]
        }
        for _, to, data, said, reason in checkpoint["trials"]:
            answer = said if said is not None else reason or "0x"
            result = CallResult(said is not None, bytes.fromhex(answer[2:]))
            self._known[to.lower(), data] = result

    async def calls(self, calls: Sequence[Call], block: object) -> list[CallResult]:
        return [self._known[call.to, "0x" + call.data.hex()] for call in calls]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_number_agrees_with_what_was_recorded_at_the_checkpoints(
    seed: int, tmp_path: Path
) -> None:
    """The large chains; here the referee was asked while they were made, by somebody with funds."""
    built, store = build(seed), new_store(tmp_path)
    with start(built) as devnet:
        market = morpho(devnet.deployment)
        summary = index_live(devnet.url, store, market)
        of = stored(store, market)
        head = with_reader(devnet.url, lambda reader: verify(reader, store, of, summary.block))
        reader = RpcChainReader(devnet.url)
        checkpoints = list(read_checkpoints(built / CHECKPOINTS))

        async def blocks() -> list[Any]:
            try:
                return await reader.blocks([checkpoint["block"] for checkpoint in checkpoints])
            finally:
                await reader.aclose()

        headers = asyncio.run(blocks())
    verdicts, unhealthy = [], 0
    for checkpoint, block in zip(checkpoints, headers, strict=True):
        answers: Any = CheckpointReader(checkpoint)
        verdicts.append(asyncio.run(verify(answers, store, of, block)))
        with store.transaction() as connection:
            asked = questions_at(snapshot(connection, of, block))
        unhealthy += sum(one.ours == (0,) for one in asked if one.refusal)
    store.close()

    assert head.mismatches == ()
    assert head.accounts >= 150
    assert len(verdicts) >= 20
    assert [verdict.mismatches for verdict in verdicts] == [()] * len(verdicts)
    assert sum(verdict.read for verdict in (head, *verdicts)) == 0
    assert unhealthy >= 20


SHOCKS = [
    [],
    ["price:WETH=-10%"],
    ["price:WETH=-33.3333333%"],
    ["price:WETH=-60%"],
    ["price:WETH=1234.56789"],
    ["price:WBTC=-45%"],
    ["price:WBTC=+70%"],
    ["price:LINK=-55%"],
    ["price:DAI=+12.5%"],
    ["depeg:USDC=0.88"],
    ["depeg:USDT=1.3"],
    ["market:WETH=-60%"],
    ["oracle:yWETH@morpho-blue=-4%"],
    ["price:WETH=-35%", "price:WBTC=-30%", "price:LINK=-45%"],
    ["price:WETH=-99%", "price:WBTC=-99%"],
    ["price:WETH=-100%"],
    ["price:WBTC=-17%", "depeg:USDC=1.25", "price:LINK=-30%"],
]


def by_book(book: Book, scene: Scenario) -> set[str]:
    return {book.units[int(n)] for n in liquidatable_units(book, scene)}


def by_contract(lived: Lived, book: Book, scene: Scenario) -> set[str]:
    """Those whom `liquidate` does not refuse as healthy, with the feeds answering the shock."""
    codecs = Codecs(MORPHO_BLUE)
    with lived.store.transaction() as connection:
        now = snapshot(connection, stored(lived.store, lived.deployment), book.block)
        asked = [one for one in questions_at(now) if one.refusal]
    overrides = {
        feed: {"code": answering_round(round(answer * factor))}
        for feed, factor, answer in feeds_moved(lived, book, scene)
    }
    calls = [codecs.call(seizing_one(one.view)) for one in asked]
    answers = lived.devnet.chain.rpc.answers(
        [
            ("eth_call", [{"to": c.to, "data": "0x" + c.data.hex()}, "latest", overrides])
            for c in calls
        ]
    )
    return {one.unit for one, answer in zip(asked, answers, strict=True) if not refused(answer)}


def seizing_one(liquidate: View) -> View:
    """The same liquidation by collateral, not by debt: it also works at a price of 0."""
    market, borrower, _, _, data = liquidate.args
    return View(liquidate.contract, "liquidate", (market, borrower, 1, 0, data))


def refused(answer: dict[str, Any]) -> bool:
    """Healthy, or no oracle that would say: nobody can liquidate."""
    data = bytes.fromhex((answer.get("error", {}).get("data") or "0x")[2:])
    division_by_zero = data.endswith(bytes([0x12])) and len(data) == 36
    return HEALTHY_POSITION in data or division_by_zero


def feeds_moved(lived: Lived, book: Book, scene: Scenario) -> Iterator[tuple[str, Fraction, int]]:
    """Every feed with its factor (its own, or that of the quotes that it alone prices)."""
    factors = dict(scene.moves.feeds)
    for quote, factor in scene.moves.quotes.items():
        (feed,) = (one for one in leaves(book.quote_program[quote]) if isinstance(one, Feed))
        factors[feed.address] = factor
    for feed, factor in factors.items():
        said = lived.devnet.chain.rpc.call(
            "eth_call", {"to": feed, "data": call_data("latestAnswer()", ())}, "latest"
        )
        yield feed, factor, int(said, 16)


def answering_round(value: int) -> str:
    """Runtime code that returns one word five times, whatever it is asked."""
    store = "".join(f"8060{32 * place:02x}52" for place in range(5))
    return f"0x7f{value:064x}{store}60a06000f3"


@pytest.fixture(scope="module")
def large(devnet: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """The large chain of seed 1."""
    store = new_store(tmp_path_factory.mktemp("large"))
    deployment = morpho(devnet.deployment)
    index_live(devnet.url, store, deployment)
    yield Lived(devnet, store, deployment)
    store.close()


@pytest.fixture(scope="module")
def book(large: Lived) -> Book:
    return large.book()


@pytest.mark.parametrize("texts", SHOCKS, ids=lambda texts: " ".join(texts) or "none")
def test_the_same_positions_can_be_liquidated_as_the_contract_says(
    large: Lived, book: Book, texts: list[str]
) -> None:
    scene = scenario("", texts, book)

    ours = by_book(book, scene)

    assert ours == by_contract(large, book, scene)
    assert int(screen(book, [scene]).liquidatable_accounts.sum()) == len(ours)


def test_the_shocks_above_tell_positions_apart(book: Book) -> None:
    sets = {frozenset(by_book(book, scenario("", texts, book))) for texts in SHOCKS}

    assert len(sets) >= 8
    assert max(map(len, sets)) >= 20


PLANTED = [
    *((Position, column) for column in ("supply_shares_raw", "borrow_shares_raw")),
    (Position, "collateral_raw"),
    *((Market, f"total_{side}_raw") for side in ("supply_assets", "supply_shares")),
    *((Market, f"total_{side}_raw") for side in ("borrow_assets", "borrow_shares")),
    *((Market, column) for column in ("last_update_ts", "fee_wad", "lltv_wad")),
    (Oracle, "scale_factor"),
]


@pytest.mark.parametrize(("row_type", "column"), PLANTED)
def test_an_off_by_one_in_a_stored_number_is_found(
    lived: Lived, row_type: type[Row], column: str
) -> None:
    table = row_table(row_type)
    victim = max(lived.rows(row_type), key=lambda row: int(row[column]))
    here = [
        table.c.valid_to_block.is_(None),
        *(table.c[name] == victim[name] for name in row_type.key),
    ]
    try:
        with lived.store.transaction() as connection:
            wrong = {column: victim[column] + 1}
            connection.execute(update(table).where(*here).values(**wrong))
        verdict = lived.verdict()
    finally:
        with lived.store.transaction() as connection:
            connection.execute(update(table).where(*here).values(**{column: victim[column]}))

    assert verdict.mismatches
    assert lived.verdict().mismatches == ()


def test_a_wrong_side_of_the_threshold_is_found(
    lived: Lived, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Storage is right, but everybody is held to be healthy, or nobody."""
    for answer in (True, False):
        monkeypatch.setattr(
            "defirisk.protocols.lending.morpho_blue.referee.is_healthy", lambda *_, a=answer: a
        )
        fields = {mismatch.field for mismatch in lived.verdict().mismatches}
        assert fields == {"healthy"}


def test_an_oracle_of_unknown_making_is_read_and_valued_all_the_same(
    lived: Lived,
) -> None:
    """Without its feeds the price of one market's oracle is what `price()` said."""
    table, book = row_table(Oracle), lived.book()
    # The last market's tokens are priced by feeds of other markets.
    victim = max(lived.rows(Market), key=lambda row: int(row["created_block"]))["oracle"]
    (true,) = (row["scale_factor"] for row in lived.rows(Oracle) if row["oracle"] == victim)
    of_victim = table.c.oracle == victim
    try:
        with lived.store.transaction() as connection:
            connection.execute(update(table).where(of_victim).values(scale_factor=0))
        verdict, read = lived.verdict(), lived.book()
    finally:
        with lived.store.transaction() as connection:
            connection.execute(update(table).where(of_victim).values(scale_factor=true))

    assert verdict.mismatches == ()
    assert verdict.read == 1
    assert not read.unpriced.any()
    assert read.quote_price == pytest.approx(book.quote_price, rel=1e-9)
    assert sum(market.price_grade == "read" for market in read.markets) == 2


def test_an_unknown_rate_model_is_read_at_the_last_block_and_a_guess_before(
    lived: Lived,
) -> None:
    """Its rate is what the model said where the run ended; the contract still agrees there."""
    table = row_table(Irm)
    try:
        with lived.store.transaction() as connection:
            connection.execute(update(table).values(proportional=False))
        numbers = sorted({log.block_number for log in recorded_logs(lived.store, lived.source())})
        with lived.store.transaction() as connection:
            of = stored(lived.store, lived.deployment)
            chain_id = lived.deployment.chain_id
            last = snapshot(connection, of, stored_block(connection, chain_id, None))
            earlier = block_at(connection, chain_id, numbers[-40])
            assert earlier is not None
            before = snapshot(connection, of, earlier)
            findings = [
                [one.code for one in MORPHO_BLUE.findings(at)]  # type: ignore[attr-defined]
                for at in (last, before)
            ]
        verdict = lived.verdict()
    finally:
        with lived.store.transaction() as connection:
            connection.execute(update(table).values(proportional=True))

    assert verdict.mismatches == ()
    assert findings == [[], ["estimated-interest"]]
