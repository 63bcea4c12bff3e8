"""Call data from human-readable signatures, so that no ABI file is needed at run time."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cache
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.grammar import TupleType, parse
from eth_hash.auto import keccak

MAX_UINT256 = 2**256 - 1
ZERO_ADDRESS = "0x" + "00" * 20


def call_data(signature: str, args: Sequence[Any]) -> str:
    """Selector and encoded arguments of a call of `signature`, such as "mint(address,uint256)"."""
    selector, types = _parsed(signature)
    return "0x" + (selector + encode(types, args)).hex()


@cache
def view_data(signature: str, *args: Hashable) -> str:
    """Call data of a question that is asked again and again."""
    return call_data(signature, args)


def constructor_data(types: Sequence[str], args: Sequence[Any]) -> str:
    """Encoded constructor arguments, without 0x."""
    return encode(types, args).hex()


def words(result: str) -> list[int]:
    """The 32-byte words of a call's result as unsigned integers."""
    raw = bytes.fromhex(result[2:])
    return [int.from_bytes(raw[start : start + 32]) for start in range(0, len(raw), 32)]


def address_in(result: str) -> str:
    """The address that a call returned."""
    return str(decode(["address"], bytes.fromhex(result[2:]))[0])


def derived_address(label: str) -> str:
    """An address nobody has the key of; the node impersonates it."""
    return "0x" + keccak(label.encode())[-20:].hex()


@cache
def _parsed(signature: str) -> tuple[bytes, tuple[str, ...]]:
    selector = keccak(signature.encode())[:4]
    parameters = signature[signature.index("(") :]
    if parameters == "()":
        return selector, ()
    parsed = parse(parameters)
    if not isinstance(parsed, TupleType):
        raise ValueError(f"not a signature: {signature!r}")
    return selector, tuple(part.to_type_str() for part in parsed.components)
