"""What pools accumulate, against sums second by second."""

from __future__ import annotations

import random

import pytest

from defirisk.core.errors import CheckFailed
from defirisk.swaps.twap import INT56, UINT32, UINT256, CumulativePrices, Observation, Observations


def test_ticks_and_liquidity_are_summed_second_by_second() -> None:
    rng, start, seconds = random.Random(7), UINT32 - 50, 400
    ticks = [rng.choice((-887_000, -3, 0, 5, 200_000)) for _ in range(seconds - 20)]
    ticks += [-70] * 20  # not observed again before the end
    liquidity = [10 ** (1 + at // 100) for at in range(seconds)]
    sums = [(0, 0)]
    for tick, there in zip(ticks, liquidity, strict=True):
        sums.append((sums[-1][0] + tick, sums[-1][1] + (1 << 128) // there))
    entries = [Observation(start, 0, 0)]
    for at in range(1, seconds):
        if (ticks[at], liquidity[at]) != (ticks[at - 1], liquidity[at - 1]):
            entries.append(entries[-1].later(start + at, ticks[at - 1], liquidity[at - 1]))
    history = Observations(
        now=start + seconds, tick=ticks[-1], liquidity=liquidity[-1], entries=tuple(entries)
    )

    for at in range(seconds + 1):
        said = history.accumulated(start + at)
        assert said[0] == sums[at][0]
        assert abs(said[1] - sums[at][1]) <= seconds  # each entry is rounded down once

    assert entries[-1].timestamp < entries[0].timestamp, "the clock of 32 bits began again"
    with pytest.raises(CheckFailed, match="remembers 400 seconds, not 401"):
        history.accumulated(start - 1)
    with pytest.raises(CheckFailed, match="after the block"):
        history.accumulated(start + seconds + 1)


def test_between_two_observations_the_mean_is_cut_towards_zero() -> None:
    """As Solidity divides: a mean of -2.5 ticks is -2."""
    entries = (Observation(100, 0, 0), Observation(104, -10, 0))
    history = Observations(now=104, tick=0, liquidity=1, entries=entries)
    assert history.accumulated(102)[0] == -4


def test_the_sum_of_ticks_has_56_bits() -> None:
    last = Observation(0, INT56 // 2 - 1, 0)
    assert last.later(1, 1, 1).tick_cumulative == -INT56 // 2


def test_a_pool_that_was_never_initialised_remembers_nothing() -> None:
    with pytest.raises(CheckFailed, match="never initialised"):
        Observations(now=1, tick=0, liquidity=0, entries=()).accumulated(1)


def test_prices_of_a_pair_accumulate_also_across_the_end_of_32_bits() -> None:
    before = CumulativePrices(UINT256 - 1, 5, UINT32 - 10, (3, 7))
    price0, price1 = before.accumulated(UINT32 + 20)
    assert price0 == (7 << 112) // 3 * 30 - 1
    assert price1 == (3 << 112) // 7 * 30 + 5
    assert before.accumulated(UINT32 - 10) == (UINT256 - 1, 5)


def test_an_empty_pair_accumulates_nothing() -> None:
    assert CumulativePrices(1, 2, 0, (0, 7)).accumulated(1000) == (1, 2)
