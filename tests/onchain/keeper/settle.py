"""Step 3: who is liquidated, rehearsed until every one of them works out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.devnet.chain import Tx

from .fork import KEEPER, Block, Log, Outcome, moved
from .lending import Choice, Lending
from .record import BadDebt, Liquidation

Judge = Callable[[Sequence[Liquidation]], list[bool]]
"""Whether each liquidation is one that a keeper does."""


@dataclass(frozen=True)
class Step:
    """One liquidation as it is to be sent."""

    choice: Choice
    txs: tuple[Tx, ...]

    def record(self, market: Lending, outcomes: Sequence[Outcome]) -> Liquidation:
        """What became of it."""
        choice, logs = self.choice, _all_logs(outcomes)
        return Liquidation(
            deployment=choice.deployment,
            unit=choice.unit,
            collateral=choice.collateral,
            debt=choice.debt,
            repaid_raw=moved(logs, choice.debt, KEEPER, None),
            seized_raw=moved(logs, choice.collateral, None, KEEPER),
            fee_raw=market.fee(choice, logs),
        )

    def bad_debt(self, market: Lending, outcomes: Sequence[Outcome]) -> list[BadDebt]:
        """What the protocol booked."""
        return [
            BadDebt(
                deployment=self.choice.deployment,
                unit=self.choice.unit,
                asset=asset,
                amount_raw=amount,
            )
            for asset, amount in market.bad_debt(_all_logs(outcomes))
        ]


@dataclass
class Rehearsal:
    """Puts the choices into a block in their order, and takes out what does not happen.

    A liquidation that is refused does nothing, so it may stay; one whose collateral cannot be paid
    out, or that does not pay, is left out, and the others are tried again without it.
    """

    block: Block
    markets: Mapping[str, Lending]
    choices: Sequence[Choice]
    ways: dict[Choice, tuple[Tx, ...]] = field(default_factory=dict)
    further: dict[Choice, list[Tx]] = field(default_factory=dict)
    refused: set[Choice] = field(default_factory=set)
    lessened: set[Choice] = field(default_factory=set)

    def play(self, judge: Judge) -> list[tuple[Step, Liquidation]]:
        """The liquidations that happen, and what will become of each."""
        self.ways = {choice: choice.ways for choice in self.choices}
        while True:
            found = self._round()
            if found is None:
                continue
            verdicts = judge([one for _, one in found])
            rejected = [
                step.choice for (step, _), good in zip(found, verdicts, strict=True) if not good
            ]
            if not rejected:
                return found
            self.refused.update(rejected)

    def _round(self) -> list[tuple[Step, Liquidation]] | None:
        """One rehearsal of everything; None where something has to be done otherwise."""
        going = [choice for choice in self.choices if choice not in self.refused]
        plans = [[*self.ways[choice], *self.further.get(choice, [])] for choice in going]
        said = iter(self.block.tried([tx for plan in plans for tx in plan]))
        found: list[tuple[Step, Liquidation]] = []
        settled = True
        for choice, plan in zip(going, plans, strict=True):
            outcomes = [next(said) for _ in plan]
            step = self._step(choice, plan, outcomes)
            if step is None:
                settled = False
                if choice in self.refused:
                    return None  # those after it saw what will not happen
            elif step.txs:
                kept = [out for tx, out in zip(plan, outcomes, strict=True) if tx in step.txs]
                found.append((step, step.record(self.markets[choice.deployment], kept)))
        return found if settled else None

    def _step(self, choice: Choice, plan: list[Tx], outcomes: list[Outcome]) -> Step | None:
        """What is to be sent, nothing where it is refused; None where it has to be tried anew."""
        market = self.markets[choice.deployment]
        count = len(self.ways[choice])
        worked = [at for at in range(count) if market.liquidated(outcomes[at])]
        if not worked:
            return self._otherwise(choice, outcomes)
        way = worked[0]
        further = market.afterwards(choice, outcomes[way].logs)
        if further != self.further.get(choice, []):
            self.further[choice] = further
            return None
        if not all(market.liquidated(outcome) for outcome in outcomes[count:]):
            self.refused.add(choice)
            return None
        return Step(choice, (plan[way], *further))

    def _otherwise(self, choice: Choice, outcomes: list[Outcome]) -> Step | None:
        if choice not in self.lessened:
            self.lessened.add(choice)
            market = self.markets[choice.deployment]
            other = market.lessened(self.block, choice, outcomes[0])
            if other:
                self.ways[choice] = other
                return None
        return Step(choice, ())


def _all_logs(outcomes: Sequence[Outcome]) -> list[Log]:
    return [log for outcome in outcomes for log in outcome.logs]
