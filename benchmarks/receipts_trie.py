"""Receipts as a chain commits to them: RLP, blooms and the root of their trie.

Written apart from the product's own, which is tested against chains made with this one; this one is
tested against the py-trie of eth-tester. Source: the Ethereum yellow paper, appendices B to D and
4.3.1; EIP-2718 for typed receipts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from eth_hash.auto import keccak

Item = Any
"""Bytes, or a sequence of items."""
Entry = tuple[tuple[int, ...], bytes]
"""A path in nibbles, and the value there."""


def rlp(item: Item) -> bytes:
    """The encoding of bytes, or of a sequence of encodable things."""
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < 0x80:
            return item
        return _length(len(item), 0x80) + item
    body = b"".join(map(rlp, item))
    return _length(len(body), 0xC0) + body


def rlp_number(number: int) -> bytes:
    """A number as RLP wants it: without leading zeros."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _length(length: int, offset: int) -> bytes:
    if length < 56:
        return bytes([offset + length])
    size = rlp_number(length)
    return bytes([offset + 55 + len(size)]) + size


@lru_cache(maxsize=100_000)
def bloom_bits(item: bytes) -> int:
    """The three bits that an address or a topic sets in a bloom of 2,048."""
    digest = keccak(item)
    bits = 0
    for at in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[at : at + 2], "big") & 2047)
    return bits


def trie_root(values: Sequence[bytes]) -> bytes:
    """The root of a trie that holds `values` under the RLP of their positions."""
    if not values:
        return keccak(rlp(b""))
    keyed = ((rlp(rlp_number(position)), value) for position, value in enumerate(values))
    return keccak(rlp(_node([(_nibbles(key), value) for key, value in keyed])))


def _node(entries: Sequence[Entry]) -> Item:
    """The node of all entries: no path is the beginning of another, so no branch has a value."""
    if len(entries) == 1:
        ((path, value),) = entries
        return [_hex_prefix(path, leaf=True), value]
    shared = 0
    first = entries[0][0]
    while all(path[shared] == first[shared] for path, _ in entries):
        shared += 1
    if shared:
        below = [(path[shared:], value) for path, value in entries]
        return [_hex_prefix(first[:shared], leaf=False), _reference(_node(below))]
    branch: list[Item] = [b""] * 17
    for nibble in range(16):
        below = [(path[1:], value) for path, value in entries if path[0] == nibble]
        if below:
            branch[nibble] = _reference(_node(below))
    return branch


def _reference(node: Item) -> Item:
    encoded = rlp(node)
    return node if len(encoded) < 32 else keccak(encoded)


def _hex_prefix(path: tuple[int, ...], *, leaf: bool) -> bytes:
    flag = 2 * leaf + len(path) % 2
    nibbles = (flag, *path) if len(path) % 2 else (flag, 0, *path)
    return bytes(16 * high + low for high, low in zip(nibbles[::2], nibbles[1::2], strict=True))


def _nibbles(key: bytes) -> tuple[int, ...]:
    return tuple(nibble for byte in key for nibble in (byte >> 4, byte & 15))
