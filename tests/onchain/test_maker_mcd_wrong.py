"""A wrong number and a wrong formula of Maker's are found."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select, update

from defirisk.core.row import Row
from defirisk.protocols.cdp.maker_mcd.rows import (
    RAY,
    Auction,
    Cat,
    CatIlk,
    Cdp,
    Flip,
    Ilk,
    Join,
    JugIlk,
    SpotIlk,
    Surplus,
    System,
    Urn,
)
from defirisk.protocols.cdp.maker_mcd.system_now import IlkNow
from defirisk.store.row_tables import row_table
from tests.onchain.maker_chain import Indexed, indexed_chain
from tests.onchain.perturbed import changed

pytestmark = pytest.mark.onchain
PACKAGE = "defirisk.protocols.cdp.maker_mcd"
BITES = 40  # looked at closely
SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in (2, 3, 4, 5))]


@pytest.fixture(scope="module", params=SEEDS)
def indexed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Indexed]:
    with indexed_chain(request.param, tmp_path_factory.mktemp("maker")) as found:
        yield found


COLUMNS: list[tuple[type[Row], str]] = [
    *((System, name) for name in ("line_rad", "debt_rad", "vice_rad", "par_ray", "base_ray")),
    *((Ilk, name) for name in ("art_raw", "rate_ray", "spot_ray", "line_rad", "dust_rad")),
    *((Urn, name) for name in ("ink_raw", "art_raw")),
    *((SpotIlk, name) for name in ("mat_ray", "val_wad", "poked_mat_ray", "poked_par_ray")),
    *((JugIlk, name) for name in ("duty_ray", "rho_ts")),
    *((Cat, name) for name in ("box_rad", "litter_rad")),
    *((CatIlk, name) for name in ("chop_wad", "dunk_rad")),
    *((Flip, name) for name in ("beg_wad", "ttl_seconds", "tau_seconds")),
    *((Auction, name) for name in ("bid_rad", "lot_raw", "tic_ts", "end_ts", "tab_rad")),
    (Join, "decimals"),
    (Surplus, "dai_rad"),
]


@pytest.mark.parametrize(("row_type", "column"), COLUMNS)
def test_an_off_by_one_in_a_stored_number_is_found(
    indexed: Indexed, row_type: type[Row], column: str
) -> None:
    with changed(indexed.store, row_type, column):
        assert indexed.verdict().mismatches
    assert indexed.verdict().mismatches == ()


def test_a_wrong_owner_or_urn_of_a_cdp_is_found(indexed: Indexed) -> None:
    table = row_table(Cdp)
    for column in ("own", "urn"):
        with indexed.store.engine.connect() as connection:
            now = select(table).where(table.c.valid_to_block.is_(None)).limit(1)
            row = connection.execute(now).mappings().one()
        here = [table.c[name] == row[name] for name in ("manager", "cdp", "valid_from_block")]
        with indexed.store.transaction() as connection:
            connection.execute(
                update(table).where(table.c.cdp == row["cdp"]).values(**{column: "0x" + "77" * 20})
            )
        assert indexed.verdict().mismatches
        with indexed.store.transaction() as connection:
            connection.execute(update(table).where(*here).values(**{column: row[column]}))


def _always_stored(rate: int, fee: int, seconds: int) -> int:
    return rate


def _simple(rate: int, fee: int, seconds: int) -> int:
    return rate + rate * (fee - RAY) * seconds // RAY


def _without_target_price(val: int, par: int, mat: int) -> int:
    return val * 10**9 * RAY // mat


def _twice(now: IlkNow, urn: Urn, spot: int, rate: int | None = None) -> bool:
    return urn.ink_raw * spot < 2 * urn.art_raw * (rate or now.vat.rate_ray)


FORMULAS: dict[str, tuple[str, Callable[..., object], str]] = {
    "interest is forgotten": ("system_now.dripped", _always_stored, "rate with interest until now"),
    "interest is simple": ("system_now.dripped", _simple, "rate with interest until now"),
    "DAI is always a dollar": ("referee.spot", _without_target_price, "spot of the price"),
    "an urn is unsafe at half its debt": ("system_now.IlkNow.is_unsafe", _twice, "not unsafe"),
}


@pytest.mark.parametrize("wrong", FORMULAS)
def test_a_wrong_formula_is_found(
    indexed: Indexed, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, formula, field = FORMULAS[wrong]
    monkeypatch.setattr(f"{PACKAGE}.{place}", formula)

    assert field in {mismatch.field for mismatch in indexed.verdict().mismatches}
