"""Borrowers of one deployment who are active in another."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given

from defirisk.core.book import Book
from defirisk.core.holdings import Side
from defirisk.metrics.sharing import shared_borrowers
from tests.books import Entry, Token, book, books
from tests.command import CommandLine
from tests.unit.imports import files

TOKENS = [Token("WETH", 2000), Token("USDC", 1), Token("ODD", np.nan)]


def debt(amount: float, symbol: str = "USDC") -> list[Entry]:
    return [("collateral", "WETH", 1.0), ("debt", symbol, amount)]


def test_what_they_owe_here_and_whether_they_owe_there() -> None:
    units: list[list[Entry]] = [
        debt(100),  # anna, here twice
        debt(200),
        debt(700),  # bert, here only
        debt(50, "ODD"),  # cleo, whose debt has no price
        [("supply", "USDC", 9.0)],  # anna and cleo there
        debt(40),
        [("supply", "USDC", 0.0)],  # bert there, with nothing
    ]
    made = book(
        TOKENS,
        units,
        deployments=("here", "there"),
        placed=(0, 0, 0, 0, 1, 1, 1),
        owners=("anna", "anna", "bert", "cleo", "anna", "cleo", "bert"),
    )

    here, there = shared_borrowers(made)

    assert (here.deployment, here.other, here.owners, here.owing) == (0, 1, 2, 1)
    assert here.debt_usd == 300
    assert here.debt_share == pytest.approx(0.3)
    assert (there.deployment, there.other, there.owners, there.owing) == (1, 0, 1, 1)
    assert (there.debt_usd, there.debt_share) == (40, 1)


def test_units_without_an_owner_s_name_are_nobody_else_s() -> None:
    made = book(TOKENS, [debt(1), debt(1)], deployments=("one", "two"), placed=(0, 1))

    assert [one.owners for one in shared_borrowers(made)] == [0, 0]
    assert shared_borrowers(book(TOKENS, [debt(1)])) == ()


def test_a_share_of_no_debt_is_unknown() -> None:
    made = book(TOKENS, [], deployments=("one", "two"))

    assert [np.isnan(one.debt_share) for one in shared_borrowers(made)] == [True, True]


@given(books())
def test_is_what_counting_one_by_one_gives(made: Book) -> None:
    shuffled = np.arange(len(made.units)) // 2
    object.__setattr__(made, "owners", made.owners[: (len(made.units) + 1) // 2])
    object.__setattr__(made, "unit_owner", shuffled)

    for one in shared_borrowers(made):
        borrowers, elsewhere = set[int](), set[int]()
        for h, unit in enumerate(made.holding_unit):
            if made.holding_amount[h] <= 0:
                continue
            owner, place = int(shuffled[unit]), int(made.unit_deployment[unit])
            if place == one.deployment and made.holding_side[h] == Side.DEBT:
                borrowers.add(owner)
            elif place == one.other:
                elsewhere.add(owner)
        assert one.owners == len(borrowers & elsewhere)


def test_owners_of_the_recorded_chain_are_its_accounts(recorded_book: Book) -> None:
    whose = [recorded_book.owners[owner] for owner in recorded_book.unit_owner]
    places = dict[str, set[int]]()
    for name, place in zip(whose, recorded_book.unit_deployment, strict=True):
        places.setdefault(name, set()).add(int(place))

    protocols = [one.protocol for one in recorded_book.deployments]
    made = zip(recorded_book.units, whose, recorded_book.unit_deployment, strict=True)
    others = {
        protocols[place]
        for unit, owner, place in made
        if unit not in (owner, f"{owner}:{unit.partition(':')[2]}")
    }
    assert others == {"maker-mcd"}  # whose manager knows the owners of its urns
    assert len(set(recorded_book.owners)) == len(recorded_book.owners) < len(recorded_book.units)
    lenders = {i for i, one in enumerate(recorded_book.deployments) if not (one.debt or one.perps)}
    assert any(where >= lenders for where in places.values())
    among = [
        one for one in shared_borrowers(recorded_book) if {one.deployment, one.other} < lenders
    ]
    assert len(among) == len(lenders) * (len(lenders) - 1)
    assert all(one.owners > 0 for one in among)


ANN = "0x" + "a1" * 20


@pytest.mark.parametrize(("name", "linked"), [("ann", 0), (ANN, 2)])
def test_only_an_address_is_the_same_account_in_two_files(
    cli: CommandLine, name: str, linked: int
) -> None:
    held = [
        f"{where},main,{name},{asset}"
        for where in "xy"
        for asset in ("WETH,collateral,1", "USDC,debt,9")
    ]
    listed = [line.replace("mylend", where) for where in "xy" for line in files.LISTED]
    paths = files.positions(cli.folder, *held), files.markets(cli.folder, *listed)
    cli("import", "lending", *paths)

    ran = cli("report", "protocol", "imported-lending", "--format", "json")
    assert ran.code == 0, ran
    report = json.loads(ran.out)

    blocks = [block for section in report["sections"] for block in section["blocks"]]
    shared = next(block for block in blocks if block.get("name") == "shared-borrowers")
    assert len(shared["rows"]) == linked
