"""Scaled balances come back from events without loss: against a plain model of the contract."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from defirisk.protocols.lending.aave_v3.rows import RAY
from defirisk.protocols.lending.aave_v3.scaled_balance import (
    a_token_scaled_after,
    ray_mul,
    variable_debt_scaled_after,
)


@dataclass
class ScaledBalanceToken:
    """`ScaledBalanceTokenBase._mintScaled` and `_burnScaled` of 3.6.0, for one account.

    Each returns what the event says: the change of the rounded balance, negative for Burn.
    """

    rounds_up: bool
    scaled: int = 0
    index: int = RAY

    def balance(self, scaled: int, index: int) -> int:
        whole, rest = divmod(scaled * index, RAY)
        return whole + (1 if self.rounds_up and rest else 0)

    def change(self, amount_scaled: int, index: int) -> int:
        before = self.balance(self.scaled, self.index)
        self.scaled += amount_scaled
        self.index = index
        return self.balance(self.scaled, index) - before


steps = st.lists(
    st.tuples(st.integers(-(10**30), 10**30), st.integers(0, 10**26)), min_size=1, max_size=20
)


@given(steps=steps, rounds_up=st.booleans())
def test_every_event_gives_back_the_scaled_balance(
    steps: list[tuple[int, int]], rounds_up: bool
) -> None:
    token = ScaledBalanceToken(rounds_up)
    after = variable_debt_scaled_after if rounds_up else a_token_scaled_after
    ours, ours_index = 0, RAY

    for amount, growth in steps:
        amount = max(amount, -token.scaled)
        index = token.index + growth
        change = token.change(amount, index)
        ours, ours_index = after(ours, ours_index, change, index), index

        assert ours == token.scaled


def test_the_two_kinds_of_token_must_not_share_a_formula() -> None:
    token = ScaledBalanceToken(rounds_up=True, scaled=1)

    change = token.change(1, RAY + RAY // 3)

    assert variable_debt_scaled_after(1, RAY, change, RAY + RAY // 3) == 2
    assert a_token_scaled_after(1, RAY, change, RAY + RAY // 3) != 2


@given(a=st.integers(0, 2**128), b=st.integers(0, 2**128))
def test_ray_mul_rounds_half_up(a: int, b: int) -> None:
    whole, rest = divmod(a * b, RAY)

    assert ray_mul(a, b) == whole + (2 * rest >= RAY)
