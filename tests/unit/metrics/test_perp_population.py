"""Every unit of perpetuals has one role, and groups are sums of their units."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import given

from defirisk.metrics.perp_population import makers, population, role
from defirisk.protocols.perps.imported_perps import ADAPTER
from tests.unit.imports.perps_sample import snapshot, stated
from tests.unit.metrics.test_margin import cross_accounts

HELD = [
    ("P", "al", "X", 10, 100, 50, "0.05", "cross", 90),
    ("Q", "al", "Y", -1, 10, 50, "0.05", "cross", 10),
    ("P", "bo", "X", 3, 100, 5, "0.05", "cross", 90),
    ("P", "cy", "X", -3, 100, 5, "0.05", "cross", 90),
    ("P", "di", "X", 2, 100, 500, "0.05", "cross", 90),
]


def test_makers_stand_apart_whatever_else_they_hold() -> None:
    known = ADAPTER.perps(snapshot(HELD))
    first, second, *rest = known.positions
    made = replace(
        known,
        positions=(
            replace(first, maker=True, orders=2, provided=Fraction(70), grade="read"),
            second,
            *rest,
        ),
    )
    found = {one.role: one for one in population(made)}
    assert list(found) == ["maker", "long", "short"]
    maker = found["maker"]
    assert stated(maker.units, maker.positions, maker.orders, maker.provided, maker.read) == (
        1,
        2,
        2,
        70,
        1,
    )
    assert stated(maker.notional, found["long"].notional) == (910, 450)
    assert stated(found["long"].units, found["long"].liquidatable, found["long"].owed) == (2, 1, 25)
    assert [one.unit for one in makers(made)] == ["al"]


def test_idle_margin_has_a_role_and_unknown_sums_are_unknown() -> None:
    known = ADAPTER.perps(snapshot(HELD))
    idle = replace(known, positions=(), accounts=(replace(known.accounts[0], equity=None),))
    (only,) = population(idle)
    assert stated(only.role, only.units, only.equity, only.owed) == ("no position", 1, None, 0)


@given(cross_accounts())
def test_every_unit_counts_once(held: list[tuple[object, ...]]) -> None:
    known = ADAPTER.perps(snapshot(held))
    found = population(known)
    assert sum(one.units for one in found) == len(known.accounts)
    assert sum(one.positions for one in found) == len(known.positions)
    for group in found:
        own = [
            a
            for a in known.accounts
            if role([p for p in known.positions if p.unit == a.unit]) == group.role
        ]
        assert group.equity == sum((a.equity or 0 for a in own), Fraction(0))
    assert sum(one.owed for one in found) == known.bad_debt
