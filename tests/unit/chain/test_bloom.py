"""Our bloom filter against the library's, on random blocks."""

from __future__ import annotations

import random

from eth_bloom.bloom import BloomFilter
from hypothesis import given, settings
from hypothesis import strategies as st

from defirisk.chain.bloom import Watched, bits_of, bloom_of
from tests.unit.chain.small_chain import a_log

ITEM = st.sampled_from([20, 32]).flatmap(lambda size: st.binary(min_size=size, max_size=size))


@given(st.lists(ITEM, max_size=20))
def test_bits_are_those_of_the_library(items: list[bytes]) -> None:
    library, ours = BloomFilter(), 0
    for item in items:
        library.add(item)
        ours |= bits_of(item)
    assert ours == int(library)


@settings(deadline=None)
@given(st.integers(0, 10**9), st.sampled_from([3, 40, 300]))
def test_a_pair_may_be_there_where_the_library_finds_both_halves(seed: int, logs: int) -> None:
    draw = random.Random(seed)
    emitters = ["0x" + draw.randbytes(20).hex() for _ in range(30)]
    topics = [draw.randbytes(32) for _ in range(8)]
    emitted = [a_log(1, i, draw.choice(emitters[:20]), draw.choice(topics)) for i in range(logs)]
    bloom = bloom_of(emitted)
    library = BloomFilter(bloom)
    expected = {
        (emitter, topic)
        for emitter in emitters
        for topic in topics
        if bytes.fromhex(emitter[2:]) in library and topic in library
    }
    watched = Watched(dict.fromkeys(emitters, topics))
    assert set(watched.maybe(bloom.to_bytes(256, "big"))) == expected
    assert {(log.address, log.topics[0]) for log in emitted} <= expected
    assert watched.maybe(bytes(256)) == []
