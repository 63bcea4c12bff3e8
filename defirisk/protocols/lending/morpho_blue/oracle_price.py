"""What a market's oracle says, and what it is made of.

Source: `IOracle` of @morpho-org/morpho-blue 1.0.0 (the scale of `price()`), and the getters and
`price()` of MorphoChainlinkOracleV2 in github morpho-org/morpho-blue-oracles (read only): the
product of up to two base feeds over that of up to two quote feeds, times SCALE_FACTOR, rounded
down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Literal

from defirisk.core.adapter import Answer
from defirisk.core.evm import ZERO_ADDRESS, Address
from defirisk.core.row import Rows
from defirisk.protocols.lending.morpho_blue.rows import Oracle, OraclePrice

ORACLE_PRICE_SCALE = 10**36
MAX_UINT256 = 2**256 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceNow:
    """`price()` of one oracle: base units of the loan token per base unit of collateral, times
    1e36; None where the contract would not answer.

    `base` and `quote` are the feeds it was computed from, with their answers; both are empty where
    `price()` itself was read. `updated_ts` is when the stalest of them last answered.
    """

    oracle: Address
    price: int | None
    grade: Literal["logs", "read", "none"]
    updated_ts: int | None
    scale_factor: int = 0
    base: tuple[tuple[Address, Answer], ...] = ()
    quote: tuple[tuple[Address, Answer], ...] = ()

    @property
    def of_feeds(self) -> bool:
        """Whether it follows its feeds; else only what it said is known."""
        return self.scale_factor > 0


def price_now(oracle: Address, rows: Rows, answers: Mapping[Address, Answer]) -> PriceNow:
    """The price from the oracle's feeds where it is made of feeds only, else as it was read.

    What is worth a vault's share has no logs here: an oracle with a vault is read.
    """
    made_of = rows.find(Oracle, oracle) or Oracle(oracle=oracle)
    base = _feeds(answers, made_of.base_feed_1, made_of.base_feed_2)
    quote = _feeds(answers, made_of.quote_feed_1, made_of.quote_feed_2)
    vaults = {made_of.base_vault, made_of.quote_vault} != {ZERO_ADDRESS}
    if made_of.scale_factor == 0 or vaults or base is None or quote is None:
        read = rows.find(OraclePrice, oracle)
        known = read is not None and read.price_raw > 0
        return PriceNow(
            oracle=oracle,
            price=read.price_raw if read is not None and known else None,
            grade="read" if known else "none",
            updated_ts=None,
        )
    used = [answer for _, answer in (*base, *quote)]
    return PriceNow(
        oracle=oracle,
        price=chainlink_price(
            made_of.scale_factor,
            [answer.price for _, answer in base],
            [answer.price for _, answer in quote],
        ),
        grade="read" if any(answer.grade == "read" for answer in used) else "logs",
        updated_ts=min((answer.updated_at for answer in used), default=None),
        scale_factor=made_of.scale_factor,
        base=base,
        quote=quote,
    )


def chainlink_price(scale_factor: int, base: Sequence[int], quote: Sequence[int]) -> int | None:
    """`price()` for these answers; None where it reverts: a negative answer, a quote of 0, more
    than 256 bits.
    """
    if any(answer < 0 for answer in (*base, *quote)) or prod(quote) == 0:
        return None
    price = scale_factor * prod(base) // prod(quote)
    return None if max(price, prod(base), prod(quote)) > MAX_UINT256 else price


def shocked_price(now: PriceNow, base: Fraction, quote: Fraction, *, apart: bool) -> int | None:
    """`price()` after a shock that moves the collateral by `base` and the loan token by `quote`.

    Where both have feeds of their own (`apart`), the first feed of each side moves, rounded to its
    own precision as a feed that answered it would be; else one number takes the whole move.
    """
    if now.price is None:
        return None
    if not now.of_feeds or not (now.base or now.quote):
        return None if quote == 0 else round(now.price * base / quote)
    if not apart or not now.base or not now.quote:
        if quote == 0 or (base == 0 and not now.base):
            return None
        base, quote = (base / quote, Fraction(1)) if now.base else (Fraction(1), quote / base)
    return chainlink_price(now.scale_factor, _moved(now.base, base), _moved(now.quote, quote))


def _moved(feeds: Sequence[tuple[Address, Answer]], factor: Fraction) -> list[int]:
    prices = [answer.price for _, answer in feeds]
    return [round(prices[0] * factor), *prices[1:]] if prices else []


def _feeds(
    answers: Mapping[Address, Answer], *feeds: Address
) -> tuple[tuple[Address, Answer], ...] | None:
    """The feeds that are there, with their answers; None where one of them is not known."""
    wanted = [feed for feed in feeds if feed != ZERO_ADDRESS]
    if any(feed not in answers for feed in wanted):
        return None
    return tuple((feed, answers[feed]) for feed in wanted)
