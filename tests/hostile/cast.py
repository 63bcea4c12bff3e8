"""The tokens and feeds of the hostile tests: what each of them says, and what we make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from eth_abi.abi import encode
from eth_hash.auto import keccak

REVERTS, BURNS_ALL_GAS = 1, 2
SAYS_TOO_LITTLE = 2
WAD = 10**18
DOLLAR = 10**8
ANSWER_UPDATED = keccak(b"AnswerUpdated(int256,uint256,uint256)")

MARKUP = "<script>alert('name')</script><img src=x onerror=alert(1)>"
FORMULA = '=HYPERLINK("http://evil.example","click")'
TERMINAL = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\n\u202egnp\u202c\u200b"
LINK = "[free](javascript:alert(1)) | **bold** `code` @everyone\n\n# heading\n"
ENDLESS_NAME = (FORMULA + MARKUP + TERMINAL + LINK) * 54


def text(value: str) -> bytes:
    """The answer of a view that returns a string."""
    return encode(["string"], [value])


def number(value: int) -> bytes:
    """The answer of a view that returns an integer, which may be more than its type holds."""
    return value.to_bytes(32, "big")


@dataclass(frozen=True, kw_only=True)
class Token:
    """The words of a token; `shown` is the symbol that is stored, None for its short address.

    `kept_decimals` is what is stored of its decimals, -1 for none.
    """

    symbol: bytes
    name: bytes
    decimals: bytes
    shown: str | None
    kept_decimals: int
    behaviour: int = 0
    fee_bps: int = 0

    @property
    def constructor(self) -> tuple[Any, ...]:
        """The arguments of HostileToken.vy."""
        return (self.symbol, self.name, self.decimals, self.behaviour, self.fee_bps)


def _token(symbol: bytes, shown: str | None, decimals: int | None = 18, **more: Any) -> Token:
    fields = {
        "symbol": symbol,
        "name": text("Some Token"),
        "decimals": b"" if decimals is None else number(decimals),
        "shown": shown,
        "kept_decimals": -1 if decimals is None or decimals > 255 else decimals,
    }
    return Token(**(fields | more))


_NOT_UTF8 = number(32) + number(2) + b"\xff\xfe".ljust(32, b"\0")
TOKENS = {
    "ordinary": _token(text("GOOD"), "GOOD"),
    "bytes32": _token(b"MKR".ljust(32, b"\0"), "MKR", name=b"Maker".ljust(32, b"\0")),
    "markup": _token(text(MARKUP), MARKUP, name=text(ENDLESS_NAME)),
    "formula": _token(text(FORMULA), FORMULA, name=text(ENDLESS_NAME)),
    "control characters": _token(text(TERMINAL), TERMINAL.strip(), name=text(ENDLESS_NAME)),
    "links": _token(text(LINK), LINK.strip(), name=text(ENDLESS_NAME)),
    "no decimals": _token(text("NONE"), "NONE", 0),
    "77 decimals": _token(text("D77"), "D77", 77),
    "255 decimals": _token(text("D255"), "D255", 255),
    "garbage decimals": _token(text("DXX"), "DXX", 2**256 - 1),
    "missing decimals": _token(text("DNO"), "DNO", None),
    "reverting symbol": _token(text("X"), None, behaviour=REVERTS),
    "burns all gas": _token(text("X"), None, behaviour=BURNS_ALL_GAS),
    "not utf-8": _token(_NOT_UTF8, None),
    "truncated": _token(text("TRUNCATED")[:70], None, name=text("TRUNCATED")[:33]),
    "wild offset": _token(number(2**255) * 3, None),
    "fee on transfer": _token(text("FEE"), "FEE", fee_bps=1_000),
    "rebasing": _token(text("REB"), "REB"),
}


class Send(Protocol):
    """Sends a transaction to a feed that is already known: signature and arguments."""

    def __call__(self, signature: str, *args: Any) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Feed:
    """What a feed does, and the price in raw units that it can be trusted with; None for none.

    `of_itself`: it names itself as its aggregator, so that its logs are folded.
    """

    act: Callable[[Send, int], None]
    price: int | None
    of_itself: bool = True


def _reports(answer: int, updated_at: int | None = None) -> Callable[[Send, int], None]:
    def act(send: Send, now: int) -> None:
        send("report(int256,uint256)", answer, now if updated_at is None else updated_at)

    return act


def _then(signature: str, *args: Any) -> Callable[[Send, int], None]:
    """An honest answer of one dollar first, then this."""

    def act(send: Send, now: int) -> None:
        send("report(int256,uint256)", DOLLAR, now)
        send(signature, *args)

    return act


TWO = (2 * DOLLAR).to_bytes(32, "big")
FEEDS = {
    "honest": Feed(act=_reports(DOLLAR), price=DOLLAR),
    "read only": Feed(act=_reports(DOLLAR), price=DOLLAR, of_itself=False),
    "zero": Feed(act=_then("report(int256,uint256)", 0, 1), price=None),
    "zero, read only": Feed(act=_reports(0), price=None, of_itself=False),
    "negative": Feed(act=_then("report(int256,uint256)", -DOLLAR, 1), price=None),
    "stale": Feed(act=_reports(DOLLAR, 1), price=DOLLAR),
    "never": Feed(act=_reports(DOLLAR, 0), price=DOLLAR),
    "from the future": Feed(act=_reports(DOLLAR, 2**256 - 1), price=DOLLAR),
    "from the future, read only": Feed(
        act=_reports(DOLLAR, 2**256 - 1), price=DOLLAR, of_itself=False
    ),
    "2^255": Feed(act=_reports(-(2**255)), price=None),
    "2^255-1": Feed(act=_reports(2**255 - 1), price=2**255 - 1),
    "reverts": Feed(act=_then("misbehave(uint256)", REVERTS), price=None),
    "says too little": Feed(act=_then("misbehave(uint256)", SAYS_TOO_LITTLE), price=None),
    "changes quietly": Feed(act=_then("change_quietly(int256)", 2 * DOLLAR), price=2 * DOLLAR),
    "logs unindexed": Feed(
        act=_then("log_unindexed(bytes32,int256)", ANSWER_UPDATED, 2 * DOLLAR), price=DOLLAR
    ),
    "logs too little": Feed(
        act=_then("log_too_little(bytes32,bytes32)", ANSWER_UPDATED, TWO), price=DOLLAR
    ),
}


def pairs() -> Iterator[tuple[str, str]]:
    """Every token with an honest feed, then every feed with an ordinary token."""
    yield from ((token, "honest") for token in TOKENS)
    yield from (("ordinary", feed) for feed in FEEDS if feed != "honest")
