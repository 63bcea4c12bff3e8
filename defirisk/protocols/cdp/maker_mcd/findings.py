"""What must be said wherever numbers of a Maker MCD are shown."""

from __future__ import annotations

from collections.abc import Iterator

from defirisk.core.adapter import Finding, Snapshot
from defirisk.core.evm import ZERO_ADDRESS
from defirisk.protocols.cdp.maker_mcd.debt import uncovered_rad
from defirisk.protocols.cdp.maker_mcd.rows import RAD
from defirisk.protocols.cdp.maker_mcd.system_now import IlkNow, MakerNow, maker_now


def findings(snapshot: Snapshot) -> Iterator[Finding]:
    """Unproven liquidations, shutdown, prices that are missing or about to change, bad debt."""
    now = maker_now(snapshot)
    used = [now.ilks[ilk] for ilk in dict.fromkeys(urn.ilk for urn in now.open)]
    yield from _of_code(used)
    yield from _of_prices(used)
    yield from _of_liquidations(now)
    yield from _of_debt(now)


def _of_code(used: list[IlkNow]) -> Iterator[Finding]:
    by_dog = [one.ilk for one in used if one.by_dog]
    if by_dog:
        yield Finding(
            code="unproven-implementation",
            text=f"the Dog liquidates {_named(by_dog)}: its rules are read, not executed here",
        )
    unknown = [one.ilk for one in used if one.gem == ZERO_ADDRESS]
    if unknown:
        yield Finding(
            code="unknown-collateral",
            text=f"which token {_named(unknown)} is of is not known: no adapter of the Vat says so",
        )


def _of_prices(used: list[IlkNow]) -> Iterator[Finding]:
    unpriced = [one.ilk for one in used if one.price is None]
    if unpriced:
        yield Finding(
            code="no-price",
            text=f"{_named(unpriced)} had no price at the last poke: nobody can be liquidated",
        )
    pending = [one.ilk for one in used if one.poke_pending]
    if pending:
        yield Finding(
            code="poke-pending",
            text=f"terms of {_named(pending)} have changed since the last poke: urns are judged by "
            "the old ones, and after any move of the price by the new ones",
        )


def _of_liquidations(now: MakerNow) -> Iterator[Finding]:
    if not now.system.live:
        text = "is shut down: the Vat gives no more DAI, and collateral is settled by the End"
        yield Finding(code="shut-down", text=text)
    elif now.cat.cat and not now.cat.live:
        yield Finding(code="liquidations-off", text="its Cat is caged: it starts no more auctions")
    if _is_full(now):
        yield Finding(
            code="auctions-full",
            text=f"auctions ask for {now.cat.litter_rad / RAD:,.6g} of at most "
            f"{now.cat.box_rad / RAD:,.6g} DAI: no urn can be bitten until one of them ends",
        )
    more = sum(_after_drip(now, one) for one in now.ilks.values())
    if more:
        verb = "urn becomes" if more == 1 else "urns become"
        yield Finding(
            code="interest-pending",
            text=f"{more} more {verb} unsafe as soon as somebody drips: interest since the last "
            "drip counts for nobody until then",
        )


def _is_full(now: MakerNow) -> bool:
    """Of some ilk that is in use: the room may not be smaller than the smallest debt."""
    cat, ilks = now.cat, {urn.ilk for urn in now.open}
    room = cat.box_rad - cat.litter_rad
    dusts = [now.ilks[ilk].vat.dust_rad for ilk in ilks if not now.ilks[ilk].by_dog]
    return bool(cat.cat and dusts) and (room <= 0 or room < max(dusts))


def _after_drip(now: MakerNow, ilk: IlkNow) -> int:
    """Urns that are safe at the stored rate only."""
    urns = [urn for urn in now.open if urn.ilk == ilk.ilk]
    at = ilk.vat.spot_ray
    dripped = sum(ilk.is_unsafe(urn, at, ilk.accrued_ray) for urn in urns)
    return dripped - sum(ilk.is_unsafe(urn, at) for urn in urns)


def _of_debt(now: MakerNow) -> Iterator[Finding]:
    bad = [rad for urn in now.open if (rad := uncovered_rad(now, urn))]
    if bad:
        owed = "1 urn owes" if len(bad) == 1 else f"{len(bad)} urns owe"
        text = f"{owed} {sum(bad) / RAD:,.6g} DAI more than their collateral is worth"
        yield Finding(code="bad-debt", text=text)
    if now.deficit_rad:
        yield Finding(
            code="deficit",
            text=f"{now.deficit_rad / RAD:,.6g} DAI are backed by nothing: neither by the surplus "
            "nor by what auctions are still to bring",
        )


def _named(ilks: list[str]) -> str:
    return ", ".join(ilks)
