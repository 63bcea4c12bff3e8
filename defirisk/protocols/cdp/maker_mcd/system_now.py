"""The rows of a Maker MCD joined for one block: ilks with their terms, urns with their owners."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from defirisk.core.adapter import Snapshot
from defirisk.core.evm import ZERO_ADDRESS, Address
from defirisk.protocols.cdp.maker_mcd.arithmetic import SECONDS_PER_YEAR, dripped, spot
from defirisk.protocols.cdp.maker_mcd.rows import (
    RAY,
    WAD,
    Auction,
    Cat,
    CatIlk,
    Cdp,
    Dog,
    DogIlk,
    Flip,
    Ilk,
    Join,
    JugIlk,
    SpotIlk,
    Surplus,
    System,
    Urn,
)

DECIMALS = 18
"""Of collateral inside the Vat, and of DAI, whatever the token has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IlkNow:
    """An ilk with everything that the contracts store of it; `gem` is zero where nobody said."""

    ilk: str
    vat: Ilk
    spotter: SpotIlk
    jug: JugIlk
    cat: CatIlk
    dog: DogIlk
    gem: Address
    gem_decimals: int
    accrued_ray: int
    par_ray: int
    base_ray: int

    def spot_ray(self, factor: Fraction = Fraction(1)) -> int:
        """What urns are judged by, after the pip moved by a factor and somebody poked.

        Unmoved it is what is stored, whatever has been decided since the last poke.
        """
        if factor == 1 or not self.vat.spot_ray or not self.spotter.mat_ray:
            return self.vat.spot_ray
        return spot(round(self.spotter.val_wad * factor), self.par_ray, self.spotter.mat_ray)

    @property
    def poke_pending(self) -> bool:
        """Whether a poke of the very same price would write something else."""
        poked, now = self.spotter, (self.spotter.mat_ray, self.par_ray)
        return self.vat.spot_ray > 0 and (poked.poked_mat_ray, poked.poked_par_ray) != now

    @property
    def chop_wad(self) -> int:
        """The penalty as a factor, of whoever liquidates now."""
        return self.dog.chop_wad if self.by_dog else self.cat.chop_wad

    @property
    def by_dog(self) -> bool:
        """Whether lots of this ilk are sold by clips."""
        return self.dog.clip != ZERO_ADDRESS

    @property
    def price(self) -> Fraction | None:
        """Dollars of a whole token at the last poke."""
        return Fraction(self.spotter.val_wad, WAD) if self.vat.spot_ray else None

    @property
    def fee_apr(self) -> Fraction | None:
        """Simple yearly fraction; None of an ilk without a fee."""
        fee = self.base_ray + self.jug.duty_ray
        return Fraction((fee - RAY) * SECONDS_PER_YEAR, RAY) if self.jug.duty_ray else None

    def is_unsafe(self, urn: Urn, spot_ray: int, rate_ray: int | None = None) -> bool:
        """The condition of `bite` and of `bark`."""
        rate = self.vat.rate_ray if rate_ray is None else rate_ray
        return spot_ray > 0 and urn.ink_raw * spot_ray < urn.art_raw * rate

    def owed_rad(self, urn: Urn) -> int:
        """With the interest that nobody has written down yet, as `drip` would."""
        return urn.art_raw * self.accrued_ray


@dataclass(frozen=True, slots=True, kw_only=True)
class MakerNow:
    """Everything at the snapshot's block. `urns` are all that ever were, `open` those in use."""

    system: System
    cat: Cat
    dog: Dog
    dai: Address
    ilks: Mapping[str, IlkNow]
    urns: tuple[Urn, ...]
    cdps: tuple[Cdp, ...]
    owners: Mapping[Address, Address]
    flips: Mapping[Address, Flip]
    auctions: tuple[Auction, ...]
    surplus_rad: int | None

    @property
    def open(self) -> list[Urn]:
        """Urns with collateral or debt."""
        return [urn for urn in self.urns if urn.ink_raw or urn.art_raw]

    def owner(self, urn: Urn) -> Address:
        """Who owns the CDP; an urn outside the manager is its own."""
        return self.owners.get(urn.urn, urn.urn)

    def can_be_liquidated(self, urn: Urn, factor: Fraction = Fraction(1)) -> bool:
        """Whether a keeper may start an auction, as far as the urn is concerned.

        The room that auctions have left is not looked at: it is back as soon as one ends.
        """
        now = self.ilks[urn.ilk]
        live = self.dog.live if now.by_dog else self.cat.live and bool(self.cat.cat)
        return live and now.is_unsafe(urn, now.spot_ray(factor))

    @property
    def deficit_rad(self) -> int:
        """Debt that nothing backs: neither what the Vow has, nor what auctions are still to bring.

        Unknown what the Vow has: 0.
        """
        if self.surplus_rad is None:
            return 0
        expected = sum(self._expected(one) for one in self.auctions if one.tab_rad)
        return max(0, self.system.vice_rad - self.surplus_rad - expected)

    def _expected(self, auction: Auction) -> int:
        """Without the penalty, and without what was bid: that is with the Vow already."""
        flip = self.flips.get(auction.flip)
        chop = self.ilks[flip.ilk].cat.chop_wad if flip and flip.ilk in self.ilks else 0
        owed = auction.tab_rad * WAD // chop if chop else auction.tab_rad
        return max(0, owed - auction.bid_rad)


def unit_of(urn: Urn) -> str:
    """An urn's address names one urn for each ilk."""
    return f"{urn.urn}:{urn.ilk}"


def maker_now(snapshot: Snapshot) -> MakerNow:
    """Joins the snapshot's rows."""
    rows, contracts = snapshot.rows, snapshot.deployment.contracts
    vat, cat, dog = (contracts.get(role, "") for role in ("vat", "cat", "dog"))
    system = rows.find(System, vat) or System(vat=vat)
    surplus = rows.find(Surplus, system.vow)
    cdps = tuple(rows.all(Cdp))
    return MakerNow(
        system=system,
        cat=rows.find(Cat, cat) or Cat(cat=cat),
        dog=rows.find(Dog, dog) or Dog(dog=dog),
        dai=contracts["dai"],
        ilks={now.ilk: now for now in _ilks(snapshot, system, cat, dog)},
        urns=tuple(rows.all(Urn)),
        cdps=cdps,
        owners={cdp.urn: cdp.own for cdp in cdps},
        flips={flip.flip: flip for flip in rows.all(Flip)},
        auctions=tuple(rows.all(Auction)),
        surplus_rad=None if surplus is None else surplus.dai_rad,
    )


def _ilks(snapshot: Snapshot, system: System, cat: Address, dog: Address) -> Iterable[IlkNow]:
    rows = snapshot.rows
    gems = {join.ilk: join for join in rows.all(Join) if join.gem != ZERO_ADDRESS and join.ilk}
    for vat in rows.all(Ilk):
        ilk, join = vat.ilk, gems.get(vat.ilk)
        jug = rows.find(JugIlk, ilk) or JugIlk(ilk=ilk)
        seconds = max(0, snapshot.block.timestamp - jug.rho_ts)
        fee = system.base_ray + jug.duty_ray
        yield IlkNow(
            ilk=ilk,
            vat=vat,
            spotter=rows.find(SpotIlk, ilk) or SpotIlk(ilk=ilk),
            jug=jug,
            cat=rows.find(CatIlk, cat, ilk) or CatIlk(cat=cat, ilk=ilk),
            dog=rows.find(DogIlk, dog, ilk) or DogIlk(dog=dog, ilk=ilk),
            gem=join.gem if join else ZERO_ADDRESS,
            gem_decimals=join.decimals if join and join.decimals >= 0 else DECIMALS,
            accrued_ray=dripped(vat.rate_ray, fee, seconds) if jug.duty_ray else vat.rate_ray,
            par_ray=system.par_ray,
            base_ray=system.base_ray,
        )
