"""Which logs a block may hold, by the bloom filter in its header.

Yellow Paper, section 4.4.1 (M3:2048): each log's address and each of its topics sets three of 2,048
bits, those that the first three pairs of bytes of its Keccak-256 name, modulo 2,048. A set bit may
be another log's, so a hit means "maybe" and a miss means "no".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from eth_hash.auto import keccak

from defirisk.core.evm import Address, RawLog

BLOOM_BYTES = 256
Pair = tuple[Address, bytes]
"""A contract and the first topic of a log."""


@lru_cache(maxsize=65_536)
def bits_of(item: bytes) -> int:
    """The bits that an address (20 bytes) or a topic (32 bytes) sets, as a 2,048-bit integer."""
    digest = keccak(item)
    bits = 0
    for at in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[at : at + 2], "big") & 2047)
    return bits


def address_bits(address: Address) -> int:
    """The bits of an address in 0x-hex."""
    return bits_of(bytes.fromhex(address[2:]))


def bloom_of(logs: Iterable[RawLog]) -> int:
    """The filter that a header with exactly these logs has."""
    bits = 0
    for log in logs:
        bits |= address_bits(log.address)
        for topic in log.topics:
            bits |= bits_of(topic)
    return bits


class Watched:
    """The pairs of contract and first topic that are looked for in blooms."""

    def __init__(self, topics: Mapping[Address, Iterable[bytes]]) -> None:
        self._masks = [
            (address, address_bits(address), [(topic, bits_of(topic)) for topic in sorted(wanted)])
            for address, wanted in sorted(topics.items())
        ]

    def maybe(self, logs_bloom: bytes) -> list[Pair]:
        """The pairs of which a block with this bloom may hold a log; all others it cannot."""
        bloom = int.from_bytes(logs_bloom, "big")
        if not bloom:
            return []
        return [
            (address, topic)
            for address, mask, topics in self._masks
            if bloom & mask == mask
            for topic, bits in topics
            if bloom & bits == bits
        ]


def shows(logs_bloom: bytes, log: RawLog) -> bool:
    """Whether a block with this bloom can hold this log."""
    bloom = int.from_bytes(logs_bloom, "big")
    bits = bloom_of([log])
    return bloom & bits == bits
