"""Who takes part: seeded accounts with a role, a size and the moment they join."""

from __future__ import annotations

import enum
import random
from collections.abc import Mapping
from dataclasses import dataclass

from .abi import derived_address

LARGEST = 6_000_000.0
SMALLEST = 60.0
LATE_ISOLATED = 0.7
ON_CREDIT = derived_address("devnet owner on credit")
OF_BOTH = derived_address("devnet owner of a trove and an urn")
IN_TWO_MODES = derived_address("devnet owner in two modes")
OWNERS = (ON_CREDIT, OF_BOTH, IN_TWO_MODES)
"""Planted by `owners`: they have something at several protocols."""


class Role(enum.Enum):
    """What an account joins for."""

    ANCHOR = "anchor"  # lends what the others want to borrow
    SUPPLIER = "supplier"
    BORROWER = "borrower"
    EDGE = "edge"  # a borrower as close to the limit as the pool allows
    LOOPER = "looper"  # yWETH against WETH, recursively, in e-mode
    STABLE_LOOPER = "stable looper"  # a stablecoin against another, in e-mode
    ISOLATED = "isolated"  # borrows against an asset in isolation mode
    DUST = "dust"  # owes one unit


@dataclass(frozen=True)
class Account:
    """A participant; `appetite` is the part of its borrowing capacity that it uses."""

    address: str
    role: Role
    size: float
    appetite: float
    joins: int


SHARES = {
    Role.ANCHOR: 0.015,
    Role.SUPPLIER: 0.22,
    Role.EDGE: 0.04,
    Role.LOOPER: 0.075,
    Role.STABLE_LOOPER: 0.03,
    Role.ISOLATED: 0.04,
    Role.DUST: 0.015,
}
"""Parts of all accounts; the others are borrowers."""


def draw_accounts(
    seed: int,
    rng: random.Random,
    count: int,
    steps: int,
    shares: Mapping[Role, float] = SHARES,
    crowd: str = "",
) -> list[Account]:
    """`count` accounts of a crowd; heavy-tailed sizes, most of them early."""
    accounts = []
    for number, role in enumerate(_roles(rng, count, shares)):
        address = derived_address(f"devnet {seed} {crowd}account {number}")
        size = min(LARGEST, max(SMALLEST, rng.lognormvariate(9.6, 1.7)))
        appetite, joins = _appetite(rng, role), _joins(rng, role, steps)
        accounts.append(Account(address, role, size, appetite, joins))
    return accounts


def _roles(rng: random.Random, count: int, shares: Mapping[Role, float]) -> list[Role]:
    """At least one account of every role, and a realistic mix of a large number."""
    roles = [role for role, share in shares.items() for _ in range(max(1, round(share * count)))]
    roles = roles[:count] + [Role.BORROWER] * (count - len(roles))
    rng.shuffle(roles)
    return roles


def _appetite(rng: random.Random, role: Role) -> float:
    if role is Role.EDGE:
        return rng.uniform(0.975, 0.995)
    if role is Role.ISOLATED:
        return rng.uniform(0.85, 0.97)
    return min(0.97, max(0.1, rng.betavariate(3.0, 1.7)))


def _joins(rng: random.Random, role: Role, steps: int) -> int:
    if role is Role.ANCHOR:
        return 0
    if role is Role.EDGE:
        # Before the last price drop, which puts them under water, or right after it.
        return steps - rng.choice((1, 1, 3, 4))
    if role is Role.ISOLATED and rng.random() < LATE_ISOLATED:
        # Shortly before the gap in prices, which leaves such accounts with bad debt.
        return int(steps * rng.uniform(0.6, 0.72))
    return max(1, int(steps * 0.9 * rng.random() ** 1.8))
