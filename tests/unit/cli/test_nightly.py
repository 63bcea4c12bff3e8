"""What the scheduled run makes of parts that fail, without a chain."""

from __future__ import annotations

from pathlib import Path

import pytest

from defirisk.cli.nightly import Night
from defirisk.core.errors import LeaseHeld, NodeError
from tests.command import CommandLine


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return Night(site=tmp_path, sample=1, shocks=())


def ended(night: Night) -> list[tuple[str, str, str]]:
    return [(step.part, step.result, step.said) for step in night.steps]


def test_a_part_that_fails_is_told_and_the_next_one_is_done(night: Night) -> None:
    with night.part("ethereum", "index") as said:
        said.append("begun")
        raise NodeError("the node is gone")
    assert night.failed
    with night.part("ethereum", "pages") as said:
        said.append("3 files")
    assert ended(night) == [
        ("index", "failed", "begun; the node is gone"),
        ("pages", "done", "3 files"),
    ]
    assert night.failed


def test_another_run_at_work_is_no_failure(night: Night) -> None:
    with night.part("ethereum", "index"):
        raise LeaseHeld("another run is at work")
    assert ended(night) == [("index", "left out", "another run is at work")]
    assert not night.failed


def test_a_difference_inside_of_a_part_is_a_failure(night: Night) -> None:
    with night.part("ethereum", "verify"):
        night.fail("ethereum", "verify", "aave-v3: 2 numbers differ")
    assert night.failed


def test_a_defect_is_not_hidden_as_a_failed_part(night: Night) -> None:
    with pytest.raises(ZeroDivisionError), night.part("ethereum", "index"):
        raise ZeroDivisionError
    assert night.steps == []


def test_without_a_node_or_a_store_it_says_so_and_ends_with_1(cli: CommandLine) -> None:
    ran = cli("nightly", "--format", "csv")
    assert ran.code == 1
    assert "failed" in ran.out
