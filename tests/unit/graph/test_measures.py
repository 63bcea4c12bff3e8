"""Every measure against a number that is worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from defirisk.core.book import Book
from defirisk.core.claim import Allocation, Claim
from defirisk.core.quote import Constant, Feed, Market, Product, Root, Spot, Sum
from defirisk.graph.build import compose
from defirisk.graph.claims import Claims, bases, behind
from defirisk.graph.measures import measures
from tests import books
from tests.unit.graph import composed
from tests.unit.graph.composed import FEED, OUTER, POOL, SHARE, USDC, WETH, WRITTEN, E

HERE, THERE = "market:here/main/", "market:there/main/"


def measured(name: str, made: Book) -> dict[str, float]:
    return measures()[name].compute(compose(made))


def findings(name: str, made: Book) -> list[str]:
    return [
        node for node, value in measured(name, made).items() if measures()[name].is_finding(value)
    ]


def test_a_loop_is_a_claim_pledged_for_what_it_is_a_claim_on() -> None:
    equity = 22_000 - 9.9 * 2000
    assert measured("loops", composed.book()) == {"owner:looper": pytest.approx(22_000 / equity)}
    assert findings("loops", composed.book()) == ["owner:looper"]
    assert measured("sunk_loops", composed.book()) == {}


def test_a_loop_that_owes_more_than_it_has_is_told_apart() -> None:
    made = composed.book()
    sunk = replace(made, asset_price=np.array([2000, 1900, 1.0]))

    assert measured("loops", sunk) == {}
    assert measured("sunk_loops", sunk) == {"owner:looper": pytest.approx(9.9 * 2000 - 19_000)}


def test_a_wrapper_that_is_only_said_to_follow_loops_as_well() -> None:
    tokens = [books.Token("WETH", 2000), books.Token("wstETH", 2200, follows="WETH")]
    units = [[("collateral", "wstETH", 10.0), ("debt", "WETH", 10.0)]]
    made = books.book(tokens, units)

    (leverage,) = measured("loops", made).values()
    assert leverage == pytest.approx(11)
    # Nobody said where its WETH lies: it is not counted as a claim on that of the markets.
    assert measured("rehypothecation", made).get(f"asset:{WETH}") is None


def test_who_owes_in_two_deployments_and_how_much() -> None:
    assert measured("shared_borrowers", composed.book()) == {"owner:anna": 4500}


def test_the_largest_owner_of_each_market() -> None:
    deposits = measured("concentration", composed.book())
    assert deposits[HERE + WETH] == pytest.approx(20 / 25)
    assert deposits[HERE + USDC] == pytest.approx(9000 / 9003)
    assert measured("debt_concentration", composed.book())[HERE + USDC] == 1


def test_assets_over_liabilities_at_market_prices_whatever_the_oracle_says() -> None:
    made = composed.book()
    assert findings("asset_liability_ratio", made) == []

    # The share fell to 900 at market; 9,000 are there for 19,800 that are owed.
    fallen = replace(made, asset_price=np.array([2000, 900, 1.0]))
    lost = 9.9 * (1 - 9000 / 19_800)
    found = measured("asset_liability_ratio", fallen)
    assert found[HERE + WETH] == pytest.approx(1 - lost / 25)
    assert findings("asset_liability_ratio", fallen) == [HERE + WETH]


def test_a_vault_bears_its_part_of_what_a_market_lost() -> None:
    lent = Allocation(market="main", assets_raw=20 * E)
    assert measured("bad_allocations", composed.book(lent)) == {f"vault:{SHARE}": 0}

    fallen = replace(composed.book(lent), asset_price=np.array([2000, 900, 1.0]))
    lost = 9.9 * (1 - 9000 / 19_800)
    assert measured("bad_allocations", fallen) == {
        f"vault:{SHARE}": pytest.approx(20 * lost / 25 / 110)
    }
    assert findings("bad_allocations", fallen) == [f"vault:{SHARE}"]


def test_an_allocation_is_found_by_the_id_at_the_end_of_a_markets_label() -> None:
    whole = "0xdaea71081624a98ac63c43e5122ba4295844cea9ecd122dfcbffe3636ac07310"
    made = composed.book(Allocation(market=whole, assets_raw=20 * E))
    label = "yWETH/WETH 94.5% 0xdaea7108"
    labelled = replace(
        made,
        markets=tuple(replace(m, market=label) for m in made.markets),
        quote_market=(label,) * len(made.quote_market),
    )
    edges = [e for e in compose(labelled).graph.edges if e.kind == "allocates"]
    assert [e.target for e in edges] == [f"market:here/{label}/{WETH}"]
    assert [e for e in compose(made).graph.edges if e.kind == "allocates"] == []


def test_what_stands_on_oracles_and_pools() -> None:
    made = composed.book()
    every = pytest.approx(5 * 2000 + 9.9 * 2000 + 2000 + 10 * 2200)
    oracles = measured("oracle_dependence", made)
    assert oracles[f"oracle:{FEED}"] == oracles[f"oracle:{OUTER}"] == every
    assert measured("venue_dependence", made) == {f"venue:{POOL}": every}
    # Both deployments have one isolated market, of which several assets stand on it.
    assert measured("shared_oracles", made)[f"oracle:{FEED}"] == 2


def test_a_pool_is_thin_where_more_stands_on_it_than_moves_it() -> None:
    depth = 100 * (1 / math.sqrt(0.98) - 1) * 2000
    (ratio,) = measured("thin_pools", composed.book()).values()
    assert ratio == pytest.approx(53_800 / depth, rel=5e-3)
    deep = composed.book(reserves=(10**6 * E, 2 * 10**9 * 10**6))
    assert findings("thin_pools", composed.book()) == [f"venue:{POOL}"]
    assert findings("thin_pools", deep) == []
    assert measured("thin_pools", composed.book(reserves=(0, 0))) == {f"venue:{POOL}": math.inf}


def test_a_fair_share_of_a_pool_stands_on_it_and_does_not_follow_its_price() -> None:
    """Its price reads reserves, whose product no trade moves, and the feeds of both tokens."""
    made = composed.book()
    fair = Root(Product((Constant(Fraction(4)), Feed(books.address("network"), Fraction(10**6)))))
    spot = Product((Constant(Fraction(1)), Spot(POOL, WETH, USDC, Fraction(2000))))
    priced = [replace(made, quote_program=(one,) * len(made.quote_program)) for one in (fair, spot)]
    assert measured("venue_dependence", priced[0]) == measured("venue_dependence", made)
    assert measured("thin_pools", priced[0]) == {}
    assert findings("thin_pools", priced[1]) == [f"venue:{POOL}"]


def test_a_price_that_somebody_wrote_down_is_found_by_market_and_by_oracle() -> None:
    found = measured("hard_coded", composed.book())
    assert found == {HERE + USDC: 4000, THERE + USDC: 500, f"oracle:{WRITTEN}": 4500}


def test_claims_over_what_is_there() -> None:
    """WETH: 26 deposited, of which 9.9 were lent on, a vault of 110, and 10 of its shares."""
    under = 15.1 + 1 + 110
    found = measured("rehypothecation", composed.book())
    assert found[f"asset:{WETH}"] == pytest.approx((26 + 110 + 11) / under)
    assert found[f"asset:{USDC}"] == pytest.approx(9003 / 5003)


def test_a_claim_on_several_tokens_is_a_claim_on_each_by_its_part() -> None:
    """2 sqrt(k p q) of a pool's share is half of each; three of one and one of the other is not."""
    made = composed.book()
    weth, usdc = Market(WETH, None), Market(USDC, None)
    share, basket = books.address("lp"), books.address("basket")
    three = Product((Constant(Fraction(3)), weth))
    thousand = Product((Constant(Fraction(2000)), usdc))
    claims = {
        share: Claim(token=share, kind="lp", program=Root(Product((weth, usdc))), supply_raw=E),
        basket: Claim(token=basket, kind="lp", program=Sum((three, thousand))),
    }
    found = Claims(replace(made, sources=replace(made.sources, claims=claims)))

    assert found.direct[share] == pytest.approx({WETH: 0.5, USDC: 0.5})
    assert found.direct[basket] == pytest.approx({WETH: 0.75, USDC: 0.25}, rel=1e-6)
    assert found.worth(claims[share]) == pytest.approx(math.sqrt(2000))


def test_wrappers_that_name_each_other_end() -> None:
    direct = {"a": {"b": 1.0}, "b": {"a": 0.5, "c": 0.5}}
    assert bases(direct, "a")["c"] == 0.5
    assert sum(bases(direct, "a").values()) <= 1
    assert behind(direct, "a") == {"b", "c"}
