"""Notes and events of a Maker MCD, applied to its rows.

Source: dss with Cat 1.2 and Flip 1.2 as deployed by npm @makerdao/testchain 1.1.32, where calls are
repeated in anonymous notes (defirisk.chain.note). `file` is one name for several calls: which one
is told by its arguments.
"""

from __future__ import annotations

from defirisk.core.adapter import Log
from defirisk.core.row import State
from defirisk.protocols.cdp.maker_mcd.fold import auctions, cdp_manager, terms, vat
from defirisk.protocols.cdp.maker_mcd.fold.changes import On, Touched

FILES = ("file(bytes32,uint256)", "file(bytes32,bytes32,uint256)")
TO_ADDRESS, ILK_TO_ADDRESS = "file(bytes32,address)", "file(bytes32,bytes32,address)"

NOTES: dict[str, tuple[str, ...]] = {
    "vat": ("init", *FILES, "frob", "grab", "fork", "fold", "suck", "heal", "rely", "cage"),
    "spotter": (*FILES, ILK_TO_ADDRESS, "cage"),
    "jug": ("init", *FILES, TO_ADDRESS, "drip"),
    "cat": (*FILES, ILK_TO_ADDRESS, "claw", "cage"),
    "flip": (FILES[0], "tend", "dent", "tick", "deal", "yank"),
    "cdp_manager": ("give",),
}
"""The calls of which notes are read, by the role of the contract."""

EVENTS: dict[str, tuple[str, ...]] = {
    "spotter": ("Poke",),
    "cat": ("Bite",),
    "flip": ("Kick",),
    "cdp_manager": ("NewCdp",),
}

APPLIED: dict[str, dict[str, On]] = {
    "vat": vat.APPLIED,
    "spotter": terms.SPOTTER,
    "jug": terms.JUG,
    "cat": auctions.CAT,
    "flip": auctions.FLIP,
    "cdp_manager": cdp_manager.APPLIED,
}
"""What happens on every event that matters, by the role of the contract that emits it."""


def touches(log: Log) -> Touched:
    """The keys that `fold` reads or writes for a log."""
    return APPLIED[log.contract.role][log.event].keys(log)


def fold(log: Log, state: State) -> None:
    """Applies a log to the rows it touches."""
    APPLIED[log.contract.role][log.event].apply(log, state)
