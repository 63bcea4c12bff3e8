"""Collateralised debt: collateral ratios, ceilings, what stands ready to absorb debt, modes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from defirisk.core.book import Book
from defirisk.core.debt_position import DebtMarket, DebtPosition, DebtSystem
from defirisk.reports.labels import token_label
from defirisk.reports.model import Block, Column, Note, Section, Table, Value
from defirisk.reports.protocol import debt_falls, debt_reserves
from defirisk.reports.protocol.naming import yes_no
from defirisk.reports.value import show

ABOVE = (Fraction(0), Fraction(1, 10), Fraction(1, 4), Fraction(1, 2), Fraction(1))
"""By how much of the minimum ratio positions are above it: the edges of the classes."""


def sections(book: Book) -> Iterator[Section]:
    """One for each deployment that states such debt."""
    for facts in book.deployments:
        if facts.debt is not None and facts.debt.markets:
            yield _section(book, facts.name, facts.debt)


def _section(book: Book, name: str, of: DebtSystem) -> Section:
    several = len(book.deployments) > 1
    title = f"Collateralised debt of {name}" if several else "Collateralised debt"
    blocks: list[Block] = [
        *_modes(of),
        *debt_reserves.tiles(of),
        _markets(book, of),
        _terms(of),
        _ratios(of),
        *debt_falls.blocks(of),
        *debt_reserves.auctions(book, of),
    ]
    if of.limits or any(market.limits for market in of.markets):
        blocks.append(_limits(of))
    return Section("collateralised-debt" + (f"-{name}" if several else ""), title, tuple(blocks))


def _modes(of: DebtSystem) -> Iterator[Note]:
    """What must be known before any number: a system in recovery mode, debt that is not covered."""
    for market in of.markets:
        if market.recovery_mode and market.total_ratio is not None and market.critical_ratio:
            yield Note(
                "info",
                f"{market.market} is in recovery mode: everything pledged is "
                f"{show(float(market.total_ratio), 'percent')} of everything owed, below "
                f"{show(float(market.critical_ratio), 'percent')}.",
                code="recovery-mode",
            )
    if of.bad_debt_raw and of.markets:
        amount = of.bad_debt_raw / 10 ** of.markets[0].debt_decimals
        yield Note(
            "info",
            f"Positions owe {show(amount, 'token')} more than their collateral is worth.",
            code="uncovered-debt",
        )


def _markets(book: Book, of: DebtSystem) -> Table:
    modes = any(one.critical_ratio is not None for one in of.markets)
    return Table(
        name="debt-markets",
        title="Kinds of collateral",
        columns=(
            Column("market", "Market", "text"),
            Column("collateral", "Collateral", "text"),
            Column("collateral_amount", "Pledged", "token"),
            Column("debt_amount", "Owed", "token"),
            Column("price", "Price", "price"),
            Column("total_ratio", "Total ratio", "percent", absent="no debt"),
            Column("minimum_ratio", "Minimum ratio", "percent"),
            *(
                [
                    Column("critical_ratio", "Critical ratio", "percent", absent="none"),
                    Column("recovery_mode", "Recovery mode", "text", absent="none"),
                ]
                if modes
                else []
            ),
        ),
        rows=tuple(_market(book, market, modes) for market in of.markets),
        caption="Total ratio: everything pledged over everything owed.",
    )


def _market(book: Book, one: DebtMarket, modes: bool) -> tuple[Value, ...]:
    return (
        one.market,
        token_label(book, one.collateral),
        one.collateral_raw / 10**one.collateral_decimals,
        one.debt_raw / 10**one.debt_decimals,
        _float(one.price),
        _float(one.total_ratio),
        float(one.minimum_ratio),
        *((_float(one.critical_ratio), yes_no(one.recovery_mode)) if modes else ()),
    )


def _terms(of: DebtSystem) -> Table:
    pools = any(one.stability_deposits_raw is not None for one in of.markets)
    return Table(
        name="debt-terms",
        title="Ceilings, fees and what stands ready",
        columns=(
            Column("market", "Market", "text"),
            Column("minimum_debt", "Least debt", "token"),
            Column("debt_ceiling", "Ceiling", "token", absent="none"),
            Column("ceiling_usage", "Of ceiling", "percent", absent="none"),
            Column("stability_fee_apr", "Fee per year", "percent", absent="none"),
            Column("liquidation_penalty", "Penalty", "percent"),
            *(
                [
                    Column("stability_deposits", "Stability deposits", "token", absent="none"),
                    Column("deposits_share", "Of debt", "percent", absent="none"),
                ]
                if pools
                else []
            ),
        ),
        rows=tuple(_term(market, pools) for market in of.markets),
        caption="Stability deposits absorb the debt of liquidated positions." if pools else "",
    )


def _term(one: DebtMarket, pools: bool) -> tuple[Value, ...]:
    owed = Fraction(one.debt_raw, 10**one.debt_decimals)
    ceiling = _whole(one.debt_ceiling_raw, one)
    deposits = _whole(one.stability_deposits_raw, one)
    share = deposits / owed if deposits is not None and owed else None
    return (
        one.market,
        one.minimum_debt_raw / 10**one.debt_decimals,
        _float(ceiling),
        _float(owed / ceiling if ceiling else None),
        _float(one.stability_fee_apr),
        float(one.liquidation_penalty),
        *((_float(deposits), _float(share)) if pools else ()),
    )


def _ratios(of: DebtSystem) -> Table:
    """Positions by how far their ratio is above the minimum of their market."""
    rows: list[tuple[Value, ...]] = []
    for market in of.markets:
        own = [one for one in of.positions if one.market == market.market and one.debt_raw]
        known = [(one, one.ratio) for one in own if one.ratio is not None]
        for low, high in zip((None, *ABOVE), (*ABOVE, None), strict=True):
            floor = None if low is None else (1 + low) * market.minimum_ratio
            ceiling = None if high is None else (1 + high) * market.minimum_ratio
            inside = [
                one
                for one, ratio in known
                if (floor is None or ratio >= floor) and (ceiling is None or ratio < ceiling)
            ]
            if inside:
                rows.append((market.market, _range(floor, ceiling), *_counted(inside, market)))
        unknown = [one for one in own if one.ratio is None]
        if unknown:
            rows.append((market.market, "unknown", *_counted(unknown, market)))
    return Table(
        name="collateral-ratios",
        title="Positions by collateral ratio",
        columns=(
            Column("market", "Market", "text"),
            Column("ratio", "Collateral ratio", "text"),
            Column("positions", "Positions", "int"),
            Column("debt_amount", "Owed", "token"),
            Column("liquidatable", "Liquidatable now", "int", "loss"),
        ),
        rows=tuple(rows),
        caption="The first class is below the minimum ratio.",
        empty="nobody owes anything",
    )


def _counted(positions: list[DebtPosition], market: DebtMarket) -> tuple[Value, ...]:
    owed = sum(one.debt_raw for one in positions) / 10**market.debt_decimals
    return len(positions), owed, sum(1 for one in positions if one.liquidatable)


def _range(low: Fraction | None, high: Fraction | None) -> str:
    if low is None:
        return f"below {show(float(high or 0), 'percent')}"
    if high is None:
        return f"{show(float(low), 'percent')} and more"
    return f"{show(float(low), 'percent')} to {show(float(high), 'percent')}"


def _limits(of: DebtSystem) -> Table:
    return Table(
        name="debt-limits",
        title="Other limits",
        columns=(
            Column("market", "Market", "text"),
            Column("limit", "Limit", "text"),
            Column("value", "Value", "text"),
        ),
        rows=(
            *(("all", label, value) for label, value in of.limits),
            *(
                (market.market, label, value)
                for market in of.markets
                for label, value in market.limits
            ),
        ),
    )


def _whole(raw: int | None, market: DebtMarket) -> Fraction | None:
    return None if raw is None else Fraction(raw, 10**market.debt_decimals)


def _float(value: Fraction | None) -> float | None:
    return None if value is None else float(value)
