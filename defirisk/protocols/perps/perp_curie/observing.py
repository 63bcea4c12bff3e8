"""What logs cannot say of Perp Curie, read where a run ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from defirisk.core.adapter import Contract, Discovery, FeedWanted, View
from defirisk.core.evm import ZERO_ADDRESS, Block
from defirisk.core.row import Rows, State
from defirisk.protocols.perps.perp_curie.rows import (
    ALL,
    OPEN,
    AccountMarket,
    Dispatcher,
    FeedConstants,
    InsuranceWallet,
    MakerRead,
    MarginRatios,
    Market,
    PausedPrice,
    PriceSource,
)

_RATIOS = {"getImRatio": "im_ratio", "getMmRatio": "mm_ratio"}
_FEED = {"getAggregator": "aggregator", "decimals": "decimals"}
_PAUSED = {"getPausedIndexPrice": "paused_index_price", "getClosedPrice": "closed_price"}
_FEES, _FUNDING = "getTotalTokenAmountInPoolAndPendingFee", "getPendingFundingPayment"


def views(contracts: Sequence[Contract]) -> Iterator[View]:
    """The ratios without events, what prices are made of, and the insurance fund's own tokens."""
    fund = next((c.address for c in contracts if c.role == "insurance_fund"), ZERO_ADDRESS)
    for contract in contracts:
        match contract.role:
            case "clearing_house_config":
                yield from (View(contract, function) for function in _RATIOS)
            case "base_token":
                yield View(contract, "getPriceFeed")
            case "dispatcher":
                yield View(contract, "getChainlinkPriceFeedV3")
            case "price_feed":
                yield from (View(contract, function) for function in _FEED)
            case "settlement_token":
                yield View(contract, "balanceOf", (fund,))


def views_of_rows(contracts: Sequence[Contract], rows: Rows) -> Iterator[View]:
    """What makers earned and owe, and what markets that are not open are settled at."""
    roles = {contract.role: contract for contract in contracts}
    for held in rows.all(AccountMarket):
        if held.orders:
            key = (held.account, held.base_token)
            yield View(roles["order_book"], _FEES, (*key, False))
            yield View(roles["exchange"], _FUNDING, key)
    for market in rows.all(Market):
        if market.status != OPEN:
            token = Contract(address=market.base_token, role="base_token", first_block=0)
            yield from (View(token, function) for function in _PAUSED)


def discover_view(view: View, answer: tuple[Any, ...] | None) -> Iterator[Discovery]:
    """A market's dispatcher, the price feed that it reads, and the aggregator behind that."""
    if not answer or answer[0] == ZERO_ADDRESS:
        return
    first_block = view.contract.first_block
    roles = {"getPriceFeed": "dispatcher", "getChainlinkPriceFeedV3": "price_feed"}
    if view.function in roles:
        role = roles[view.function]
        yield Contract(address=answer[0], role=role, first_block=first_block)
    elif view.function == "getAggregator":
        yield FeedWanted(address=answer[0], first_block=first_block)


def observe(view: View, answer: tuple[Any, ...] | None, block: Block, state: State) -> None:
    """A constant holds since the contract was made; what makers earned is known for now."""
    if answer is None:
        return
    address, function = view.contract.address, view.function
    changes: dict[str, Any]
    if function in _RATIOS:
        changes = {_RATIOS[function]: answer[0]}
        state.amend(replace(state.get(MarginRatios, ALL), **changes))
    elif function == "getPriceFeed":
        source = state.get(PriceSource, address)
        if not source.said:
            state.amend(replace(source, dispatcher=answer[0]))
    elif function == "getChainlinkPriceFeedV3":
        state.amend(Dispatcher(dispatcher=address, price_feed=answer[0]))
    elif view.contract.role == "price_feed":
        changes = {_FEED[function]: answer[0]}
        state.amend(replace(state.get(FeedConstants, address), **changes))
    elif function == "balanceOf":
        wallet = InsuranceWallet(scope=ALL, balance_raw=answer[0], read_block=block.number)
        state.put(wallet)
    elif function in _PAUSED:
        changes = {_PAUSED[function]: answer[0]}
        state.put(replace(state.get(PausedPrice, address), **changes))
    elif function == _FEES:
        read = replace(state.get(MakerRead, *view.args[:2]), pending_fee=answer[1])
        state.put(replace(read, read_block=block.number))
    elif function == _FUNDING:
        state.put(replace(state.get(MakerRead, *view.args), pending_funding=answer[0]))
