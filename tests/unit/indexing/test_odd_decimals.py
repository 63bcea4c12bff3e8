"""A reserve whose token says absurd decimals, or none, is marked and left out, never computed."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import update

from defirisk.store.base_tables import tokens
from defirisk.store.database import Store
from tests.command import CommandLine
from tests.demo import NAME


def with_decimals(store: Store, decimals: int) -> None:
    with store.transaction() as connection:
        wbtc = update(tokens).where(tokens.c.symbol == "WBTC")
        # MakerDAO brought one of its own.
        assert connection.execute(wbtc.values(decimals=decimals)).rowcount == 2


@pytest.mark.parametrize("decimals", [-1, 0, 77, 78, 255])
@pytest.mark.parametrize(
    "words",
    [
        ("report", "protocol", "aave-v3"),
        ("positions", "aave-v3", "--top", "9999"),
        ("stress", "--shock", "price:WETH=-40%"),
        ("status",),
    ],
    ids=lambda words: words[0],
)
def test_every_command_goes_on(
    cli: CommandLine, demo_copy: Store, decimals: int, words: tuple[str, ...]
) -> None:
    with_decimals(demo_copy, decimals)
    database = ("--db", f"sqlite:///{cli.folder / NAME}")
    ran = cli(*words, "--format", "json", *database)
    assert (ran.code, ran.err) == (0, "")
    json.loads(ran.out, parse_constant=pytest.fail)
