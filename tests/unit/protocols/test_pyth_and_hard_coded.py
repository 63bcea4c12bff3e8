"""Feeds that are not computed: published to one contract for all, or written down once."""

from __future__ import annotations

from fractions import Fraction

from defirisk.core.adapter import Contract, FeedWanted, Log, View
from defirisk.core.quote import Constant, Feed, exact
from defirisk.protocols.feed_getters import CANDIDATE, FEED
from defirisk.protocols.oracles import hard_coded, pyth
from tests.unit.protocols.feeds_in_memory import (
    CONTRACT,
    NOW,
    THE_FEED,
    address,
    answers,
    observe,
    snapshot,
)
from tests.unit.protocols.rows_in_memory import RowsInMemory

PYTH = address(0x97)
BTC, ETH = bytes(31) + b"\x01", bytes(31) + b"\x02"


def published(state: RowsInMemory, price_id: bytes, price: int, at: int) -> None:
    contract = Contract(address=PYTH, role="pyth", first_block=0, subject=THE_FEED)
    args = {"id": price_id, "publishTime": at, "price": price, "conf": 7}
    log = Log(
        block_number=7,
        timestamp=NOW,
        log_index=0,
        contract=contract,
        event="PriceFeedUpdate",
        args=args,
    )
    pyth.ADAPTER.fold(log, state)


def wrapped() -> RowsInMemory:
    state = RowsInMemory()
    observe(pyth.ADAPTER, state, {"pyth": PYTH, "priceId": BTC, "decimals": 8})
    return state


def test_a_wrapper_says_the_last_price_of_its_own_id() -> None:
    state = wrapped()
    for price_id, price, at in ((BTC, 5, NOW - 9), (BTC, 43_000 * 10**8, NOW - 5), (ETH, 1, NOW)):
        published(state, price_id, price, at)

    answer = answers(pyth.ADAPTER, state)[THE_FEED]

    assert (answer.price, answer.decimals, answer.updated_at) == (43_000 * 10**8, 8, NOW - 5)
    assert (answer.grade, answer.kind, answer.made_of) == ("logs", "pyth", (PYTH,))
    assert answer.of(THE_FEED) == Feed(THE_FEED, Fraction(43_000))


def test_a_price_that_was_never_published_here_is_left_to_who_can_read_it() -> None:
    assert answers(pyth.ADAPTER, wrapped()) == {}
    assert [one.code for one in pyth.ADAPTER.findings(snapshot(wrapped()))] == ["no-answer"]


def test_only_what_shows_its_kind_s_getter_is_asked_further_and_followed() -> None:
    wanted = pyth.ADAPTER.feed(FeedWanted(address=THE_FEED, first_block=5))
    assert (wanted.role, wanted.first_block) == (CANDIDATE, 5)
    assert [view.function for view in pyth.ADAPTER.views([wanted])] == ["priceId"]
    assert list(pyth.ADAPTER.discover_view(View(wanted, "priceId"), None)) == []

    (feed,) = pyth.ADAPTER.discover_view(View(wanted, "priceId"), (BTC,))
    assert feed == Contract(address=THE_FEED, role=FEED, first_block=5)
    (source,) = pyth.ADAPTER.discover_view(View(CONTRACT, "pyth"), (PYTH,))
    assert source == Contract(address=PYTH, role="pyth", first_block=0, subject=THE_FEED)


def written(answer: int | None, stated: int, state: RowsInMemory | None = None) -> RowsInMemory:
    """A feed that shows a dollar, and answers this."""
    state = state or RowsInMemory()
    round_data = None if answer is None else (1, answer, stated, stated, 1)
    said = {"PRICE": 10**8, "decimals": 8, "latestRoundData": round_data}
    observe(hard_coded.ADAPTER, state, said)
    return state


def test_what_answers_what_it_shows_is_a_constant() -> None:
    answer = answers(hard_coded.ADAPTER, written(10**8, NOW), timestamp=NOW + 99)[THE_FEED]

    assert (answer.price, answer.grade, answer.made_of) == (10**8, "logs", ())
    assert answer.of(THE_FEED) == Constant(Fraction(1))
    assert exact(answer.of(THE_FEED), lambda _: Fraction(1)) == 1
    # It claims to be of this very second, whichever that is.
    assert answer.updated_at == NOW + 99


def test_the_time_that_a_constant_states_is_its_own() -> None:
    answer = answers(hard_coded.ADAPTER, written(10**8, NOW - 7))[THE_FEED]
    assert answer.updated_at == NOW - 7


def test_what_answers_something_else_than_it_shows_is_not_known() -> None:
    for answer in (None, 10**8 + 1):
        assert answers(hard_coded.ADAPTER, written(answer, NOW)) == {}
    # Not even if it does so only once.
    lied = written(10**8 + 1, NOW, written(10**8, NOW))
    assert answers(hard_coded.ADAPTER, lied) == {}
    assert answers(hard_coded.ADAPTER, written(10**8, NOW, lied)) == {}
