"""What Curve's pools themselves answer: every number of ours with the view that decides on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import permutations

from defirisk.core.adapter import Contract, Finding, Question, Snapshot, View
from defirisk.protocols.amm.curve_stableswap.fold import UNKNOWN
from defirisk.protocols.amm.curve_stableswap.pools import PoolNow, pools_now
from defirisk.protocols.amm.curve_stableswap.rows import (
    Amplification,
    Balances,
    LpBalance,
    Pool,
)

SALES = (10**6, 1000, 3)
"""Sales of a balance divided by this, each coin for each other."""

WITHDRAWALS = (10**6, 20)
"""LP tokens burnt for one coin: the supply divided by this."""


def questions(snapshot: Snapshot) -> Iterator[Question]:
    """Every pool's storage, every account's LP tokens, sales, withdrawals and the virtual price."""
    held: dict[str, list[LpBalance]] = defaultdict(list)
    for share in snapshot.rows.all(LpBalance):
        held[share.pool].append(share)
    for now in pools_now(snapshot):
        contract = Contract(address=now.pool.pool, role="pool", first_block=0)
        yield from _storage(snapshot, contract, now)
        if now.balances.total_supply_raw:
            yield from _quotes(contract, now)
    for pool in snapshot.rows.all(Pool):
        contract = Contract(address=pool.pool, role="pool", first_block=0)
        yield _one(contract, "totalSupply", sum(one.balance_raw for one in held[pool.pool]))
        for share in held[pool.pool]:
            yield Question(
                subject=f"{pool.pool} {share.account}",
                unit=share.account,
                view=View(contract, "balanceOf", (share.account,)),
                fields=("balanceOf",),
                ours=(share.balance_raw,),
            )


def _one(contract: Contract, function: str, ours: int, *args: int, read: bool = False) -> Question:
    return Question(
        subject=contract.address,
        view=View(contract, function, args),
        fields=(" ".join([function, *map(str, args)]),),
        ours=(ours,),
        grade="read" if read else "compared",
    )


def _storage(snapshot: Snapshot, contract: Contract, now: PoolNow) -> Iterator[Question]:
    row = snapshot.rows.find(Amplification, contract.address)
    read = now.grade == "read"
    for place, balance in enumerate(now.swap.balances):
        yield _one(contract, "balances", balance, place, read=read)
    yield _one(contract, "totalSupply", now.balances.total_supply_raw)
    yield _one(contract, "fee", now.pool.fee_e10, read=read)
    yield _one(contract, "admin_fee", now.pool.admin_fee_e10, read=read)
    yield _one(contract, "A_precise", now.swap.amplification)
    if row is not None:
        yield _one(contract, "initial_A", row.initial_a, read=read)
        yield _one(contract, "future_A", row.future_a, read=read)
        yield _one(contract, "initial_A_time", row.initial_a_time, read=read)
        yield _one(contract, "future_A_time", row.future_a_time, read=read)


def _quotes(contract: Contract, now: PoolNow) -> Iterator[Question]:
    pool, supply = now.swap, now.balances.total_supply_raw
    yield _one(contract, "get_virtual_price", pool.virtual_price(supply))
    for i, j in permutations(range(len(pool.balances)), 2):
        for part in SALES:
            amount = pool.balances[i] // part
            ours = pool.get_dy(i, j, amount)
            if ours:
                yield _one(contract, "get_dy", ours, i, j, amount)
    for place in range(len(pool.balances)):
        for part in WITHDRAWALS:
            net, _ = pool.withdraw_one(place, supply // part, supply)
            yield _one(contract, "calc_withdraw_one_coin", net, supply // part, place)


def findings(snapshot: Snapshot) -> Iterator[Finding]:
    """Pools whose balances are not from logs, and those that cannot be counted."""
    pools = list(snapshot.rows.all(Pool))
    known = {now.pool.pool: now for now in pools_now(snapshot)}
    read = sum(now.grade == "read" for now in known.values())
    if read:
        yield Finding(
            code="read-balances",
            text=f"{read} of {len(pools)} pools have balances that no log says: they were read",
        )
    unknown = 0
    for pool in pools:
        balances = snapshot.rows.find(Balances, pool.pool)
        unknown += balances is not None and balances.grade == UNKNOWN
    if unknown:
        yield Finding(
            code="unknown-balances",
            text=f"{unknown} of {len(pools)} pools have balances that are not known at this "
            "block: they are left out",
        )
    if len(known) + unknown < len(pools):
        yield Finding(
            code="no-decimals",
            text=f"{len(pools) - unknown - len(known)} of {len(pools)} pools are empty or have a "
            "coin without usable decimals: they are left out",
        )
