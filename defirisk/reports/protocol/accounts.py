"""Who owes: by health factor, by distance to liquidation, and in how few hands it is."""

from __future__ import annotations

import math

import numpy as np

from defirisk.contagion.valuation import health_factors, unit_debt
from defirisk.core.book import Book
from defirisk.metrics import concentration as hands
from defirisk.metrics import health as distances
from defirisk.metrics.sharing import shared_borrowers
from defirisk.reports.labels import asset_label
from defirisk.reports.model import (
    Axis,
    Chart,
    Column,
    Paragraph,
    Section,
    Series,
    Table,
    Value,
)
from defirisk.reports.protocol.places import has_markets, place, place_columns
from defirisk.reports.value import plural, show

TOP = 20
MIN_SHARE = 1e-6
"""Accounts that owe less than this share of all debt are dust."""


def health(book: Book) -> Section:
    """Debt by health factor."""
    buckets = distances.distribution(book, health_factors(book))
    buckets = tuple(one for one in buckets if one.accounts or not math.isnan(one.low))
    owing = [bucket for bucket in buckets if math.isfinite(bucket.low)]
    chart = Chart(
        name="health-factors",
        title="Debt by health factor",
        form="bar",
        x=Axis("Health factor (below 1: can be liquidated)", "text"),
        y=Axis("USD owed", "usd"),
        series=(
            Series(
                name="debt",
                x=tuple(bucket.label for bucket in owing),
                y=tuple(bucket.debt_usd for bucket in owing),
            ),
        ),
    )
    table = Table(
        name="health-factor-buckets",
        title="Accounts by health factor",
        columns=(
            Column("health_factor", "Health factor", "text"),
            Column("accounts", "Accounts", "int"),
            Column("debt_usd", "Debt", "usd"),
            Column("collateral_usd", "Collateral", "usd"),
        ),
        rows=tuple((one.label, one.accounts, one.debt_usd, one.collateral_usd) for one in buckets),
    )
    if not any(bucket.accounts for bucket in owing):
        text = "There is no debt, so there are no health factors."
        return Section("health", "Health factors", (Paragraph(text), table))
    return Section("health", "Health factors", (chart, table))


def closest(book: Book) -> Section:
    """The accounts that a fall would reach first."""
    debt = float(np.nansum(unit_debt(book)))
    floor = debt * MIN_SHARE
    found = distances.closest(book, health_factors(book), TOP, min_debt_usd=floor)
    several, divided = len(book.deployments) > 1, has_markets(book)
    columns = (
        *([Column("deployment", "Deployment", "text")] if several else []),
        *([Column("market", "Market", "text", detail=True)] if divided else []),
        Column("account", "Account", "address"),
        Column("health_factor", "Health factor", "health"),
        Column("distance", "Distance", "percent", absent="no fall does"),
        Column("debt_usd", "Debt", "usd"),
        Column("collateral_usd", "Collateral", "usd"),
        Column("main_collateral", "Mostly holds", "text"),
        Column("main_debt", "Mostly owes", "text"),
    )
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (
            *([book.deployments[one.deployment].name] if several else []),
            *([one.market] if divided else []),
            one.account,
            one.health_factor,
            one.distance,
            one.debt_usd,
            one.collateral_usd,
            _label(book, one.main_collateral),
            _label(book, one.main_debt),
        )
        for one in found
    )
    table = Table(
        name="closest-accounts",
        title=f"The {plural(len(rows), 'account')} closest to liquidation",
        columns=columns,
        rows=rows,
        caption="Distance: by how much all prices of an account's collateral may fall together "
        "before it can be liquidated; negative, it can be liquidated now. What must be kept of "
        "them shrinks with the prices, and a unit of account does not fall. "
        f"Accounts that owe less than {show(floor, 'usd')} are left out.",
        empty="nobody owes anything",
    )
    return Section("closest", "Closest to liquidation", (table,))


def _label(book: Book, asset: int | None) -> str:
    return "-" if asset is None else asset_label(book, asset)


def concentration(book: Book) -> Section:
    """Shares of the largest owners, for the whole and by market; who is active elsewhere too."""
    measured = (*hands.by_deployment(book), *hands.by_market(book))
    rows: list[tuple[Value, ...]] = [
        (
            *place(book, one.deployment, one.market, one.asset),
            one.side,
            one.owners,
            one.total_usd,
            one.top10_share,
            one.hhi,
        )
        for one in measured
        if one.owners
    ]
    table = Table(
        name="concentration",
        title="Shares of the largest owners",
        columns=(
            *place_columns(book),
            Column("side", "Side", "text"),
            Column("owners", "Owners", "int"),
            Column("total_usd", "Total", "usd"),
            Column("top10_share", "Largest ten", "percent"),
            Column("hhi", "HHI", "number"),
        ),
        rows=tuple(rows),
        caption="HHI (Herfindahl-Hirschman index): the sum of squared shares, 1 where one owner "
        "holds everything. An owner is an address, in however many markets; who is behind it may "
        "have several.",
    )
    shared = (_shared(book),) if len(book.deployments) > 1 else ()
    return Section("concentration", "Concentration", (table, *shared))


def _shared(book: Book) -> Table:
    names = [facts.name for facts in book.deployments]
    rows: list[tuple[Value, ...]] = [
        (
            names[one.deployment],
            names[one.other],
            one.owners,
            one.owing,
            one.debt_usd,
            one.debt_share,
        )
        for one in shared_borrowers(book)
        if one.owners
    ]
    return Table(
        name="shared-borrowers",
        title="Also active in",
        columns=(
            Column("deployment", "Borrowers of", "text"),
            Column("other", "Also active in", "text"),
            Column("owners", "Owners", "int"),
            Column("owing", "Owe there too", "int"),
            Column("debt_usd", "Debt", "usd"),
            Column("debt_share", "Of its debt", "percent", absent="no debt"),
        ),
        rows=tuple(rows),
        caption="What the borrowers of one deployment owe in it, where they hold or owe something "
        "in the other one too.",
        empty="Nobody who owes in one deployment is active in another.",
    )
