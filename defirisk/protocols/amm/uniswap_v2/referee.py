"""What Uniswap v2 itself answers: every number of ours with the view that decides on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from defirisk.core.adapter import Contract, Deployment, Finding, Question, Snapshot, View
from defirisk.core.conservation import Total
from defirisk.core.row import Rows
from defirisk.protocols.amm.uniswap_v2.rows import Balance, Pair, Reserves
from defirisk.protocols.amm.uniswap_v2.worth import k_last
from defirisk.swaps.constant_product import ConstantProduct

SAMPLES = (10**6, 1000, 20, 2)
"""A sale of the reserve divided by this, as the router's arithmetic has it."""


def questions(snapshot: Snapshot) -> Iterator[Question]:
    """Every pair's storage, every account's LP tokens, and sales by the router's arithmetic."""
    held: dict[str, list[Balance]] = defaultdict(list)
    for balance in snapshot.rows.all(Balance):
        held[balance.pair].append(balance)
    for pair in snapshot.rows.all(Pair):
        contract = Contract(address=pair.pair, role="pair", first_block=0)
        reserves = snapshot.rows.find(Reserves, pair.pair) or Reserves(pair=pair.pair)
        yield from _storage(contract, reserves)
        yield _supply(contract, held[pair.pair])
        for balance in held[pair.pair]:
            yield Question(
                subject=f"{pair.pair} {balance.account}",
                unit=balance.account,
                view=View(contract, "balanceOf", (balance.account,)),
                fields=("balanceOf",),
                ours=(balance.balance_raw,),
            )
        read = k_last(snapshot, pair.pair)
        if read is not None:
            view = View(contract, "kLast")
            yield Question(
                subject=pair.pair, view=view, fields=("kLast",), ours=(read,), grade="read"
            )
        if "router" in snapshot.deployment.contracts:
            yield from _sales(snapshot.deployment.contracts["router"], reserves)


def totals(deployment: Deployment, rows: Rows) -> Iterator[Total]:
    """`totalSupply` of every pair: what all accounts hold of it."""
    held: dict[str, int] = defaultdict(int)
    named = set(deployment.contracts.values())
    for balance in rows.all(Balance):
        held[balance.pair] += balance.balance_raw
    for pair in rows.all(Pair):
        yield Total(
            subject=f"totalSupply of {pair.pair}",
            view=View(Contract(address=pair.pair, role="pair", first_block=0), "totalSupply"),
            ours=held[pair.pair],
            made_of=(pair.pair,),
            certain=pair.pair in named or pair.factory in named,
        )


def _storage(contract: Contract, reserves: Reserves) -> Iterator[Question]:
    yield Question(
        subject=contract.address,
        view=View(contract, "getReserves"),
        fields=("reserve0", "reserve1", "blockTimestampLast"),
        ours=(reserves.reserve0, reserves.reserve1, reserves.block_timestamp_last),
    )
    for function, ours in (
        ("price0CumulativeLast", reserves.price0_cumulative_last),
        ("price1CumulativeLast", reserves.price1_cumulative_last),
        ("totalSupply", reserves.total_supply_raw),
    ):
        yield Question(
            subject=contract.address,
            view=View(contract, function),
            fields=(function,),
            ours=(ours,),
        )


def _supply(contract: Contract, held: list[Balance]) -> Question:
    """What all accounts hold must be all there is: sees an account that was missed."""
    return Question(
        subject=contract.address,
        view=View(contract, "totalSupply"),
        fields=("sum of balances",),
        ours=(sum(balance.balance_raw for balance in held),),
    )


def _sales(router: str, reserves: Reserves) -> Iterator[Question]:
    contract = Contract(address=router, role="router", first_block=0)
    pool = ConstantProduct((reserves.reserve0, reserves.reserve1))
    if 0 in pool.reserves:
        return
    for i, reserve in enumerate(pool.reserves):
        for part in SAMPLES:
            amount = max(1, reserve // part)
            arguments = (amount, reserve, pool.reserves[1 - i])
            yield Question(
                subject=reserves.pair,
                view=View(contract, "getAmountOut", arguments),
                fields=("amountOut",),
                ours=(pool.sell(i, 1 - i, amount).received,),
            )


def findings(snapshot: Snapshot) -> Iterator[Finding]:
    """The fee that no contract of the pair states, and pairs that cannot be counted."""
    pairs = list(snapshot.rows.all(Pair))
    if pairs and "router" not in snapshot.deployment.contracts:
        yield Finding(
            code="fee-assumed",
            text="pairs do not state their swap fee: 0.3 % is assumed, as in Uniswap's own",
        )
    silent = [p for p in pairs if {p.token0, p.token1} - snapshot.tokens.keys()]
    if silent:
        yield Finding(
            code="no-decimals",
            text=f"{len(silent)} of {len(pairs)} pairs have a token without usable decimals: "
            "they are left out",
        )
