"""The engine's prediction of a scenario, written down as the keeper writes what happened."""

from __future__ import annotations

from fractions import Fraction

from defirisk.contagion.cascade.play import Cascade, assumed
from defirisk.contagion.cascade.pools import spot
from defirisk.contagion.cascade.rounds import one_round
from defirisk.contagion.cascade.settings import Settings as Assumptions
from defirisk.contagion.cascade.settle import balance, margin
from defirisk.contagion.cascade.state import LIQUIDATION, LOSS, SALE, State
from defirisk.contagion.cascade.units import DEBT
from defirisk.core.book import Floats
from defirisk.core.scenario import Scenario

from .header import header_of
from .record import (
    BadDebt,
    Branch,
    End,
    Header,
    Liquidation,
    Post,
    Record,
    Round,
    Sale,
    Settings,
    Spot,
    Uncovered,
    Unit,
)

TRACED = 100_000


class Prediction:
    """Plays one scenario round by round, with the kernels as plain Python."""

    def __init__(self, cascade: Cascade, scene: Scenario, settings: Settings) -> None:
        self.cascade, self.settings = cascade, settings
        assumptions = Assumptions(
            round_seconds=settings.round_seconds,
            gas_usd=float(settings.gas_usd),
            keeper_capacity_usd=_limit(settings.keeper_capacity_usd),
            slices=settings.slices,
            unknown_depth=settings.unknown_depth,
            feed_deviation=float(settings.feed_deviation),
            max_rounds=settings.max_rounds,
        )
        self.assumed = assumed(assumptions, scene)
        self.state: State = cascade.opening(scene, assumptions, TRACED)
        self.header: Header = header_of(cascade.book, scene, settings, self._tree())

    def record(self) -> Record:
        """All rounds."""
        rounds: list[Round] = []
        quiet = False
        while not quiet and len(rounds) < self.settings.max_rounds:
            number = len(rounds)
            before = self._feeds()
            quiet = one_round(self.cascade.facts, self.state, self.assumed, number, False)
            rounds.append(self._round(number, before))
        return Record(header=self.header, rounds=tuple(rounds), end=self._end())

    def _tree(self) -> list[Branch]:
        """The engine's tree; claims follow by their own programs: they hang on what they follow."""
        book, tree = self.cascade.book, self.cascade.facts.oracles.tree
        edges = zip(tree.asset, tree.parent, tree.venue, strict=True)
        found = {
            int(asset): Branch(
                asset=book.assets[asset].address,
                parent=book.assets[parent].address,
                venue=self.cascade.pools.venues[venue].address,
            )
            for asset, parent, venue in edges
        }
        for place, asset in enumerate(book.assets):
            if asset.program is not None:
                found.pop(place, None)
                if asset.follows is not None:
                    parent = book.assets[asset.follows].address
                    found[place] = Branch(asset=asset.address, parent=parent, venue=None)
        return list(found.values())

    def _round(self, number: int, before: Floats) -> Round:
        header, seconds = self.header, self.settings.round_seconds
        rows = self.state.trace[: int(self.state.traced[0])]
        rows = rows[rows[:, 0] == number]
        return Round(
            timestamp=header.timestamp + (number + 1) * seconds,
            block=header.block + number + 1,
            liquidations=tuple(self._liquidation(row) for row in rows[rows[:, 1] == LIQUIDATION]),
            bad_debt=tuple(self._bad_debt(row) for row in rows[rows[:, 1] == LOSS]),
            sales=tuple(self._sale(row) for row in rows[rows[:, 1] == SALE]),
            posts=self._posts(before),
            spots=self._spots(),
        )

    def _unit(self, unit: int) -> Unit:
        return self.header.units[int(self.cascade.facts.units.place[unit])]

    def _asset(self, row: int) -> str:
        units = self.cascade.facts.units
        return self.cascade.book.assets[int(units.asset[units.quote[row]])].address

    def _liquidation(self, row: Floats) -> Liquidation:
        unit = self._unit(int(row[2]))
        return Liquidation(
            deployment=unit.deployment,
            unit=unit.unit,
            collateral=self._asset(int(row[4])),
            debt=self._asset(int(row[3])),
            repaid_raw=int(row[5]),
            seized_raw=int(row[6]),
            fee_raw=int(row[7]),
        )

    def _bad_debt(self, row: Floats) -> BadDebt:
        unit = self._unit(int(row[2]))
        return BadDebt(
            deployment=unit.deployment,
            unit=unit.unit,
            asset=self._asset(int(row[3])),
            amount_raw=int(row[5]),
        )

    def _sale(self, row: Floats) -> Sale:
        assets = self.cascade.book.assets
        return Sale(
            sold=assets[int(row[3])].address,
            bought=assets[int(row[4])].address,
            route=(),
            sold_raw=int(row[5]),
            received_raw=int(row[6]),
        )

    def _feeds(self) -> Floats:
        first = self.cascade.facts.oracles.blocks.feeds
        count = len(self.cascade.sources.feeds)
        return self.state.told.leaves[first : first + count].copy()

    def _posts(self, before: Floats) -> tuple[Post, ...]:
        scales = self.cascade.facts.oracles.feed_scale
        after = self._feeds()
        return tuple(
            Post(feed=feed.address, answer_raw=round(after[f] * scales[f]))
            for f, feed in enumerate(self.cascade.sources.feeds)
            if after[f] != before[f]
        )

    def _spots(self) -> tuple[Spot, ...]:
        table = self.cascade.pools
        return tuple(
            Spot(
                venue=venue.address,
                base=venue.tokens[0],
                quote=other,
                price=spot(table.pools, self.state.pools, v, 0, place),
            )
            for v, venue in enumerate(table.venues)
            for place, other in enumerate(venue.tokens)
            if place and venue.kind != "depth"
        )

    def _end(self) -> End:
        units, state = self.cascade.facts.units, self.state
        worth = state.quote / units.scale
        due, uncovered = [], []
        for u in range(len(units.place)):
            unit, rows = self._unit(u), range(units.first[u], units.first[u + 1])
            backing, owed = margin(units, state.amount, worth, u)
            if backing < owed:
                due.append(unit)
            pledged = sum(
                state.amount[h] * worth[units.quote[h]] for h in rows if units.side[h] != DEBT
            )
            if owed > pledged:
                uncovered += [self._uncovered(unit, u, h) for h in rows if units.side[h] == DEBT]
        left = tuple(one for one in uncovered if one.debt_raw)
        return End(liquidatable=tuple(due), uncovered=left)

    def _uncovered(self, unit: Unit, u: int, row: int) -> Uncovered:
        state = self.state
        return Uncovered(
            deployment=unit.deployment,
            unit=unit.unit,
            asset=self._asset(row),
            debt_raw=int(balance(self.cascade.facts.units, state.amount, state.rate, u, row)),
        )


def _limit(dollars: Fraction | None) -> float:
    return float("inf") if dollars is None else float(dollars)
