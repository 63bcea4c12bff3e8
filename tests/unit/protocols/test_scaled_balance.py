"""Scaled balances come back from events without loss: against a plain model of the contract."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from defirisk.protocols.lending.aave_v3.rows import RAY
from defirisk.protocols.lending.aave_v3.scaled_balance import (
    DIRECTED,
    HALF_UP,
    BalanceChange,
    ray_div,
    ray_mul,
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
    after = DIRECTED.variable_debt_after if rounds_up else DIRECTED.a_token_after
    ours, ours_index = 0, RAY

    for amount, growth in steps:
        amount = max(amount, -token.scaled)
        index = token.index + growth
        change = token.change(amount, index)
        ours = after(ours, ours_index, BalanceChange(change, 0, index))
        ours_index = index

        assert ours == token.scaled


def test_the_two_kinds_of_token_must_not_share_a_formula() -> None:
    token = ScaledBalanceToken(rounds_up=True, scaled=1)
    index = RAY + RAY // 3

    change = BalanceChange(token.change(1, index), 0, index)

    assert DIRECTED.variable_debt_after(1, RAY, change) == 2
    assert DIRECTED.a_token_after(1, RAY, change) != 2
    assert HALF_UP.variable_debt_after is HALF_UP.a_token_after


@dataclass
class HalfUpToken:
    """The same of @aave/core-v3 1.19.3, where the Pool names amounts, which the token divides."""

    scaled: int = 0
    index: int = RAY

    def change(self, amount: int, index: int) -> BalanceChange:
        """Mint, or Burn where `amount` is negative: it, too, says Mint if interest was more."""
        scaled = self.nearest(abs(amount) * RAY, index)
        increase = self.nearest(self.scaled * index, RAY) - self.nearest(
            self.scaled * self.index, RAY
        )
        self.scaled += scaled if amount > 0 else -scaled
        self.index = index
        return BalanceChange(increase + amount, increase, index)

    def nearest(self, over: int, under: int) -> int:
        whole, rest = divmod(over, under)
        return whole + (2 * rest >= under)


@given(steps=steps)
def test_half_up_events_give_back_the_scaled_balance(steps: list[tuple[int, int]]) -> None:
    token, ours, ours_index = HalfUpToken(), 0, RAY

    for amount, growth in steps:
        index = token.index + growth
        most = token.nearest(token.scaled * index, RAY)
        change = token.change(max(amount, -most), index)
        ours, ours_index = HALF_UP.a_token_after(ours, ours_index, change), index

        assert ours == token.scaled


@given(a=st.integers(0, 2**128), b=st.integers(0, 2**128))
def test_ray_mul_rounds_half_up(a: int, b: int) -> None:
    whole, rest = divmod(a * b, RAY)

    assert ray_mul(a, b) == whole + (2 * rest >= RAY)


@given(a=st.integers(0, 2**128), b=st.integers(1, 2**128))
def test_ray_div_rounds_half_up(a: int, b: int) -> None:
    whole, rest = divmod(a * RAY, b)

    assert ray_div(a, b) == whole + (rest >= b - b // 2)
