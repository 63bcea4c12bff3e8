"""What a Maker MCD itself answers: every number of ours with the view that decides on it.

There is no view that says whether an urn can be liquidated: the answer is whether `bite` refuses it
with "Cat/not-unsafe".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from defirisk.core.adapter import Contract, Question, Snapshot, View
from defirisk.core.evm import ZERO_ADDRESS, Address
from defirisk.protocols.cdp.maker_mcd.arithmetic import ilk_bytes, spot
from defirisk.protocols.cdp.maker_mcd.holdings import quote_places
from defirisk.protocols.cdp.maker_mcd.observing import JOIN_VIEWS
from defirisk.protocols.cdp.maker_mcd.rows import Auction, Join, Urn
from defirisk.protocols.cdp.maker_mcd.system_now import IlkNow, MakerNow, maker_now, unit_of

NOT_UNSAFE, NOT_UNSAFE_BY_DOG = b"Cat/not-unsafe", b"Dog/not-unsafe"
_NOBODY = "0x" + "00" * 19 + "01"


def questions(snapshot: Snapshot) -> Iterator[Question]:
    """Every urn, ilk, auction and CDP that ever was, and the system as a whole.

    What writes comes last: questions after it would see a bitten urn, or a rate that was dripped. A
    bite changes no other urn, and that is all that the next one is asked about.
    """
    now = maker_now(snapshot)
    contracts = snapshot.deployment.contracts
    asked = {role: Contract(address=at, role=role, first_block=0) for role, at in contracts.items()}
    for urn in now.urns:
        args = (ilk_bytes(urn.ilk), urn.urn)
        yield _question(
            asked["vat"],
            "urns",
            {"ink": urn.ink_raw, "art": urn.art_raw},
            args=args,
            unit=unit_of(urn) if urn.ink_raw or urn.art_raw else "",
            subject=unit_of(urn),
        )
    for ilk in now.ilks.values():
        yield from _ilk_questions(asked, ilk)
    yield from _system_questions(asked, now, snapshot)
    for auction in now.auctions:
        yield _auction_question(auction)
    yield from _cdp_questions(asked, now)
    for urn in now.open:
        yield from _bite_question(asked, now, urn)
    for ilk in now.ilks.values():
        if ilk.jug.duty_ray and ilk.vat.rate_ray and now.system.live:
            rate = {"rate with interest until now": ilk.accrued_ray}
            yield _question(asked["jug"], "drip", rate, (ilk_bytes(ilk.ilk),), subject=ilk.ilk)


class Liquidatable:
    """Whether an auction of an urn could be started with the price of its collateral scaled.

    A scaled price is rounded to 18 decimals and poked, so that the terms of now count; an unscaled
    one is as it was poked last. DAI counts at its target price, which nothing moves.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._now = maker_now(snapshot)
        self._places = quote_places(self._now)
        self._urns = {unit_of(urn): urn for urn in self._now.open}

    def __call__(self, unit: str, prices: Mapping[int, Fraction]) -> bool:
        urn = self._urns.get(unit)
        if urn is None:
            return False
        factor = prices.get(self._places[urn.ilk], Fraction(1))
        return self._now.can_be_liquidated(urn, factor)


def _question(
    contract: Contract,
    function: str,
    ours: Mapping[str, int | str],
    args: tuple[object, ...] = (),
    *,
    unit: str = "",
    subject: str = "",
    read: bool = False,
) -> Question:
    return Question(
        subject=subject or contract.address,
        unit=unit,
        view=View(contract, function, args),
        fields=tuple(ours),
        ours=tuple(ours.values()),
        grade="read" if read else "compared",
    )


def _ilk_questions(asked: Mapping[str, Contract], ilk: IlkNow) -> Iterator[Question]:
    vat, args = ilk.vat, (ilk_bytes(ilk.ilk),)
    of_vat = {
        "Art": vat.art_raw,
        "rate": vat.rate_ray,
        "spot": vat.spot_ray,
        "line": vat.line_rad,
        "dust": vat.dust_rad,
    }
    of_cat: dict[str, int | str] = {
        "flip": ilk.cat.flip,
        "chop": ilk.cat.chop_wad,
        "dunk": ilk.cat.dunk_rad,
    }
    of_dog: dict[str, int | str] = {
        "clip": ilk.dog.clip,
        "chop": ilk.dog.chop_wad,
        "hole": ilk.dog.hole_rad,
        "dirt": ilk.dog.dirt_rad,
    }
    numbers: dict[str, dict[str, int | str]] = {
        "vat": {**of_vat},
        "spotter": {"pip": ilk.spotter.pip, "mat": ilk.spotter.mat_ray},
        "jug": {"duty": ilk.jug.duty_ray, "rho": ilk.jug.rho_ts},
        "cat": of_cat,
        "dog": of_dog,
    }
    for role, ours in numbers.items():
        if role in asked:
            yield _question(asked[role], "ilks", ours, args, subject=ilk.ilk, read=role == "dog")
    poked = ilk.spotter
    if poked.val_wad and poked.poked_spot_ray == vat.spot_ray:
        # Nothing else tells whether the price is right.
        made = spot(poked.val_wad, poked.poked_par_ray, poked.poked_mat_ray)
        of_price = {"Art": vat.art_raw, "rate": vat.rate_ray, "spot of the price": made}
        yield _question(asked["vat"], "ilks", of_price, args, subject=ilk.ilk)


def _system_questions(
    asked: Mapping[str, Contract], now: MakerNow, snapshot: Snapshot
) -> Iterator[Question]:
    system = now.system
    numbers: dict[str, dict[str, int]] = {
        "vat": {
            "debt": system.debt_rad,
            "vice": system.vice_rad,
            "Line": system.line_rad,
            "live": int(system.live),
        },
        "spotter": {"par": system.par_ray, "live": int(system.spotter_live)},
        "jug": {"base": system.base_ray},
        "cat": {
            "box": now.cat.box_rad,
            "litter": now.cat.litter_rad,
            "live": int(now.cat.live),
        },
        "dog": {
            "Hole": now.dog.hole_rad,
            "Dirt": now.dog.dirt_rad,
            "live": int(now.dog.live),
        },
    }
    for role, views in numbers.items():
        if role in asked:
            for view, ours in views.items():
                yield _question(asked[role], view, {view: ours}, read=role == "dog")
    yield _question(asked["jug"], "vow", {"vow": system.vow})
    if now.surplus_rad is not None:
        surplus = {"dai of the Vow": now.surplus_rad}
        yield _question(asked["vat"], "dai", surplus, (system.vow,), read=True)
    for join in snapshot.rows.all(Join):
        if join.gem != ZERO_ADDRESS:
            contract = Contract(address=join.ward, role="join", first_block=0)
            said: dict[str, int | str] = {"gem": join.gem, "dec": join.decimals}
            for view in JOIN_VIEWS:
                if said.get(view, -1) != -1:
                    yield _question(contract, view, {view: said[view]}, read=True)
    for flip in now.flips.values():
        contract = _flip(flip.flip)
        times = {"beg": flip.beg_wad, "ttl": flip.ttl_seconds, "tau": flip.tau_seconds}
        for view, seconds in times.items():
            yield _question(contract, view, {view: seconds})


def _flip(address: Address) -> Contract:
    return Contract(address=address, role="flip", first_block=0)


def _auction_question(auction: Auction) -> Question:
    ours: dict[str, int | str] = {
        "bid": auction.bid_rad,
        "lot": auction.lot_raw,
        "guy": auction.guy,
        "tic": auction.tic_ts,
        "end": auction.end_ts,
        "usr": auction.usr,
        "gal": auction.gal,
        "tab": auction.tab_rad,
    }
    return _question(_flip(auction.flip), "bids", ours, (auction.auction,))


def _cdp_questions(asked: Mapping[str, Contract], now: MakerNow) -> Iterator[Question]:
    for cdp in now.cdps:
        contract = asked["cdp_manager"]
        yield _question(contract, "urns", {"urn": cdp.urn}, (cdp.cdp,), subject=cdp.urn)
        yield _question(contract, "owns", {"owner": cdp.own}, (cdp.cdp,), subject=cdp.urn)


def _bite_question(asked: Mapping[str, Contract], now: MakerNow, urn: Urn) -> Iterator[Question]:
    """While the contract that liquidates the ilk is live: else it refuses in other words."""
    ilk, args = now.ilks[urn.ilk], (ilk_bytes(urn.ilk), urn.urn)
    safe = not ilk.is_unsafe(urn, ilk.vat.spot_ray)
    if ilk.by_dog and now.dog.live:
        view, words = View(asked["dog"], "bark", (*args, _NOBODY)), NOT_UNSAFE_BY_DOG
    elif not ilk.by_dog and "cat" in asked and now.cat.live:
        view, words = View(asked["cat"], "bite", args), NOT_UNSAFE
    else:
        return
    yield Question(
        subject=unit_of(urn),
        unit=unit_of(urn),
        view=view,
        fields=("not unsafe",),
        ours=(int(safe),),
        refusal=words,
    )
