"""Providers of all kinds in model time: what they allow is used, and few requests are refused."""

from __future__ import annotations

import pytest

from tests.unit.chain.model_time import Changing, Moody, Provider, Refill, Windows, asked

# Of one request in so many each is refused where the limit is probed.
_PROBED = {2.0: 0.2, 5.0: 0.1, 25.0: 0.06, 90.0: 0.25, 500.0: 0.18}
_WORKERS = {90.0: 32, 500.0: 100}


def _providers(rate: float) -> dict[str, Provider]:
    return {
        "a tenth of a second": Refill(rate, 0.1 * rate),
        "a second": Refill(rate, rate),
        "windows": Windows(rate),
    }


@pytest.mark.parametrize("kind", _providers(1.0))
@pytest.mark.parametrize(
    ("rate", "retry_after"), [*((rate, False) for rate in _PROBED), (2.0, True), (25.0, True)]
)
def test_what_a_provider_allows_is_used(rate: float, kind: str, retry_after: bool) -> None:
    begin, until = (10.0, 60.0) if rate < 90 else (5.0, 12.0)
    seen = asked(
        _providers(rate)[kind],
        until,
        workers=_WORKERS.get(rate, 8),
        retry_after=retry_after,
    )
    # At a few requests a second there are few to learn from, and a tenth of a second holds none.
    assert seen.served(begin, until) >= (0.75 if rate < 25 else 0.97) * rate
    assert seen.refused_share(begin, until) <= _PROBED[rate]


@pytest.mark.parametrize("rate", [25.0, 90.0])
def test_the_limit_is_found_within_two_seconds(rate: float) -> None:
    seen = asked(Refill(rate, 0.1 * rate), 4.0, workers=_WORKERS.get(rate, 8))
    assert seen.served(2.0, 4.0) >= 0.9 * rate
    assert len(seen.refused) <= rate


@pytest.mark.parametrize("rate", [2.0, 25.0, 90.0])
def test_processes_that_share_a_provider_use_what_it_allows(
    rate: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = asked(Refill(rate, rate), 60.0, clients=3, workers=8, monkeypatch=monkeypatch)
    assert seen.served(10.0, 60.0) >= 0.9 * rate
    assert seen.refused_share(10.0, 60.0) <= 0.17


@pytest.mark.parametrize("rate", [2.0, 25.0, 90.0])
def test_refusals_for_no_reason_do_not_hold_the_rate_down(rate: float) -> None:
    """One in fifty."""
    workers = _WORKERS.get(rate, 8)
    seen = asked(Moody(Refill(rate, rate), 0.02), 60.0, workers=workers)
    assert seen.served(10.0, 60.0) >= 0.93 * rate
    assert seen.refused_share(10.0, 60.0) <= 0.17


def test_who_refuses_one_request_in_fifty_and_has_no_limit_is_asked_as_often_as_can_be() -> None:
    free = asked(Refill(1e6, 1e6), 30.0)
    seen = asked(Moody(Refill(1e6, 1e6), 0.02), 30.0)
    assert seen.served(5.0, 30.0) >= 0.9 * free.served(5.0, 30.0)


@pytest.mark.parametrize(
    ("before", "after", "soon"), [(25.0, 5.0, 0.9), (100.0, 10.0, 0.9), (25.0, 100.0, 0.6)]
)
def test_a_limit_that_changes_is_found_again(before: float, after: float, soon: float) -> None:
    provider = Changing(Refill(before, before), 20.0, Refill(after, after))
    seen = asked(provider, 60.0, workers=16)
    assert seen.served(10.0, 20.0) >= 0.95 * before
    assert seen.served(22.0, 32.0) >= soon * after
    assert seen.served(40.0, 60.0) >= 0.95 * after
    assert seen.refused_share(30.0, 60.0) <= 0.15


def test_what_was_lowered_for_nothing_is_had_back() -> None:
    """From 5 a second to 25 in a quarter of a minute."""
    seen = asked(Changing(Refill(5.0, 5.0), 20.0, Refill(25.0, 25.0)), 60.0)
    assert seen.served(35.0, 60.0) >= 0.9 * 25.0
