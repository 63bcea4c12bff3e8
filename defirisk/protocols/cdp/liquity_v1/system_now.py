"""The rows of a Liquity v1 joined for one block: troves with what is pending, deposits, price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from defirisk.core.adapter import Snapshot
from defirisk.core.evm import Address
from defirisk.protocols.cdp.liquity_v1.pool import coll_gain, compounded_deposit
from defirisk.protocols.cdp.liquity_v1.price import PriceNow, price_now
from defirisk.protocols.cdp.liquity_v1.rows import (
    ACTIVE,
    Deposit,
    PoolSums,
    StabilityPool,
    Surplus,
    System,
    SystemParameters,
    Trove,
)
from defirisk.protocols.cdp.liquity_v1.troves import Rules, TroveNow, collateral_ratio, trove_now

NATIVE_COIN = "0x" + "ee" * 20
"""Stands for the chain's own coin where the deployment names no wrapped one."""
DECIMALS = 18
"""Of the collateral and of the debt alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositNow:
    """What a depositor has in the stability pool: debt tokens and collateral gained, base units."""

    stored: Deposit
    compounded_raw: int
    gain_raw: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemNow:
    """Everything at the snapshot's block; `troves` are all that ever were, by their owners."""

    system: System
    parameters: SystemParameters
    pool: StabilityPool
    sums: Mapping[tuple[int, int], PoolSums]
    price: PriceNow
    collateral: Address
    troves: Mapping[Address, TroveNow]
    deposits: Mapping[Address, DepositNow]
    surpluses: Mapping[Address, int]

    @property
    def active(self) -> dict[Address, TroveNow]:
        """The troves that are open."""
        return {who: one for who, one in self.troves.items() if one.stored.status == ACTIVE}

    @property
    def coll_raw(self) -> int:
        """`getEntireSystemColl`."""
        return self.system.active_coll_raw + self.system.default_coll_raw

    @property
    def debt_raw(self) -> int:
        """`getEntireSystemDebt`."""
        return self.system.active_debt_raw + self.system.default_debt_raw

    @property
    def debt_name(self) -> str:
        """By what name the getters call the debt."""
        return self.parameters.debt_name or "ZUSD"

    def rules(self, factor: Fraction = Fraction(1)) -> Rules | None:
        """What decides on liquidations after the price moved; None without a price or rules."""
        price = self.price.wad(factor)
        if price is None or not self.parameters.mcr_wad:
            return None
        return Rules(
            mcr_wad=self.parameters.mcr_wad,
            ccr_wad=self.parameters.ccr_wad,
            deposits_raw=self.pool.deposits_raw,
            tcr_wad=collateral_ratio(self.coll_raw, self.debt_raw, price),
            troves=len(self.active),
            price_wad=price,
        )


def system_now(snapshot: Snapshot) -> SystemNow:
    """Joins the snapshot's rows."""
    rows = snapshot.rows
    manager = snapshot.deployment.contracts["trove_manager"]
    system = rows.find(System, manager) or System(trove_manager=manager)
    parameters = rows.find(SystemParameters, manager) or SystemParameters(trove_manager=manager)
    pool = rows.find(StabilityPool, system.stability_pool) or StabilityPool(
        pool=system.stability_pool
    )
    every = [row for row in rows.all(PoolSums) if row.pool == pool.pool]
    sums = {(row.epoch, row.scale): row for row in every}
    return SystemNow(
        system=system,
        parameters=parameters,
        pool=pool,
        sums=sums,
        price=price_now(snapshot, system.price_feed),
        collateral=snapshot.deployment.contracts.get("wrapped_native", NATIVE_COIN),
        troves={row.borrower: trove_now(row, system) for row in rows.all(Trove)},
        deposits={
            row.depositor: DepositNow(
                stored=row,
                compounded_raw=compounded_deposit(row, pool),
                gain_raw=coll_gain(row, sums),
            )
            for row in rows.all(Deposit)
        },
        surpluses={row.account: row.coll_raw for row in rows.all(Surplus)},
    )
