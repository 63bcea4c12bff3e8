"""The pools as a trader sees them: quotes, swaps, prices, and the trades that move a price."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from tests.devnet.build import Devnet
from tests.devnet.chain import Tx

from .fork import KEEPER, Outcome, view
from .record import Spot, Venue

DEADLINE = 2**40
ENDLESS = 2**200
QUOTE_V3 = "quoteExactInputSingle((address,address,uint256,uint24,uint160))"
SWAP_V3 = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
SWAP_V2 = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
KEPT_V2 = 1000, 997  # of what is sold, that much trades


@dataclass(frozen=True)
class Pool(ABC):
    """One pool; tokens by address."""

    venue: Venue

    @property
    @abstractmethod
    def spender(self) -> str:
        """Who takes the tokens that are sold."""

    @abstractmethod
    def quote(self, sold: str, bought: str, amount: int) -> Tx:
        """A question whose answer `received` reads."""

    def received(self, outcome: Outcome) -> int:
        """What a quote promises; 0 where the pool would revert."""
        return outcome.words[0] if outcome.words else 0

    @abstractmethod
    def swap(self, sold: str, bought: str, amount: int) -> Tx:
        """Sell exactly that much."""

    @abstractmethod
    def questions(self) -> Sequence[Tx]:
        """What has to be asked to know its prices."""

    @abstractmethod
    def price(self, said: Sequence[Outcome], base: int, quote: int) -> Fraction:
        """Base units of the token in one place per base unit of that in another, without fee."""

    def pushed(self, said: Sequence[Outcome], factor: Fraction) -> list[Tx]:
        """Trades after which its first token costs `factor` times as much in its second."""
        raise NotImplementedError(f"{self.venue.kind} is no pool of two tokens")

    def spots(self, said: Sequence[Outcome]) -> list[Spot]:
        """The price of the first token in each other one."""
        base, *others = self.venue.tokens
        return [
            Spot(
                venue=self.venue.address,
                base=base,
                quote=other,
                price=float(self.price(said, 0, place)),
            )
            for place, other in enumerate(others, 1)
        ]


@dataclass(frozen=True)
class ConstantProduct(Pool):
    """Uniswap v2."""

    router: str

    @property
    def spender(self) -> str:
        """See `Pool`."""
        return self.router

    def quote(self, sold: str, bought: str, amount: int) -> Tx:
        """See `Pool`."""
        return view(self.router, "getAmountsOut(uint256,address[])", amount, [sold, bought])

    def received(self, outcome: Outcome) -> int:
        """The second of the two amounts, which come as an array."""
        return outcome.words[3] if outcome.words else 0

    def swap(self, sold: str, bought: str, amount: int) -> Tx:
        """See `Pool`."""
        return Tx(KEEPER, self.router, SWAP_V2, (amount, 0, [sold, bought], KEEPER, DEADLINE))

    def questions(self) -> Sequence[Tx]:
        """See `Pool`."""
        return [view(self.venue.address, "getReserves()")]

    def price(self, said: Sequence[Outcome], base: int, quote: int) -> Fraction:
        """See `Pool`."""
        reserves = said[0].words
        return Fraction(reserves[quote], reserves[base])

    def pushed(self, said: Sequence[Outcome], factor: Fraction) -> list[Tx]:
        """Selling d of a reserve x leaves x + d and y x / (x + f d), with f the part that trades.

        Their quotient is y / x times `fall` where f d^2 + (1 + f) x d = x^2 (1 / fall - 1).
        """
        if factor == 1:
            return []
        place, fall = (0, factor) if factor < 1 else (1, 1 / factor)
        tokens, reserve = self.venue.tokens, said[0].words[place]
        whole, part = KEPT_V2
        rise = 1 / fall - 1
        linear = (whole + part) * reserve
        constant = 4 * part * whole * reserve**2 * rise
        root = isqrt(linear**2 + int(constant))
        return [self.swap(tokens[place], tokens[1 - place], (root - linear) // (2 * part))]


@dataclass(frozen=True)
class Concentrated(Pool):
    """Uniswap v3."""

    router: str
    quoter: str
    fee: int

    @property
    def spender(self) -> str:
        """See `Pool`."""
        return self.router

    def quote(self, sold: str, bought: str, amount: int) -> Tx:
        """See `Pool`."""
        return view(self.quoter, QUOTE_V3, (sold, bought, amount, self.fee, 0))

    def swap(self, sold: str, bought: str, amount: int, limit: int = 0) -> Tx:
        """Sell that much, or less, down to a price."""
        order = (sold, bought, self.fee, KEEPER, DEADLINE, amount, 0, limit)
        return Tx(KEEPER, self.router, SWAP_V3, (order,))

    def questions(self) -> Sequence[Tx]:
        """See `Pool`."""
        return [view(self.venue.address, "slot0()")]

    def price(self, said: Sequence[Outcome], base: int, quote: int) -> Fraction:
        """See `Pool`."""
        price = Fraction(said[0].words[0] ** 2, 2**192)
        return price if base < quote else 1 / price

    def pushed(self, said: Sequence[Outcome], factor: Fraction) -> list[Tx]:
        """The pool's own price limit ends the trade."""
        if factor == 1:
            return []
        limit = isqrt(int(said[0].words[0] ** 2 * factor))
        sold, bought = self.venue.tokens if factor < 1 else self.venue.tokens[::-1]
        return [self.swap(sold, bought, ENDLESS, limit)]


@dataclass(frozen=True)
class StableSwap(Pool):
    """Curve; `scales` bring balances to 18 decimals."""

    scales: tuple[int, ...]

    @property
    def spender(self) -> str:
        """See `Pool`."""
        return self.venue.address

    def quote(self, sold: str, bought: str, amount: int) -> Tx:
        """See `Pool`."""
        pair = self._pair(sold, bought)
        return view(self.venue.address, "get_dy(int128,int128,uint256)", *pair, amount)

    def swap(self, sold: str, bought: str, amount: int) -> Tx:
        """See `Pool`."""
        signature = "exchange(int128,int128,uint256,uint256)"
        args = (*self._pair(sold, bought), amount, 0)
        return Tx(KEEPER, self.venue.address, signature, args)

    def questions(self) -> Sequence[Tx]:
        """See `Pool`."""
        places = range(len(self.venue.tokens))
        balances = [view(self.venue.address, "balances(uint256)", place) for place in places]
        return [view(self.venue.address, "A_precise()"), *balances]

    def price(self, said: Sequence[Outcome], base: int, quote: int) -> Fraction:
        """The quotient of the invariant's slopes, A n^n + D^(n+1) / (n^n x_i prod x) each."""
        amplification, *balances = (one.word for one in said)
        held = [x * scale for x, scale in zip(balances, self.scales, strict=True)]
        count = len(held)
        ann = Fraction(amplification * count, 100)
        invariant = _invariant(held, ann)
        product = invariant
        for x in held:
            product = product * invariant / (count * x)
        slopes = [ann + product / held[place] for place in (base, quote)]
        return slopes[0] / slopes[1] * self.scales[base] / self.scales[quote]

    def _pair(self, sold: str, bought: str) -> tuple[int, int]:
        return self.venue.tokens.index(sold), self.venue.tokens.index(bought)


FINE = 10**12


def _invariant(held: Sequence[int], ann: Fraction) -> Fraction:
    """D of StableSwap by Newton's way, to a part in 10^12 of a unit of 18 decimals."""
    total, count = sum(held), len(held)
    fine = total * FINE
    while True:
        product = fine
        for x in held:
            product = product * fine // (count * x * FINE)
        top = (int(ann * total * FINE) + count * product) * fine
        bottom = int((ann - 1) * fine) + (count + 1) * product
        before, fine = fine, top // bottom
        if abs(fine - before) <= 1:
            return Fraction(fine, FINE)


def pools_of(devnet: Devnet, venues: Sequence[Venue]) -> dict[str, Pool]:
    """The pools of a header by address, in its order."""
    return {venue.address: _pool(devnet, venue) for venue in venues}


def _pool(devnet: Devnet, venue: Venue) -> Pool:
    protocols, chain = devnet.protocols, devnet.chain
    if venue.kind == "constant-product":
        return ConstantProduct(venue, protocols.uniswap_v2.router)
    if venue.kind == "concentrated":
        addresses = protocols.uniswap_v3.addresses
        fee = int(chain.call(venue.address, "fee()"), 16)
        return Concentrated(venue, addresses["router"], addresses["quoter"], fee)
    decimals = [int(chain.call(token, "decimals()"), 16) for token in venue.tokens]
    return StableSwap(venue, tuple(10 ** (18 - places) for places in decimals))
