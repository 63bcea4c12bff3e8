"""Who holds a vault or provides a pool's liquidity, and what that could be taken out for."""

from __future__ import annotations

from collections.abc import Sequence

from defirisk.core.book import Book
from defirisk.core.claim import Share
from defirisk.core.evm import Address
from defirisk.core.position import decimal_text
from defirisk.reports.labels import token_label
from defirisk.reports.model import Column, Report, Run, Value, header_of
from defirisk.reports.records import records_report

_COLUMNS = (
    Column("deployment", "Deployment", "text", detail=True),
    Column("account", "Account", "address"),
    Column("symbol", "Share", "text"),
    Column("range", "Range", "text", absent=""),
    Column("balance", "Balance", "text"),
    Column("worth", "Could be taken out for", "text", absent=""),
    Column("worth_usd", "USD", "usd"),
    Column("asset", "Token", "address", detail=True),
    Column("balance_raw", "Base units", "text", detail=True),
)


def build(book: Book, shares: Sequence[tuple[str, Share]], *, run: Run, top: int | None) -> Report:
    """The shares of the `top` accounts, those worth most first; each with its deployment."""
    prices = {a.address: float(p) for a, p in zip(book.assets, book.asset_price, strict=True)}
    worth = {id(share): _usd(book, prices, share) for _, share in shares}
    totals: dict[Address, float] = {}
    for _, share in shares:
        totals[share.account] = totals.get(share.account, 0.0) + (worth[id(share)] or 0.0)
    order = sorted(totals, key=lambda account: (-totals[account], account))
    shown = order if top is None else order[:top]
    rank = {account: at for at, account in enumerate(shown)}
    mine = sorted(
        (one for one in shares if one[1].account in rank), key=lambda o: rank[o[1].account]
    )
    left = len(order) - len(shown)
    return records_report(
        "Shares",
        header_of(book, run),
        _COLUMNS,
        [_row(book, deployment, share, worth[id(share)]) for deployment, share in mine],
        name="positions",
        caption=f"{left} more accounts: raise --top, or use --format csv" if left else "",
        empty="no share",
    )


def _row(book: Book, deployment: str, share: Share, usd: float | None) -> tuple[Value, ...]:
    return (
        deployment,
        share.account,
        token_label(book, share.token),
        share.label or None,
        decimal_text(share.balance_raw, share.decimals),
        ", ".join(_amount(book, token, raw) for token, raw in share.worth) or None,
        usd,
        share.token,
        str(share.balance_raw),
    )


def _amount(book: Book, token: Address, raw: int) -> str:
    known = book.sources.tokens.get(token)
    return f"{decimal_text(raw, known.decimals if known else 0)} {token_label(book, token)}"


def _usd(book: Book, prices: dict[Address, float], share: Share) -> float | None:
    total = 0.0
    for token, raw in share.worth or ((share.token, share.balance_raw),):
        known = book.sources.tokens.get(token)
        decimals = known.decimals if known else share.decimals
        if token not in prices:
            return None
        total += float(raw / 10**decimals) * prices[token]
    return total
