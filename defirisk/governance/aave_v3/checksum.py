"""Addresses as Aave's own files write them. Source: EIP-55."""

from __future__ import annotations

from eth_hash.auto import keccak

from defirisk.core.evm import Address


def checksum(address: Address) -> str:
    """The address with the letter case that EIP-55 gives it."""
    digits = address.removeprefix("0x").lower()
    digest = keccak(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if int(place, 16) >= 8 else digit
        for digit, place in zip(digits, digest, strict=False)
    )
