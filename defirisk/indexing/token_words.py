"""What an ERC-20 says of itself, which may be anything: text, bytes32, a revert, garbage.

What it says is kept as it is (up to a length) and made harmless where it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping

from defirisk.chain.codec import load_functions
from defirisk.chain.words import DecodeError
from defirisk.core.adapter import Contract, Token
from defirisk.core.evm import Address, Call, CallResult

UNKNOWN_DECIMALS = -1
_MAX_TEXT = 256
_SYMBOL, _NAME, _DECIMALS = load_functions("ERC20", ("symbol", "name", "decimals")).values()


def token_calls(token: Contract) -> tuple[Call, Call, Call]:
    """symbol(), name() and decimals() of a token."""
    return (
        Call(token.address, _SYMBOL.encode(())),
        Call(token.address, _NAME.encode(())),
        Call(token.address, _DECIMALS.encode(())),
    )


def read_token(token: Contract, answers: Mapping[Call, CallResult]) -> Token:
    """The token's words; its short address for a missing symbol, -1 for missing decimals."""
    symbol, name, decimals = (answers[call] for call in token_calls(token))
    said = _text(symbol) or _short(token.address)
    return Token(
        address=token.address,
        symbol=said,
        name=_text(name) or said,
        decimals=_decimals(decimals),
    )


def _text(result: CallResult) -> str:
    if not result.ok:
        return ""
    try:
        (text,) = _SYMBOL.decode(result.data)
        said = str(text)
    except DecodeError:
        # Early tokens answer bytes32, padded with zeros.
        said = (
            result.data.rstrip(b"\0").decode("utf-8", "replace") if len(result.data) == 32 else ""
        )
    said = said.replace("\0", "")[:_MAX_TEXT].strip()
    # Bytes that were no text at all say nothing.
    return said if said.strip("\N{REPLACEMENT CHARACTER}") else ""


def _decimals(result: CallResult) -> int:
    if not result.ok or len(result.data) < 32:
        return UNKNOWN_DECIMALS
    stated = int.from_bytes(result.data[:32], "big")
    return stated if stated <= 255 else UNKNOWN_DECIMALS


def _short(address: Address) -> str:
    return f"{address[:6]}…{address[-4:]}"
