"""Files are told apart by their headers, and every line keeps its number."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from defirisk.core.errors import UsageError
from defirisk.imports.lending import LAYOUTS, MARKETS, POSITIONS
from defirisk.imports.reading import Sheet, read_sheet
from tests.unit.imports import files


def read(path: str) -> Sheet:
    return read_sheet(path, LAYOUTS, Path(path).name)


def table(path: Path, **columns: object) -> str:
    """A parquet file of positions with some of its columns replaced."""
    usual = {
        "protocol": ["x", "x"],
        "market": ["m", "m"],
        "account": ["a", "b"],
        "asset": ["W", "W"],
        "side": ["debt", "debt"],
        "amount": ["1.000000000000000001", "2"],
    }
    parquet.write_table(pyarrow.table({**usual, **columns}), path)
    return str(path)


def test_columns_may_come_in_any_order(tmp_path: Path) -> None:
    header = "amount, side,asset,account,market,protocol"
    sheet = read(files.positions(tmp_path, " 1 ,debt,W, a b ,m,x", header=header))
    assert sheet.layout is POSITIONS
    assert sheet.rows == [(2, ("x", "m", "a b", "W", "debt", "1"))]


def test_a_file_is_what_its_header_says(tmp_path: Path) -> None:
    assert read(files.positions(tmp_path, *files.HELD)).layout is POSITIONS
    assert read(files.markets(tmp_path, name="positions.csv")).layout is MARKETS


def test_decimals_may_be_left_out(tmp_path: Path) -> None:
    header = files.MARKETS.replace("decimals,", "")
    sheet = read(files.markets(tmp_path, "x,m,W,1,0,0,0,0", header=header))
    assert sheet.rows == [(2, ("x", "m", "W", "", "1", "0", "0", "0", "0"))]


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("protocol,market,account,asset,side,amonut", "line 1: unknown column 'amonut': did you"),
        ("protocol,market,account,asset,side,amount,note", "unknown column 'note'"),
        ("protocol,market,account,asset,side", "column 'amount' is missing"),
        ("protocol,market,account,asset,side,amount,amount", "column 'amount' is there twice"),
        ("mylend,main,alice,WETH,collateral,1", "this is no header that is known"),
        ("protocol;market;account;asset;side;amount", "this is no header that is known"),
        ('"protocol', "line 1: cannot be read"),
        (files.MARKETS.replace("price_usd,", ""), "column 'price_usd' is missing"),
        (files.MARKETS + ",a,b", "unknown column 'a', 'b'"),
    ],
)
def test_a_wrong_header_is_named(header: str, says: str, tmp_path: Path) -> None:
    path = files.positions(tmp_path, header=header)
    with pytest.raises(UsageError) as refused:
        read(path)
    assert "p.csv, line 1: " in str(refused.value)
    assert says in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_told_what_to_begin_with(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="is empty: its first line must be protocol,market"):
        read(str(path))


def test_lines_are_counted_through_blank_lines_and_quoted_line_ends(tmp_path: Path) -> None:
    text = f'\ufeff{files.POSITIONS}\r\n\r\nx,m,"a\nb",W,debt,1\r\nx,m,c,W,debt,2\r\n'
    path = tmp_path / "p.csv"
    path.write_bytes(text.encode())
    assert [(line, cells[2]) for line, cells in read(str(path)).rows] == [(3, "a\nb"), (5, "c")]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"x,m,a,W,debt", "has 5 values, the header has 6"),
        (b"x,m,a,W,debt,1,", "has 7 values, the header has 6"),
        (b'x,m,a,W,"debt"x,1', "cannot be read (',' expected"),
        (b"x,m,\xff\xfe,W,debt,1", "it is not UTF-8 text"),
        (b"x,m,a\0,W,debt,1", "it contains a NUL character"),
        (b"x,m,%s,W,debt,1" % (b"a" * 200_000), "cannot be read (field larger"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_the_next_one_is_read(
    line: bytes, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(b"\n".join([files.POSITIONS.encode(), line, b"x,m,b,W,debt,2", b""]))
    sheet = read(str(path))
    (refused,) = sheet.refused
    assert (refused.file, refused.line) == ("p.csv", 2)
    assert says in refused.reason
    assert [row for row, _ in sheet.rows] == [3]
    assert sheet.read == 2


def test_a_quote_that_is_never_closed_names_what_it_swallows(tmp_path: Path) -> None:
    (refused,) = read(files.positions(tmp_path, 'x,m,"a,W,debt,1', "x,m,b,W,debt,2")).refused
    assert refused.line == 2
    assert "up to line 3" in refused.reason


def test_parquet_holds_the_same_rows_whatever_its_name_and_exact_types(tmp_path: Path) -> None:
    numbers = [Decimal("0.000000000000000001"), None]
    for amounts, expected in (
        (["1.000000000000000001", "2"], ["1.000000000000000001", "2"]),
        (pyarrow.array(numbers, pyarrow.decimal128(38, 18)), ["0.000000000000000001", ""]),
        (pyarrow.array([2**53 + 1, 3]), ["9007199254740993", "3"]),
        (pyarrow.array(["5", "6"]).dictionary_encode(), ["5", "6"]),
    ):
        sheet = read(table(tmp_path / "p.csv", amount=amounts))
        assert [cells[5] for _, cells in sheet.rows] == expected
        assert [row for row, _ in sheet.rows] == [1, 2]


def test_floating_point_amounts_are_refused(tmp_path: Path) -> None:
    path = table(tmp_path / "p.parquet", amount=[0.1, 0.2])
    with pytest.raises(UsageError, match=r"'amount' holds floating point numbers \(double\)"):
        read(path)


def test_a_broken_parquet_file_is_refused(tmp_path: Path) -> None:
    path = Path(table(tmp_path / "p.parquet"))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(UsageError, match=r"p.parquet is no parquet file that can be read"):
        read(str(path))
