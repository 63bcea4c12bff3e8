"""The Cat, and the flips where lots are sold. Source: dss `Cat` and `Flip` 1.2."""

from __future__ import annotations

from dataclasses import replace

from defirisk.core.adapter import Log
from defirisk.core.evm import CALLER
from defirisk.core.row import State
from defirisk.protocols.cdp.maker_mcd.arithmetic import ilk_name
from defirisk.protocols.cdp.maker_mcd.fold.changes import (
    On,
    Touched,
    change,
    filed,
    files,
    own,
    own_ilk,
    puts_out,
)
from defirisk.protocols.cdp.maker_mcd.rows import WAD, Auction, Cat, CatIlk, Flip


def _bite_keys(log: Log) -> Touched:
    return [own(Cat)(log), own_ilk(CatIlk)(log)]


def _bite(log: Log, state: State) -> None:
    """What the event calls `tab` is the debt; the auction is about the penalty as well."""
    cat_key, ilk_key = (key for _, key in _bite_keys(log))
    cat, terms = state.get(Cat, *cat_key), state.get(CatIlk, *ilk_key)
    asked = log.args["tab"] * terms.chop_wad // WAD
    state.put(replace(cat, litter_rad=cat.litter_rad + asked))


def _cat_keys(log: Log) -> Touched:
    return [own(Cat)(log)]


def _claw(log: Log, state: State) -> None:
    cat = state.get(Cat, log.contract.address)
    state.put(replace(cat, litter_rad=cat.litter_rad - log.args["rad"]))


def _auction_keys(log: Log) -> Touched:
    address = log.contract.address
    return [(Auction, (address, log.args["id"])), (Flip, (address,))]


def _kick(log: Log, state: State) -> None:
    """The bidder is at first who started it: the Cat."""
    flip, args = state.get(Flip, log.contract.address), log.args
    state.put(
        Auction(
            flip=flip.flip,
            auction=args["id"],
            bid_rad=args["bid"],
            lot_raw=args["lot"],
            guy=flip.cat,
            end_ts=log.timestamp + flip.tau_seconds,
            usr=args["usr"],
            gal=args["gal"],
            tab_rad=args["tab"],
        )
    )


def _bid(log: Log, state: State) -> None:
    args, flip = log.args, state.get(Flip, log.contract.address)
    change(
        state,
        Auction,
        (flip.flip, args["id"]),
        bid_rad=args["bid"],
        lot_raw=args["lot"],
        guy=args[CALLER],
        tic_ts=log.timestamp + flip.ttl_seconds,
    )


def _tick(log: Log, state: State) -> None:
    flip = state.get(Flip, log.contract.address)
    end = log.timestamp + flip.tau_seconds
    change(state, Auction, (flip.flip, log.args["id"]), end_ts=end)


def _over(log: Log, state: State) -> None:
    state.put(Auction(flip=log.contract.address, auction=log.args["id"]))


_cat_files = files(
    own(Cat),
    own_ilk(CatIlk),
    {"box": "box_rad"},
    {"chop": "chop_wad", "dunk": "dunk_rad", "flip": "flip"},
)


def _cat_file_keys(log: Log) -> Touched:
    flip = [(Flip, (log.args["flip"],))] if "flip" in log.args else []
    return [*_cat_files.keys(log), *flip]


def _cat_file(log: Log, state: State) -> None:
    _cat_files.apply(log, state)
    if "flip" in log.args:
        ilk, cat = ilk_name(log.args["ilk"]), log.contract.address
        change(state, Flip, (log.args["flip"],), ilk=ilk, cat=cat)


_TIMES = {"beg": "beg_wad", "ttl": "ttl_seconds", "tau": "tau_seconds"}
_UINT48 = 2**48 - 1


def _flip_keys(log: Log) -> Touched:
    return [(Flip, (log.contract.address,))]


def _flip_file(log: Log, state: State) -> None:
    """Seconds are cut to 48 bits."""
    changes = filed(log, _TIMES)
    kept = {
        name: value if name == "beg_wad" else value & _UINT48 for name, value in changes.items()
    }
    change(state, Flip, (log.contract.address,), **kept)


CAT = {
    "file": On(_cat_file_keys, _cat_file),
    "Bite": On(_bite_keys, _bite),
    "claw": On(_cat_keys, _claw),
    "cage": puts_out(Cat),
}
FLIP = {
    "file": On(_flip_keys, _flip_file),
    "Kick": On(_auction_keys, _kick),
    "tend": On(_auction_keys, _bid),
    "dent": On(_auction_keys, _bid),
    "tick": On(_auction_keys, _tick),
    "deal": On(_auction_keys, _over),
    "yank": On(_auction_keys, _over),
}
