"""What a contract says when it refuses."""

from __future__ import annotations

from functools import cache

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_hash.auto import keccak

from defirisk.chain.node_errors import CallReverted
from defirisk.core.errors import NodeError

NAMES = (
    "CallerNotRiskOrPoolAdmin",
    "CallerNotPoolAdmin",
    "InvalidReserveParams",
    "InvalidLtv",
    "InvalidLiquidationThreshold",
    "InvalidLiquidationBonus",
    "InvalidBorrowCap",
    "InvalidSupplyCap",
    "ReserveLiquidityNotZero",
)
"""`Errors` of @aave-dao/aave-v3-origin 3.6.0 that the setters of a proposal may answer with."""
NUMBERS = {"4": "CALLER_NOT_RISK_OR_POOL_ADMIN", "20": "INVALID_RESERVE_PARAMS"}
"""`Errors` of @aave/core-v3 1.19.3, which answers with their numbers."""
_TEXT = keccak(b"Error(string)")[:4]


def explained(error: NodeError) -> str:
    """The contract's own word where it gave one."""
    if not isinstance(error, CallReverted):
        return str(error)
    selector, rest = error.data[:4], error.data[4:]
    if selector == _TEXT:
        try:
            (text,) = decode(["string"], rest)
        except DecodingError:
            return "reverted"
        return f"reverted with {NUMBERS.get(text, text)!r}"
    return f"reverted with {_selectors().get(selector, '0x' + error.data.hex()[:64])}"


@cache
def _selectors() -> dict[bytes, str]:
    return {keccak(f"{name}()".encode())[:4]: name for name in NAMES}
