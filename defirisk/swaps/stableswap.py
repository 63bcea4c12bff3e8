"""Curve's StableSwap invariant, as its plain pools compute it.

Sources: Plain4Basic v5.0.0 (A_precise, in the package @perp/curie-deployments), and for
`Generation.FIRST` the pools of which 3pool is one (StableSwap3Pool, Vyper 0.2.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction
from math import prod

from defirisk.core.errors import CheckFailed
from defirisk.core.venue import Sale
from defirisk.swaps.arguments import MAX_UINT256, check_amount, check_places, check_price

PRECISION = 10**18
FEE_DENOMINATOR = 10**10
ITERATIONS = 255


class Generation(Enum):
    """Which contract computes: how finely A is kept, and what happens without convergence."""

    PLAIN = 100
    """A_PRECISION of 100; reverts where Newton's method does not converge."""
    FIRST = 1
    """A as it is; takes the last of 255 iterations. 3pool and its contemporaries."""


class Reverted(ArithmeticError):
    """The contract would revert: 256 bits are too few, or nothing converges."""


class TooLittle(Reverted):
    """The contract would revert because the sale is within the rounding of the balance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StableSwap:
    """Balances in base units and the parameters of a plain pool.

    `amplification` is A as the contract keeps it: A_precise() of newer pools, A() of the first
    ones. `rates` are what the contract multiplies balances with to have them in 18 decimals, times
    1e18: 10 ** (36 - decimals) for plain tokens. `fee_e10` is the swap fee in parts of 1e10,
    `admin_fee_e10` the part of it that leaves the balances.
    """

    balances: tuple[int, ...]
    rates: tuple[int, ...]
    amplification: int
    fee_e10: int
    admin_fee_e10: int = 0
    generation: Generation = Generation.PLAIN

    @property
    def fee(self) -> Fraction:
        """Taken of what is received, not of what is sold."""
        return Fraction(self.fee_e10, FEE_DENOMINATOR)

    def scaled(self) -> tuple[int, ...]:
        """The balances in 18 decimals (`_xp`)."""
        pairs = zip(self.rates, self.balances, strict=True)
        return tuple(_word(rate * balance) // PRECISION for rate, balance in pairs)

    def invariant(self) -> int:
        """get_D, or its last iteration where the contract would give up and revert.

        Errors: `CheckFailed` where a balance is zero, and not all of them, or beyond range.
        """
        try:
            return self._invariant(self.scaled(), strict=False)
        except ArithmeticError as error:
            raise CheckFailed("the invariant of the pool cannot be computed") from error

    def virtual_price(self, supply: int) -> int:
        """get_virtual_price: the invariant per LP token of a supply in base units, times 1e18."""
        if supply == 0:
            raise CheckFailed("the pool has no LP tokens: they have no price")
        return self.invariant() * PRECISION // supply

    def get_dy(self, token_in: int, token_out: int, amount_in: int) -> int:
        """The view of that name; 0 where it reverts.

        In the first generation it rounds before it takes the fee, and may be one base unit off what
        an exchange then gives.
        """
        check_places(token_in, token_out, len(self.balances))
        check_amount(amount_in)
        try:
            gross = self._gross(token_in, token_out, amount_in, strict=True)
        except ArithmeticError:
            return 0
        rate = self.rates[token_out]
        if self.generation is Generation.PLAIN:
            return (gross - self.fee_e10 * gross // FEE_DENOMINATOR) * PRECISION // rate
        gross = gross * PRECISION // rate
        return gross - self.fee_e10 * gross // FEE_DENOMINATOR

    def sell(self, token_in: int, token_out: int, amount_in: int) -> Sale:
        """exchange; nothing where it reverts."""
        check_places(token_in, token_out, len(self.balances))
        check_amount(amount_in)
        if amount_in == 0:
            return Sale(0, 0, self)
        try:
            return self._exchange(token_in, token_out, amount_in, strict=True)
        except ArithmeticError:
            return Sale(0, 0, self)

    def price(self, token_in: int, token_out: int) -> Fraction:
        """The slope of the invariant at the balances and the D of `invariant`."""
        check_places(token_in, token_out, len(self.balances))
        try:
            scaled = self.scaled()
            invariant = self._invariant(scaled, strict=False)
            slope = self._slope(scaled, invariant, token_in)
            slope /= self._slope(scaled, invariant, token_out)
        except ArithmeticError as error:
            raise CheckFailed("the pool has no price: a balance is zero or beyond range") from error
        return slope * Fraction(self.rates[token_in], self.rates[token_out])

    def sell_until(self, token_in: int, token_out: int, price: Fraction) -> Sale:
        """Doubling, then bisection over whole base units. Rounding of D and y can make the price
        rise by a hair from one base unit to the next: the end is one of the crossings then.
        """
        check_places(token_in, token_out, len(self.balances))
        check_price(price)
        low, high = 0, 1
        if not self._holds(token_in, token_out, 0, price):
            return Sale(0, 0, self)
        while self._holds(token_in, token_out, high, price):
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            if self._holds(token_in, token_out, middle, price):
                low = middle
            else:
                high = middle
        # Where Newton's method happens not to converge, the contract sells a little less.
        while low and (sale := self.sell(token_in, token_out, low)).sold == 0:
            low -= 1 + low // 1000
        return sale if low else Sale(0, 0, self)

    def withdraw_one(self, token: int, burnt: int, supply: int) -> tuple[int, int]:
        """_calc_withdraw_one_coin: base units of one token for burning LP tokens, and the fee that
        was taken of them. Errors: `CheckFailed` where the contract reverts.
        """
        try:
            return self._withdrawal(token, burnt, supply)
        except ArithmeticError as error:
            raise CheckFailed("the contract refuses this withdrawal") from error

    def _withdrawal(self, i: int, burnt: int, supply: int) -> tuple[int, int]:
        scaled, count = self.scaled(), len(self.balances)
        strict = self.generation is Generation.PLAIN
        before = self._invariant(scaled, strict=strict)
        after = _word(before - burnt * before // supply)
        left = self._balance([x for j, x in enumerate(scaled) if j != i], after, strict=strict)
        fee = self.fee_e10 * count // (4 * (count - 1))
        reduced = []
        for j, balance in enumerate(scaled):
            ideal = balance * after // before
            moved = _word(ideal - left if j == i else balance - ideal)
            reduced.append(balance - fee * moved // FEE_DENOMINATOR)
        gross = _word(scaled[i] - left) * PRECISION // self.rates[i]
        others = [x for j, x in enumerate(reduced) if j != i]
        net = _word(reduced[i] - self._balance(others, after, strict=strict) - 1)
        net = net * PRECISION // self.rates[i]
        return net, gross - net

    def _holds(self, i: int, j: int, amount_in: int, price: Fraction) -> bool:
        """Whether the price is not below this one after a sale. One too small to be made moves
        nothing; one too large to be made is none.
        """
        try:
            after = self._exchange(i, j, amount_in, strict=False).pool if amount_in else self
            return after.price(i, j) >= price
        except TooLittle:
            return True
        except (ArithmeticError, CheckFailed):
            return False

    def _exchange(self, i: int, j: int, amount_in: int, *, strict: bool) -> Sale:
        gross = self._gross(i, j, amount_in, strict=strict)
        fee = gross * self.fee_e10 // FEE_DENOMINATOR
        received = (gross - fee) * PRECISION // self.rates[j]
        admin = fee * self.admin_fee_e10 // FEE_DENOMINATOR * PRECISION // self.rates[j]
        balances = list(self.balances)
        balances[i] += amount_in
        balances[j] -= received + admin
        return Sale(amount_in, received, replace(self, balances=tuple(balances)))

    def _gross(self, i: int, j: int, amount_in: int, *, strict: bool) -> int:
        """What leaves balance j before the fee, in 18 decimals. One is left: y may be too small."""
        scaled = list(self.scaled())
        left = scaled[j]
        scaled[i] += _word(amount_in * self.rates[i]) // PRECISION
        others = [balance for place, balance in enumerate(scaled) if place != j]
        invariant = self._invariant(self.scaled(), strict=strict)
        gross = left - self._balance(others, invariant, strict=strict) - 1
        if gross < 0:
            raise TooLittle("a sale that moves the balance by less than its rounding")
        return gross

    def _slope(self, scaled: Sequence[int], invariant: int, place: int) -> Fraction:
        count = len(scaled)
        curved = Fraction(invariant ** (count + 1), count**count * prod(scaled) * scaled[place])
        return Fraction(self.amplification * count, self.generation.value) + curved

    def _invariant(self, scaled: Sequence[int], *, strict: bool = True) -> int:
        """get_D: Newton's method from the sum down."""
        count, precision = len(scaled), self.generation.value
        total = sum(scaled)
        if total == 0:
            return 0
        ann, invariant = self.amplification * count, total
        for _ in range(ITERATIONS):
            product = invariant
            for balance in scaled:
                product = _word(product * invariant) // (balance * count)
            before = invariant
            top = _word((_word(ann * total) // precision + product * count) * invariant)
            bottom = _word((ann - precision) * invariant) // precision + (count + 1) * product
            invariant = top // bottom
            if abs(invariant - before) <= 1:
                return invariant
        return self._last(invariant, strict)

    def _balance(self, others: Sequence[int], invariant: int, *, strict: bool = True) -> int:
        """get_y: the balance that belongs to the others' and the invariant."""
        count, precision = len(others) + 1, self.generation.value
        ann = self.amplification * count
        curved = invariant
        for balance in others:
            curved = _word(curved * invariant) // (balance * count)
        curved = _word(curved * invariant * precision) // (ann * count)
        linear = sum(others) + invariant * precision // ann
        balance = invariant
        for _ in range(ITERATIONS):
            before = balance
            balance = _word(balance * balance + curved) // _word(2 * balance + linear - invariant)
            if abs(balance - before) <= 1:
                return balance
        return self._last(balance, strict)

    def _last(self, value: int, strict: bool) -> int:
        """What is taken where Newton's method has not converged."""
        if strict and self.generation is Generation.PLAIN:
            raise Reverted("Newton's method does not converge")
        return value


def amplification_at(
    timestamp: int, *, initial: int, future: int, initial_time: int, future_time: int
) -> int:
    """_A: A on its way from one value to another, linear in time, rounded as the contract does."""
    if timestamp >= future_time:
        return future
    passed, whole = timestamp - initial_time, future_time - initial_time
    if future > initial:
        return initial + (future - initial) * passed // whole
    return initial - (initial - future) * passed // whole


def _word(value: int) -> int:
    """A value that fits in 256 bits without sign."""
    if not 0 <= value <= MAX_UINT256:
        raise Reverted("256 bits are too few")
    return value
