"""What the markets say about accounts right now, read in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..abi import view_data, words
from ..chain import Chain
from ..life import Call
from .market import Perp, Synthetix
from .system import UNIT

SIGN = 2**255
PER_POSITION = (
    *("positions(address)", "remainingMargin(address)", "profitLoss(address)"),
    *("accruedFunding(address)", "liquidationPrice(address)", "canLiquidate(address)"),
    *("liquidationFee(address)", "isFlagged(address)", "delayedOrders(address)"),
)
PER_MARKET = (
    *("assetPrice()", "marketSize()", "marketSkew()", "marketDebt()", "currentFundingRate()"),
    *("currentFundingVelocity()", "unrecordedFunding()", "fundingSequenceLength()"),
    *("fundingLastRecomputed()", "fundingRateLastRecomputed()"),
)


@dataclass(frozen=True)
class Position:
    """One account in one market; amounts in wei, the price in dollars."""

    account: str
    perp: Perp
    size: int
    margin: int
    remaining: int
    price: float
    rate: int
    flagged: bool
    order: int

    @property
    def leverage(self) -> float:
        """Notional over what the margin is worth now."""
        return abs(self.size) * self.price / max(1, self.remaining)


def signed(word: int) -> int:
    """A word as a number that may be negative."""
    return word - 2 * SIGN if word >= SIGN else word


def read_positions(chain: Chain, perps: Sequence[Perp], accounts: Sequence[str]) -> list[Position]:
    """Everybody in every market."""
    views = ("positions(address)", "remainingMargin(address)", "isFlagged(address)")
    calls: list[Call] = []
    for perp in perps:
        calls += [(perp.market, view_data(v)) for v in ("assetPrice()", "currentFundingRate()")]
        for account in accounts:
            calls += [(perp.market, view_data(view, account)) for view in views]
            calls.append((perp.market, view_data("delayedOrders(address)", account)))
    answers = iter([words(answer) if answer else [0] * 9 for answer in chain.calls(calls)])
    found = []
    for perp in perps:
        price, rate = next(answers)[0] / UNIT, signed(next(answers)[0])
        for account in accounts:
            stored, remaining, flagged, order = (next(answers) for _ in range(4))
            size, margin = signed(stored[4]), stored[2]
            found.append(
                Position(
                    *(account, perp, size, margin, remaining[0], price, rate),
                    *(bool(flagged[0]), signed(order[1])),
                )
            )
    return found


def liquidatable(chain: Chain, positions: Sequence[Position]) -> list[Position]:
    """Those that a keeper may flag."""
    calls = [
        (one.perp.market, view_data("canLiquidate(address)", one.account)) for one in positions
    ]
    said = zip(positions, chain.calls(calls), strict=True)
    return [one for one, answer in said if answer and words(answer)[0]]


def questions(chain: Chain, synthetix: Synthetix, accounts: Sequence[str]) -> list[Call]:
    """All views of all markets, the head of their funding sequences included."""
    calls: list[Call] = []
    for perp in synthetix.perps.values():
        calls += [(perp.market, view_data(view)) for view in PER_MARKET]
        length = words(chain.call(perp.market, "fundingSequenceLength()"))[0]
        calls.append((perp.market, view_data("fundingSequence(uint256)", length - 1)))
        for account in accounts:
            calls += [(perp.market, view_data(view, account)) for view in PER_POSITION]
    return calls
