"""What Maker says of its urns and auctions right now, read in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..abi import view_data, words
from ..life import Call
from .market import KINDS, RAY, WAD, Kind, Maker


@dataclass(frozen=True)
class Vault:
    """Somebody's urn of one kind; `cdp` is 0 where the account is the urn."""

    account: str
    kind: Kind
    urn: str
    cdp: int = 0


@dataclass(frozen=True)
class Terms:
    """An ilk: whole debts are `art` times `rate`."""

    art: int
    rate: int
    spot: int
    line: int
    dust: int
    price: int


@dataclass(frozen=True)
class Position:
    """A vault with what is in it; `gem` is in the token's units, `dai` in 1e45 at its owner's."""

    vault: Vault
    ink: int
    art: int
    dai: int

    def room(self, terms: Terms) -> int:
        """How much more may be owed, in normalised debt; negative where it is unsafe."""
        return (self.ink * terms.spot - self.art * terms.rate) // terms.rate


@dataclass(frozen=True)
class Auction:
    """A lot of the flip of one kind."""

    kind: Kind
    id: int
    bid: int
    lot: int
    tic: int
    end: int
    tab: int

    def worth(self, terms: Terms) -> int:
        """What the lot would bring, with 45 decimals."""
        return self.lot * terms.price * RAY // WAD


def read_terms(maker: Maker) -> dict[str, Terms]:
    """Of all kinds."""
    calls = [(maker["MCD_VAT"], view_data("ilks(bytes32)", kind.key)) for kind in KINDS]
    calls += [(maker.pip(kind), view_data("read()")) for kind in KINDS]
    said = [words(answer or "0x") for answer in maker.chain.calls(calls)]
    half = len(said) // 2
    pairs = zip(KINDS, said[:half], said[half:], strict=True)
    return {kind.ilk: Terms(*[*of_vat, *price]) for kind, of_vat, price in pairs}


def read_positions(maker: Maker, vaults: Sequence[Vault]) -> list[Position]:
    """Of some vaults."""
    vat = maker["MCD_VAT"]
    calls: list[Call] = [
        (vat, view_data("urns(bytes32,address)", v.kind.key, v.urn)) for v in vaults
    ]
    calls += [(vat, view_data("dai(address)", vault.account)) for vault in vaults]
    said = [words(answer or "0x") for answer in maker.chain.calls(calls)]
    half = len(said) // 2
    rows = zip(vaults, said[:half], said[half:], strict=True)
    return [Position(vault, ink, art, dai) for vault, (ink, art), (dai,) in rows]


def read_auctions(maker: Maker) -> list[Auction]:
    """All that are going on."""
    flips = [(kind, maker.of("MCD_FLIP", kind)) for kind in KINDS]
    counted = maker.chain.calls([(flip, view_data("kicks()")) for _, flip in flips])
    every = [
        (kind, flip, number)
        for (kind, flip), count in zip(flips, counted, strict=True)
        for number in range(1, words(count or "0x")[0] + 1)
    ]
    calls = [(flip, view_data("bids(uint256)", number)) for _, flip, number in every]
    found = []
    for (kind, _, number), answer in zip(every, maker.chain.calls(calls), strict=True):
        bid, lot, guy, tic, end, _, _, tab = words(answer or "0x")
        if guy:
            found.append(Auction(kind, number, bid, lot, tic, end, tab))
    return found


def vault_questions(maker: Maker, vault: Vault) -> list[Call]:
    """What the contracts say of one vault."""
    calls = [(maker["MCD_VAT"], view_data("urns(bytes32,address)", vault.kind.key, vault.urn))]
    if vault.cdp:
        calls += [
            (maker["CDP_MANAGER"], view_data("owns(uint256)", vault.cdp)),
            (maker["CDP_MANAGER"], view_data("urns(uint256)", vault.cdp)),
        ]
    return calls


def system_questions(maker: Maker) -> list[Call]:
    """What the contracts say of everything else."""
    vat, cat, jug, spot = (maker[f"MCD_{name}"] for name in ("VAT", "CAT", "JUG", "SPOT"))
    of_vat = ("debt()", "vice()", "Line()", "live()")
    calls = [(vat, view_data(view)) for view in of_vat]
    calls += [(vat, view_data("dai(address)", maker["MCD_VOW"]))]
    calls += [(cat, view_data(view)) for view in ("box()", "litter()", "live()")]
    calls += [(jug, view_data("base()")), (spot, view_data("par()")), (spot, view_data("live()"))]
    for kind in KINDS:
        calls += [(one, view_data("ilks(bytes32)", kind.key)) for one in (vat, spot, jug, cat)]
    for auction in read_auctions(maker):
        flip = maker.of("MCD_FLIP", auction.kind)
        calls += [(flip, view_data("bids(uint256)", auction.id))]
    return calls
