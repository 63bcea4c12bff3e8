"""Liquidations of Compound v2, by what the comptroller and the cTokens say. Most failures are
silent: that something happened is told by its event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_hash.auto import keccak

from tests.devnet.chain import Tx
from tests.devnet.compound_v2.market import MANTISSA, Compound

from .fork import KEEPER, Block, Log, Outcome, moved, view
from .lending import Choice, Lending, Standing, most_valuable

SEIZE = "liquidateCalculateSeizeTokens(address,address,uint256)"
LIQUIDATED = "0x" + keccak(b"LiquidateBorrow(address,address,uint256,address,uint256)").hex()
RESERVES_ADDED = "0x" + keccak(b"ReservesAdded(address,uint256,uint256)").hex()
REDEEMED = "0x" + keccak(b"Redeem(address,uint256,uint256)").hex()
PARTS = 16  # in which an interval is searched
SHORTFALL = 2  # word of getAccountLiquidity
CTOKENS, OWED, RATE = 1, 2, 3  # words of getAccountSnapshot


@dataclass(frozen=True)
class Held:
    """One account in one market; `worth` is the oracle's price."""

    ctoken: str
    ctokens: int
    owed: int
    rate: int
    worth: int
    entered: bool
    counted: bool

    @property
    def collateral(self) -> int:
        """What its pledged cTokens are worth, times the scale of exchange rates."""
        return self.ctokens * self.rate * self.worth if self.entered else 0


@dataclass(frozen=True)
class CompoundV2(Lending):
    """A comptroller with its cTokens."""

    compound: Compound

    @property
    def spenders(self) -> Sequence[str]:
        """See `Lending`."""
        return self._ctokens

    @property
    def _ctokens(self) -> list[str]:
        return [one.ctoken.lower() for one in self.compound.ctokens.values()]

    @property
    def _underlying(self) -> dict[str, str]:
        ctokens = self.compound.ctokens.values()
        return {one.ctoken.lower(): one.underlying.lower() for one in ctokens}

    def accrual(self) -> list[Tx]:
        """Of every cToken."""
        return [Tx(KEEPER, ctoken, "accrueInterest()") for ctoken in self._ctokens]

    def standings(self, block: Block, units: Sequence[str]) -> list[Standing]:
        """See `Lending`. Where the comptroller states an error, nobody can be liquidated."""
        question = "getAccountLiquidity(address)"
        said = block.asked([view(self.compound.comptroller, question, unit) for unit in units])
        standings = []
        for outcome, held in zip(said, self._held(block, units), strict=True):
            error, _, shortfall = outcome.words
            owed = sum(one.owed * one.worth * MANTISSA for one in held)
            pledged = sum(one.collateral for one in held)
            standings.append(Standing(error == 0 and shortfall > 0, owed > pledged))
        return standings

    def debts(self, block: Block, unit: str) -> list[tuple[str, int]]:
        """See `Lending`."""
        (held,) = self._held(block, [unit])
        return [(self._underlying[one.ctoken], one.owed) for one in held if one.owed]

    def choices(self, block: Block, units: Sequence[str]) -> list[Choice]:
        """See `Lending`."""
        (said,) = block.asked([view(self.compound.comptroller, "closeFactorMantissa()")])
        found = [
            self._choice(block, unit, held, said.word)
            for unit, held in zip(units, self._held(block, units), strict=True)
        ]
        return [choice for choice in found if choice]

    def prices(self, block: Block) -> list[int]:
        """See `Lending`."""
        question = "getUnderlyingPrice(address)"
        oracle = self.compound.oracle
        return [one.word for one in block.asked([view(oracle, question, c) for c in self._ctokens])]

    def liquidated(self, outcome: Outcome) -> bool:
        """See `Lending`."""
        return outcome.ok and any(log.topics[0] in (LIQUIDATED, REDEEMED) for log in outcome.logs)

    def afterwards(self, choice: Choice, logs: Sequence[Log]) -> list[Tx]:
        """The seized cTokens are redeemed."""
        ctoken = self._ctoken(choice.collateral)
        return [Tx(KEEPER, ctoken, "redeem(uint256)", (moved(logs, ctoken, None, KEEPER),))]

    def fee(self, choice: Choice, logs: Sequence[Log]) -> int:
        """What seizing added to the reserves."""
        added = [log for log in logs if log.topics[0] == RESERVES_ADDED]
        return sum(int(log.data[66:130], 16) for log in added)

    def _ctoken(self, underlying: str) -> str:
        return next(c for c, token in self._underlying.items() if token == underlying)

    def _held(self, block: Block, units: Sequence[str]) -> list[list[Held]]:
        comptroller, ctokens = self.compound.comptroller, self._ctokens
        factors = [
            one.words[1]
            for one in block.asked([view(comptroller, "markets(address)", c) for c in ctokens])
        ]
        prices = self.prices(block)
        entered = block.asked([view(comptroller, "getAssetsIn(address)", unit) for unit in units])
        snapshots = block.asked(
            [view(c, "getAccountSnapshot(address)", unit) for unit in units for c in ctokens]
        )
        return [
            [
                Held(
                    ctoken=ctoken,
                    ctokens=snapshot.words[CTOKENS],
                    owed=snapshot.words[OWED],
                    rate=snapshot.words[RATE],
                    worth=price,
                    entered=int(ctoken, 16) in into.words[2:],
                    counted=factor > 0,
                )
                for ctoken, price, factor, snapshot in zip(
                    ctokens,
                    prices,
                    factors,
                    snapshots[at * len(ctokens) : (at + 1) * len(ctokens)],
                    strict=True,
                )
            ]
            for at, into in enumerate(entered)
        ]

    def _choice(self, block: Block, unit: str, held: list[Held], close: int) -> Choice | None:
        debt = most_valuable([(one.ctoken, one.owed * one.worth) for one in held])
        collateral = most_valuable([(one.ctoken, one.collateral) for one in held if one.counted])
        if debt is None or collateral is None:
            return None
        by_ctoken = {one.ctoken: one for one in held}
        most = by_ctoken[debt].owed * close // MANTISSA
        amount = self._paid_for(block, debt, collateral, most, by_ctoken[collateral].ctokens)
        way = Tx(
            KEEPER, debt, "liquidateBorrow(address,uint256,address)", (unit, amount, collateral)
        )
        tokens = self._underlying
        return Choice(self.name, unit, tokens[collateral], tokens[debt], (way,))

    def _paid_for(self, block: Block, debt: str, collateral: str, most: int, ctokens: int) -> int:
        """The largest amount up to `most` for which no more than `ctokens` are seized."""

        least, behind, step = 0, most, most
        while step:
            amounts = range(least + step, behind + 1, step)
            comptroller = self.compound.comptroller
            asked = [view(comptroller, SEIZE, debt, collateral, amount) for amount in amounts]
            least += step * sum(one.words[1] <= ctokens for one in block.asked(asked))
            behind = min(behind, least + step)
            step = 0 if step == 1 else max(1, step // PARTS)
        return least
