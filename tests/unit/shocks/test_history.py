"""`history:` shocks: prices as a file recorded them."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.core.scenario import combine, market_prices, quote_prices
from defirisk.shocks.grammar import parse, scenario
from defirisk.shocks.history import times
from tests.books import Token, address, book

TOKENS = [
    Token("WETH", 2500.0),
    Token("stETH", 2490.0, follows="WETH"),
    Token("wstETH", 2900.0, follows="stETH"),
    Token("USDC", 1.0),
]
HEADER = "ts,asset,price_usd,source\n"
PATH = """\
2024-03-12T00:00:00Z,WETH,4000,me
2024-03-13T00:00:00Z,WETH,2500,me
1710460800,WETH,3000,me
2024-03-13T00:00:00Z,USDC,1,me
2024-03-14T00:00:00Z,USDC,0.97,me
"""


@pytest.fixture
def made() -> Book:
    return book(TOKENS, [[("collateral", "WETH", 1.0), ("debt", "USDC", 1800.0)]])


def written(folder: Path, rows: str, name: str = "prices.csv") -> str:
    file = folder / name
    file.write_text(HEADER + rows, encoding="utf-8")
    return str(file)


def moved(made: Book, text: str) -> list[float]:
    """By how much each market price moves; every oracle moves alike."""
    one = [scenario("", [text], made)]
    market = market_prices(made, one)[:, 0] / made.asset_price
    oracle = quote_prices(made, one)[:, 0] / made.quote_price
    np.testing.assert_allclose(oracle, market[made.quote_asset], rtol=1e-12)
    return [float(factor) for factor in market]


def test_assets_move_by_their_last_price_over_their_first(made: Book, tmp_path: Path) -> None:
    file = written(tmp_path, PATH)
    both = combine([parse("price:WETH=-25%", made), parse("price:USDC=-3%", made)])
    assert parse(f"history:{file}", made) == both
    assert moved(made, f"history:{file}") == pytest.approx([0.75, 0.75, 0.75, 0.97])


def test_a_time_stands_for_the_latest_price_until_then(made: Book, tmp_path: Path) -> None:
    file = written(tmp_path, PATH)
    assert moved(made, f"history:{file}=2024-03-13T12:00:00Z")[0] == 0.625
    assert moved(made, f"history:{file}=1710460800")[0] == 0.75
    before_any = moved(made, f"history:{file}=2024-03-01")
    assert before_any == [1.0, 1.0, 1.0, 1.0]
    assert moved(made, f"history:{file}=2024-03-12") == [1.0, 1.0, 1.0, 1.0]


def test_rows_may_stand_in_any_order_and_name_addresses(made: Book, tmp_path: Path) -> None:
    weth = address("WETH")
    rows = [line.replace("WETH", weth) for line in PATH.splitlines()]
    file = written(tmp_path, "\n".join(reversed(rows)))
    assert moved(made, f"history:{file}") == pytest.approx([0.75, 0.75, 0.75, 0.97])


def test_what_follows_moves_by_its_own_prices_where_it_has_some(made: Book, tmp_path: Path) -> None:
    rows = "1,WETH,100\n2,WETH,50\n1,wstETH,110\n2,wstETH,44\n1,stETH,99\n2,stETH,49.5\n"
    file = tmp_path / "p.csv"
    file.write_text("ts,asset,price_usd\n" + rows)
    assert moved(made, f"history:{file}") == pytest.approx([0.5, 0.5, 0.4, 1.0])
    part = "".join(line + "\n" for line in rows.splitlines() if ",stETH" not in line)
    file.write_text("ts,asset,price_usd\n" + part)
    assert moved(made, f"history:{file}") == pytest.approx([0.5, 0.5, 0.4, 1.0])


def test_a_fall_to_nothing_takes_along_what_follows(made: Book, tmp_path: Path) -> None:
    rows = "1,WETH,100,me\n2,WETH,0,me\n1,stETH,99,me\n2,stETH,0,me\n"
    assert moved(made, f"history:{written(tmp_path, rows)}") == [0.0, 0.0, 0.0, 1.0]
    kept = rows.replace("2,stETH,0", "2,stETH,9")
    with pytest.raises(UsageError, match="stETH keeps a price while what it follows falls to 0"):
        parse(f"history:{written(tmp_path, kept)}", made)


def test_a_file_that_changes_is_read_again(made: Book, tmp_path: Path) -> None:
    file = written(tmp_path, "1,WETH,100,me\n2,WETH,50,me\n")
    assert moved(made, f"history:{file}")[0] == 0.5
    written(tmp_path, "1,WETH,100,me\n2,WETH,2500,me\n")
    assert moved(made, f"history:{file}")[0] == 25.0


def test_its_times_are_those_of_its_rows(tmp_path: Path) -> None:
    days = [datetime(2024, 3, day, tzinfo=UTC).timestamp() for day in (12, 13, 14, 15)]
    assert times(written(tmp_path, PATH)) == days


def test_factors_are_exact(made: Book, tmp_path: Path) -> None:
    file = written(tmp_path, "1,USDC,3,me\n2,USDC,1,me\n")
    (factor,) = parse(f"history:{file}", made).market.values()
    assert factor == Fraction(1, 3)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("", "holds no price: add lines"),
        ("1,WEHT,1,me\n", "unknown asset 'WEHT': did you mean WETH"),
        ("1,WETH,x,me\n", "line 2: price_usd 'x' is no decimal number"),
        ("1,WETH,-1,me\n", "line 2: price_usd -1 is negative"),
        ("1,WETH,1,me\n1,WETH,2,me\n", "line 3: says again what line 2 says"),
        ("1,WETH,1,me\n1,WETH,2,you\n", "from 'me' and 'you': leave one source of each asset"),
        ("1,WETH,1,me\n1,weth,2,me\n", "'WETH' and 'weth' are one asset"),
        ("1,WETH,0,me\n2,WETH,2,me\n", "the first price of 'WETH' is 0"),
        ("1,WETH,1,me\n2,WETH,1000000000000000,me\n", "mistyped"),
    ],
)
def test_a_bad_file_is_told_what_is_wrong(made: Book, tmp_path: Path, rows: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse(f"history:{written(tmp_path, rows)}", made)


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("none.csv", "none.csv cannot be read: No such file"),
        (".", "cannot be read"),
        ("", "it names no target"),
    ],
)
def test_what_is_no_file_is_refused(made: Book, target: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse(f"history:{target}", made)


def test_a_time_is_a_time(made: Book, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ts '-40%' is no time"):
        parse(f"history:{written(tmp_path, PATH)}=-40%", made)
