"""What the contracts say about the accounts right now, read in batches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .abi import view_data, words
from .chain import Chain
from .market import Market

HEALTHY = 10**18
DEBT, COLLATERAL_FLAG = 2, 8  # words of getUserReserveData
AVAILABLE, HEALTH = 2, 5  # words of getUserAccountData
BASE = 10**8


@dataclass(frozen=True)
class Holding:
    """One account in one reserve, in token units."""

    supplied: int
    owed: int
    collateral: bool


@dataclass(frozen=True)
class Position:
    """An account as the pool sees it."""

    account: str
    available: float  # dollars that it may still borrow
    health: int
    e_mode: int
    holdings: dict[str, Holding]

    def supplied(self) -> list[str]:
        """Symbols it has supplied."""
        return [symbol for symbol, holding in self.holdings.items() if holding.supplied]

    def owed(self) -> list[str]:
        """Symbols it has borrowed."""
        return [symbol for symbol, holding in self.holdings.items() if holding.owed]


def read_health(chain: Chain, market: Market, accounts: list[str]) -> dict[str, int]:
    """Health factor of every account, 1e18 being the limit."""
    signature = "getUserAccountData(address)"
    answers = chain.calls([(market.pool, view_data(signature, one)) for one in accounts])
    return {
        account: words(answer)[HEALTH]
        for account, answer in zip(accounts, answers, strict=True)
        if answer is not None
    }


def read_positions(chain: Chain, market: Market, accounts: Iterable[str]) -> list[Position]:
    """Full positions of some accounts."""
    calls: list[tuple[str, str]] = []
    names = list(accounts)
    for account in names:
        calls.append((market.pool, view_data("getUserAccountData(address)", account)))
        calls.append((market.pool, view_data("getUserEMode(address)", account)))
        calls += [
            (
                market.addresses["data_provider"],
                view_data("getUserReserveData(address,address)", asset.token, account),
            )
            for asset in market.assets.values()
        ]
    answers = [words(answer or "0x") for answer in chain.calls(calls)]
    width = 2 + len(market.assets)
    return [
        _position(account, list(market.assets), answers[number * width : (number + 1) * width])
        for number, account in enumerate(names)
    ]


def _position(account: str, symbols: list[str], answers: list[list[int]]) -> Position:
    totals, e_mode, *reserves = answers
    return Position(
        account=account,
        available=totals[AVAILABLE] / BASE,
        health=totals[HEALTH],
        e_mode=e_mode[0],
        holdings={
            symbol: Holding(answer[0], answer[DEBT], bool(answer[COLLATERAL_FLAG]))
            for symbol, answer in zip(symbols, reserves, strict=True)
        },
    )
