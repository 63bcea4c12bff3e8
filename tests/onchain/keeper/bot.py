"""The keeper at work: round after round, each of them one block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from tests.devnet.build import Devnet
from tests.devnet.chain import Tx
from tests.devnet.oracles.market import PERIOD

from .feeds import Reporter, reporters_of
from .fork import Block, equip
from .judge import Judge
from .lending import Choice, Lending, Standing
from .markets import lendings
from .pools import Pool, pools_of
from .prices import MarketPrices, Said, arbitrage, asked, spots
from .record import End, Header, Post, Record, Round, Uncovered, Unit
from .sales import Seller
from .settle import Rehearsal
from .windows import Windows

SAME = Fraction(1, 10**6)
"""An oracle whose answer changed by less within a round did not move: what a share of a vault is
worth grows by interest, and a cap by the clock. A tick, the least step of a mean, is 100 times it.
"""


@dataclass
class Keeper:
    """Plays one header on a chain, from the header's block on."""

    devnet: Devnet
    header: Header
    markets: Mapping[str, Lending]
    pools: Mapping[str, Pool]
    reporters: Sequence[Reporter]
    opening: Said | None = None
    started: dict[Reporter, Fraction] = field(default_factory=dict)

    @classmethod
    def of(cls, devnet: Devnet, header: Header) -> Keeper:
        """With means, at the header's block.

        Errors: `ValueError` where the chain is elsewhere, where no time passes, or so much that
        somebody would have to write the average of a pair anew.
        """
        chain, settings = devnet.chain, header.settings
        if settings.round_seconds < 2 or settings.round_seconds * settings.max_rounds > PERIOD:
            raise ValueError(f"rounds take 2 seconds or more, and all of them at most {PERIOD}")
        if (chain.head, chain.time) != (header.block, header.timestamp):
            raise ValueError(f"the chain is at block {chain.head}, not at {header.block}")
        named = {unit.deployment for unit in header.units}
        markets = {name: one for name, one in lendings(devnet).items() if name in named}
        pools = pools_of(devnet, header.venues)
        spenders = {pool.spender for pool in pools.values()}
        spenders |= {who for market in markets.values() for who in market.spenders}
        equip(chain, list(devnet.market.tokens.by_symbol.values()), sorted(spenders))
        return cls(devnet, header, markets, pools, reporters_of(devnet, header.feeds))

    def run(self) -> Record:
        """Until nobody is liquidated any more and no oracle moves."""
        rounds: list[Round] = []
        while len(rounds) < self.header.settings.max_rounds:
            done, moved = self.play(len(rounds))
            rounds.append(done)
            if not done.liquidations and not moved:
                break
        return Record(header=self.header, rounds=tuple(rounds), end=self._end())

    def play(self, number: int) -> tuple[Round, bool]:
        """One round, and whether it moved an oracle. Errors: `Reverted` where it went wrong."""
        header = self.header
        time = header.timestamp + (number + 1) * header.settings.round_seconds
        block = Block(self.devnet.chain, header.block + 1 + number, time)
        trading = block.copy()  # for trades only, which are all that pools see
        if number == 0:
            trading.add(self._shock(block, trading))
        opened = asked(self.pools, trading)
        self.opening = self.opening or opened
        prices = MarketPrices(header, self.pools, self.opening, opened)
        block.add([tx for market in self.markets.values() for tx in market.accrual()])
        before = self._oracles(block)
        judge = Judge(header.settings, self.pools, prices, trading.copy())
        steps = Rehearsal(block, self.markets, self._choices(block)).play(judge)
        spans = [block.add(step.txs) for step, _ in steps]
        seller = Seller(self.pools, header.assets, header.settings.slices)
        sales = seller.sell(block, [one for _, one in steps], trading)
        closed = asked(self.pools, trading)
        posts = self._post(block, MarketPrices(header, self.pools, self.opening, closed))
        outcomes = block.mine()
        moved = _moved(before, self._oracles(self._next()))
        settled = [
            (step, self.markets[step.choice.deployment], outcomes[span])
            for (step, _), span in zip(steps, spans, strict=True)
        ]
        return Round(
            timestamp=time,
            block=block.number,
            liquidations=tuple(step.record(market, out) for step, market, out in settled),
            bad_debt=tuple(b for step, market, out in settled for b in step.bad_debt(market, out)),
            sales=tuple(sale.record(outcomes, prices) for sale in sales),
            posts=posts,
            spots=spots(self.pools, closed),
        ), moved

    def _shock(self, block: Block, trading: Block) -> list[Tx]:
        """The start: feeds answer the shock, to the nearest, and pools are taken where it says."""
        for reporter in self.reporters:
            self.started[reporter] = reporter.answer(block) * reporter.feed.move
            if reporter.feed.move != 1:
                answer = round(self.started[reporter])
                block.add(reporter.post(block, answer, block.time - 1))
        trades = arbitrage(self.header, self.pools, asked(self.pools, trading))
        block.add(trades)
        Windows.of(self.devnet).pass_over(block)
        return trades

    def _choices(self, block: Block) -> list[Choice]:
        """Everybody who can be liquidated now, in the order of the header's units."""
        due = [unit for unit, at in self._standings(block).items() if at.liquidatable]
        found: dict[Unit, Choice] = {}
        for name, market in self.markets.items():
            units = [one.unit for one in due if one.deployment == name]
            for choice in market.choices(block, units):
                found[Unit(deployment=name, unit=choice.unit)] = choice
        return [found[unit] for unit in due if unit in found]

    def _post(self, block: Block, prices: MarketPrices) -> tuple[Post, ...]:
        """New answers of the feeds that are off, after everything was sold."""
        posts = []
        for reporter in self.reporters:
            asset = reporter.feed.asset
            if asset is None:
                continue
            deviation = self.header.settings.feed_deviation
            price = self.started[reporter] * prices.moved(asset)
            answer = reporter.due(reporter.answer(block), price, deviation)
            if answer is not None:
                block.add(reporter.post(block, answer, block.time))
                posts.append(Post(feed=reporter.feed.address, answer_raw=answer))
        return tuple(posts)

    def _oracles(self, block: Block) -> list[int]:
        """What all oracles of all markets say."""
        return [price for market in self.markets.values() for price in market.prices(block)]

    def _head(self) -> Block:
        """Nothing more, at the time of the head."""
        chain = self.devnet.chain
        return Block(chain, chain.head, chain.time)

    def _next(self) -> Block:
        """The next round, before anything happens in it."""
        chain = self.devnet.chain
        return Block(chain, chain.head + 1, chain.time + self.header.settings.round_seconds)

    def _end(self) -> End:
        """Where everybody stands at the head, in the order of the header's units."""
        head, found = self._head(), self._standings(self._head())
        return End(
            liquidatable=tuple(unit for unit, at in found.items() if at.liquidatable),
            uncovered=tuple(
                Uncovered(deployment=one.deployment, unit=one.unit, asset=asset, debt_raw=amount)
                for one, at in found.items()
                if at.uncovered
                for asset, amount in self.markets[one.deployment].debts(head, one.unit)
            ),
        )

    def _standings(self, block: Block) -> dict[Unit, Standing]:
        """Of all units, in the order of the header."""
        found: dict[Unit, Standing] = {}
        for name, market in self.markets.items():
            units = [one for one in self.header.units if one.deployment == name]
            standings = market.standings(block, [one.unit for one in units])
            found.update(zip(units, standings, strict=True))
        return {unit: found[unit] for unit in self.header.units}


def _moved(before: Sequence[int], after: Sequence[int]) -> bool:
    return any(abs(new - old) > SAME * old for old, new in zip(before, after, strict=True))
