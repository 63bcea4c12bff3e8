"""What the markets hold, whether they could pay, what prices and parameters they run on."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from defirisk.contagion.valuation import health_factors
from defirisk.core.book import Book, MarketFacts
from defirisk.metrics import oracle
from defirisk.metrics import size as sizes
from defirisk.metrics import solvency as paying
from defirisk.reports.labels import asset_label
from defirisk.reports.model import Column, Paragraph, Section, Table, Value
from defirisk.reports.protocol.places import place, place_columns
from defirisk.reports.value import listed, plural

_Rows = list[tuple[Value, ...]]


def size(book: Book) -> Section:
    """Deposits, loans and what is in the contracts, the whole first."""
    rows: _Rows = [
        (
            *place(book, one.deployment, one.market, one.asset),
            one.supplied_usd,
            one.borrowed_usd,
            one.collateral_usd,
            one.tvl_usd,
        )
        for one in (*sizes.by_deployment(book), *sizes.by_market(book))
    ]
    columns = (
        *place_columns(book),
        Column("supplied_usd", "Supplied", "usd"),
        Column("borrowed_usd", "Borrowed", "usd"),
        Column("collateral_usd", "Backs debt, or could", "usd"),
        Column("tvl_usd", "In the contracts", "usd"),
    )
    several = len(book.units) > len(book.owners)
    text = (
        f"{plural(len(book.markets), 'market').capitalize()}, "
        f"{plural(len(book.owners), 'account')} with a balance"
        + (f" in {plural(len(book.units), 'position')}." if several else ".")
    )
    table = Table(name="size", title="By market", columns=columns, rows=tuple(rows))
    return Section("size", "Size", (Paragraph(text), table))


def solvency(book: Book) -> Section:
    """Whether every depositor could be paid."""
    rows: _Rows = [
        (
            *place(book, one.deployment, one.market, one.asset),
            one.asset_liability_ratio,
            one.utilisation,
            one.uncovered_usd,
            one.deficit_usd,
            one.supply_cap_usage,
            one.borrow_cap_usage,
        )
        for one in paying.solvency(book, health_factors(book))
    ]
    columns = (
        *place_columns(book),
        Column("asset_liability_ratio", "Assets / liabilities", "percent", absent="no deposit"),
        Column("utilisation", "Lent out", "percent", absent="no deposit"),
        Column("uncovered_usd", "Uncovered loans", "usd", "loss"),
        Column("deficit_usd", "Deficit", "usd", "loss"),
        Column("supply_cap_usage", "Of supply cap", "percent", absent="no cap"),
        Column("borrow_cap_usage", "Of borrow cap", "percent", absent="no cap"),
    )
    caption = (
        "Assets are cash and the loans that collateral covers; liabilities are the deposits. Below "
        "100 %, not everyone could be paid."
    )
    title = "Ability to pay"
    table = Table(name="solvency", title=title, columns=columns, rows=tuple(rows), caption=caption)
    return Section("solvency", "Assets against liabilities", (table,))


def oracles(book: Book) -> Section:
    """The prices that the markets believe, and what hangs on each feed."""
    rows: _Rows = [
        (
            *place(book, one.deployment, one.market, one.asset),
            one.price_usd,
            one.age_seconds,
            len(one.stale),
            one.source,
            one.grade,
        )
        for one in oracle.prices(book)
    ]
    prices = Table(
        name="oracles",
        title="Prices and their age at this block",
        columns=(
            *place_columns(book),
            Column("price_usd", "Price", "price"),
            Column("age_seconds", "Age", "seconds"),
            Column("stale", "Stale feeds", "int", "loss"),
            Column("source", "Source", "address"),
            Column("grade", "Known from", "text"),
        ),
        rows=tuple(rows),
        caption="Known from logs: followed update by update. Read: asked once, at this block. "
        "Stale: silent for longer than the feed's heartbeat, a day unless defirisk.toml says.",
    )
    return Section("oracles", "Oracles", (prices, _feeds(book)))


def _feeds(book: Book) -> Table:
    rows: _Rows = [
        (
            "hard-coded" if one.feed is None else one.feed,
            listed([asset_label(book, asset) for asset in one.assets]),
            one.accounts,
            one.collateral_usd,
            one.debt_usd,
        )
        for one in oracle.dependences(book)
    ]
    return Table(
        name="feeds",
        title="What each feed decides about",
        columns=(
            Column("feed", "Feed", "address"),
            Column("assets", "Prices", "text"),
            Column("accounts", "Accounts", "int"),
            Column("collateral_usd", "Collateral", "usd"),
            Column("debt_usd", "Debt", "usd"),
        ),
        rows=tuple(rows),
    )


def parameters(book: Book) -> Section:
    """Risk parameters, then caps and rates."""
    risk = Table(
        name="parameters",
        title="Risk parameters outside e-mode",
        columns=(
            *place_columns(book),
            Column("token", "Token", "address"),
            Column("ltv", "LTV", "percent"),
            Column("liquidation_threshold", "Liquidation threshold", "percent"),
            Column("liquidation_bonus", "Bonus", "percent"),
            Column("reserve_factor", "Reserve factor", "percent"),
            Column("flags", "Flags", "text"),
        ),
        rows=tuple(_risk(book, facts) for facts in book.markets),
    )
    limits = Table(
        name="caps-and-rates",
        title="Caps and rates",
        columns=(
            *place_columns(book),
            Column("supply_cap", "Supply cap", "token", absent="no cap"),
            Column("borrow_cap", "Borrow cap", "token", absent="no cap"),
            Column("supply_apr", "Supply APR", "percent"),
            Column("borrow_apr", "Borrow APR", "percent"),
        ),
        rows=tuple(_limits(book, facts) for facts in book.markets),
        caption="Caps are in whole tokens.",
    )
    return Section("parameters", "Parameters", (risk, limits))


def _risk(book: Book, facts: MarketFacts) -> tuple[Value, ...]:
    return (
        *place(book, facts.deployment, facts.market, facts.asset),
        book.assets[facts.asset].address,
        facts.ltv,
        facts.liquidation_threshold,
        facts.liquidation_bonus,
        facts.reserve_factor,
        ", ".join(facts.flags),
    )


def _limits(book: Book, facts: MarketFacts) -> tuple[Value, ...]:
    return (
        *place(book, facts.deployment, facts.market, facts.asset),
        facts.supply_cap or None,
        facts.borrow_cap or None,
        facts.supply_apr,
        facts.borrow_apr,
    )


def deficits(book: Book) -> Section:
    """Bad debt that the protocol has written off already."""
    owed = [facts for facts in book.markets if facts.deficit != 0]
    table = Table(
        name="deficits",
        title="On the books",
        columns=(
            *place_columns(book),
            Column("deficit", "Tokens", "token", "loss"),
            Column("deficit_usd", "USD", "usd", "loss"),
            Column("share", "Of deposits", "percent", absent="no deposit"),
        ),
        rows=tuple(_deficit_rows(book, owed)),
        caption="Bad debt that the protocol wrote off after liquidations and nobody has paid in.",
        empty="No market has a deficit.",
    )
    return Section("deficits", "Deficits", (table,))


def _deficit_rows(book: Book, owed: Iterable[MarketFacts]) -> Iterable[tuple[Value, ...]]:
    for facts in owed:
        usd = facts.deficit * float(book.asset_price[facts.asset])
        share = facts.deficit / facts.supplied if facts.supplied > 0 else np.nan
        where = place(book, facts.deployment, facts.market, facts.asset)
        yield (*where, facts.deficit, usd, share)
