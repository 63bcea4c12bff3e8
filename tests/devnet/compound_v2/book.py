"""What Compound says about the accounts right now, read in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..abi import view_data, words
from ..chain import Chain
from ..life import Call
from .market import MANTISSA, Compound


@dataclass(frozen=True)
class Holding:
    """One account in one market: cTokens, what they are worth in the underlying, and the debt."""

    ctokens: int
    supplied: int
    owed: int
    entered: bool


@dataclass(frozen=True)
class Position:
    """An account as the comptroller sees it; both sides in dollars."""

    account: str
    liquidity: float
    shortfall: float
    holdings: dict[str, Holding]

    def supplied(self) -> list[str]:
        """Symbols it has supplied."""
        return [symbol for symbol, holding in self.holdings.items() if holding.ctokens]

    def owed(self) -> list[str]:
        """Symbols it has borrowed."""
        return [symbol for symbol, holding in self.holdings.items() if holding.owed]


def read_positions(chain: Chain, compound: Compound, accounts: Sequence[str]) -> list[Position]:
    """Full positions of some accounts."""
    ctokens = compound.ctokens
    calls: list[Call] = []
    for account in accounts:
        calls.append(liquidity_question(compound, account))
        calls.append((compound.comptroller, view_data("getAssetsIn(address)", account)))
        calls += [snapshot_question(one.ctoken, account) for one in ctokens.values()]
    answers = [words(answer or "0x") for answer in chain.calls(calls)]
    width = 2 + len(ctokens)
    return [
        _position(compound, account, answers[place * width : (place + 1) * width])
        for place, account in enumerate(accounts)
    ]


def read_shortfalls(chain: Chain, compound: Compound, accounts: Sequence[str]) -> list[str]:
    """Those of some accounts that have a shortfall."""
    answers = chain.calls([liquidity_question(compound, one) for one in accounts])
    said = zip(accounts, answers, strict=True)
    return [account for account, answer in said if answer is not None and words(answer)[2]]


def liquidity_question(compound: Compound, account: str) -> Call:
    """Error code, liquidity and shortfall."""
    return (compound.comptroller, view_data("getAccountLiquidity(address)", account))


def snapshot_question(ctoken: str, account: str) -> Call:
    """Error code, cTokens, debt as it was booked last, and the exchange rate."""
    return (ctoken, view_data("getAccountSnapshot(address)", account))


def _position(compound: Compound, account: str, answers: list[list[int]]) -> Position:
    totals, entered, *snapshots = answers
    return Position(
        account=account,
        liquidity=totals[1] / MANTISSA,
        shortfall=totals[2] / MANTISSA,
        holdings={
            symbol: Holding(
                ctokens=ctokens,
                supplied=ctokens * rate // MANTISSA,
                owed=owed,
                entered=int(one.ctoken, 16) in entered[2:],
            )
            for (symbol, one), (_, ctokens, owed, rate) in zip(
                compound.ctokens.items(), snapshots, strict=True
            )
        },
    )
