"""Troves, deposits and claims as units, quotes, parameters and amounts. The unit is an account.

What was redistributed is in quotes: a trove has its stored amounts, and its stake against the
growth of `L` since its snapshot, which is one quote to a side for each snapshot that troves share.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from defirisk.core.adapter import Snapshot
from defirisk.core.evm import Address
from defirisk.core.holdings import Holding, Holdings, Market, Parameters, Quote, Side
from defirisk.core.quote import Constant, Product, Program, Rate
from defirisk.core.requirement import RecoveryMode
from defirisk.protocols.cdp.liquity_v1.fees import borrowing_rate, decayed_base_rate
from defirisk.protocols.cdp.liquity_v1.pool import left_of_a_unit
from defirisk.protocols.cdp.liquity_v1.rows import WAD, StabilityPool, Trove
from defirisk.protocols.cdp.liquity_v1.system_now import (
    DECIMALS,
    DepositNow,
    SystemNow,
    system_now,
)
from defirisk.protocols.cdp.liquity_v1.troves import TroveNow

COLLATERAL, DEBT = 0, 1
"""The first two quotes, and the only two parameters and markets."""
LOW_RESOLUTION = 2
"""Pending amounts are cut to whole base units on either side."""


def holdings(snapshot: Snapshot) -> Holdings:
    """Every account with an open trove, a deposit or collateral to claim."""
    now = system_now(snapshot)
    axis = _Axis(snapshot.deployment.name, now)
    active = now.active
    accounts = [*active, *(one for one in _others(now) if one not in active)]
    places = {account: place for place, account in enumerate(accounts)}
    held = [one for who, trove in active.items() for one in _trove(places[who], trove, axis)]
    for account, deposit in now.deposits.items():
        if account in places:
            held += _deposit(places[account], deposit, now.pool, axis)
    held += [
        Holding(places[account], COLLATERAL, Side.SUPPLY, surplus, surplus, COLLATERAL)
        for account, surplus in now.surpluses.items()
        if surplus
    ]
    price = now.price.wad() or 0
    return Holdings(
        units=tuple(accounts),
        quotes=tuple(axis.quotes),
        parameters=_parameters(now),
        # The book takes each unit's from one run of rows.
        holdings=tuple(sorted(held, key=lambda one: one.unit)),
        markets=tuple(_markets(snapshot, now)),
        owners=tuple(accounts),
        resolution=Fraction(LOW_RESOLUTION * max(price, WAD), WAD**2),
        recovery=tuple(_recovery(now, range(len(active)))),
    )


def _others(now: SystemNow) -> Iterator[Address]:
    """Accounts without an open trove that have something here."""
    deposits = (who for who, one in now.deposits.items() if one.compounded_raw or one.gain_raw)
    surpluses = (who for who, surplus in now.surpluses.items() if surplus)
    yield from dict.fromkeys((*deposits, *surpluses))


@dataclass
class _Axis:
    """The quotes, in the order in which somebody needed them."""

    market: str
    now: SystemNow
    quotes: list[Quote] = field(default_factory=list)
    places: dict[tuple[object, ...], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._quote(self.now.collateral, self.now.price.program())
        self._quote(self.now.system.debt_token, Constant(Fraction(1)))

    def of_stakes(self, trove: Trove) -> tuple[int, int]:
        """What a unit of stake got since the trove's snapshot: of collateral, and of debt."""
        snapshot = (trove.l_coll_snapshot_wad, trove.l_debt_snapshot_wad)
        if snapshot not in self.places:
            system, since = self.now.system, f"{snapshot[0]}/{snapshot[1]}"
            coll = Rate(f"{since}/L_coll", Fraction(system.l_coll_wad - snapshot[0], WAD))
            debt = Rate(f"{since}/L_debt", Fraction(system.l_debt_wad - snapshot[1], WAD))
            self.places[snapshot] = len(self.quotes)
            self._quote(self.now.collateral, Product((self.quotes[COLLATERAL].program, coll)))
            self._quote(system.debt_token, Product((self.quotes[DEBT].program, debt)))
        return self.places[snapshot], self.places[snapshot] + 1

    def of_deposits(self, deposit: DepositNow, pool: StabilityPool) -> int | None:
        """What is left of a deposit over its own P; None: nothing."""
        rate, stored = left_of_a_unit(deposit.stored, pool), deposit.stored
        if rate is None or not deposit.compounded_raw:
            return None
        key = ("P", stored.epoch, stored.scale)
        if key not in self.places:
            self.places[key] = len(self.quotes)
            name = f"{pool.pool}/{stored.epoch}/{stored.scale}/P"
            left = Product((self.quotes[DEBT].program, Rate(name, rate)))
            self._quote(self.now.system.debt_token, left)
        return self.places[key]

    def _quote(self, asset: Address, program: Program) -> None:
        one = Quote(market=self.market, asset=asset, decimals=DECIMALS, program=program)
        self.quotes.append(one)


def _trove(unit: int, trove: TroveNow, axis: _Axis) -> Iterator[Holding]:
    stored, system = trove.stored, axis.now.system
    coll, debt = stored.coll_raw, stored.debt_raw
    yield Holding(unit, COLLATERAL, Side.COLLATERAL, coll, coll, COLLATERAL)
    yield Holding(unit, DEBT, Side.DEBT, debt, debt, COLLATERAL)
    latest = (system.l_coll_wad, system.l_debt_wad)
    if latest != (stored.l_coll_snapshot_wad, stored.l_debt_snapshot_wad):
        stake = stored.stake_raw
        more_coll, more_debt = axis.of_stakes(stored)
        pending = trove.pending_coll_raw
        yield Holding(unit, more_coll, Side.COLLATERAL, stake, pending, COLLATERAL)
        yield Holding(unit, more_debt, Side.DEBT, stake, trove.pending_debt_raw, COLLATERAL)


def _deposit(unit: int, deposit: DepositNow, pool: StabilityPool, axis: _Axis) -> Iterator[Holding]:
    """The amount is the deposit over its own P: no whole number of base units."""
    place = axis.of_deposits(deposit, pool)
    if place is not None:
        amount = Fraction(deposit.stored.initial_raw * WAD, deposit.stored.p_wad)
        whole = amount.numerator // amount.denominator
        left = deposit.compounded_raw
        yield Holding(unit, place, Side.SUPPLY, whole, left, DEBT, amount - whole)
    if deposit.gain_raw:
        gain = deposit.gain_raw
        yield Holding(unit, COLLATERAL, Side.SUPPLY, gain, gain, COLLATERAL)


def threshold(now: SystemNow) -> Fraction:
    """The part of its collateral that a trove may owe; 0 while no rules are known."""
    minimum = now.parameters.mcr_wad
    return Fraction(WAD, minimum) if minimum else Fraction(0)


def _parameters(now: SystemNow) -> tuple[Parameters, ...]:
    """Of the collateral, and of the debt token, which backs nothing.

    The bonus is what the pool gets at most beyond the debt that it absorbs.
    """
    bonus = Fraction(max(0, now.parameters.mcr_wad - WAD), WAD)
    names = ("collateral", "debt")
    values = ((threshold(now), bonus), (Fraction(0), Fraction(0)))
    return tuple(
        Parameters(label=name, ltv=part, liquidation_threshold=part, liquidation_bonus=more)
        for name, (part, more) in zip(names, values, strict=True)
    )


def _recovery(now: SystemNow, units: range) -> Iterator[RecoveryMode]:
    if units and now.parameters.mcr_wad:
        yield RecoveryMode(
            units=tuple(units),
            collateral=COLLATERAL,
            debt=DEBT,
            collateral_raw=now.coll_raw,
            debt_raw=now.debt_raw,
            minimum_ratio=Fraction(now.parameters.mcr_wad, WAD),
            critical_ratio=Fraction(now.parameters.ccr_wad, WAD),
            absorbed_raw=now.pool.deposits_raw,
        )


def _markets(snapshot: Snapshot, now: SystemNow) -> Iterator[Market]:
    """The collateral, of which nothing is lent; and the debt, backed by what depositors hold."""
    name, price = snapshot.deployment.name, now.price.wad()
    parameters = _parameters(now)
    yield Market(
        market=name,
        asset=now.collateral,
        decimals=DECIMALS,
        supplied_raw=now.coll_raw,
        borrowed_raw=0,
        cash_raw=now.coll_raw,
        deficit_raw=0,
        supply_cap=0,
        borrow_cap=0,
        supply_apr=None,
        borrow_apr=None,
        parameters=parameters[COLLATERAL],
        reserve_factor=None,
        price=None if price is None else Fraction(price, WAD),
        price_source=now.price.address,
        price_updated_ts=now.price.updated_ts,
        price_grade=now.price.grade,
    )
    yield Market(
        market=name,
        asset=now.system.debt_token,
        decimals=DECIMALS,
        supplied_raw=now.pool.deposits_raw,
        borrowed_raw=now.debt_raw,
        cash_raw=now.pool.deposits_raw,
        deficit_raw=0,  # what is not covered is redistributed, or stays with its trove
        supply_cap=0,
        borrow_cap=0,
        supply_apr=None,
        borrow_apr=Fraction(0),
        parameters=parameters[DEBT],
        reserve_factor=None,
        price=Fraction(1),
        price_source=now.system.trove_manager,
        price_updated_ts=None,
        price_grade="logs",
        flags=_flags(snapshot, now),
    )


def _flags(snapshot: Snapshot, now: SystemNow) -> tuple[str, ...]:
    decayed = decayed_base_rate(now.system, snapshot.block.timestamp)
    fee = (Decimal(borrowing_rate(decayed, now.parameters)) / WAD * 100).normalize()
    rules = now.rules()
    recovery = ("recovery mode",) if rules and rules.recovery else ()
    return (*recovery, "counts as one unit of account", f"borrowing fee {fee:.4f} % at once")
