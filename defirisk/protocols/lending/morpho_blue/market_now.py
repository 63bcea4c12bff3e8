"""Every market of a singleton at one moment: interest accrued, its oracle asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from defirisk.core.adapter import Snapshot
from defirisk.protocols.lending.morpho_blue.interest import Rate, accrue, borrow_rate
from defirisk.protocols.lending.morpho_blue.numeraire import UNPRICED, Dollars, Worth
from defirisk.protocols.lending.morpho_blue.oracle_price import PriceNow, price_now
from defirisk.protocols.lending.morpho_blue.rows import Feed, Market, Position, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketNow:
    """One market at a block.

    `stored` is what the contract holds, `market` the same with interest up to the block's time.
    `positions` are as after that accrual: the fee recipient has what is due. Decimals are None
    where a token does not say them: then its amounts have no value.
    """

    stored: Market
    market: Market
    rate: Rate
    price: PriceNow
    worth: Worth
    positions: tuple[Position, ...]
    collateral_decimals: int | None
    loan_decimals: int | None


def markets_now(snapshot: Snapshot) -> list[MarketNow]:
    """All markets, the oldest first."""
    rows = snapshot.rows
    stored = sorted(rows.all(Market), key=lambda m: (m.created_block, m.market_id))
    prices = [price_now(market.oracle, snapshot) for market in stored]
    descriptions = {feed.feed: feed.description for feed in rows.all(Feed)}
    dollars = Dollars(zip(stored, prices, strict=True), descriptions)
    positions = _positions(snapshot)
    recipient = _fee_recipient(snapshot)
    return [
        _market_now(
            snapshot, market, price, dollars, positions.get(market.market_id, {}), recipient
        )
        for market, price in zip(stored, prices, strict=True)
    ]


def _fee_recipient(snapshot: Snapshot) -> str:
    morpho = snapshot.deployment.contracts["morpho"]
    settings = snapshot.rows.find(Settings, morpho) or Settings(morpho=morpho)
    return settings.fee_recipient


def unit_name(position: Position) -> str:
    """A unit of liquidation: an account in a market."""
    return f"{position.account}:{position.market_id}"


def _market_now(
    snapshot: Snapshot,
    stored: Market,
    price: PriceNow,
    dollars: Dollars,
    positions: dict[str, Position],
    recipient: str,
) -> MarketNow:
    rate = borrow_rate(stored, snapshot.rows)
    accrued = accrue(stored, rate.wad, snapshot.block.timestamp)
    collateral, loan = (
        snapshot.tokens.get(token) for token in (stored.collateral_token, stored.loan_token)
    )
    unpriced = Worth((UNPRICED,), (UNPRICED,))
    return MarketNow(
        stored=stored,
        market=accrued.market,
        rate=rate,
        price=price,
        worth=(
            dollars.worth(stored, price, (collateral.decimals, loan.decimals))
            if collateral and loan and price.price is not None
            else unpriced
        ),
        positions=tuple(_with_fee(stored, positions, recipient, accrued.fee_shares)),
        collateral_decimals=collateral.decimals if collateral else None,
        loan_decimals=loan.decimals if loan else None,
    )


def _with_fee(
    market: Market, positions: dict[str, Position], recipient: str, fee_shares: int
) -> Iterator[Position]:
    """All positions that are not empty, the fee recipient's with the shares that are due to it."""
    if fee_shares:
        held = positions.get(recipient) or Position(market_id=market.market_id, account=recipient)
        due = Position(
            market_id=market.market_id,
            account=recipient,
            supply_shares_raw=held.supply_shares_raw + fee_shares,
            borrow_shares_raw=held.borrow_shares_raw,
            collateral_raw=held.collateral_raw,
        )
        positions = {**positions, recipient: due}
    for position in positions.values():
        if position.supply_shares_raw or position.borrow_shares_raw or position.collateral_raw:
            yield position


def _positions(snapshot: Snapshot) -> dict[str, dict[str, Position]]:
    """Positions by market and account."""
    found: dict[str, dict[str, Position]] = {}
    for row in snapshot.rows.all(Position):
        found.setdefault(row.market_id, {})[row.account] = row
    return found
