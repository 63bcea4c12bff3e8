"""Events of static words against eth-abi: random layouts, words that fit and words that do not."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from defirisk.chain.codec import EventCodec, compile_event
from defirisk.chain.words import DecodeError

TYPES = ["address", "bool", "uint256", "uint8", "uint40", "uint128", "int256", "int24", "int8"]
TYPES += ["int128", "bytes32", "bytes4", "bytes31", "bytes1"]
LAYOUTS = 100


def drawn_event(rng: random.Random) -> tuple[EventCodec, list[str], list[str]]:
    """An event with the types of its indexed and of its other fields."""
    indexed = rng.choices(TYPES, k=rng.randint(0, 3))
    data = rng.choices(TYPES, k=rng.randint(0, 6))
    marked = [(t, True) for t in indexed] + [(t, False) for t in data]
    rng.shuffle(marked)
    inputs: list[dict[str, Any]] = [
        {"name": f"field{n}", "type": t, "indexed": i} for n, (t, i) in enumerate(marked)
    ]
    codec = compile_event({"type": "event", "name": "Drawn", "inputs": inputs})
    return codec, [t for t, i in marked if i], [t for t, i in marked if not i]


def drawn_word(rng: random.Random, abi_type: str) -> bytes:
    """Mostly a valid word, near the limits more often than not."""
    if rng.random() < 0.02:
        return rng.choice([b"\xff" * 32, rng.randbytes(32), b"\x80" + bytes(31)])
    if abi_type == "address":
        return bytes(12) + rng.randbytes(20)
    if abi_type == "bool":
        return rng.choice([0, 1, 1, 2]).to_bytes(32)
    size = int("".join(filter(str.isdigit, abi_type)))
    if abi_type.startswith("bytes"):
        return rng.randbytes(size) + bytes(32 - size)
    if abi_type.startswith("uint"):
        limits = [0, 1, (1 << size) - 1, 1 << size, rng.getrandbits(size)]
        return (rng.choice(limits) % (1 << 256)).to_bytes(32)
    half = 1 << (size - 1)
    limits = [0, -1, half - 1, -half, half, -half - 1, rng.getrandbits(size) - half]
    return (rng.choice(limits) % (1 << 256)).to_bytes(32)


def by_eth_abi(
    indexed: Sequence[str], data: Sequence[str], topics: Sequence[bytes], words: bytes
) -> tuple[object, ...] | None:
    """All values, indexed ones first; None where eth-abi refuses."""
    try:
        return (*decode(indexed, b"".join(topics[1:])), *decode(data, words))
    except DecodingError:
        return None


@pytest.mark.parametrize(
    "logs",
    [20_000, pytest.param(1_000_000, marks=pytest.mark.nightly)],
)
def test_random_logs_decode_as_eth_abi_decodes_them(logs: int) -> None:
    rng = random.Random(logs)
    refused = 0
    for _ in range(LAYOUTS):
        codec, indexed, data = drawn_event(rng)
        for _ in range(logs // LAYOUTS):
            topics = (codec.topic0, *(drawn_word(rng, t) for t in indexed))
            words = b"".join(drawn_word(rng, t) for t in data) + rng.randbytes(rng.choice((0, 3)))
            if data and rng.random() < 0.01:
                words = words[: rng.randrange(len(words))]
            expected = by_eth_abi(indexed, data, topics, words)
            if expected is None:
                refused += 1
                with pytest.raises(DecodeError):
                    codec.decode(topics, words)
            else:
                assert tuple(codec.decode(topics, words).values()) == expected
    assert logs // 50 < refused < logs * 3 // 4, "both kinds must occur"
