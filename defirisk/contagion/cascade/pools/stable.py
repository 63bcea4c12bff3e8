"""StableSwap with state: kernel functions. Exact twin: `swaps.stableswap` (plain pools).

With the invariant D fixed, the bought coin's balance solves a quadratic equation. Let x and y be
the balances before, in 18 decimals, s what is sold, and k = D^(n+1) / (n^n * product * A n). What
is bought is the smaller root of z² - (s + y + k) z + s y (1 + k / (x + s)) = 0, and what is left of
y the positive root of w² + (s - y + k) w = k x y / (x + s). Both are solved, so that neither is a
difference of what is almost equal.
"""

from __future__ import annotations

import math

from numpy import ceil, floor

from defirisk.contagion.cascade.pools.columns import (
    ADMIN,
    ANN,
    FEE,
    INTEGERS,
    SCALE,
    TOKENS,
    WHOLE,
    Pools,
)
from defirisk.core.book import Floats

ITERATIONS = 255
HALVINGS = 60
DOUBLINGS = 200


def curved(
    p: Pools, state: Floats, v: int, i: int, x: float, j: int, y: float
) -> tuple[float, float]:
    """D by Newton's method from the sum down, and D^(n+1) / (n^n * product of balances), where
    coins i and j have balances x and y in 18 decimals.
    """
    count, total = p.facts[v, TOKENS], 0.0
    for place in range(count):
        if place == i:
            total += x
        elif place == j:
            total += y
        else:
            total += state[v, place] * p.numbers[v, SCALE + place]
    ann, invariant, product = p.numbers[v, ANN], total, 0.0
    for _ in range(ITERATIONS):
        product = invariant
        for place in range(count):
            if place == i:
                balance = x
            elif place == j:
                balance = y
            else:
                balance = state[v, place] * p.numbers[v, SCALE + place]
            product = product * (invariant / (count * balance))
        top = (ann * total + count * product) * invariant
        after = top / ((ann - 1.0) * invariant + (count + 1.0) * product)
        done = abs(after - invariant) <= 4e-16 * after
        invariant = after
        if done:
            break
    return invariant, product


def slope_in_stable(p: Pools, state: Floats, v: int, i: int, x: float, j: int, y: float) -> float:
    """The slope of the invariant in 18 decimals, at balances x and y of coins i and j."""
    _, product = curved(p, state, v, i, x, j, y)
    ann = p.numbers[v, ANN]
    return float((ann + product / x) / (ann + product / y))


def bought_and_left(x: float, y: float, k: float, sold: float) -> tuple[float, float]:
    """z and w of the equations above."""
    behind = x + sold
    linear, apart = sold - y + k, sold - y
    constant = k * y * (x / behind)
    root = math.sqrt(linear * linear + 4.0 * constant)
    left = 2.0 * constant / (linear + root) if linear > 0.0 else 0.5 * (root - linear)
    rest = apart * apart + k * k + 2.0 * k * (sold + y * ((x - sold) / behind))
    top = 2.0 * sold * y * (1.0 + k / behind)
    return top / (sold + y + k + math.sqrt(max(rest, 0.0))), left


def sale_in_stable(
    p: Pools,
    state: Floats,
    v: int,
    i: int,
    j: int,
    amount: float,
    moves: bool,
) -> tuple[float, float]:
    """Sold and received; nothing where the sale is within the rounding of the balance, or the pool
    is empty. Moves the state if told.
    """
    for place in range(p.facts[v, TOKENS]):
        if state[v, place] <= 0.0:
            return 0.0, 0.0
    scale_in, scale_out = p.numbers[v, SCALE + i], p.numbers[v, SCALE + j]
    x, y = state[v, i] * scale_in, state[v, j] * scale_out
    _, product = curved(p, state, v, i, x, j, y)
    gross, left = bought_and_left(x, y, product / p.numbers[v, ANN], floor(amount * scale_in))
    gross = ceil(gross) - 1.0
    if gross < 0.0:
        return 0.0, 0.0
    fee = floor(gross * p.numbers[v, FEE] / p.numbers[v, WHOLE])
    received = floor((gross - fee) / scale_out)
    admin = floor(floor(fee * p.numbers[v, ADMIN] / p.numbers[v, WHOLE]) / scale_out)
    if moves:
        behind = state[v, j] - received - admin
        if state[v, j] >= INTEGERS and behind < received:
            behind = (left + fee) / scale_out - admin  # the difference would be too coarse
        state[v, i] += amount
        state[v, j] = behind
    return amount, received


def amount_in_stable(p: Pools, state: Floats, v: int, i: int, j: int, factor: float) -> float:
    """What has to be sold of coin i until its price is `factor` < 1 times what it is: by bisection,
    with the part of the fee that stays.
    """
    scale_in = p.numbers[v, SCALE + i]
    x, y = state[v, i] * scale_in, state[v, j] * p.numbers[v, SCALE + j]
    _, product = curved(p, state, v, i, x, j, y)
    ann, k = p.numbers[v, ANN], product / p.numbers[v, ANN]
    target = factor * ((ann + product / x) / (ann + product / y))
    stays = (
        p.numbers[v, FEE] / p.numbers[v, WHOLE] * (1.0 - p.numbers[v, ADMIN] / p.numbers[v, WHOLE])
    )
    low, high = 0.0, 1e-6 * x
    for _ in range(DOUBLINGS):
        gross, left = bought_and_left(x, y, k, high)
        after = left + stays * gross
        if slope_in_stable(p, state, v, i, x + high, j, after) <= target:
            break
        low, high = high, 2.0 * high
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        gross, left = bought_and_left(x, y, k, middle)
        after = left + stays * gross
        if slope_in_stable(p, state, v, i, x + middle, j, after) > target:
            low = middle
        else:
            high = middle
    return float(floor(0.5 * (low + high) / scale_in + 0.5))


KERNELS = (curved, slope_in_stable, bought_and_left, sale_in_stable, amount_in_stable)
