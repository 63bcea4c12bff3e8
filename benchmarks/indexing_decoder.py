"""Our decoder of static events against eth-abi, on Transfer logs."""

from __future__ import annotations

import random

from eth_abi.abi import decode

from benchmarks.measure import Result, paired
from defirisk.chain.codec import load_events

TYPES = ("address", "address", "uint256")
PAIRS = 5


def measure(result: Result, *, quick: bool) -> None:
    """Both decode the same logs; eth-abi by one call each, which is its fastest way."""
    count = 2_000 if quick else 50_000
    codec = load_events("ERC4626", ("Transfer",))["Transfer"]
    rng = random.Random(1)
    logs = [
        (
            (codec.topic0, bytes(12) + rng.randbytes(20), bytes(12) + rng.randbytes(20)),
            rng.randbytes(32),
        )
        for _ in range(count)
    ]

    def ours() -> None:
        for topics, data in logs:
            codec.decode(topics, data)

    def theirs() -> None:
        for topics, data in logs:
            decode(TYPES, topics[1] + topics[2] + data)

    mine, other, ratio = paired(ours, theirs, PAIRS)
    result.figures["decoder_logs_per_cpu_second"] = count / mine
    result.figures["eth_abi_logs_per_cpu_second"] = count / other
    result.ratio("decoder", ratio, "eth-abi's decode, topics and data in one call")
