"""A picture as data: every place is right, every text is clean, what is unknown is no number."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from defirisk.reports.diagram import MARKS, diagram
from defirisk.reports.model import Dot, Line, Network

NASTY = "</script>\u202e\x1b[31m" + "W" * 500


def dot(name: str, kind: str = "asset", usd: float | None = 1e6) -> Dot:
    return Dot(
        id=f"{kind}:{name}",
        kind=kind,
        label=name,
        x=0.5,
        y=-0.25,
        value_usd=usd,
        ties=3,
        facts=(("Leverage", name),),
    )


def drawn(*dots: Dot, lines: tuple[Line, ...] = ()) -> dict[str, Any]:
    return diagram(Network(name="n", title="N", dots=dots, lines=lines))


def test_lines_name_their_ends_by_place_and_dots_their_kind() -> None:
    one, two, three = dot("WETH"), dot("alice", "owner"), dot("bob", "owner", 2e3)
    line = Line(source=three.id, target=one.id, kind="debt", value_usd=1500.0)
    made = drawn(one, two, three, lines=(line,))
    assert made["kinds"] == ["asset", "owner"]
    assert [one["kind"] for one in made["dots"]] == [0, 1, 1]
    assert made["lines"] == [[2, 0, "debt", 1500.0, "$1.50K"]]
    assert (made["dots"][0]["amount"], made["dots"][0]["ties"]) == ("$1.00M", 3)


def test_a_kind_looks_the_same_in_every_picture() -> None:
    one, two = dot("alice", "owner"), dot("WETH", "asset")
    assert drawn(one, two)["marks"] == drawn(two, one)["marks"][::-1]
    strange = drawn(*(dot("x", f"kind {n}") for n in range(9)))["marks"]
    assert len(strange) == 9
    assert set(strange) == set(range(len(MARKS)))


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_unknown_dollars_are_no_number(value: float | None) -> None:
    line = Line(source="asset:a", target="asset:a", kind="debt", value_usd=value)
    made = drawn(dot("a", usd=value), lines=(line,))
    json.dumps(made, allow_nan=False)
    assert made["dots"][0]["usd"] is None
    assert made["lines"][0][3] is None


def test_names_are_clean_and_short() -> None:
    (one,) = drawn(dot(NASTY))["dots"]
    for text in (one["id"], one["label"], *one["facts"][0]):
        assert "\u202e" not in text
        assert "\x1b" not in text
        assert len(text) <= 1000


def test_more_dollars_are_larger_up_to_a_limit() -> None:
    values = (None, -5.0, 0.0, 1e3, 1e5, 1e7, 1e30)
    radii = [drawn(dot("a", usd=value))["dots"][0]["radius"] for value in values]
    assert radii == sorted(radii)
    assert radii[0] == radii[1] == radii[2]
    assert radii[3] < radii[5]
    assert radii[-1] <= 12
