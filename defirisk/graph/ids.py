"""Ids of nodes, which stay the same from block to block, and the labels of what has no name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from defirisk.core.book import Book, MarketFacts
from defirisk.core.evm import ZERO_ADDRESS, Address

_DIGITS = 16


def protocol(name: str) -> str:
    """Of a deployment, by its name."""
    return f"protocol:{name}"


def market(book: Book, facts: MarketFacts) -> str:
    """One asset in one market. Where all assets of a deployment are one market, it is not named."""
    return f"market:{'/'.join([*_place(book, facts), book.assets[facts.asset].address])}"


def market_label(book: Book, facts: MarketFacts) -> str:
    """Such as "USDC in WETH/USDC 86% 0xdaea7108"."""
    return f"{book.symbol(facts.asset)} in {_place(book, facts)[-1]}"


def _place(book: Book, facts: MarketFacts) -> list[str]:
    deployment = book.deployments[facts.deployment].name
    return [deployment] if facts.market == deployment else [deployment, facts.market]


def asset(address: Address) -> str:
    """Of a token."""
    return f"asset:{address}"


def oracle(address: Address) -> str:
    """Of a contract that a price comes from."""
    return f"oracle:{address}"


def venue(address: Address) -> str:
    """Of a pool."""
    return f"venue:{address}"


def vault(address: Address) -> str:
    """Of a vault, by its share."""
    return f"vault:{address}"


def owner(account: str) -> str:
    """Of an account that is a node of its own."""
    return f"owner:{account}"


def cluster(words: Iterable[str]) -> str:
    """Of owners who are alike, by what they have in common."""
    return f"owner:alike-{hashlib.sha256('|'.join(words).encode()).hexdigest()[:_DIGITS]}"


def source(book: Book, address: Address) -> str:
    """Of what a price comes from: a pool, a token whose rate is read, else an oracle."""
    if address in book.sources.venues:
        return venue(address)
    return asset(address) if address in book.sources.claims else oracle(address)


def short(address: str) -> str:
    """0x8787…A4E2; what is no address stays as it is."""
    is_address = len(address) == len(ZERO_ADDRESS) and address.startswith("0x")
    return f"{address[:6]}…{address[-4:]}" if is_address else address
