"""One scenario's rounds over the tables of `plain_cascade`."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

import numpy as np
import numpy.typing as npt

from benchmarks.plain_cascade import NumpyTables, Totals, whole
from defirisk.contagion.cascade.settings import Settings
from defirisk.core.book import Floats, Ints
from defirisk.core.evaluation import SAME
from defirisk.core.scenario import Scenario, market_prices

Bools = npt.NDArray[np.bool_]
HELD = 1e-9
"""A feed whose factor is off its asset's by more than this was moved by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plans:
    """What keepers could do in a round: units, rows of debt and collateral, base units."""

    unit: Ints
    debt: Ints
    pledge: Ints
    repaid: Floats
    seized: Floats
    fee: Floats

    def only(self, which: Bools | Ints) -> _Plans:
        return _Plans(
            unit=self.unit[which],
            debt=self.debt[which],
            pledge=self.pledge[which],
            repaid=self.repaid[which],
            seized=self.seized[which],
            fee=self.fee[which],
        )


class NumpyRounds:
    """The state of one scenario."""

    def __init__(self, tables: NumpyTables, scenario: Scenario, settings: Settings) -> None:
        t = self.t = tables
        self.settings = settings
        moves, book = scenario.moves, tables.book
        self.market = market_prices(book, [scenario])[:, 0]
        self.opening_market = self.market.copy()
        turn = self.market / book.asset_price
        depth = np.ones(len(book.assets))
        for a, factor in moves.depth.items():
            depth[a] = float(factor)
        self.own, self.usd = t.pools.opened(turn / turn[t.pools.dollar], depth)
        self.opening_own, self.opening_usd = self.own.copy(), self.usd.copy()
        shock = np.array([float(moves.feeds.get(one, 1)) for one in t.oracles.feeds])
        self.feeds = t.oracles.value * shock
        self.opening_feeds = self.feeds.copy()
        here = turn[t.oracles.asset]
        off = np.abs(shock - here) > HELD * np.maximum(np.abs(shock), np.abs(here))
        self.posts = (t.oracles.asset >= 0) & ~off
        self.amount, self.cash = t.amount.copy(), t.cash.copy()
        self.seen = np.zeros(len(t.place), dtype=np.bool_)
        self.seized = np.zeros(len(book.assets) ** 2)
        self.done = Totals(len(book.deployments), len(book.assets))

    def play(self) -> Totals:
        """All rounds."""
        done = self.done
        done.path.append(self.market.copy())
        while done.rounds < self.settings.max_rounds:
            done.rounds += 1
            count = self._settle()
            self._sell()
            moved = self._prices()
            self._recover()
            done.path.append(self.market.copy())
            if count == 0 and not moved:
                break
        self._uncovered()
        return done

    def _settle(self) -> int:
        t = self.t
        self.worth = t.oracles.said(self.feeds) / t.scale
        value = self.amount * self.worth[t.quote]
        margin = np.add.reduceat(value * t.weight, t.first) if len(value) else np.empty(0)
        falling = margin < 0
        new = falling & ~self.seen
        self.seen |= falling
        self.done.accounts += np.bincount(t.deployment[new], minlength=len(self.done.accounts))
        units = np.flatnonzero(falling)
        if len(units) == 0:
            return 0
        plans = self._affordable(self._profitable(self._plans(units, value)))
        self._book(plans)
        return len(plans.unit)

    def _plans(self, units: Ints, value: Floats) -> _Plans:
        """Steps 2 and 3 up to what the protocol allows."""
        t = self.t
        column = np.arange(int(t.count[units].max()))
        there = column[None, :] < t.count[units, None]
        rows = np.where(there, t.first[units, None] + column[None, :], 0)
        worth, is_debt = np.where(there, value[rows], 0.0), t.is_debt[rows]
        owed = np.where(is_debt, worth, 0.0)
        pledged = np.where(is_debt, 0.0, worth)
        counted = np.where(t.threshold[rows] > 0, pledged, 0.0)
        one = np.arange(len(units))
        first, second = owed.argmax(axis=1), counted.argmax(axis=1)
        fit = (owed[one, first] > 0) & (counted[one, second] > 0)
        total = owed.sum(axis=1)
        backing = (pledged * t.threshold[rows]).sum(axis=1)
        debt, pledge = rows[one, first], rows[one, second]
        units, debt, pledge = units[fit], debt[fit], pledge[fit]
        repaid, seized = self._allowed(units, debt, pledge, total[fit], backing[fit])
        part = t.fee[t.quote[pledge]]
        bonus = t.bonus[pledge]
        of_bonus = np.floor((seized - np.floor(seized / bonus + 0.5)) * part + 0.5)
        fee = np.where(t.by_health[units], of_bonus, np.floor(seized * part))
        plans = _Plans(unit=units, debt=debt, pledge=pledge, repaid=repaid, seized=seized, fee=fee)
        return plans.only((repaid > 0) & (seized > fee))

    def _allowed(
        self, u: Ints, debt: Ints, pledge: Ints, total: Floats, backing: Floats
    ) -> tuple[Floats, Floats]:
        t = self.t
        quote, other = t.quote[debt], t.quote[pledge]
        owed = whole(self.amount[debt] * t.rate[quote], t.cut_debt[u])
        pledged = whole(self.amount[pledge] * t.rate[other], t.cut_pledge[u])
        price, pays = self.worth[quote] / t.rate[quote], self.worth[other] / t.rate[other]
        small = (owed * price < t.full_below[u]) | (pledged * pays < t.full_below[u])
        full = small | (backing <= total * t.full_health[u])
        part = np.where(
            t.of_all[u],
            np.minimum(owed, np.floor(total * t.close[u] / price)),
            np.floor(owed * t.close[u] + 0.5),
        )
        repaid = np.where(t.by_health[u], np.where(full, owed, part), np.floor(owed * t.close[u]))
        bonus, exchange = t.bonus[pledge], price / pays
        seized = np.floor(repaid * exchange * bonus)
        short = seized > pledged
        repaid = np.where(short, np.ceil(pledged / exchange / bonus), repaid)
        seized = np.where(short, pledged, seized)
        # Where the protocol asks that something worth a while is left.
        least = t.leftover[u]
        leaves = (least > 0) & (repaid < owed) & (seized < pledged)
        little = leaves & ((owed - repaid) * price < least)
        repaid = np.where(little, owed - np.ceil(least / price), repaid)
        seized = np.where(little, np.floor(repaid * exchange * bonus), seized)
        little = leaves & ((pledged - seized) * pays < least)
        taken = np.floor((pledged - np.ceil(least / pays)) * (pays / price) / bonus)
        repaid = np.where(little, taken, repaid)
        seized = np.where(little, np.floor(repaid * exchange * bonus), seized)
        return repaid, seized

    def _profitable(self, plans: _Plans) -> _Plans:
        t, cut = self.t, self.settings
        a, b = t.asset[plans.debt], t.asset[plans.pledge]
        amount = plans.seized - plans.fee
        brings = t.pools.brings(self.own, self.usd, b, a, amount)
        if cut.unknown_depth:
            value = amount / t.asset_scale[b] * self.market[b]
            elsewhere = np.floor(value / self.market[a] * t.asset_scale[a])
            brings = np.where(brings > 0, brings, elsewhere)
        brings = np.where(a == b, amount, brings)
        gas = np.ceil(cut.gas_usd / self.market[a] * t.asset_scale[a])
        return plans.only(brings >= plans.repaid + gas)

    def _affordable(self, plans: _Plans) -> _Plans:
        """Those for whom keepers have the money and markets the cash; one by one if need be."""
        t, room = self.t, self.settings.keeper_capacity_usd
        a = t.asset[plans.debt]
        cost = plans.repaid / t.asset_scale[a] * self.market[a]
        net = plans.seized - plans.fee
        owing, paying = t.pocket[t.quote[plans.debt]], t.pocket[t.quote[plans.pledge]]
        paying = np.where(t.paying[t.quote[plans.pledge]], paying, -1)
        there = paying >= 0
        asked = np.bincount(paying[there], net[there], minlength=len(self.cash))
        if cost.sum() <= room and (asked <= self.cash).all():
            self.cash -= asked
            back = owing >= 0
            self.cash += np.bincount(owing[back], plans.repaid[back], minlength=len(self.cash))
            return plans
        taken = []
        for i, (k, c) in enumerate(zip(owing.tolist(), paying.tolist(), strict=True)):
            if (c >= 0 and self.cash[c] < net[i]) or cost[i] > room:
                continue
            room -= cost[i]
            if c >= 0:
                self.cash[c] -= net[i]
            if k >= 0:
                self.cash[k] += plans.repaid[i]
            taken.append(i)
        return plans.only(np.array(taken, dtype=np.int64))

    def _book(self, plans: _Plans) -> None:
        t, done = self.t, self.done
        for row, base, cut in (
            (plans.debt, plans.repaid, t.cut_debt),
            (plans.pledge, plans.seized, t.cut_pledge),
        ):
            rate, held = t.rate[t.quote[row]], self.amount[row]
            every = base >= whole(held * rate, cut[plans.unit])
            self.amount[row] -= np.where(every, held, np.minimum(held, base / rate))
        a, b, d = t.asset[plans.debt], t.asset[plans.pledge], t.deployment[plans.unit]
        cost = plans.repaid / t.asset_scale[a] * self.market[a]
        price = self.market[b] / t.asset_scale[b]
        value, fee = plans.seized * price, plans.fee * price
        count, size = len(done.debt), len(self.market)
        done.debt += np.bincount(d, cost, count)
        done.collateral += np.bincount(d, value, count)
        done.penalty += np.bincount(d, value - cost, count)
        done.fees += np.bincount(d, fee, count)
        done.asset_debt += np.bincount(a, cost, size)
        done.asset_collateral += np.bincount(b, value, size)
        done.liquidations += len(plans.unit)
        done.keepers -= float(cost.sum()) + self.settings.gas_usd * len(plans.unit)
        self.seized += np.bincount(b * size + a, plans.seized - plans.fee, size * size)
        self._write_off(plans.unit)

    def _write_off(self, units: Ints) -> None:
        """What is owed by those who have nothing left, where the protocol books that."""
        t, done = self.t, self.done
        counted = ~t.is_debt & (t.threshold > 0) & (self.amount > 0)
        pledging = np.zeros(len(t.place), dtype=np.bool_)
        pledging[t.unit[counted]] = True
        bare = np.zeros(len(t.place), dtype=np.bool_)
        bare[units] = t.books[units] & ~pledging[units]
        rows = np.flatnonzero(bare[t.unit] & t.is_debt & (self.amount > 0))
        left = whole(self.amount[rows] * t.rate[t.quote[rows]], t.cut_debt[t.unit[rows]])
        value = left / t.asset_scale[t.asset[rows]] * self.market[t.asset[rows]]
        self.amount[rows] = 0
        where = t.deployment[t.unit[rows]]
        done.written_off += np.bincount(where, value, len(done.written_off))
        done.asset_bad += np.bincount(t.asset[rows], value, len(self.market))

    def _sell(self) -> None:
        pairs = np.flatnonzero(self.seized > 0)
        size, slices, scale = len(self.market), self.settings.slices, self.t.asset_scale
        own, usd, market = self.own.tolist(), self.usd.tolist(), self.market.tolist()
        for pair in pairs.tolist():
            b, a = divmod(pair, size)
            amount, sold, brought = float(self.seized[pair]), 0.0, 0.0
            whole = floor(amount)
            part = whole // slices
            for number in range(slices if a != b else 0):
                offered = part if number < slices - 1 else whole - part * (slices - 1)
                paid = self.t.pools.sell(own, usd, b, a, float(offered))
                sold += offered if paid > 0 else 0.0
                brought += paid
            usual = market[b] / scale[b]
            self.done.in_pools[b] += sold * usual
            self.done.keepers += brought / scale[a] * market[a] + (amount - sold) * usual
        self.seized[pairs] = 0
        self.own, self.usd = np.array(own), np.array(usd)

    def _prices(self) -> bool:
        """Step 5 and 6; whether a feed posted."""
        t = self.t
        with np.errstate(invalid="ignore", divide="ignore"):
            moved = (self.usd / self.own) / (self.opening_usd / self.opening_own)
        factor = np.where(self.own > 0, moved, 1.0)
        self.market = self.opening_market * factor
        price = self.opening_feeds * factor[t.oracles.asset]
        post = self.posts & (price != self.feeds)
        post &= np.abs(price - self.feeds) >= self.settings.feed_deviation * self.feeds
        with np.errstate(invalid="ignore", divide="ignore"):
            cut = np.where(
                t.oracles.decimals > 0,
                np.floor(price * t.oracles.decimals) / t.oracles.decimals,
                price,
            )
        before = self.feeds
        self.feeds = np.where(post, cut, before)
        off = np.abs(self.feeds - before)
        return bool((off > SAME * np.maximum(np.abs(self.feeds), np.abs(before))).any())

    def _recover(self) -> None:
        part = self.settings.recovery
        self.own += part * (self.opening_own - self.own)
        self.usd += part * (self.opening_usd - self.usd)

    def _uncovered(self) -> None:
        t, done = self.t, self.done
        price = t.rate[t.quote] / t.asset_scale[t.asset] * self.market[t.asset]
        value = np.where(self.seen[t.unit], self.amount * price, 0.0)
        owed = np.bincount(t.unit[t.is_debt], value[t.is_debt], len(t.place))
        pledged = np.bincount(t.unit[~t.is_debt], value[~t.is_debt], len(t.place))
        left = np.maximum(owed - pledged, 0)
        done.uncovered += np.bincount(t.deployment, left, len(done.uncovered))
        share = np.divide(left, owed, out=np.zeros_like(left), where=owed > 0)
        part = value * share[t.unit]
        done.asset_bad += np.bincount(
            t.asset[t.is_debt], part[t.is_debt], minlength=len(self.market)
        )
