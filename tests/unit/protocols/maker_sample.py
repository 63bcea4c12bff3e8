"""A small Maker, in rows."""

from __future__ import annotations

from defirisk.core.adapter import Deployment, Snapshot
from defirisk.core.evm import Block
from defirisk.core.row import Row
from defirisk.protocols.cdp.maker_mcd.arithmetic import (
    SECONDS_PER_YEAR,
)
from defirisk.protocols.cdp.maker_mcd.rows import (
    RAD,
    RAY,
    WAD,
    Cat,
    CatIlk,
    Cdp,
    Flip,
    Ilk,
    Join,
    JugIlk,
    SpotIlk,
    System,
    Urn,
)
from tests.unit.protocols.rows_in_memory import RowsInMemory

VAT, CAT, DOG, JUG, SPOTTER, DAI, VOW, FLIP, GEM, PIP, MANAGER = (
    "0x" + f"{n:02x}" * 20 for n in range(0x10, 0x1B)
)
ANN, BOB, CID, HANDLER = ("0x" + byte * 20 for byte in ("aa", "bb", "cc", "dd"))
BLOCK = Block(number=1_000, hash="0x", parent_hash="0x", timestamp=1_700_000_000)
DEPLOYMENT = Deployment(
    name="maker",
    protocol="maker-mcd",
    chain_id=1,
    contracts={
        "vat": VAT,
        "cat": CAT,
        "dog": DOG,
        "jug": JUG,
        "spotter": SPOTTER,
        "dai": DAI,
        "cdp_manager": MANAGER,
    },
)
FIVE_PERCENT = 1_000000001547125957863212448
ETH = "ETH-A"
MAT = 3 * RAY // 2
SYSTEM = System(vat=VAT, line_rad=10**6 * RAD, debt_rad=2_000 * RAD, vow=VOW)
ROWS: tuple[Row, ...] = (
    SYSTEM,
    Ilk(
        ilk=ETH,
        art_raw=1_500 * WAD,
        rate_ray=RAY * 11 // 10,
        spot_ray=200 * RAY,
        line_rad=10**6 * RAD,
        dust_rad=100 * RAD,
    ),
    SpotIlk(
        ilk=ETH,
        pip=PIP,
        mat_ray=MAT,
        val_wad=300 * WAD,
        poked_mat_ray=MAT,
        poked_par_ray=RAY,
        poked_spot_ray=200 * RAY,
    ),
    JugIlk(ilk=ETH, duty_ray=FIVE_PERCENT, rho_ts=BLOCK.timestamp - SECONDS_PER_YEAR),
    Cat(cat=CAT, box_rad=10_000 * RAD, litter_rad=500 * RAD),
    CatIlk(cat=CAT, ilk=ETH, flip=FLIP, chop_wad=WAD * 113 // 100, dunk_rad=500 * RAD),
    Flip(flip=FLIP, ilk=ETH, cat=CAT),
    Join(ward=BOB, ilk=ETH, gem=GEM, decimals=18),
    Urn(ilk=ETH, urn=ANN, ink_raw=10 * WAD, art_raw=1_000 * WAD),  # 2,000 allowed, 1,100 owed
    Urn(ilk=ETH, urn=HANDLER, ink_raw=2 * WAD, art_raw=500 * WAD),  # 400 allowed, 550 owed
    Urn(ilk=ETH, urn=CID),
    Cdp(manager=MANAGER, cdp=1, urn=HANDLER, own=BOB),
)


def snapshot(*changed: Row) -> Snapshot:
    """The sample, with rows of the same keys replaced."""
    rows = RowsInMemory(*ROWS, *changed)
    return Snapshot(
        deployment=DEPLOYMENT, block=BLOCK, rows=rows, tokens={}, answers={}, venues={}, claims={}
    )
