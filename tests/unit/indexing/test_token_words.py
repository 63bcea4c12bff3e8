"""What an ERC-20 says of itself may be anything."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from defirisk.core.adapter import Contract, Token
from defirisk.core.evm import CallResult
from defirisk.indexing.token_words import UNKNOWN_DECIMALS, read_token, token_calls

AT = "0x" + "ab12" * 10
SHORT = "0xab12…ab12"
CONTRACT = Contract(address=AT, role="erc20", first_block=0)
REVERTED = CallResult(ok=False, data=b"")
NOTHING = CallResult(ok=True, data=b"")


def text(value: str) -> CallResult:
    return CallResult(ok=True, data=encode(["string"], [value]))


def raw(data: bytes) -> CallResult:
    return CallResult(ok=True, data=data)


def number(value: int) -> CallResult:
    return raw(value.to_bytes(32, "big"))


def said(symbol: CallResult, name: CallResult = REVERTED, decimals: CallResult = REVERTED) -> Token:
    calls = token_calls(CONTRACT)
    return read_token(CONTRACT, dict(zip(calls, (symbol, name, decimals), strict=True)))


def test_an_ordinary_token_is_taken_at_its_word() -> None:
    token = said(text("WETH"), text("Wrapped Ether"), number(18))
    assert token == Token(address=AT, symbol="WETH", name="Wrapped Ether", decimals=18)


def test_three_views_are_asked() -> None:
    assert [call.data.hex() for call in token_calls(CONTRACT)] == [
        "95d89b41",
        "06fdde03",
        "313ce567",
    ]
    assert {call.to for call in token_calls(CONTRACT)} == {AT}


def test_early_tokens_answer_in_one_word() -> None:
    assert said(raw(b"MKR".ljust(32, b"\0"))).symbol == "MKR"
    assert said(raw(b"A" * 32)).symbol == "A" * 32


@pytest.mark.parametrize(
    "symbol",
    [
        REVERTED,
        NOTHING,
        text(""),
        text(" \t\n "),
        text("\0\0"),
        raw(b"\0" * 32),
        raw(encode(["string"], ["WETH"])[:70]),
        raw(encode(["string"], ["WETH"])[:40]),
        raw((2**256 - 1).to_bytes(32, "big") * 3),
        raw((32).to_bytes(32, "big") + (2**64).to_bytes(32, "big") + b"x" * 32),
        raw((32).to_bytes(32, "big") + (2).to_bytes(32, "big") + b"\xff\xfe".ljust(32, b"\0")),
        raw(b"\x08\xc3\x79\xa0" + b"\1" * 60),
    ],
    ids=str,
)
def test_a_symbol_that_says_nothing_is_replaced_by_the_short_address(symbol: CallResult) -> None:
    assert said(symbol).symbol == SHORT
    assert said(symbol, text("Name")).name == "Name"


def test_a_word_that_is_no_text_is_marked_as_such() -> None:
    assert (
        said(raw(b"\xff\xfeOK".ljust(32, b"\0"))).symbol == "\N{REPLACEMENT CHARACTER}" * 2 + "OK"
    )


def test_a_missing_name_is_the_symbol() -> None:
    assert said(text("WETH"), REVERTED).name == "WETH"


def test_an_endless_name_is_cut() -> None:
    hostile = '=HYPERLINK("http://x")<script>alert(1)</script>\x1b[2J\0' * 200
    token = said(text(hostile), text(hostile))
    assert len(token.symbol) == len(token.name) == 256
    assert "\0" not in token.symbol


@pytest.mark.parametrize("decimals", [0, 6, 18, 77, 255])
def test_decimals_are_kept_as_they_are_said(decimals: int) -> None:
    assert said(text("X"), decimals=number(decimals)).decimals == decimals


@pytest.mark.parametrize(
    "decimals", [REVERTED, NOTHING, raw(b"\x12"), raw(b"\0" * 31), number(256), number(2**256 - 1)]
)
def test_decimals_that_cannot_be_are_unknown(decimals: CallResult) -> None:
    assert said(text("X"), decimals=decimals).decimals == UNKNOWN_DECIMALS


@given(st.booleans(), st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=64))
def test_no_answer_whatsoever_stops_a_run(
    ok: bool, symbol: bytes, name: bytes, decimals: bytes
) -> None:
    token = said(CallResult(ok, symbol), CallResult(ok, name), CallResult(ok, decimals))
    assert 0 < len(token.symbol) <= 256
    assert 0 < len(token.name) <= 256
    assert -1 <= token.decimals <= 255
    assert "\0" not in token.symbol + token.name
    token.symbol.encode("utf-8")
