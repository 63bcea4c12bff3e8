"""Ways to make an oracle lie: which pools are pushed, which vault is given to, for how long."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from defirisk.core.claim import Claim
from defirisk.core.evm import Address
from defirisk.core.quote import Program, Spot, leaves
from defirisk.core.sources import Sources
from defirisk.core.venue import Venue
from defirisk.manipulation.assumptions import Assumptions
from defirisk.manipulation.moved import Moved, movable
from defirisk.manipulation.push import Push, at_market, push

WayName = Literal["one transaction", "own blocks", "one block", "whole window", "gift"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """For how long pools are pushed, how often that must be paid, and who trades back.

    `one transaction`: read as it is, pushed and traded back at once. `own blocks`: from the first
    of the attacker's blocks to the last; only fees are lost. `one block`: others trade it back in
    the next one. `whole window`: pushed in every block anew, and every time traded back by others.
    `gift`: a vault is given something. `blocks` is how many are needed.
    """

    name: WayName
    blocks: int
    held_seconds: int = 0
    times: int = 1
    trades_back: bool = False

    @property
    def in_one_transaction(self) -> bool:
        """Whether lent capital could be given back at once."""
        return self.name in ("one transaction", "gift")


def ways(window_seconds: int, assumptions: Assumptions) -> tuple[Way, ...]:
    """All that are worth a look for a price that is a mean over so long; 0: it is read as it is."""
    if window_seconds == 0:
        return (Way(name="one transaction", blocks=1, trades_back=True),)
    seconds, slot = assumptions.controlled_seconds, assumptions.block_seconds
    count = -(-window_seconds // slot)
    own = Way(
        name="own blocks",
        blocks=assumptions.controlled_blocks,
        held_seconds=min(seconds, window_seconds),
        trades_back=True,
    )
    others = (
        Way(name="one block", blocks=2, held_seconds=slot),
        Way(name="whole window", blocks=count + 1, held_seconds=count * slot, times=count),
    )
    return (own, *others) if seconds else others


@dataclass(frozen=True, slots=True, kw_only=True)
class Lie:
    """Pools and rates where an attacker has put them. `move` is the factor on each of them.

    `cost_usd` is what is lost by it, `capital_usd` what must be at hand (NaN: unknown prices).
    """

    moved: Moved
    move: float = 1.0
    way: Way | None = None
    cost_usd: float = 0.0
    capital_usd: float = 0.0
    pushes: tuple[Push, ...] = ()
    target: str = ""


TRUTH = Lie(moved=Moved())
"""Nothing is moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Lies that differ in size only. `up`: what the pools price becomes dearer."""

    label: str
    up: bool
    way: Way
    of: Callable[[float], Lie] = field(repr=False)


def families(
    program: Program,
    sources: Sources,
    prices: Mapping[Address, float],
    assumptions: Assumptions,
) -> Iterator[Family]:
    """Every way to move what a price is made of: each pool, all pools at once, each vault."""
    found = movable((program,))
    spots = {leaf.venue: leaf for leaf in leaves(program) if isinstance(leaf, Spot)}
    known = [spots[venue] for venue in found.venues if venue in sources.venues]
    sets: list[tuple[Spot, ...]] = [(spot,) for spot in known]
    sets += [tuple(known)] if len(known) > 1 else []
    for chosen in sets:
        for way in ways(found.window_seconds, assumptions):
            gas = assumptions.gas_usd * way.blocks
            yield from (_pushing(chosen, sources, prices, way, up, gas) for up in (True, False))
    for token in found.vaults:
        claim = sources.claims.get(token)
        if claim is not None and claim.kind in ("vault", "c-token"):
            yield _giving(claim, sources, prices, assumptions.gas_usd)


def _pushing(
    spots: Sequence[Spot],
    sources: Sources,
    prices: Mapping[Address, float],
    way: Way,
    up: bool,
    gas: float,
) -> Family:
    places = [_places(sources.venues[spot.venue], spot, up) for spot in spots]
    # Where others trade it back, they have traded it to the market price before.
    starts = [None if way.trades_back else at_market(*place, prices) for place in places]

    def of(factor: float) -> Lie:
        pushes = tuple(
            push(*place, Fraction(factor), start)
            for place, start in zip(places, starts, strict=True)
        )
        lost = sum(
            one.fees_usd(prices) if way.trades_back else one.arbitraged_usd(prices)
            for one in pushes
        )
        return Lie(
            moved=Moved(
                pushes={one.venue.address: one for one in pushes}, held_seconds=way.held_seconds
            ),
            move=factor if up else 1 / factor,
            way=way,
            cost_usd=lost * way.times + gas,
            capital_usd=sum(one.capital_usd(prices) for one in pushes) + lost * (way.times - 1),
            pushes=pushes,
            target=",".join(spot.venue for spot in spots),
        )

    return Family(label=",".join(spot.venue for spot in spots), up=up, way=way, of=of)


def _places(venue: Venue, spot: Spot, up: bool) -> tuple[Venue, int, int]:
    base, quote = venue.place(spot.base), venue.place(spot.quote)
    return (venue, quote, base) if up else (venue, base, quote)


def _giving(claim: Claim, sources: Sources, prices: Mapping[Address, float], gas: float) -> Family:
    """A gift raises the rate by its part of all that the vault holds, for whoever has shares.

    That the vault counts what it was given is assumed: where it does not, nothing moves it.
    """
    token = sources.tokens.get(claim.underlying)
    whole = float("nan") if token is None else claim.total_assets_raw / 10**token.decimals
    worth = whole * prices.get(claim.underlying, float("nan"))

    def of(factor: float) -> Lie:
        given = worth * (factor - 1)
        return Lie(
            moved=Moved(gifts={claim.token: Fraction(factor)}),
            move=factor,
            way=Way(name="gift", blocks=1),
            cost_usd=given + gas,
            capital_usd=given,
            target=claim.token,
        )

    return Family(label=claim.token, up=True, way=Way(name="gift", blocks=1), of=of)
