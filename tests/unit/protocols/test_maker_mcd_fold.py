"""Single notes and events of Maker, folded."""

from __future__ import annotations

from defirisk.core.adapter import Contract, Log
from defirisk.core.evm import CALLER
from defirisk.protocols.cdp.maker_mcd import ADAPTER
from defirisk.protocols.cdp.maker_mcd.arithmetic import (
    ilk_bytes,
)
from defirisk.protocols.cdp.maker_mcd.rows import (
    RAD,
    WAD,
    Auction,
    Cat,
    Ilk,
    System,
    Urn,
)
from tests.unit.protocols.maker_sample import (
    ANN,
    BLOCK,
    CAT,
    CID,
    ETH,
    FLIP,
    MANAGER,
    ROWS,
    VAT,
    VOW,
)
from tests.unit.protocols.rows_in_memory import RowsInMemory


def fold(role: str, event: str, state: RowsInMemory, **args: object) -> None:
    """One note or event, of a contract of this role."""
    addresses = {"flip": FLIP, "cat": CAT, "vat": VAT, "cdp_manager": MANAGER}
    contract = Contract(
        address=addresses[role], role=role, first_block=0, subject="" if role == "vat" else VAT
    )
    ADAPTER.fold(
        Log(
            block_number=7,
            timestamp=BLOCK.timestamp,
            log_index=0,
            contract=contract,
            event=event,
            args=args,
        ),
        state,
    )


def test_debt_moves_the_total_at_the_stored_rate() -> None:
    state = RowsInMemory(*ROWS)
    frob = {"i": ilk_bytes(ETH), "u": ANN, "v": ANN, "w": ANN, "dink": WAD, "dart": -10 * WAD}

    fold("vat", "frob", state, **frob)
    fold("vat", "grab", state, **frob)

    assert state.get(Urn, ETH, ANN) == Urn(ilk=ETH, urn=ANN, ink_raw=12 * WAD, art_raw=980 * WAD)
    assert state.get(Ilk, ETH).art_raw == 1_480 * WAD
    assert state.get(System, VAT).debt_rad == 1_989 * RAD
    assert state.get(System, VAT).vice_rad == 11 * RAD


def test_a_bite_asks_for_the_penalty_as_well() -> None:
    state = RowsInMemory(*ROWS)

    fold("cat", "Bite", state, ilk=ilk_bytes(ETH), urn=ANN, tab=100 * RAD)

    assert state.get(Cat, CAT).litter_rad == 613 * RAD


def test_an_auction_from_kick_to_deal() -> None:
    state = RowsInMemory(*ROWS)
    kick = {"id": 5, "lot": 3, "bid": 0, "tab": 7, "usr": ANN, "gal": VOW}
    now = BLOCK.timestamp

    fold("flip", "Kick", state, **kick)
    first = state.get(Auction, FLIP, 5)
    fold("flip", "tend", state, id=5, lot=3, bid=6, **{CALLER: CID})
    bid = state.get(Auction, FLIP, 5)
    fold("flip", "deal", state, id=5)

    assert (first.guy, first.tic_ts, first.end_ts) == (CAT, 0, now + 48 * 3600)
    assert (bid.guy, bid.bid_rad, bid.tic_ts) == (CID, 6, now + 3 * 3600)
    assert state.get(Auction, FLIP, 5) == Auction(flip=FLIP, auction=5)


def test_parameters_of_a_name_only_others_know_change_nothing() -> None:
    state = RowsInMemory(*ROWS)
    before = state.get(Cat, CAT)

    fold("cat", "file", state, what=b"vow".ljust(32, b"\0"), data=VOW)

    assert state.get(Cat, CAT) == before
