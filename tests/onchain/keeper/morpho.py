"""Liquidations of Morpho Blue, by what the singleton and the markets' oracles say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_hash.auto import keccak

from tests.devnet.chain import Tx
from tests.devnet.morpho.book import PRICE_UNIT, VIRTUAL_ASSETS, VIRTUAL_SHARES, WAD
from tests.devnet.morpho.market import PARAMS, IsolatedMarket, Morpho

from .fork import KEEPER, Block, Log, view
from .lending import Choice, Lending, Standing

LIQUIDATE = f"liquidate({PARAMS},address,uint256,uint256,bytes)"
EVENT = b"Liquidate(bytes32,address,address,uint256,uint256,uint256,uint256,uint256)"
LIQUIDATED = "0x" + keccak(EVENT).hex()
BAD_DEBT = 3  # word of the event's data
BORROWED, BORROW_SHARES = 2, 3  # words of market
SHARES, PLEDGED = 1, 2  # words of position


@dataclass(frozen=True)
class Place:
    """One account in one market, as the singleton has it and as it values it."""

    unit: str
    market: IsolatedMarket
    shares: int
    pledged: int
    owed: int
    price: int | None

    @property
    def value(self) -> int:
        """Of the collateral, in the loan token."""
        return self.pledged * (self.price or 0) // PRICE_UNIT

    @property
    def healthy(self) -> bool:
        """As the contract decides it; without a price nobody can be liquidated."""
        return self.price is None or self.value * self.market.lltv // WAD >= self.owed


@dataclass(frozen=True)
class MorphoBlue(Lending):
    """All isolated markets; a unit is `account:market`."""

    morpho: Morpho

    @property
    def spenders(self) -> Sequence[str]:
        """See `Lending`."""
        return [self.morpho.address]

    def standings(self, block: Block, units: Sequence[str]) -> list[Standing]:
        """See `Lending`."""
        return [
            Standing(not place.healthy, place.price is not None and place.owed > place.value)
            for place in self._places(block, units)
        ]

    def debts(self, block: Block, unit: str) -> list[tuple[str, int]]:
        """See `Lending`."""
        (place,) = self._places(block, [unit])
        return [(place.market.params[0].lower(), place.owed)] if place.shares else []

    def choices(self, block: Block, units: Sequence[str]) -> list[Choice]:
        """All shares of the debt, or else all of the collateral."""
        return [
            Choice(
                self.name,
                place.unit,
                place.market.params[1].lower(),
                place.market.params[0].lower(),
                (self._way(place, 0, place.shares), self._way(place, place.pledged, 0)),
            )
            for place in self._places(block, units)
            if place.shares and place.pledged
        ]

    def prices(self, block: Block) -> list[int]:
        """See `Lending`; 0 where there is none."""
        asked = [view(market.oracle, "price()") for market in self.morpho.markets]
        return [one.words[0] if one.words else 0 for one in block.asked(asked)]

    def fee(self, choice: Choice, logs: Sequence[Log]) -> int:
        """There is none."""
        return 0

    def bad_debt(self, logs: Sequence[Log]) -> list[tuple[str, int]]:
        """What the lenders of the market lost, in its loan token."""
        loans = {market.id: market.params[0].lower() for market in self.morpho.markets}
        lost = [
            (loans[log.topics[1]], int(log.data[2 + 64 * BAD_DEBT :][:64], 16))
            for log in logs
            if log.topics[0] == LIQUIDATED
        ]
        return [(loan, amount) for loan, amount in lost if amount]

    def _accrued(self, block: Block) -> Block:
        """The same after the interest of every market, which whoever liquidates books first."""
        accrue, to = f"accrueInterest({PARAMS})", self.morpho.address
        copy = block.copy()
        copy.add([Tx(KEEPER, to, accrue, (market.params,)) for market in self.morpho.markets])
        return copy

    def _places(self, block: Block, units: Sequence[str]) -> list[Place]:
        address, markets = self.morpho.address, self.morpho.markets
        block = self._accrued(block)
        ids = {market.id: at for at, market in enumerate(markets)}
        totals = block.asked(
            [view(address, "market(bytes32)", bytes.fromhex(one.id[2:])) for one in markets]
        )
        prices = [one.words for one in block.asked([view(m.oracle, "price()") for m in markets])]
        split = [unit.split(":") for unit in units]
        positions = block.asked(
            [
                view(address, "position(bytes32,address)", bytes.fromhex(at[2:]), account)
                for account, at in split
            ]
        )
        places = []
        for unit, (_, at), position in zip(units, split, positions, strict=True):
            _, shares, pledged = position.words
            market = totals[ids[at]].words
            assets = shares * (market[BORROWED] + VIRTUAL_ASSETS)
            owed = -(-assets // (market[BORROW_SHARES] + VIRTUAL_SHARES))
            price = prices[ids[at]][0] if prices[ids[at]] else None
            places.append(Place(unit, markets[ids[at]], shares, pledged, owed, price))
        return places

    def _way(self, place: Place, seized: int, shares: int) -> Tx:
        account = place.unit.split(":")[0]
        args = (place.market.params, account, seized, shares, b"")
        return Tx(KEEPER, self.morpho.address, LIQUIDATE, args)
