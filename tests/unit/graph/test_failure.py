"""Exposure, steps and rank of failures in a book that can be reckoned by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from defirisk.contagion.failure.settle import fail
from defirisk.core.book import Book, Floats
from defirisk.core.errors import UsageError
from defirisk.core.scenario import Scenario
from defirisk.graph.build import Composition, compose
from defirisk.graph.failure.exposure import exposed_markets, exposed_parts, exposed_vaults
from defirisk.graph.failure.path import Step, path
from defirisk.graph.failure.subjects import find, subjects
from defirisk.metrics.systemic import marginal_losses, ranked, settled_at_once
from tests import books
from tests.unit.contagion.failure.failing import (
    BAD,
    HAND,
    USDC,
    Isolated,
    V,
    Vault,
    W,
    at,
    book,
    place,
    pool,
    row,
)

CLOSE = 1e-9


@pytest.fixture(scope="module")
def made() -> Composition:
    return compose(book(HAND, [V, W]))


def steps(made: Composition, name: str) -> list[Step]:
    subject = find(made, name)
    return list(path(made, subject, fail(made.book, [subject.scenario])).steps)


def told(made: Composition, name: str) -> dict[tuple[str, str, str], float | None]:
    """Steps by the names that a reader sees."""
    subject = find(made, name)
    found = path(made, subject, fail(made.book, [subject.scenario]))
    return {
        (found.labels[one.source], found.labels[one.target], one.channel): one.value_usd
        for one in found.steps
    }


def test_the_steps_of_the_chain_by_hand(made: Composition) -> None:
    """BAD backs 80 of debt. V bears 40 of it, its 50 pledged shares 10; 45 is owed against what is
    worth 40 then, so that 5 reach the next market. W holds a tenth of V.
    """
    expected = {
        ("BAD", "BAD in bad", "collateral price"): 100,
        ("BAD in bad", "USDC in bad", "bad debt"): 80,
        ("BAD in bad", "borrowers against BAD in bad", "equity"): 20,
        ("USDC in bad", "vault V", "allocation"): 40,
        ("USDC in bad", "lenders of USDC in bad", "deposits"): 40,
        ("vault V", "V", "share price"): 10,
        ("vault V", "vault W", "shares"): 4,
        ("vault V", "holders of V", "shares"): 26,
        ("vault W", "holders of W", "shares"): 4,
        ("V", "V in share", "collateral price"): 10,
        ("V in share", "USDC in share", "bad debt"): 5,
        ("V in share", "borrowers against V in share", "equity"): 5,
        ("USDC in share", "lenders of USDC in share", "deposits"): 5,
    }
    assert told(made, BAD) == pytest.approx(expected, rel=CLOSE)


def test_a_step_comes_after_the_one_that_caused_it(made: Composition) -> None:
    reached = {find(made, BAD).node}
    for one in steps(made, BAD):
        assert one.source in reached, one
        reached.add(one.target)


def test_a_debt_is_put_down_to_the_collateral_that_fell() -> None:
    """120 is owed against 50 of WETH, which stays, and 100 of BAD: 70 are not paid back."""
    units: list[list[books.Entry]] = [
        [("collateral", "WETH", 50.0), ("collateral", BAD, 100.0), ("debt", USDC, 120.0)],
        [("supply", USDC, 200.0)],
    ]
    found = told(compose(pool(units, ("WETH", BAD, USDC))), BAD)
    assert found["BAD in pool", "USDC in pool", "bad debt"] == pytest.approx(70, rel=CLOSE)
    assert found["BAD in pool", "borrowers against BAD in pool", "equity"] == pytest.approx(30)
    assert not any(source.startswith("WETH") for source, _, _ in found)


def test_of_steps_with_one_cause_the_largest_is_first(made: Composition) -> None:
    values = [one.value_usd for one in steps(made, BAD) if one.source == f"vault:{at('V')}"]
    assert len(values) == 3
    assert values == sorted(values, key=lambda usd: -(usd or 0))


def test_who_is_exposed_and_with_which_share(made: Composition) -> None:
    """V lent 100 of 200 to the market that takes BAD, W has nothing but shares of V."""
    subject = find(made, BAD)
    vaults = exposed_vaults(made, subject)
    assert [one.token for one in vaults] == [at("V"), at("W")]
    assert [one.share for one in vaults] == pytest.approx([0.5, 0.5], rel=CLOSE)
    assert [one.exposed_usd for one in vaults] == pytest.approx([100, 10], rel=CLOSE)
    assert vaults[0].elsewhere_usd == pytest.approx(60, rel=CLOSE)
    assert [one.is_bridge for one in vaults] == [True, False]
    (market,) = exposed_markets(made, subject)
    assert (market.row, market.share) == (row(made.book, "bad"), 1.0)
    assert market.exposed_usd == pytest.approx(200, rel=CLOSE)


def test_a_vault_that_only_lent_to_what_fails_is_no_bridge() -> None:
    made = compose(book(HAND, [Vault("V", 100, {"bad": 100})]))
    (vault,) = exposed_vaults(made, find(made, BAD))
    assert (vault.share, vault.elsewhere_usd, vault.is_bridge) == (1.0, 0.0, False)


def test_of_a_market_with_other_collateral_what_is_owed_against_it_is_exposed() -> None:
    """600 is owed against 900 of WETH and 300 of BAD in a market of 1,000: a quarter is BAD's."""
    tokens = [
        books.Token("WETH", 1.0, threshold=0.8),
        books.Token(BAD, 1.0, threshold=0.8),
        books.Token(USDC, 1.0, threshold=0.0),
    ]
    units: list[list[books.Entry]] = [
        [("collateral", "WETH", 900.0), ("collateral", BAD, 300.0), ("debt", USDC, 600.0)],
        [("supply", USDC, 1000.0)],
    ]
    made = books.book(tokens, units, deployments=("pool",))
    pooled = replace(
        made,
        markets=tuple(replace(one, market="pool") for one in made.markets),
        quote_market=("pool",) * len(made.quote_market),
    )
    parts = exposed_parts(pooled, {books.address(BAD)})
    assert parts[place(made, USDC)] == pytest.approx(600 * 0.25 / 1000, rel=CLOSE)


def test_what_the_oracle_calls_worthless_still_is_what_the_debt_was_given_for() -> None:
    made = book([Isolated("bad", BAD, [(100, 80)], others=100)], [], bad_price=0.0)
    assert exposed_parts(made, {at(BAD)})[row(made, "bad")] == 1.0


def test_several_fail_together(made: Composition) -> None:
    both = find(made, f"{BAD},V")
    settled = fail(made.book, [both.scenario])
    assert both.kind == "several"
    assert settled.prices[place(made.book, "V"), 0] == 0
    assert settled.recoveries[row(made.book, "share"), 0] == pytest.approx(1 - 45 / 100, rel=CLOSE)
    found = path(made, both, settled)
    first = {found.labels[one.target] for one in found.steps if one.source == both.node}
    assert first == {BAD, "V", "W"}  # which is a claim on V


@pytest.mark.parametrize(
    ("name", "kind"),
    [(BAD, "asset"), ("V", "vault"), ("bad", "protocol"), ("USDC@good", "market")],
)
def test_what_can_be_named(made: Composition, name: str, kind: str) -> None:
    assert find(made, name).kind == kind


def test_what_cannot_be_named_is_told(made: Composition) -> None:
    with pytest.raises(UsageError, match="nothing that can fail is called 'xUSD'"):
        find(made, "xUSD")


def test_everything_that_can_fail_is_there_once(made: Composition) -> None:
    every = [one.node for one in subjects(made)]
    assert len(every) == len(set(every))
    kinds = [one.kind for one in subjects(made)]
    assert (kinds.count("protocol"), kinds.count("vault")) == (3, 2)
    assert f"asset:{at(BAD)}" in every
    assert f"asset:{at(USDC)}" not in every  # it backs nothing
    assert f"asset:{at('V')}" not in every  # it is a vault, and fails as one


def test_marginal_losses_by_hand(made: Composition) -> None:
    """BAD: 80 and 5. V: its holders 200, and of 45 owed nothing is paid. W is pledged nowhere."""
    chosen = [find(made, name) for name in (BAD, "V", "W")]
    losses = marginal_losses(made.book, [one.scenario for one in chosen])
    assert losses == pytest.approx([85, 245, 20], rel=CLOSE)
    assert ranked(losses).tolist() == [1, 0, 2]


def test_what_is_lost_already_is_no_news() -> None:
    """BAD trades at 0.5: 30 of 80 is lost already, and 50 more where it fails."""
    made = compose(book(HAND[:1], [], bad_price=0.5))
    subject = find(made, BAD)
    now = settled_at_once(made.book, [subject.scenario])
    assert now[0] == pytest.approx(80, rel=CLOSE)
    assert marginal_losses(made.book, [subject.scenario])[0] == pytest.approx(50, rel=CLOSE)


def test_any_engine_can_rank(made: Composition) -> None:
    """All failures and today run in one call; what the engine cannot know ranks first."""
    calls: list[int] = []

    def engine(_: Book, scenarios: Sequence[Scenario]) -> Floats:
        calls.append(len(scenarios))
        return np.array([5.0, np.nan, 9.0, 2.0])

    losses = marginal_losses(made.book, [one.scenario for one in subjects(made)[:3]], engine)
    assert calls == [4]
    assert losses[[0, 2]].tolist() == [3.0, 7.0]
    assert ranked(losses).tolist() == [1, 2, 0]
