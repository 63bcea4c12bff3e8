"""What a market's oracle says, and what it is made of.

Source: `IOracle` of @morpho-org/morpho-blue 1.0.0 (the scale of `price()`), and the getters and
`price()` of MorphoChainlinkOracleV2 in github morpho-org/morpho-blue-oracles (read only): what
a vault's shares convert to times up to two base feeds, over the same of the quote side, times
SCALE_FACTOR, rounded down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Literal

from defirisk.core.adapter import Answer, Snapshot
from defirisk.core.claim import converted
from defirisk.core.evm import ZERO_ADDRESS, Address
from defirisk.core.quote import Conversion, Feed, Program
from defirisk.protocols.lending.morpho_blue.rows import Oracle, OraclePrice, OracleVaults

ORACLE_PRICE_SCALE = 10**36
MAX_UINT256 = 2**256 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What an oracle prices one of the two tokens by: a share's worth, feeds, both or nothing.

    `assets_raw` is what the vault's sample of shares converts to; 1 without a vault.
    """

    feeds: tuple[tuple[Address, Answer], ...] = ()
    share: Conversion | None = None
    assets_raw: int = 1
    grade: Literal["logs", "read"] = "logs"
    exact: bool = True

    @property
    def numbers(self) -> list[int]:
        """The factors of the price."""
        return [self.assets_raw, *(answer.price for _, answer in self.feeds)]

    @property
    def programs(self) -> tuple[Program, ...]:
        """The factors as what they follow, in whole tokens."""
        share = () if self.share is None else (self.share,)
        return (*share, *(program_of(feed, answer) for feed, answer in self.feeds))

    @property
    def made_of(self) -> tuple[Address, ...]:
        """The contracts that the oracle asks."""
        share = () if self.share is None else (self.share.token,)
        return (*share, *(feed for feed, _ in self.feeds))

    @property
    def plain(self) -> bool:
        """Whether it moves as one feed that answers another price."""
        return self.share is None and all(one.program is None for _, one in self.feeds)


NOTHING = Side()


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceNow:
    """`price()` of one oracle: base units of the loan token per base unit of collateral, times
    1e36; None where the contract would not answer.

    `base` and `quote` are what it was computed from; both are nothing where `price()` itself was
    read. `updated_ts` is when the stalest of their feeds last answered.
    """

    oracle: Address
    price: int | None
    grade: Literal["logs", "read", "none"]
    updated_ts: int | None
    scale_factor: int = 0
    base: Side = NOTHING
    quote: Side = NOTHING

    @property
    def exact(self) -> bool:
        """Whether it is the contract's at this very block; else something behind it is older."""
        return self.base.exact and self.quote.exact

    @property
    def of_feeds(self) -> bool:
        """Whether what it is made of is known; else only what it said is."""
        return self.scale_factor > 0


def price_now(oracle: Address, snapshot: Snapshot) -> PriceNow:
    """The price from what the oracle is made of where all of that is known, else as it was read."""
    rows = snapshot.rows
    made_of = rows.find(Oracle, oracle) or Oracle(oracle=oracle)
    vaults = rows.find(OracleVaults, oracle) or OracleVaults(oracle=oracle)
    base = _side(
        snapshot,
        (made_of.base_feed_1, made_of.base_feed_2),
        (made_of.base_vault, vaults.base_sample_raw),
    )
    quote = _side(
        snapshot,
        (made_of.quote_feed_1, made_of.quote_feed_2),
        (made_of.quote_vault, vaults.quote_sample_raw),
    )
    if made_of.scale_factor == 0 or base is None or quote is None:
        read = rows.find(OraclePrice, oracle)
        known = read is not None and read.price_raw > 0
        return PriceNow(
            oracle=oracle,
            price=read.price_raw if read is not None and known else None,
            grade="read" if known else "none",
            updated_ts=None,
        )
    times = [answer.updated_at for _, answer in (*base.feeds, *quote.feeds)]
    return PriceNow(
        oracle=oracle,
        price=chainlink_price(made_of.scale_factor, base.numbers, quote.numbers),
        grade="read" if "read" in (base.grade, quote.grade) else "logs",
        updated_ts=min(times, default=None),
        scale_factor=made_of.scale_factor,
        base=base,
        quote=quote,
    )


def program_of(feed: Address, answer: Answer) -> Program:
    """What a feed's answer follows; of unknown value where the oracle would not take it."""
    return answer.of(feed) if answer.price >= 0 else Feed(feed, None)


def _side(snapshot: Snapshot, feeds: Sequence[Address], vault: tuple[Address, int]) -> Side | None:
    """One side of an oracle; None where a feed or the vault's rate is not known."""
    wanted = [feed for feed in feeds if feed != ZERO_ADDRESS]
    if any(feed not in snapshot.answers for feed in wanted):
        return None
    answers = tuple((feed, snapshot.answers[feed]) for feed in wanted)
    grades = [answer.grade for _, answer in answers]
    exact = all(answer.exact for _, answer in answers)
    share, assets = None, 1
    if vault[0] != ZERO_ADDRESS:
        known = _share(snapshot, *vault)
        if known is None:
            return None
        share, assets = known
        grades.append(snapshot.claims[vault[0]].grade)
        exact = exact and snapshot.claims[vault[0]].exact
    return Side(
        feeds=answers,
        share=share,
        assets_raw=assets,
        grade="read" if "read" in grades or not exact else "logs",
        exact=exact,
    )


def _share(snapshot: Snapshot, vault: Address, sample: int) -> tuple[Conversion, int] | None:
    """What a sample of shares converts to, whole per whole share and in base units."""
    claim = snapshot.claims.get(vault)
    if claim is None or sample == 0:
        return None
    share, asset = (snapshot.tokens.get(token) for token in (vault, claim.underlying))
    if share is None or asset is None:
        return None
    assets = converted(claim, sample, share.decimals, asset.decimals)
    if assets is None:
        return None
    rate = Fraction(assets, sample) * Fraction(10) ** (share.decimals - asset.decimals)
    return Conversion(vault, rate), assets


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

    Where feeds that are made of nothing else move, the first of each side answers it, rounded to
    its own precision. Where both sides have feeds of their own (`apart`) each takes its move, else
    one takes the whole. What is made of pools, vaults or other feeds moves the price itself,
    rounded to the price's own precision.
    """
    if now.price is None:
        return None
    feeds = now.base.feeds or now.quote.feeds
    if not now.of_feeds or not feeds or not (now.base.plain and now.quote.plain):
        return None if quote == 0 else round(now.price * base / quote)
    if not apart or not now.base.feeds or not now.quote.feeds:
        if quote == 0 or (base == 0 and not now.base.feeds):
            return None
        base, quote = (base / quote, Fraction(1)) if now.base.feeds else (Fraction(1), quote / base)
    return chainlink_price(now.scale_factor, _moved(now.base, base), _moved(now.quote, quote))


def _moved(side: Side, factor: Fraction) -> list[int]:
    prices = [answer.price for _, answer in side.feeds]
    return [round(prices[0] * factor), *prices[1:]] if prices else []
