"""Who trades perpetuals: makers, takers of either side, and those who only keep margin.

Unit: amounts are exact, in the unit of account; sizes in whole tokens. NaN policy: a sum with an
unknown part is None. Makers are a population of their own: a unit with open orders in any market is
one, whatever else it holds.
Source: our own definition.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from defirisk.core.margin import MarginAccount, PerpPosition, Perps

Role = Literal["maker", "long", "short", "long and short", "no position"]
NOTHING = Fraction(0)
ROLES: tuple[Role, ...] = ("maker", "long", "short", "long and short", "no position")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """All units of one role. `notional` is without sign, `provided` what open orders hold; `owed`
    is what units of it owe beyond what they have, `read` how many positions are partly read.
    """

    role: Role
    units: int
    positions: int
    notional: Fraction | None
    equity: Fraction | None
    maintenance: Fraction | None
    liquidatable: int
    owed: Fraction
    orders: int
    provided: Fraction | None
    read: int


def role(held: Sequence[PerpPosition]) -> Role:
    """Of a unit with these positions."""
    if any(one.maker for one in held):
        return "maker"
    long, short = any(one.size > 0 for one in held), any(one.size < 0 for one in held)
    if long and short:
        return "long and short"
    return "long" if long else "short" if short else "no position"


def population(perps: Perps) -> tuple[Group, ...]:
    """Every role that some unit has, in the order of `ROLES`. Each unit counts once."""
    held: dict[str, list[PerpPosition]] = {}
    for one in perps.positions:
        held.setdefault(one.unit, []).append(one)
    found: dict[Role, list[MarginAccount]] = {}
    for account in perps.accounts:
        found.setdefault(role(held.get(account.unit, ())), []).append(account)
    return tuple(_group(one, found[one], held) for one in ROLES if one in found)


def makers(perps: Perps) -> tuple[PerpPosition, ...]:
    """Positions with open orders, those that hold most first; then in the order given."""
    own = (one for one in perps.positions if one.maker)
    return tuple(sorted(own, key=lambda one: -(one.provided or NOTHING)))


def _group(
    role: Role, accounts: Sequence[MarginAccount], held: dict[str, list[PerpPosition]]
) -> Group:
    own = [one for account in accounts for one in held.get(account.unit, ())]
    return Group(
        role=role,
        units=len(accounts),
        positions=sum(1 for one in own if one.size),
        notional=_sum(one.notional for one in own),
        equity=_sum(one.equity for one in accounts),
        maintenance=_sum(one.maintenance for one in accounts),
        liquidatable=sum(1 for one in accounts if one.liquidatable),
        owed=sum((max(NOTHING, -(one.equity or NOTHING)) for one in accounts), NOTHING),
        orders=sum(one.orders for one in own),
        provided=_sum(one.provided for one in own if one.maker),
        read=sum(1 for one in own if one.grade == "read"),
    )


def _sum(values: Iterable[Fraction | None]) -> Fraction | None:
    total = NOTHING
    for value in values:
        if value is None:
            return None
        total += value
    return total
