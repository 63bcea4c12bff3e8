"""What Morpho Blue itself answers: every number of ours with the view that decides on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from defirisk.core.adapter import Contract, Deployment, Question, Snapshot, View
from defirisk.core.conservation import Total
from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.row import Rows
from defirisk.protocols.lending.morpho_blue.health import is_healthy
from defirisk.protocols.lending.morpho_blue.market_now import (
    MarketNow,
    markets_now,
    unit_name,
)
from defirisk.protocols.lending.morpho_blue.rows import Market, Position

MARKET_FIELDS = (
    "totalSupplyAssets",
    "totalSupplyShares",
    "totalBorrowAssets",
    "totalBorrowShares",
    "lastUpdate",
    "fee",
)
POSITION_FIELDS = ("supplyShares", "borrowShares", "collateral")
HEALTHY_POSITION = b"position is healthy"
"""`ErrorsLib.HEALTHY_POSITION`: with these words `liquidate` refuses."""


def questions(snapshot: Snapshot) -> Iterator[Question]:
    """Every position with whether it is healthy, every market's totals and price."""
    morpho = Contract(address=snapshot.deployment.contracts["morpho"], role="morpho", first_block=0)
    markets = markets_now(snapshot)
    stored: dict[str, list[Position]] = {}
    for row in snapshot.rows.all(Position):
        stored.setdefault(row.market_id, []).append(row)
    for now in markets:
        for position in stored.get(now.stored.market_id, []):
            if position.supply_shares_raw or position.borrow_shares_raw or position.collateral_raw:
                yield _position_question(morpho, position)
            if position.borrow_shares_raw and now.price.price is not None and now.price.exact:
                yield _health_question(morpho, now, position, now.price.price)
    for now in markets:
        yield from _market_questions(morpho, now.stored, stored.get(now.stored.market_id, []))
        yield from _price_question(now)


def totals(deployment: Deployment, rows: Rows) -> Iterator[Total]:
    """The supply and the borrow shares of every market: what all positions hold of them."""
    held: dict[str, tuple[int, int]] = {}
    for position in rows.all(Position):
        supplied, owed = held.get(position.market_id, (0, 0))
        held[position.market_id] = (
            supplied + position.supply_shares_raw,
            owed + position.borrow_shares_raw,
        )
    morpho = deployment.contracts["morpho"]
    contract = Contract(address=morpho, role="morpho", first_block=0)
    for market in rows.all(Market):
        view = View(contract, "market", (_id(market.market_id),))
        for name, ours in zip(
            ("totalSupplyShares", "totalBorrowShares"),
            held.get(market.market_id, (0, 0)),
            strict=True,
        ):
            yield Total(
                subject=f"{name} of {market.market_id}",
                view=view,
                output=MARKET_FIELDS.index(name),
                ours=ours,
                made_of=(morpho,),
            )


def market_params(market: Market) -> tuple[str, str, str, str, int]:
    """`MarketParams`, as functions of the contract take them."""
    return (
        market.loan_token,
        market.collateral_token,
        market.oracle,
        market.irm,
        market.lltv_wad,
    )


def market_totals(market: Market) -> tuple[int, int, int, int, int, int]:
    """`Market` as the contract stores it."""
    return (
        market.total_supply_assets_raw,
        market.total_supply_shares_raw,
        market.total_borrow_assets_raw,
        market.total_borrow_shares_raw,
        market.last_update_ts,
        market.fee_wad,
    )


def _id(market_id: str) -> bytes:
    return bytes.fromhex(market_id.removeprefix("0x"))


def _position_question(morpho: Contract, position: Position) -> Question:
    return Question(
        subject=unit_name(position),
        unit=unit_name(position),
        view=View(morpho, "position", (_id(position.market_id), position.account)),
        fields=POSITION_FIELDS,
        ours=(position.supply_shares_raw, position.borrow_shares_raw, position.collateral_raw),
    )


def _health_question(morpho: Contract, now: MarketNow, position: Position, price: int) -> Question:
    """Whether `liquidate` refuses because the position is healthy: it asks that before all else.

    One share of the debt is offered: nobody owes less. A market is found by the hash of its
    parameters, so that a wrong one among them is no market, which is another refusal.
    """
    args = (market_params(now.stored), position.account, 0, 1, b"")
    return Question(
        subject=unit_name(position),
        unit=unit_name(position),
        view=View(morpho, "liquidate", args),
        fields=("healthy",),
        ours=(int(is_healthy(now.market, position, price) is True),),
        refusal=HEALTHY_POSITION,
    )


def _market_questions(
    morpho: Contract, market: Market, positions: Sequence[Position]
) -> Iterator[Question]:
    view = View(morpho, "market", (_id(market.market_id),))
    totals = market_totals(market)
    # Without a rate model `lastUpdate` also moves without a log, and decides on nothing.
    known = len(totals) if market.irm != ZERO_ADDRESS else 4
    yield Question(
        subject=market.market_id, view=view, fields=MARKET_FIELDS[:known], ours=totals[:known]
    )
    # What all positions hold must be the market's own total: sees a position that was missed.
    yield Question(
        subject=market.market_id,
        view=view,
        fields=(
            "totalSupplyAssets",
            "sum of supplyShares",
            "totalBorrowAssets",
            "sum of borrowShares",
        ),
        ours=(
            market.total_supply_assets_raw,
            sum(position.supply_shares_raw for position in positions),
            market.total_borrow_assets_raw,
            sum(position.borrow_shares_raw for position in positions),
        ),
    )


def _price_question(now: MarketNow) -> Iterator[Question]:
    if now.price.price is not None and now.price.exact:
        yield Question(
            subject=now.stored.market_id,
            view=View(Contract(address=now.price.oracle, role="oracle", first_block=0), "price"),
            fields=("price",),
            ours=(now.price.price,),
            grade="read" if now.price.grade == "read" else "compared",
        )
