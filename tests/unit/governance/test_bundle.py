"""A case that was packed is the case again, and a bundle can name nothing but values."""

from __future__ import annotations

import gzip
import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from defirisk.core.book import Book
from defirisk.core.errors import CheckFailed, UsageError
from defirisk.governance.aave_v3.proposal import Proposal
from defirisk.governance.bundle import DECISIONS, VALUES, pack, unpack
from defirisk.governance.impact import impact
from defirisk.governance.numbers import written
from defirisk.governance.plain import plain, restored
from defirisk.governance.repeating import repeat
from defirisk.governance.request import Wanted
from tests.unit.governance.markets import OLD, market_at, proposed

WANTED = Wanted(asset="WETH", ltv_bps=7400, liquidation_threshold_bps=7800)


@pytest.fixture(scope="module")
def made(demo_database: Path) -> Proposal:
    return proposed(market_at(demo_database, OLD), WANTED)


@pytest.fixture(scope="module")
def numbers(made: Proposal) -> bytes:
    return written(impact(made.case))


@pytest.fixture
def files(made: Proposal, numbers: bytes) -> dict[str, bytes]:
    return pack(made.case, made.before.said, made.after.said)


def test_every_field_of_the_book_comes_back(made: Proposal, files: dict[str, bytes]) -> None:
    ours, again = made.case.book, unpack(files).book
    compared = 0
    for field in fields(Book):
        one, other = getattr(ours, field.name), getattr(again, field.name)
        if field.name == "edge":
            continue
        compared += 1
        if isinstance(one, np.ndarray):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other, err_msg=field.name)
        else:
            assert repr(one) == repr(other), field.name
    assert compared >= 25
    assert len(again.sources.venues) > 5
    stated = [(one.debt, one.perps) for one in ours.deployments]
    assert [(one.debt, one.perps) for one in again.deployments] == stated
    assert [sum(said is not None for said in kind) for kind in zip(*stated, strict=True)] == [2, 2]


def test_the_numbers_are_the_same_to_the_byte(files: dict[str, bytes], numbers: bytes) -> None:
    assert repeat(files, numbers) == []
    assert repeat(files, numbers.replace(b'"accounts"', b'"account"', 1)) != []


def test_packing_twice_makes_the_same_bytes(made: Proposal, files: dict[str, bytes]) -> None:
    assert pack(made.case, made.before.said, made.after.said) == files
    case = unpack(files)
    assert pack(case, made.before.said, made.after.said) == files


def test_a_decision_that_is_not_there_is_not_guessed(
    files: dict[str, bytes], numbers: bytes
) -> None:
    decisions = json.loads(files[DECISIONS])
    assert decisions["after"], "nothing was near the edge: this test needs something that is"
    files[DECISIONS] = json.dumps({"before": {}, "after": {}}).encode()
    with pytest.raises(CheckFailed, match="nearer to the edge"):
        repeat(files, numbers)


def test_a_decision_turned_round_shows(files: dict[str, bytes], numbers: bytes) -> None:
    decisions = json.loads(files[DECISIONS])
    turned = {
        side: {key: not value for key, value in said.items()} for side, said in decisions.items()
    }
    files[DECISIONS] = json.dumps(turned).encode()
    assert repeat(files, numbers) != []


@pytest.mark.parametrize("name", [VALUES, DECISIONS, "arrays.npz"])
def test_a_damaged_file_is_said_to_be(name: str, files: dict[str, bytes]) -> None:
    files[name] = files[name][: len(files[name]) // 2]
    with pytest.raises(UsageError, match="damaged"):
        unpack(files)


@pytest.mark.parametrize(
    "said",
    [
        {"class": "subprocess:Popen", "fields": {}},
        {"class": "defirisk.store.database:Store", "fields": {}},
        {"class": "defirisk.cli.main:run", "fields": {}},
        {"class": "defirisk.chain.fork.anvil:subprocess.run", "fields": {}},
        {"class": "defirisk.core.book:np", "fields": {}},
        {"enum": "defirisk.core.book:Book", "value": "x"},
        {"class": "defirisk.core.quote:Feed", "fields": {"unknown": 1}},
        {"array": "a9"},
        {"unknown": 1},
    ],
)
def test_a_stranger_s_bundle_cannot_name_anything_else(said: Any) -> None:
    with pytest.raises(UsageError, match="damaged, or of another version"):
        restored(said, {})


def test_values_keep_every_bit() -> None:
    arrays: dict[str, Any] = {}
    value = (0.1, float("inf"), -0.0, 2**255, b"\x00\xff", frozenset({2, 1}), {1: "a"}, None)
    said = json.loads(json.dumps(plain(value, arrays)))
    again = restored(said, arrays)
    assert again == value
    assert str(again[2]) == "-0.0"
    with pytest.raises(TypeError):
        plain(object(), arrays)


def test_the_bundle_of_another_version_is_refused(files: dict[str, bytes]) -> None:
    values = json.loads(gzip.decompress(files[VALUES])) | {"version": 99}
    files[VALUES] = gzip.compress(json.dumps(values).encode())
    with pytest.raises(UsageError, match="another version"):
        unpack(files)


def test_a_cascade_is_played_again_from_the_bundle(demo_database: Path) -> None:
    texts = (("fall", ("price:WETH=-25%",)),)
    made = proposed(market_at(demo_database), WANTED, engine="cascade")
    case = replace(made.case, scenarios=texts)
    said = impact(case)
    files = pack(case, made.before.said, made.after.said)
    assert repeat(files, written(said)) == []
    (fall,) = said["scenarios"]
    assert fall["rounds"]["after"] > 3
    assert fall["after"]["liquidated_debt_usd"] > 0
    elsewhere = [one["change"]["bad_debt_usd"] for one in fall["spill_over"]["deployments"]]
    assert any(elsewhere), "what is sold here has a price elsewhere"
    assert said["assumptions"][0].startswith("Cascade")
