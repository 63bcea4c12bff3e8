"""Deposits of a Liquity v1: what is left of them, and what they gained."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.protocols.cdp.liquity_v1.pool import coll_gain, compounded_deposit
from defirisk.protocols.cdp.liquity_v1.rows import WAD, Deposit, PoolSums, StabilityPool
from tests.unit.protocols.liquity_v1_sample import POOL


@pytest.mark.parametrize(
    ("pool", "left"),
    [
        (StabilityPool(pool=POOL, p_wad=WAD // 3, epoch=2, scale=1), 333),
        (StabilityPool(pool=POOL, p_wad=WAD // 3, epoch=3, scale=1), 0),
        (StabilityPool(pool=POOL, p_wad=WAD // 3, epoch=2, scale=2), 0),
        (StabilityPool(pool=POOL, p_wad=5 * 10**17, epoch=2, scale=2), 0),
        (StabilityPool(pool=POOL, p_wad=WAD, epoch=2, scale=3), 0),
    ],
    ids=["cut off", "emptied since", "a scale on", "a scale on, half", "two scales on"],
)
def test_what_is_left_of_a_small_deposit(pool: StabilityPool, left: int) -> None:
    deposit = Deposit(depositor="", initial_raw=1_000, p_wad=WAD, epoch=2, scale=1)

    assert compounded_deposit(deposit, pool) == left


def test_a_deposit_of_the_scale_before_is_a_billion_times_smaller() -> None:
    deposit = Deposit(depositor="", initial_raw=10**24, p_wad=10**10)
    pool = StabilityPool(pool=POOL, p_wad=WAD // 4, scale=1)

    assert compounded_deposit(deposit, pool) == 10**24 * (WAD // 4) // 10**10 // 10**9


def test_less_than_a_billionth_of_a_deposit_is_nothing() -> None:
    deposit = Deposit(depositor="", initial_raw=10**24, p_wad=WAD)
    least = StabilityPool(pool=POOL, p_wad=10**9, scale=0)
    less = StabilityPool(pool=POOL, p_wad=10**9 - 1, scale=0)

    assert compounded_deposit(deposit, least) == 10**15
    assert compounded_deposit(deposit, less) == 0


def test_a_gain_reaches_over_one_scale_and_no_further() -> None:
    deposit = Deposit(depositor="", initial_raw=10**20, p_wad=WAD // 2, s=4 * WAD * WAD, scale=1)
    sums = {
        (0, scale): PoolSums(pool=POOL, epoch=0, scale=scale, s=s)
        for scale, s in ((1, 5 * WAD * WAD), (2, 3 * 10**9 * WAD * WAD), (3, 10**9 * WAD * WAD))
    }

    assert coll_gain(deposit, sums) == 10**20 * (1 + 3) * 2
    assert coll_gain(deposit, {}) < 0, "sums only grow: what is smaller than a snapshot is broken"
    assert coll_gain(Deposit(depositor=""), sums) == 0


@dataclass
class PoolByShares:
    """A pool as it is meant: whoever holds a part of it loses and gains that part. Exact.

    Beside it, P and S as the contract updates them, with the errors that it carries over.
    """

    held: dict[int, Fraction] = field(default_factory=dict)
    gained: dict[int, Fraction] = field(default_factory=dict)
    made: dict[int, Deposit] = field(default_factory=dict)
    pool: StabilityPool = field(default_factory=lambda: StabilityPool(pool=POOL))
    sums: dict[tuple[int, int], PoolSums] = field(default_factory=dict)
    total: int = 0
    errors: tuple[int, int] = (0, 0)

    def deposit(self, amount: int) -> None:
        who, pool = len(self.held), self.pool
        here = self.sums.get((pool.epoch, pool.scale))
        self.held[who], self.gained[who] = Fraction(amount), Fraction(0)
        self.made[who] = Deposit(
            depositor=str(who),
            initial_raw=amount,
            p_wad=pool.p_wad,
            s=here.s if here else 0,
            epoch=pool.epoch,
            scale=pool.scale,
        )
        self.total += amount

    def absorb(self, debt: int, coll: int) -> None:
        debt = min(debt, self.total)
        if not debt:
            return
        for who, held in self.held.items():
            part = held / self.total
            self.gained[who] += coll * part
            self.held[who] = held - debt * part
        self._move(debt, coll)
        self.total -= debt

    def _move(self, debt: int, coll: int) -> None:
        pool, total, (coll_error, debt_error) = self.pool, self.total, self.errors
        numerator = coll * WAD + coll_error
        gain = numerator // total
        if debt == total:
            loss, debt_error = WAD, 0
        else:
            lost = debt * WAD - debt_error
            loss = lost // total + 1
            debt_error = loss * total - lost
        self.errors = (numerator - gain * total, debt_error)
        key = (pool.epoch, pool.scale)
        s = (self.sums[key].s if key in self.sums else 0) + gain * pool.p_wad
        self.sums[key] = PoolSums(pool=POOL, epoch=pool.epoch, scale=pool.scale, s=s)
        epoch, scale, p = pool.epoch, pool.scale, pool.p_wad * (WAD - loss) // WAD
        if loss == WAD:
            epoch, scale, p = epoch + 1, 0, WAD
        elif p < 10**9:
            scale, p = scale + 1, pool.p_wad * (WAD - loss) * 10**9 // WAD
        self.pool = StabilityPool(pool=POOL, p_wad=p, epoch=epoch, scale=scale)


TOKENS_WAD = st.integers(10**3, 10**7).map(lambda tokens: tokens * WAD)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("deposit"), TOKENS_WAD),
        st.tuples(st.just("absorb"), st.fractions(Fraction(1, 100), Fraction(999, 1_000))),
    ),
    min_size=3,
    max_size=12,
)


@given(STEPS)
def test_deposits_share_what_they_absorb_by_their_parts(
    steps: list[tuple[str, int | Fraction]],
) -> None:
    """To a part in a hundred million of what they put in: P carries nine digits or more."""
    model = PoolByShares()
    model.deposit(10**4 * WAD)
    for kind, amount in steps:
        if kind == "deposit":
            model.deposit(int(amount))
        else:
            debt = int(model.total * amount)
            model.absorb(debt, debt // 1_800)
    for who, deposit in model.made.items():
        tolerance = deposit.initial_raw // 10**8
        left = compounded_deposit(deposit, model.pool)
        assert abs(left - model.held[who]) <= tolerance
        assert abs(coll_gain(deposit, model.sums) - model.gained[who]) <= tolerance


def test_a_pool_that_is_emptied_begins_an_epoch() -> None:
    model = PoolByShares()
    model.deposit(1_000 * WAD)
    model.absorb(2_000 * WAD, WAD)
    model.deposit(500 * WAD)
    first, second = model.made[0], model.made[1]

    assert compounded_deposit(first, model.pool) == 0
    assert coll_gain(first, model.sums) == WAD
    assert compounded_deposit(second, model.pool) == 500 * WAD
    assert coll_gain(second, model.sums) == 0
