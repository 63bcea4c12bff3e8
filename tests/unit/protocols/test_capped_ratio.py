"""A rate that may only grow so fast: cut as the contract cuts, followed as far as the cap."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.core.adapter import Contract, Log, TokenWanted, View
from defirisk.core.claim import Claim, converted
from defirisk.core.quote import Constant, Conversion, Leaf, exact
from defirisk.protocols.oracles.capped_ratio import ADAPTER, SAMPLE, VAULT, capped_price
from tests.unit.protocols.feeds_in_memory import (
    CONTRACT,
    NOW,
    OTHER_FEED,
    THE_FEED,
    USDC,
    WETH,
    answers,
    dollars,
    observe,
    snapshot,
)
from tests.unit.protocols.rows_in_memory import RowsInMemory

E18 = 10**18
YEAR = 365 * 86_400
# The share stands for WETH: any token of a known claim will do as its vault.
VAULT_TOKEN = USDC
BASE = {OTHER_FEED: dollars(2_000 * 10**8)}
PROVIDER = Contract(address=VAULT_TOKEN, role=VAULT, first_block=0)


def capped(ratio: int, converts_to: int, since: int = YEAR) -> RowsInMemory:
    """A feed with a snapshot of 1.1 a while ago, which may grow by 3 % a year."""
    state = RowsInMemory()
    said = {
        "BASE_TO_USD_AGGREGATOR": OTHER_FEED,
        "RATIO_PROVIDER": VAULT_TOKEN,
        "RATIO_DECIMALS": 18,
        "decimals": 8,
    }
    observe(ADAPTER, state, said)
    set_cap(state, 11 * E18 // 10, NOW - since)
    observe(ADAPTER, state, {"convertToAssets": converts_to}, PROVIDER)
    observe(ADAPTER, state, {"getRatio": ratio})
    return state


def set_cap(state: RowsInMemory, ratio: int, at: int) -> None:
    growth = ratio * 300 // 10_000 // YEAR
    args = {"snapshotRatio": ratio, "snapshotTimestamp": at, "maxRatioGrowthPerSecond": growth}
    log = Log(
        block_number=7,
        timestamp=at,
        log_index=0,
        contract=CONTRACT,
        event="CapParametersUpdated",
        args=args | {"maxYearlyRatioGrowthPercent": 300},
    )
    ADAPTER.fold(log, state)


def rate(leaf: Leaf, factor: Fraction) -> Fraction:
    return factor if isinstance(leaf, Conversion) else Fraction(1)


@pytest.mark.parametrize(
    ("ratio", "counts"), [(12 * E18 // 10, False), (112 * E18 // 100, True), (E18 // 2, True)]
)
def test_a_ratio_counts_up_to_its_cap(ratio: int, counts: bool) -> None:
    """After a year of 3 % the cap is 1.133; a fall counts in full."""
    answer = answers(ADAPTER, capped(ratio, 0), feeds=BASE)[THE_FEED]

    most = 11 * E18 // 10 + YEAR * (11 * E18 // 10 * 300 // 10_000 // YEAR)
    assert answer.price == 2_000 * 10**8 * (ratio if counts else most) // E18
    assert float(answer.value) == pytest.approx(2_000 * min(ratio / E18, 1.133), rel=1e-9)
    assert (answer.grade, answer.made_of) == ("read", (VAULT_TOKEN, OTHER_FEED))
    assert exact(answer.of(THE_FEED)) == answer.value


def test_the_program_goes_on_to_the_cap_and_no_further() -> None:
    program = answers(ADAPTER, capped(112 * E18 // 100, 0), feeds=BASE)[THE_FEED].of(THE_FEED)

    moved = [exact(program, lambda leaf, f=f: rate(leaf, f)) for f in (2, Fraction(1, 2))]  # type: ignore[misc]

    assert [float(value or 0) for value in moved] == pytest.approx([2_266, 1_120], rel=1e-9)


def test_the_cap_grows_by_the_second_from_its_last_snapshot() -> None:
    state = capped(2 * E18, 0, since=100)
    early, late = (
        answers(ADAPTER, state, feeds=BASE, timestamp=NOW + more)[THE_FEED].price
        for more in (0, 1_000_000)
    )
    set_cap(state, 15 * E18 // 10, NOW + 1_000_000)
    again = answers(ADAPTER, state, feeds=BASE, timestamp=NOW + 1_000_000)[THE_FEED].price

    assert early < late < again == 3_000 * 10**8


@given(st.integers(-(10**20), 10**20), st.integers(-5, 10**20), st.integers(0, 10**20))
def test_the_answer_is_the_fraction_cut_to_an_integer(base: int, ratio: int, most: int) -> None:
    product = Fraction(base * min(ratio, most), E18)
    price = capped_price(base, ratio, most, 18)
    if base > 0 and ratio > 0:
        assert 0 <= product - price < 1
    else:
        assert price == 0


def test_the_rate_of_a_vault_is_its_own_where_it_was_found_to_be() -> None:
    """At other blocks than the last, and exactly: what the claim says, cut as ERC-4626 cuts."""
    now = Claim(
        token=VAULT_TOKEN,
        kind="vault",
        program=Constant(Fraction(1)),
        underlying=WETH,
        rate=Fraction(10, 9) / 10**12,
    )
    assert converted(now, SAMPLE, 6, 18) == 10**18 * 10 // 9

    follows = answers(ADAPTER, capped(E18, E18), feeds=BASE, claim=now)[THE_FEED]
    does_not = answers(ADAPTER, capped(E18, E18 + 1), feeds=BASE, claim=now)[THE_FEED]

    assert (follows.price, follows.grade) == (2_000 * 10**8 * (E18 * 10 // 9) // E18, "logs")
    assert (does_not.price, does_not.grade) == (2_000 * 10**8, "read")
    assert follows.exact
    older = answers(ADAPTER, capped(E18, E18), feeds=BASE, claim=replace(now, exact=False))
    assert not older[THE_FEED].exact


def test_a_cap_that_was_set_before_the_first_log_is_read() -> None:
    state = RowsInMemory()
    observe(ADAPTER, state, {"BASE_TO_USD_AGGREGATOR": OTHER_FEED, "RATIO_DECIMALS": 18})
    observe(ADAPTER, state, {"decimals": 8, "getSnapshotRatio": E18, "getRatio": 2 * E18})

    assert answers(ADAPTER, state, feeds=BASE)[THE_FEED].price == 2_000 * 10**8


def test_without_a_base_price_there_is_none() -> None:
    assert answers(ADAPTER, capped(E18, E18)) == {}
    codes = [finding.code for finding in ADAPTER.findings(snapshot(capped(E18, 0), BASE))]
    assert codes == ["answer-read"]


def test_what_was_read_at_another_block_is_not_asked_about() -> None:
    at = snapshot(capped(E18, 0), BASE)
    later = replace(at, block=replace(at.block, number=at.block.number + 1))

    functions = [[one.view.function for one in ADAPTER.questions(one)] for one in (at, later)]

    assert functions == [["latestAnswer", "getMaxRatio", "getRatio"], ["getMaxRatio"]]


def test_the_share_and_its_vault_are_wanted() -> None:
    assert list(ADAPTER.discover_view(View(CONTRACT, "RATIO_PROVIDER"), (VAULT_TOKEN,))) == [
        TokenWanted(address=VAULT_TOKEN),
        Contract(address=VAULT_TOKEN, role=VAULT, first_block=0, subject=THE_FEED),
    ]
