"""Faults by seed: every run meets another mix of them."""

from __future__ import annotations

import random

from benchmarks.generated_chain import ChainShape
from tests.faults.proxy import Faults
from tests.faults.wordings import refusals

RECEIPTS = frozenset({"eth_getBlockReceipts"})


def shape(seed: int) -> ChainShape:
    """A chain of a few hundred to two thousand blocks, dense or sparse, with or without
    strangers' logs and times of logs.
    """
    draw = random.Random(f"shape {seed}")
    return ChainShape(
        blocks=draw.choice([300, 700, 1_200, 2_000]),
        every=draw.choice([1, 3, 10, 40]) if seed % 5 else 100,
        logs_per_block=draw.choice([1, 2, 5, 12]),
        tokens=draw.choice([1, 1, 3]),
        seed=seed,
        log_timestamps=draw.random() < 0.7,
    )


def mix(seed: int, *, most_dropped: float = 0.5, inside: bool = False) -> Faults:
    """Most kinds of faults are in about half of all mixes. `inside`: logs may be lost inside a
    block whose others are served.
    """
    draw = random.Random(f"faults {seed}")

    def maybe(least: float, most: float, chance: float = 0.5) -> float:
        return draw.uniform(least, most) if draw.random() < chance else 0.0

    known = refusals()
    return Faults(
        seed=seed,
        empty=maybe(0.1, most_dropped, 0.7),
        lost_blocks=maybe(0.1, most_dropped),
        lost_logs=draw.uniform(0.1, most_dropped) if inside else 0.0,
        doubled_logs=maybe(0.02, 0.15),
        doubled_answers=maybe(0.02, 0.1),
        null=maybe(0.02, 0.15),
        refused=maybe(0.02, 0.25),
        failing=maybe(0.02, 0.2),
        silent=maybe(0.005, 0.02, 0.2),
        cut=maybe(0.02, 0.15),
        lagging=maybe(0.05, 0.3),
        max_logs=draw.choice([0, 15, 60, 200]),
        max_blocks=draw.choice([0, 17, 90, 250]),
        refusal=known[seed % len(known)] if draw.random() < 0.6 else None,
        unknown=frozenset() if inside or draw.random() < 0.5 else RECEIPTS,
    )
