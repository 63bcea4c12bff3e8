"""The same prices, put to our rows and to Perps V2 itself: the same positions must fall."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

import pytest

from defirisk.core.holdings import Holdings, Side
from defirisk.core.margin import PerpPosition
from defirisk.core.quote import Feed, Leaf, exact, leaves
from defirisk.protocols.perps.synthetix_perps_v2 import ADAPTER
from tests.devnet.abi import call_data, words
from tests.devnet.synthetix.desk import Desk
from tests.onchain.shocked_sets import returning
from tests.onchain.synthetix_chain import Indexed, indexed_alone

pytestmark = pytest.mark.onchain
SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in (2, 3, 4, 5))]
PLACES = 10**8
# Changes of prices, in parts of them: the circuit breaker takes less than threefold.
MOVES: list[dict[str, float]] = [
    {},
    *({"WETH": move} for move in (-0.6, -0.45, -0.3, -0.2, -0.1, -0.03, 0.04, 0.15, 0.5, 1.5)),
    *({"WBTC": move} for move in (-0.55, -0.25, -0.08, 0.02, 0.12, 0.9)),
    *({"LINK": move} for move in (-0.6, -0.2, 0.1, 0.7)),
    {"WETH": -0.4, "WBTC": -0.4, "LINK": -0.4},
    {"WETH": 0.4, "WBTC": 0.4, "LINK": 0.4},
    {"WETH": -0.111111111, "WBTC": 0.0987654321, "LINK": -0.0123456789},
]


@dataclass(frozen=True)
class Shocked:
    """What we hold of the chain, and the chain."""

    found: Indexed
    holdings: Holdings

    def answers(self, moves: Mapping[str, float]) -> dict[str, int]:
        """What each feed answers after the moves, by its address."""
        feeds = self.found.alone.market.feeds.by_symbol
        said = {symbol: self.answer(feeds[symbol].proxy) for symbol in moves}
        return {
            feeds[symbol].proxy.lower(): round(said[symbol] * (1 + Fraction(move)))
            for symbol, move in moves.items()
        }

    def answer(self, feed: str) -> int:
        """What a feed says now."""
        return words(self.found.alone.chain.call(feed, "latestAnswer()"))[0]

    def factors(self, answers: Mapping[str, int]) -> dict[str, Fraction]:
        """By how much each feed moves."""
        return {feed: Fraction(answer, self.answer(feed)) for feed, answer in answers.items()}

    def by_contract(self, answers: Mapping[str, int]) -> set[str]:
        """Whom the markets themselves say one can liquidate, with these answers in their feeds."""
        now = self.found.block.timestamp
        code = {
            feed: {"code": returning(8, answer, now, now, 8)} for feed, answer in answers.items()
        }
        calls = []
        for unit in self.holdings.units:
            account, market = unit.split(":")
            data = call_data("canLiquidate(address)", (account,))
            calls.append(
                ("eth_call", [{"to": market, "data": data}, hex(self.found.block.number), code])
            )
        said = zip(self.holdings.units, self.found.alone.chain.rpc.batch(calls), strict=True)
        return {unit for unit, answer in said if words(answer)[0]}

    def by_check(self, answers: Mapping[str, int]) -> set[str]:
        """Whom the adapter's own integers find."""
        check, factors = ADAPTER.liquidation_check(self.found.snapshot()), self.factors(answers)
        moved = {}
        for place, quote in enumerate(self.holdings.quotes):
            for leaf in leaves(quote.program):
                if isinstance(leaf, Feed) and leaf.address in factors:
                    moved[place] = factors[leaf.address]
        return {unit for unit in self.holdings.units if check(unit, moved)}

    def by_rows(self, answers: Mapping[str, int]) -> dict[str, Fraction]:
        """What collateral exceeds debts and requirements by, from the rows alone."""
        factors = self.factors(answers)

        def factor(leaf: Leaf) -> Fraction:
            return factors.get(leaf.address, Fraction(1)) if isinstance(leaf, Feed) else Fraction(1)

        return uncovered(self.holdings, [exact(q.program, factor) for q in self.holdings.quotes])


def uncovered(holdings: Holdings, prices: list[Fraction | None]) -> dict[str, Fraction]:
    """Collateral less debts less requirements of every unit; those without a price are left out."""
    left = [Fraction(0)] * len(holdings.units)
    unknown = set()
    for held in holdings.holdings:
        price, quote = prices[held.quote], holdings.quotes[held.quote]
        if price is None:
            unknown.add(held.unit)
            continue
        value = (held.amount_raw + held.remainder) / Fraction(10**quote.decimals) * price
        left[held.unit] += value if held.side is Side.COLLATERAL else -value
    for needed in holdings.requirements:
        price, quote = prices[needed.quote], holdings.quotes[needed.quote]
        if price is None:
            unknown.add(needed.unit)
            continue
        value = needed.ratio * Fraction(needed.amount_raw, 10**quote.decimals) * price
        value = value if needed.high is None else min(value, needed.high)
        left[needed.unit] -= value if needed.low is None else max(value, needed.low)
    return {name: left[u] for u, name in enumerate(holdings.units) if u not in unknown}


@pytest.fixture(scope="module", params=SEEDS)
def shocked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shocked]:
    with indexed_alone(request.param, tmp_path_factory.mktemp("stress")) as found:
        yield Shocked(found, ADAPTER.holdings(found.snapshot()))


@pytest.mark.parametrize("moves", MOVES, ids=lambda moves: str(moves))
def test_the_same_positions_can_be_liquidated_as_the_markets_say(
    shocked: Shocked, moves: dict[str, float]
) -> None:
    answers = shocked.answers(moves)
    theirs = shocked.by_contract(answers)
    rows = shocked.by_rows(answers)
    grains = dict(zip(shocked.holdings.units, shocked.holdings.resolutions(), strict=True))

    assert shocked.by_check(answers) == theirs
    assert rows.keys() == grains.keys()
    assert all(abs(left) > grains[unit] for unit, left in rows.items() if left)
    assert {unit for unit, left in rows.items() if left < 0} == theirs


def test_the_moves_above_tell_positions_apart(shocked: Shocked) -> None:
    sets = {frozenset(shocked.by_contract(shocked.answers(moves))) for moves in MOVES}

    assert len(sets) >= 12
    assert len(frozenset.union(*sets)) >= 15


def test_at_its_liquidation_price_a_position_falls_in_every_regime_of_the_fee(
    shocked: Shocked,
) -> None:
    """One step of the feed to either side of the price that `perps` states."""
    regimes = set()
    for position, low, high in edges(shocked):
        assert position.unit in shocked.by_contract(low if position.size > 0 else high)
        assert position.unit in shocked.by_check(low if position.size > 0 else high)
        assert position.unit not in shocked.by_contract(high if position.size > 0 else low)
        assert position.unit not in shocked.by_check(high if position.size > 0 else low)
        regimes.add(regime(shocked, position))

    assert regimes == {"least", "proportional", "capped"}


def edges(shocked: Shocked) -> Iterator[tuple[PerpPosition, dict[str, int], dict[str, int]]]:
    """Positions with the feed's answers right below and above their liquidation price."""
    snapshot = shocked.found.snapshot()
    perps = {perp.market.lower(): perp for perp in shocked.found.synthetix.perps.values()}
    feeds = shocked.found.alone.market.feeds.by_symbol
    for position in ADAPTER.perps(snapshot).positions:
        price, mark = position.liquidation_price, position.mark_price
        assert mark is not None
        # Beyond a threefold move the circuit breaker would decide.
        if price is not None and Fraction(2, 5) < price / mark < Fraction(5, 2):
            feed = feeds[perps[position.market].symbol].proxy.lower()
            exactly = price * PLACES
            yield position, {feed: floor(exactly)}, {feed: ceil(exactly)}


def regime(shocked: Shocked, position: PerpPosition) -> str:
    """Where the liquidation fee lies at the position's liquidation price."""
    unit = shocked.holdings.units.index(position.unit)
    fee = next(
        one for one in shocked.holdings.requirements if one.unit == unit and one.low != one.high
    )
    assert position.liquidation_price is not None
    value = abs(position.size) * position.liquidation_price * fee.ratio
    assert fee.low is not None
    assert fee.high is not None
    return "least" if value < fee.low else "capped" if value > fee.high else "proportional"


def test_the_market_flags_whom_the_check_names(shocked: Shocked) -> None:
    """Executed: feeds really report, and a keeper tries to flag everybody."""
    chain, market = shocked.found.alone.chain, shocked.found.alone.market
    before, block = chain.rpc.call("evm_snapshot"), shocked.found.block
    try:
        answers = shocked.answers({"WETH": -0.12, "WBTC": 0.07, "LINK": -0.2})
        for symbol, answer in zip(("WETH", "WBTC", "LINK"), answers.values(), strict=True):
            chain.must(*market.feeds.report(symbol, answer / PLACES))
        shocked.found.index()
        snapshot = shocked.found.snapshot()
        check, desk = ADAPTER.liquidation_check(snapshot), Desk(shocked.found.synthetix)
        perps = {perp.market.lower(): perp for perp in shocked.found.synthetix.perps.values()}
        flagged = {unit for unit, row in _flaggers(shocked).items() if row}
        units = [unit for unit in shocked.holdings.units if unit not in flagged]
        pairs = [unit.split(":") for unit in units]
        txs = [desk.flag(desk.synthetix.pyth, perps[market], who) for who, market in pairs]
        works = zip(units, chain.would_succeed(txs), strict=True)
        due = {unit for unit, ok in works if ok}
        assert due == {unit for unit in units if check(unit, {})}
        assert len(due) >= 3
    finally:
        chain.rpc.call("evm_revert", before)
        chain.resync()
        shocked.found.block = block


def _flaggers(shocked: Shocked) -> dict[str, bool]:
    calls = []
    for unit in shocked.holdings.units:
        account, market = unit.split(":")
        calls.append((market, call_data("isFlagged(address)", (account,))))
    said = shocked.found.alone.chain.calls(calls)
    return {
        unit: bool(words(answer or "0x0")[0])
        for unit, answer in zip(shocked.holdings.units, said, strict=True)
    }
