"""The circuit breaker and the choice that it makes possible."""

from __future__ import annotations

import pytest

from defirisk.chain.health import Breaker, BreakerState, Health


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def state_of(breaker: Breaker) -> BreakerState:
    """Read anew each time."""
    return breaker.state


def test_it_opens_after_failures_in_a_row_only() -> None:
    breaker = Breaker(Clock())
    for _ in range(5):
        breaker.failed()
        breaker.failed()
        breaker.succeeded()
    assert state_of(breaker) is BreakerState.CLOSED
    for _ in range(3):
        assert breaker.allows()
        breaker.failed()
    assert state_of(breaker) is BreakerState.OPEN
    assert not breaker.allows()


def test_half_open_one_probe_decides_and_each_failed_one_doubles_the_rest() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    breaker.failed(at_once=True)
    rests = []
    for _ in range(3):
        rests.append(breaker.rests())
        clock.now += breaker.rests() - 0.01
        assert state_of(breaker) is BreakerState.OPEN
        clock.now += 0.02
        assert state_of(breaker) is BreakerState.HALF_OPEN
        assert breaker.allows()
        breaker.ask()
        assert not breaker.allows(), "a second one must not probe at the same time"
        breaker.failed()
        assert state_of(breaker) is BreakerState.OPEN
    assert rests == pytest.approx([5.0, 10.0, 20.0])
    clock.now += breaker.rests()
    breaker.ask()
    breaker.succeeded()
    assert state_of(breaker) is BreakerState.CLOSED
    breaker.failed(at_once=True)
    assert breaker.rests() == rests[0]


def test_a_withdrawn_probe_leaves_the_place_to_another() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    breaker.failed(at_once=True)
    clock.now += breaker.rests()
    breaker.ask()
    breaker.abandon()
    assert breaker.allows()


def test_the_rest_is_bounded() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    breaker.failed(at_once=True)
    for _ in range(20):
        clock.now += breaker.rests()
        breaker.ask()
        breaker.failed()
    assert breaker.rests() == 300.0


def test_the_faster_weigh_more_and_the_lagging_little_for_a_while() -> None:
    clock = Clock()
    fast, slow = Health(clock), Health(clock)
    for _ in range(20):
        fast.measured(0.02)
        slow.measured(0.2)
    assert 9 <= fast.weight() / slow.weight() <= 11
    fast.lags()
    assert fast.lagging
    assert fast.weight() < slow.weight()
    clock.now += 31.0
    assert not fast.lagging
    assert fast.weight() > slow.weight()
