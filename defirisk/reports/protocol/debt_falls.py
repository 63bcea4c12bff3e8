"""Collateralised debt where its collateral falls: recovery mode, who pays, who is redeemed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from defirisk.core.debt_position import DebtMarket, DebtSystem
from defirisk.metrics.debt_fall import (
    Fallen,
    Redemption,
    after_falls,
    distance_to_recovery,
    priced,
    redemptions,
)
from defirisk.reports.model import Axis, Block, Chart, Column, Note, Series, Table, Value
from defirisk.reports.protocol.naming import yes_no
from defirisk.reports.value import plural, show

TOP = 10
FALLS = tuple(Fraction(step, 100) for step in (0, 10, 20, 30, 50))
CURVE = tuple(Fraction(step, 100) for step in range(0, 81, 2))


def blocks(of: DebtSystem) -> Iterator[Block]:
    """Of every market in which somebody owes something."""
    markets = [one for one in of.markets if priced(of, one)]
    if not markets:
        return
    yield from (note for one in markets for note in _distance(one))
    yield _curve(of, markets)
    yield _falls(of, markets)
    for one in markets:
        if one.redeemable:
            yield _redeemed(one, redemptions(of, one))


def _distance(market: DebtMarket) -> Iterator[Note]:
    away = distance_to_recovery(market)
    if away is None or market.critical_ratio is None:
        return
    ratio = show(float(market.critical_ratio), "percent")
    price = (
        "" if market.price is None else f", at {show(float(market.price * (1 - away)), 'price')}"
    )
    if away >= 0:
        text = (
            f"{market.market}: recovery mode begins where the price falls by "
            f"{show(float(away), 'percent')}{price}. Everything pledged is then {ratio} of "
            "everything owed, and positions below the system's own ratio can be liquidated."
        )
    else:
        text = (
            f"{market.market}: recovery mode ends where the price rises by "
            f"{show(float(-away), 'percent')}{price}, or as much debt is repaid that everything "
            f"pledged is {ratio} of everything owed."
        )
    yield Note("info", text, code="distance-to-recovery")


def _curve(of: DebtSystem, markets: Sequence[DebtMarket]) -> Chart:
    return Chart(
        name="debt-falls",
        title="Debt that can be liquidated, by the fall of its collateral",
        form="line",
        x=Axis("Fall of the price", "percent"),
        y=Axis("Owed, in tokens of the debt", "token"),
        series=tuple(
            Series(
                name=one.market,
                x=tuple(float(fall) for fall in CURVE),
                y=tuple(
                    after.debt_raw / 10**one.debt_decimals for after in after_falls(of, one, CURVE)
                ),
            )
            for one in markets
        ),
    )


def _falls(of: DebtSystem, markets: Sequence[DebtMarket]) -> Table:
    modes = any(one.critical_ratio is not None for one in markets)
    pools = any(one.stability_deposits_raw is not None for one in markets)
    columns = (
        Column("market", "Market", "text"),
        Column("fall", "Fall", "percent"),
        Column("total_ratio", "Total ratio", "percent"),
        *([Column("recovery_mode", "Recovery mode", "text", absent="none")] if modes else []),
        Column("positions", "Liquidatable", "int"),
        Column("debt_amount", "They owe", "token"),
        *(
            [
                Column("absorbed", "Deposits absorb", "token", absent="none"),
                Column("shared", "Shared out", "token", absent="none"),
            ]
            if pools
            else []
        ),
        Column("uncovered", "Not covered", "token", "loss"),
    )
    return Table(
        name="debt-after-falls",
        title="After a fall of the collateral's price",
        columns=columns,
        rows=tuple(
            _fallen(one, after, modes, pools)
            for one in markets
            for after in after_falls(of, one, FALLS)
        ),
        caption="Debts as they are now, with interest and what is pending for them. "
        + (
            "Deposits absorb what they can; the rest is shared out among the other positions. "
            if pools
            else ""
        )
        + "Not covered: what positions owe beyond their collateral, whoever bears it.",
    )


def _fallen(market: DebtMarket, one: Fallen, modes: bool, pools: bool) -> tuple[Value, ...]:
    unit = 10**market.debt_decimals
    absorbed = one.absorbed_raw
    deposits: tuple[Value, ...] = (
        (None, None) if absorbed is None else (absorbed / unit, (one.debt_raw - absorbed) / unit)
    )
    return (
        market.market,
        float(one.fall),
        None if one.total_ratio is None else float(one.total_ratio),
        *([yes_no(one.recovery_mode)] if modes else []),
        one.positions,
        one.debt_raw / unit,
        *(deposits if pools else ()),
        one.uncovered_raw / unit,
    )


def _redeemed(market: DebtMarket, found: Sequence[Redemption]) -> Table:
    unit = 10**market.debt_decimals
    shown = found[:TOP]
    return Table(
        name="redemptions",
        title=f"The {plural(len(shown), 'position')} that redemptions reach first",
        columns=(
            Column("account", "Account", "address"),
            Column("ratio", "Collateral ratio", "percent"),
            Column("debt_amount", "Owes", "token"),
            Column("before", "Redeemed before it", "token"),
        ),
        rows=tuple(
            (
                one.position.owner,
                None if one.position.ratio is None else float(one.position.ratio),
                one.position.debt_raw / unit,
                one.before_raw / unit,
            )
            for one in shown
        ),
        caption="Whoever has the debt's token may exchange it for collateral at the oracle's "
        "price, of the position with the least ratio that is not below the minimum. Its owner "
        "loses no value, but the position.",
        empty="while everything pledged is below the minimum ratio of everything owed, nothing can "
        "be redeemed",
    )
