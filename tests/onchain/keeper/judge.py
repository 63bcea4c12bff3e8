"""Whether a liquidation pays: by the pools as they are when the round begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from .fork import Block
from .pools import Pool
from .prices import MarketPrices
from .record import Liquidation, Settings
from .routes import Offer, Sale, best_offers


@dataclass(frozen=True)
class Judge:
    """The same question for everybody, and what all keepers together can repay."""

    settings: Settings
    pools: Mapping[str, Pool]
    prices: MarketPrices
    trading: Block

    def __call__(self, found: Sequence[Liquidation]) -> list[bool]:
        """For each one in order, whether it is done."""
        spent, verdicts = Fraction(0), []
        for one, received in zip(found, self._received(found), strict=True):
            cost = one.repaid_raw * self.prices.known(one.debt) / self.prices.unit(one.debt)
            gas = self.prices.amount(one.debt, self.settings.gas_usd)
            limit = self.settings.keeper_capacity_usd
            good = received >= one.repaid_raw + gas and (limit is None or spent + cost <= limit)
            spent += cost if good else 0
            verdicts.append(good)
        return verdicts

    def _received(self, found: Sequence[Liquidation]) -> list[int]:
        """What the collateral of each alone would bring, in its debt."""
        sales = [Sale(one.collateral, one.debt, one.seized_raw) for one in found]
        apart = [sale for sale in sales if sale.sold != sale.bought]
        offers = dict(zip(apart, best_offers(self.pools, apart, self.trading.asked), strict=True))
        return [self._brings(sale, offers) for sale in sales]

    def _brings(self, sale: Sale, offers: Mapping[Sale, Offer | None]) -> int:
        if sale.sold == sale.bought:
            return sale.amount
        offer = offers[sale]
        if offer is not None:
            return offer.received
        if not self.settings.unknown_depth:
            return 0
        return self.prices(sale.sold, sale.bought, sale.amount)
