"""Urns as units, quotes, parameters and amounts. The unit is an urn and its ilk: "urn:ilk".

Debts are multiplied by the rate that is stored, as the contracts judge them: interest since the
last `drip` counts for nobody until somebody drips. What it would be is in `debt`.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from defirisk.core.adapter import Snapshot
from defirisk.core.holdings import Holding, Holdings, Market, Parameters, Quote, Side
from defirisk.core.quote import Constant, Feed, Product, Program, Rate, anchored
from defirisk.protocols.cdp.maker_mcd.rows import RAD, RAY, WAD, Urn
from defirisk.protocols.cdp.maker_mcd.system_now import (
    DECIMALS,
    IlkNow,
    MakerNow,
    maker_now,
    unit_of,
)

COLLATERAL, DEBT = 0, 1
"""Places within an ilk's two quotes."""
PRICE_GRAIN = Fraction(2, WAD)
"""Prices are cut to 18 decimals, and with the safety margin taken off to 27."""


def holdings(snapshot: Snapshot) -> Holdings:
    """Every urn with collateral or debt."""
    now = maker_now(snapshot)
    urns = now.open
    ilks = list(dict.fromkeys(urn.ilk for urn in urns))
    places = {ilk: place for place, ilk in enumerate(ilks)}
    quotes = tuple(quote for ilk in ilks for quote in _quotes(now, now.ilks[ilk]))
    held = [
        holding
        for unit, urn in enumerate(urns)
        for holding in _urn(unit, urn, now.ilks[urn.ilk], places[urn.ilk])
    ]
    return Holdings(
        units=tuple(map(unit_of, urns)),
        quotes=quotes,
        parameters=tuple(_parameters(now.ilks[ilk]) for ilk in ilks),
        holdings=tuple(held),
        markets=tuple(market for one in now.ilks.values() for market in _markets(now, one)),
        owners=tuple(now.owner(urn) for urn in urns),
        resolution=tuple(_resolution(urn) for urn in urns),
    )


def quote_places(now: MakerNow) -> dict[str, int]:
    """The place of each ilk's collateral among the quotes; its debt is beside it."""
    ilks = dict.fromkeys(urn.ilk for urn in now.open)
    return {ilk: 2 * place + COLLATERAL for place, ilk in enumerate(ilks)}


def _quotes(now: MakerNow, ilk: IlkNow) -> Iterator[Quote]:
    yield Quote(market=ilk.ilk, asset=ilk.gem, decimals=DECIMALS, program=_collateral(ilk))
    rate = Rate(f"{ilk.ilk}/rate", Fraction(ilk.vat.rate_ray, RAY))
    par = Constant(Fraction(ilk.par_ray, RAY))
    yield Quote(market=ilk.ilk, asset=now.dai, decimals=DECIMALS, program=Product((par, rate)))


def _collateral(ilk: IlkNow) -> Program:
    """Dollars of a whole token: the price of the last poke, as the contract has rounded it.

    Unknown where there is none: such urns cannot be liquidated.
    """
    if ilk.price is None:
        return Feed(ilk.spotter.pip, None)
    judged = Fraction(ilk.vat.spot_ray * ilk.spotter.mat_ray * ilk.par_ray, RAY**3)
    return anchored(Feed(ilk.spotter.pip, ilk.price), judged)


def _urn(unit: int, urn: Urn, ilk: IlkNow, place: int) -> Iterator[Holding]:
    coll, debt = 2 * place + COLLATERAL, 2 * place + DEBT
    if urn.ink_raw:
        ink = urn.ink_raw
        yield Holding(unit, coll, Side.COLLATERAL, ink, ink, place)
    if urn.art_raw:
        balance = urn.art_raw * ilk.vat.rate_ray // RAY
        yield Holding(unit, debt, Side.DEBT, urn.art_raw, balance, place)


def _resolution(urn: Urn) -> Fraction:
    return PRICE_GRAIN * Fraction(urn.ink_raw + urn.art_raw, WAD) + Fraction(1, WAD)


def _parameters(ilk: IlkNow) -> Parameters:
    """The bonus is the penalty: what an auction asks for beyond the debt."""
    threshold = Fraction(RAY, ilk.spotter.mat_ray) if ilk.spotter.mat_ray else Fraction(0)
    return Parameters(
        label=ilk.ilk,
        ltv=threshold,
        liquidation_threshold=threshold,
        liquidation_bonus=Fraction(max(0, ilk.chop_wad - WAD), WAD),
    )


def _markets(now: MakerNow, ilk: IlkNow) -> Iterator[Market]:
    """The collateral of an ilk, of which nothing is lent, and the DAI that is owed against it."""
    locked = sum(urn.ink_raw for urn in now.urns if urn.ilk == ilk.ilk)
    if not (locked or ilk.vat.art_raw):
        return
    parameters = _parameters(ilk)
    yield Market(
        market=ilk.ilk,
        asset=ilk.gem,
        decimals=DECIMALS,
        supplied_raw=locked,
        borrowed_raw=0,
        cash_raw=locked,
        deficit_raw=0,
        supply_cap=0,
        borrow_cap=0,
        supply_apr=None,
        borrow_apr=None,
        parameters=parameters,
        reserve_factor=None,
        price=ilk.price,
        price_source=ilk.spotter.pip,
        price_updated_ts=ilk.spotter.poked_ts or None,
        price_grade="logs" if ilk.price is not None else "none",
    )
    yield Market(
        market=ilk.ilk,
        asset=now.dai,
        decimals=DECIMALS,
        supplied_raw=0,
        borrowed_raw=ilk.vat.art_raw * ilk.vat.rate_ray // RAY,
        cash_raw=0,
        deficit_raw=0,  # of all ilks together: see the findings
        supply_cap=0,
        borrow_cap=ilk.vat.line_rad // RAD,
        supply_apr=None,
        borrow_apr=ilk.fee_apr,
        parameters=parameters,
        reserve_factor=None,
        price=Fraction(ilk.par_ray, RAY),
        price_source=now.system.vat,
        price_updated_ts=None,
        price_grade="logs",
        flags=_flags(now, ilk),
    )


def _flags(now: MakerNow, ilk: IlkNow) -> tuple[str, ...]:
    full = ilk.vat.art_raw * ilk.vat.rate_ray >= ilk.vat.line_rad
    flags = ("debt ceiling reached",) if full else ()
    return flags if now.system.live else (*flags, "shut down")
