"""Verdicts, attacks and assumptions in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from math import log10

from defirisk.core.book import Book
from defirisk.core.evm import Address
from defirisk.manipulation.assumptions import Assumptions
from defirisk.manipulation.attempts import Attempt
from defirisk.manipulation.exposure import Exposure
from defirisk.manipulation.lies import TRUTH
from defirisk.reports.labels import asset_label, token_label
from defirisk.reports.model import Kind, Value
from defirisk.reports.value import listed, plural, short_address, show

_UNKNOWN = {
    "no answer": "What it is read from gives no usable answer at this block.",
    "no market price": "No feed, pool or claim says what the market pays for it.",
    "unknown source": "It is not known what makes the answer that it is read from.",
    "unknown mean": "It is a mean of something else than one pool's price.",
    "perpetual": "Trades in perpetuals move it; what a lie about it earns there is not computed.",
}


def name(book: Book, one: Exposure) -> str:
    """Such as "LINK by uniswap-twap-v2 0xd915…4db0"."""
    said = one.quoted
    return f"{asset_label(book, said.asset)} by {said.kind} {short_address(said.feed)}"


def reason(book: Book, one: Exposure) -> str:
    """One sentence."""
    if one.verdict == "unknown":
        return _UNKNOWN[one.cause]
    best = one.best
    if best is None:
        return "Nothing can be borrowed with it or against it."
    loses = f"loses {_usd(-best.profit_usd)}"
    match one.cause:
        case "mispriced":
            return (
                f"It says {_price(best)} where the market pays "
                f"{show(best.listing.worth_usd, 'price')}: {_aim(best)} earns "
                f"{_usd(best.profit_usd)} without moving anything."
            )
        case "pays":
            return f"{done(book, best)} earns {_usd(best.profit_usd)}."
        case "reported":
            moving = _market(one)
            return f"A network reports it, whatever is traded here{moving}; an attempt {loses}."
        case "written":
            return (
                f"It is written into a contract and says {_price(best)} where the market pays "
                f"{show(best.listing.worth_usd, 'price')}; an attempt {loses}."
            )
        case "fixed":
            return f"No trade moves what it is made of; an attempt {loses}."
    return f"Moving it costs more than it earns at every size; the best attempt {loses}."


def _market(one: Exposure) -> str:
    if not one.pools or one.needed_move is None:
        return ", and no pool of it is indexed"
    to = show(abs(one.needed_move - 1), "percent")
    way = "up" if one.needed_move >= 1 else "down"
    return (
        f", and moving {plural(one.pools, 'indexed pool')} {way} by {to} would cost at least "
        f"{_usd(one.cost_usd)}"
    )


def done(book: Book, best: Attempt) -> str:
    """What the attacker does, without what it earns."""
    way = best.lie.way
    if way is None:
        return _begun(_aim(best))
    if way.name == "gift":
        what = f"Giving {_usd(best.lie.cost_usd)} to the vault {_address(best.lie.target)}"
        return f"{what} and {_aim(best)}"
    pools = listed([_pool(book, one) for one in best.lie.target.split(",")])
    when = {
        "one transaction": "in one transaction",
        "own blocks": f"over {plural(way.blocks, 'block')} of one's own",
        "one block": "at the end of a block",
        "whole window": f"in each of {plural(way.times, 'block')}",
    }[way.name]
    factor = show(max(best.lie.move, 1 / best.lie.move), "token")
    towards = "up" if best.lie.move >= 1 else "down"
    return f"Moving {pools} {towards} {factor} times {when} and {_aim(best)}"


def _pool(book: Book, venue: Address) -> str:
    known = book.sources.venues.get(venue)
    tokens = () if known is None else known.tokens
    pair = "/".join(token_label(book, token) for token in tokens)
    return f"the pool {pair} ({_address(venue)})" if pair else _address(venue)


def _address(text: Address) -> str:
    return short_address(text)


def _aim(best: Attempt) -> str:
    match best.aim:
        case "borrow against it":
            return f"borrowing {_usd(best.earned_usd)} against {_usd(best.left_usd)} of it"
        case "borrow it":
            return f"borrowing {_usd(best.earned_usd)} of it against {_usd(best.left_usd)}"
        case "liquidate":
            return f"seizing {_usd(best.earned_usd)} for {_usd(best.left_usd)}"


def _begun(text: str) -> str:
    """As the beginning of a sentence; the rest stays as it is."""
    return text[:1].upper() + text[1:]


def _price(best: Attempt) -> str:
    return show(best.listing.oracle(TRUTH.moved), "price")


def _usd(value: float) -> str:
    return show(value, "usd")


def magnitude(move: float) -> float:
    """Of a factor, either way."""
    return abs(log10(move))


def assumed(one: Assumptions) -> Iterator[tuple[str, str, Value, Kind]]:
    """Every assumption: its key in JSON, what it is, its value and kind."""
    yield (
        "flash_loan_fee",
        "What is paid for capital that is lent for one transaction",
        float(one.flash_loan_fee),
        "fee",
    )
    yield "capital_usd", "The most capital that can be brought together", one.capital_usd, "usd"
    yield (
        "slippage",
        "What is paid above the market price for collateral that is left behind",
        float(one.slippage),
        "fee",
    )
    yield (
        "controlled_blocks",
        "Blocks in a row of which the attacker decides the order",
        one.controlled_blocks,
        "int",
    )
    yield (
        "slot_share",
        "The attacker's part of all block proposers",
        float(one.slot_share),
        "percent",
    )
    yield (
        "chance",
        "So that many blocks in a row are the attacker's, from a given one on, with a chance of",
        float(one.chance),
        "fee",
    )
    yield "block_seconds", "Time between two blocks", one.block_seconds, "seconds"
    yield "gas_usd", "What transactions cost in each block with any", one.gas_usd, "usd"
    yield "largest_move", "The largest move of a pool that is looked at", one.largest_move, "number"
