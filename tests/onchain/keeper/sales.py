"""Step 4: what was seized is sold for what was repaid, in slices, through the real pools."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .fork import KEEPER, Block, Outcome, moved
from .pools import Pool
from .record import Asset, Liquidation, Sale
from .routes import Offer, best_offers
from .routes import Sale as Wish

MarketValue = Callable[[str, str, int], int]
"""What an amount of one token is worth in another at market prices, rounded down."""


@dataclass(frozen=True)
class Seller:
    """Plans the sales of a round."""

    pools: Mapping[str, Pool]
    assets: Sequence[Asset]
    slices: int

    def sell(self, block: Block, seized: Sequence[Liquidation], quoting: Block) -> list[Planned]:
        """Adds the swaps to `block`. `quoting` is the same block with nothing in it but trades,
        which is all that pools see; it gets them, too.
        """
        planned: list[Planned] = []
        for sold, bought in self._pairs(seized):
            total = sum(
                one.seized_raw for one in seized if (one.collateral, one.debt) == (sold, bought)
            )
            for amount in sliced(total, self.slices):
                wish = Wish(sold, bought, amount)
                (offer,) = best_offers(self.pools, [wish], quoting.asked)
                swaps = offer.swaps() if offer else []
                quoting.add(swaps)
                planned.append(Planned(wish, offer, block.add(swaps)))
        return planned

    def _pairs(self, seized: Sequence[Liquidation]) -> list[tuple[str, str]]:
        place = {asset.address: at for at, asset in enumerate(self.assets)}
        pairs = {(one.collateral, one.debt) for one in seized if one.collateral != one.debt}
        return sorted(pairs, key=lambda pair: (place[pair[0]], place[pair[1]]))


@dataclass(frozen=True)
class Planned:
    """A slice, how it is sold, and where in the block; no offer: elsewhere."""

    wish: Wish
    offer: Offer | None
    span: slice

    def record(self, outcomes: Sequence[Outcome], prices: MarketValue) -> Sale:
        """What became of it."""
        wish, offer = self.wish, self.offer
        if offer is None:
            received = prices(wish.sold, wish.bought, wish.amount)
        else:
            received = moved(outcomes[self.span][-1].logs, wish.bought, None, KEEPER)
        return Sale(
            sold=wish.sold,
            bought=wish.bought,
            route=offer.venues if offer else (),
            sold_raw=wish.amount,
            received_raw=received,
        )


def sliced(total: int, slices: int) -> list[int]:
    """Equal parts, the last with what the division leaves; none that is empty."""
    part = total // slices
    return [one for one in [part] * (slices - 1) + [total - part * (slices - 1)] if one]
