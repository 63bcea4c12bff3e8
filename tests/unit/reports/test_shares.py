"""Who holds a vault's or a pool's shares, and what they could be taken out for."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from defirisk.core.claim import Share
from defirisk.reports.render import FORMATS, render
from defirisk.reports.shares import build
from tests import books
from tests.unit.reports import sample, sources
from tests.unit.reports.sources import DAI, USDC, WETH, E

ALICE, BOB, CARL = (books.address(name) for name in ("alice", "bob", "carl"))
LP = books.address("LP")
TOKENS = {WETH: 18, USDC: 6, DAI: 18}


def book() -> Any:
    of = sources.book()
    known = {
        address: replace(of.sources.tokens[DAI], address=address, symbol="", decimals=decimals)
        for address, decimals in TOKENS.items()
    }
    return replace(of, sources=replace(of.sources, tokens=known))


def share(account: str, worth: tuple[tuple[str, int], ...], **more: Any) -> tuple[str, Share]:
    made = Share(
        account=account, token=LP, balance_raw=3 * E // 2, decimals=18, worth=worth, **more
    )
    return "uniswap-v2", made


def rows(*shares: tuple[str, Share], top: int | None = None) -> list[dict[str, Any]]:
    report = build(book(), shares, run=sample.RUN, top=top)
    found: list[dict[str, Any]] = json.loads(render(report, "json"))["positions"]
    return found


def test_what_a_share_could_be_taken_out_for() -> None:
    (row,) = rows(share(ALICE, ((WETH, E), (USDC, 2_000_500_000)), label="-600..600"))

    assert (row["account"], row["balance"], row["range"]) == (
        ALICE,
        "1.500000000000000000",
        "-600..600",
    )
    assert row["worth"] == "1.000000000000000000 WETH, 2000.500000 USDC"
    assert row["worth_usd"] == pytest.approx(4000.5)
    assert (row["balance_raw"], row["asset"], row["deployment"]) == (
        str(3 * E // 2),
        LP,
        "uniswap-v2",
    )


def test_accounts_come_in_the_order_of_what_they_hold_in_all() -> None:
    shares = (
        share(ALICE, ((WETH, E),)),
        share(BOB, ((WETH, 3 * E),)),
        share(ALICE, ((WETH, 4 * E),)),
        share(CARL, ((WETH, 2 * E),)),
    )
    assert [row["account"] for row in rows(*shares)] == [ALICE, ALICE, BOB, CARL]
    assert [row["account"] for row in rows(*shares, top=2)] == [ALICE, ALICE, BOB]
    report = build(book(), shares, run=sample.RUN, top=1)
    assert "2 more accounts: raise --top" in render(report, "table")


def test_what_has_no_known_price_is_unknown_and_not_nothing() -> None:
    known, half, none = rows(
        share(ALICE, ((WETH, E),)), share(BOB, ((WETH, 9 * E), (DAI, 1))), share(CARL, ())
    )
    assert known["worth_usd"] == 2000
    assert (half["worth_usd"], none["worth_usd"], none["worth"]) == (None, None, None)


def test_a_share_of_a_vault_is_worth_its_own_price() -> None:
    one = Share(account=ALICE, token=WETH, balance_raw=5 * E, decimals=18)
    (row,) = rows(("vault", one))
    assert row["worth_usd"] == 10_000


def test_nobody_holds_anything() -> None:
    assert "no share" in render(build(book(), (), run=sample.RUN, top=20), "md").lower()


@pytest.mark.parametrize("format_", FORMATS)
def test_hostile_labels_are_inert(format_: str) -> None:
    text = "=1+1<script>alert(1)</script>\x1b[31m\u202e"
    shown = render(
        build(book(), [share(ALICE, ((WETH, E),), label=text)], run=sample.RUN, top=1), format_
    )
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert format_ not in ("html", "md") or "<script>alert" not in shown
    assert format_ != "csv" or ",=1+1" not in shown
