"""What a Liquity v1 itself answers: every number of ours with the view that decides on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from defirisk.core.adapter import Contract, Question, Snapshot, View
from defirisk.core.evm import ZERO_ADDRESS, Address
from defirisk.protocols.cdp.liquity_v1.fees import (
    MINUTE_DECAY_FACTOR,
    borrowing_rate,
    decayed_base_rate,
    redemption_rate,
)
from defirisk.protocols.cdp.liquity_v1.holdings import COLLATERAL
from defirisk.protocols.cdp.liquity_v1.observing import OF_MANAGER, OWNED
from defirisk.protocols.cdp.liquity_v1.rows import ACTIVE
from defirisk.protocols.cdp.liquity_v1.system_now import DepositNow, SystemNow, system_now
from defirisk.protocols.cdp.liquity_v1.troves import TroveNow, collateral_ratio

NOTHING_TO_LIQUIDATE = b"nothing to liquidate"
"""With these words `liquidate` refuses a healthy trove. The asker of `verify` takes no coins, so
that it is refused the gas compensation, in other words, where the trove is liquidated.
"""
ASKED_AT = (Fraction(1), Fraction(2, 3), Fraction(3, 2))
"""The collateral ratio of the system is asked for at these multiples of the price."""


def questions(snapshot: Snapshot) -> Iterator[Question]:
    """Every trove that ever was, every deposit, every claim, and the system as a whole.

    `fetchPrice` writes down what it found, which the questions after it would see: so it is last.
    """
    now = system_now(snapshot)
    manager = _contract(now.system.trove_manager, "trove_manager")
    for borrower, trove in now.troves.items():
        yield from _trove_questions(manager, borrower, trove, now)
    for depositor, deposit in now.deposits.items():
        yield from _deposit_questions(depositor, deposit, now)
    surplus_pool = _contract(now.system.coll_surplus_pool, "coll_surplus_pool")
    for account, surplus in now.surpluses.items():
        yield _one(surplus_pool, "getCollateral", surplus, account, (account,))
    yield from _system_questions(manager, now, snapshot.block.timestamp)
    yield from _pool_questions(now)
    yield from _parameter_questions(manager, now)
    yield from _price_questions(now)


class Liquidatable:
    """Whether `liquidate` would succeed with the price of the collateral scaled.

    A scaled price is rounded to the feed's own precision, as a feed that answered it would be.
    The debt has no price that could move.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._now = system_now(snapshot)

    def __call__(self, unit: str, prices: Mapping[int, Fraction]) -> bool:
        trove = self._now.troves.get(unit)
        rules = self._now.rules(prices.get(COLLATERAL, Fraction(1)))
        return trove is not None and rules is not None and rules.can_be_liquidated(trove)


def _contract(address: Address, role: str) -> Contract:
    return Contract(address=address, role=role, first_block=0)


def _one(
    contract: Contract,
    function: str,
    ours: int,
    subject: str = "",
    args: tuple[object, ...] = (),
) -> Question:
    """A view that answers one number."""
    return Question(
        subject=subject or contract.address,
        view=View(contract, function, args),
        fields=(function,),
        ours=(ours,),
    )


def _trove_questions(
    manager: Contract, borrower: Address, trove: TroveNow, now: SystemNow
) -> Iterator[Question]:
    stored, active = trove.stored, trove.stored.status == ACTIVE
    yield Question(
        subject=borrower,
        unit=borrower if active else "",
        view=View(manager, "Troves", (borrower,)),
        fields=("debt", "coll", "stake", "status"),
        ours=(stored.debt_raw, stored.coll_raw, stored.stake_raw, stored.status),
    )
    yield Question(
        subject=borrower,
        view=View(manager, "rewardSnapshots", (borrower,)),
        fields=("snapshot of L_ETH", "snapshot of L_debt"),
        ours=(stored.l_coll_snapshot_wad, stored.l_debt_snapshot_wad),
    )
    pending = (trove.pending_debt_raw, trove.pending_coll_raw)
    yield Question(
        subject=borrower,
        view=View(manager, "getEntireDebtAndColl", (borrower,)),
        fields=("entire debt", "entire coll", "pending debt", "pending coll"),
        ours=(trove.debt_raw, trove.coll_raw, *pending),
    )
    getters = (f"getPending{now.debt_name}DebtReward", "getPendingETHReward")
    for getter, ours in zip(getters, pending, strict=True):
        yield _one(manager, getter, ours, borrower, (borrower,))
    rules = now.rules()
    if rules is None or not now.price.exact:
        return
    price = rules.price_wad
    ratio = collateral_ratio(trove.coll_raw, trove.debt_raw, price)
    yield _one(manager, "getCurrentICR", ratio, borrower, (borrower, price))
    if active:
        yield Question(
            subject=borrower,
            unit=borrower,
            view=View(manager, "liquidate", (borrower,)),
            fields=("nothing to liquidate",),
            ours=(int(rules.refuses(trove)),),
            refusal=NOTHING_TO_LIQUIDATE,
        )


def _deposit_questions(
    depositor: Address, deposit: DepositNow, now: SystemNow
) -> Iterator[Question]:
    pool, stored = _contract(now.pool.pool, "stability_pool"), deposit.stored
    yield _one(pool, "deposits", stored.initial_raw, depositor, (depositor,))
    yield Question(
        subject=depositor,
        view=View(pool, "depositSnapshots", (depositor,)),
        fields=("snapshot of S", "snapshot of P", "snapshot of G", "scale", "epoch"),
        ours=(stored.s, stored.p_wad, stored.g, stored.scale, stored.epoch),
    )
    getter = f"getCompounded{now.debt_name}Deposit"
    yield _one(pool, getter, deposit.compounded_raw, depositor, (depositor,))
    yield _one(pool, "getDepositorETHGain", deposit.gain_raw, depositor, (depositor,))


def _system_questions(manager: Contract, now: SystemNow, timestamp: int) -> Iterator[Question]:
    system, parameters = now.system, now.parameters
    numbers = {
        "getEntireSystemColl": now.coll_raw,
        "getEntireSystemDebt": now.debt_raw,
        "L_ETH": system.l_coll_wad,
        f"L_{now.debt_name}Debt": system.l_debt_wad,
        "totalStakesSnapshot": system.total_stakes_snapshot_raw,
        "totalCollateralSnapshot": system.total_collateral_snapshot_raw,
        "baseRate": system.base_rate_wad,
        "lastFeeOperationTime": system.last_fee_operation_ts,
        "MINUTE_DECAY_FACTOR": MINUTE_DECAY_FACTOR,
        # These two see a trove that was missed.
        "totalStakes": sum(one.stored.stake_raw for one in now.troves.values()),
        "getTroveOwnersCount": len(now.active),
    }
    if parameters.max_borrowing_fee_wad:
        decayed = decayed_base_rate(system, timestamp)
        numbers |= {
            "getBorrowingRate": borrowing_rate(system.base_rate_wad, parameters),
            "getBorrowingRateWithDecay": borrowing_rate(decayed, parameters),
            "getRedemptionRate": redemption_rate(system.base_rate_wad, parameters),
            "getRedemptionRateWithDecay": redemption_rate(decayed, parameters),
        }
    for function, ours in numbers.items():
        yield _one(manager, function, ours)
    for factor in ASKED_AT:
        rules = now.rules(factor)
        if rules is not None:
            yield _one(manager, "getTCR", rules.tcr_wad, args=(rules.price_wad,))
            asked = (rules.price_wad,)
            yield _one(manager, "checkRecoveryMode", rules.recovery, args=asked)
    for role in ("active", "default"):
        contract = _contract(getattr(system, f"{role}_pool"), f"{role}_pool")
        yield _one(contract, "getETH", getattr(system, f"{role}_coll_raw"))
        yield _one(contract, f"get{now.debt_name}Debt", getattr(system, f"{role}_debt_raw"))


def _pool_questions(now: SystemNow) -> Iterator[Question]:
    contract, pool = _contract(now.pool.pool, "stability_pool"), now.pool
    numbers = {
        "P": pool.p_wad,
        "currentEpoch": pool.epoch,
        "currentScale": pool.scale,
        "getETH": pool.coll_raw,
        f"getTotal{now.debt_name}Deposits": pool.deposits_raw,
    }
    for function, ours in numbers.items():
        yield _one(contract, function, ours)
    for (epoch, scale), sums in now.sums.items():
        yield _one(contract, "epochToScaleToSum", sums.s, args=(epoch, scale))
        yield _one(contract, "epochToScaleToG", sums.g, args=(epoch, scale))


def _parameter_questions(manager: Contract, now: SystemNow) -> Iterator[Question]:
    """No log states them: each was taken from the very view that is asked here."""
    parameters = now.parameters
    owned = manager
    if parameters.base_params != ZERO_ADDRESS:
        owned = _contract(parameters.base_params, "base_params")
    of_manager = OF_MANAGER | {f"{now.debt_name}_GAS_COMPENSATION": "gas_compensation_raw"}
    for contract, columns in ((manager, of_manager), (owned, OWNED)):
        for function, column in columns.items():
            ours: int = getattr(parameters, column)
            if ours:
                yield Question(
                    subject=contract.address,
                    view=View(contract, function),
                    fields=(function,),
                    ours=(ours,),
                    grade="read",
                )


def _price_questions(now: SystemNow) -> Iterator[Question]:
    contract, price = _contract(now.price.price_feed, "price_feed"), now.price.wad()
    if now.price.last_good_wad:
        yield _one(contract, "lastGoodPrice", now.price.last_good_wad)
    if price is not None and now.price.exact:
        yield Question(
            subject=contract.address,
            view=View(contract, "fetchPrice"),
            fields=("fetchPrice",),
            ours=(price,),
            grade="read" if now.price.grade == "read" else "compared",
        )
