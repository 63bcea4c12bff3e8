"""The state of a Maker MCD, as its contracts store it. `ilk` is an ilk's name as text."""

from __future__ import annotations

from dataclasses import dataclass

from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.row import Row, Wide

WAD, RAY, RAD = 10**18, 10**27, 10**45
"""The scales of amounts, of rates and prices, and of their products."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System(Row, table="maker_mcd_systems", key=("vat",)):
    """What holds for all ilks: `Line`, `debt`, `vice` of the Vat, `par` of the Spotter, `base` and
    `vow` of the Jug.
    """

    vat: str
    line_rad: Wide = 0
    debt_rad: Wide = 0
    vice_rad: Wide = 0
    live: bool = True
    par_ray: Wide = RAY
    spotter_live: bool = True
    base_ray: Wide = 0
    vow: str = ZERO_ADDRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Ilk(Row, table="maker_mcd_ilks", key=("ilk",)):
    """`Vat.ilks`: all normalised debt, the rate that multiplies it, the price with the safety
    margin taken off, the debt ceiling, and the smallest debt of an urn.
    """

    ilk: str
    art_raw: Wide = 0
    rate_ray: Wide = 0
    spot_ray: Wide = 0
    line_rad: Wide = 0
    dust_rad: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Urn(Row, table="maker_mcd_urns", key=("ilk", "urn")):
    """`Vat.urns`: locked collateral, with 18 decimals, and normalised debt."""

    ilk: str
    urn: str
    ink_raw: Wide = 0
    art_raw: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotIlk(Row, table="maker_mcd_spot_ilks", key=("ilk",)):
    """`Spotter.ilks`, and what the last `poke` found (a price of 0: none), by what, and wrote."""

    ilk: str
    pip: str = ZERO_ADDRESS
    mat_ray: Wide = 0
    val_wad: Wide = 0
    poked_ts: int = 0
    poked_mat_ray: Wide = 0
    poked_par_ray: Wide = 0
    poked_spot_ray: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JugIlk(Row, table="maker_mcd_jug_ilks", key=("ilk",)):
    """`Jug.ilks`: what a debt is multiplied by each second, and since when it was not."""

    ilk: str
    duty_ray: Wide = 0
    rho_ts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cat(Row, table="maker_mcd_cats", key=("cat",)):
    """Auctions through flips: how much DAI they may be about at once, and are about now."""

    cat: str
    box_rad: Wide = 0
    litter_rad: Wide = 0
    live: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CatIlk(Row, table="maker_mcd_cat_ilks", key=("cat", "ilk")):
    """`Cat.ilks`: the penalty as a factor, and the most that one auction is about."""

    cat: str
    ilk: str
    flip: str = ZERO_ADDRESS
    chop_wad: Wide = 0
    dunk_rad: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dog(Row, table="maker_mcd_dogs", key=("dog",)):
    """Auctions through clips: `Hole` and `Dirt`, as asked where a run ended."""

    dog: str
    hole_rad: Wide = 0
    dirt_rad: Wide = 0
    live: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DogIlk(Row, table="maker_mcd_dog_ilks", key=("dog", "ilk")):
    """`Dog.ilks`, likewise: penalty as a factor, limit of the ilk, what it is about now."""

    dog: str
    ilk: str
    clip: str = ZERO_ADDRESS
    chop_wad: Wide = 0
    hole_rad: Wide = 0
    dirt_rad: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip(Row, table="maker_mcd_flips", key=("flip",)):
    """Where lots of an ilk are sold: by how much bids rise, and how long they stand."""

    flip: str
    ilk: str = ""
    cat: str = ZERO_ADDRESS
    beg_wad: Wide = 105 * WAD // 100
    ttl_seconds: int = 3 * 3600
    tau_seconds: int = 48 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Auction(Row, table="maker_mcd_auctions", key=("flip", "auction")):
    """`Flip.bids`; all zeros once it is over. Anybody may `tick` a number that never was one."""

    flip: str
    auction: Wide
    bid_rad: Wide = 0
    lot_raw: Wide = 0
    guy: str = ZERO_ADDRESS
    tic_ts: int = 0
    end_ts: int = 0
    usr: str = ZERO_ADDRESS
    gal: str = ZERO_ADDRESS
    tab_rad: Wide = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cdp(Row, table="maker_mcd_cdps", key=("manager", "cdp")):
    """A numbered urn of the CDP manager, and who owns it."""

    manager: str
    cdp: int
    urn: str = ZERO_ADDRESS
    own: str = ZERO_ADDRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Join(Row, table="maker_mcd_joins", key=("ward",)):
    """What a ward of the Vat says of itself: an ilk and a token, where it is an adapter of one."""

    ward: str
    ilk: str = ""
    gem: str = ZERO_ADDRESS
    decimals: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Surplus(Row, table="maker_mcd_surpluses", key=("vow",)):
    """The DAI that the Vow had where a run ended."""

    vow: str
    dai_rad: Wide = 0


ROWS = (
    System,
    Ilk,
    Urn,
    SpotIlk,
    JugIlk,
    Cat,
    CatIlk,
    Dog,
    DogIlk,
    Flip,
    Auction,
    Cdp,
    Join,
    Surplus,
)
