"""Vault shares, aTokens and cTokens: ours against what the contracts say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from defirisk.core.claim import converted
from defirisk.indexing.codecs import Codecs
from defirisk.protocols.wrappers import erc4626, meta_morpho
from defirisk.protocols.wrappers.erc4626 import rows as erc4626_rows
from defirisk.protocols.wrappers.meta_morpho import rows as meta_morpho_rows
from defirisk.store.row_tables import row_table
from defirisk.store.snapshots import snapshot, stored_block
from tests.command import CommandLine
from tests.devnet.abi import view_data, words
from tests.devnet.build import CHAIN_ID, CHECKPOINTS, build, start
from tests.devnet.checkpoints import read_checkpoints
from tests.devnet.protocol import ADMIN
from tests.devnet.vaults.market import ALLOCATOR, CREDIT
from tests.onchain.markets import new_store
from tests.onchain.perturbed import changed
from tests.onchain.vault_chain import LENDING, PLAIN, Wrapped

pytestmark = pytest.mark.onchain

SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in (2, 3, 4, 5))]
UNDERLYING = "UNDERLYING_ASSET_ADDRESS()"
NATIVE = "0x" + "ee" * 20
WAD = 10**18


@pytest.fixture(scope="module", params=SEEDS)
def wrapped(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Wrapped]:
    """A whole population, indexed at its end. To be read only."""
    folder = tmp_path_factory.mktemp("wrapped")
    with start(build(request.param)) as devnet:
        its = Wrapped(devnet, new_store(folder), request.param)
        its.index()
        yield its
        its.store.close()


def test_every_holder_and_total_agrees_with_the_vaults_at_the_head(wrapped: Wrapped) -> None:
    plain, lending = wrapped.verdict(PLAIN), wrapped.verdict(LENDING)

    assert plain.mismatches == lending.mismatches == ()
    # Two vaults: supply, sum, price both ways; each account: balance, and worth of what is left.
    assert plain.accounts > 50
    assert plain.compared > 2 * 4 + plain.accounts
    assert lending.accounts > 10
    assert lending.compared > 4 + 4 + 3 + lending.accounts
    # totalAssets and one sample per vault; of each market two totals and the vault's shares.
    assert (plain.read, lending.read) == (2 * 2, 2 + 3 * 3)


def test_every_vault_is_claimed_once_and_by_its_own_kind(wrapped: Wrapped) -> None:
    found = {}
    for name, adapter in ((PLAIN, erc4626.ADAPTER), (LENDING, meta_morpho.ADAPTER)):
        with wrapped.store.transaction() as connection:
            block = stored_block(connection, CHAIN_ID, None)
            snap = snapshot(connection, wrapped.stored(name), block)
            found[name] = {claim.token for claim in adapter.claims(snap)}
            assert list(adapter.findings(snap)) == []
    assert found == {
        PLAIN: {wrapped.vault("yWETH"), wrapped.vault(CREDIT)},
        LENDING: {wrapped.vault(ALLOCATOR)},
    }


def test_holders_and_settings_agree_at_every_checkpoint(wrapped: Wrapped) -> None:
    """By logs alone, long before anything was read; who is not in our rows holds nothing."""
    vaults = {wrapped.vault(symbol) for symbol in ("yWETH", CREDIT, ALLOCATOR)}
    compared = 0
    for checkpoint in read_checkpoints(build(wrapped.seed) / CHECKPOINTS):
        ours = answers_at(wrapped, checkpoint["block"])
        for to, data, said in checkpoint["calls"]:
            if to in vaults and said is not None:
                balance = data.startswith(view_data("balanceOf(address)", ADMIN)[:10])
                expected = ours.get((to, data), 0 if balance else None)
                if expected is not None:
                    compared += 1
                    assert words(said)[0] == expected, (checkpoint["block"], to, data)
    assert compared > 20 * (3 * 64 + 8)


def answers_at(wrapped: Wrapped, number: int) -> dict[tuple[str, str], int | str]:
    """Every number that we would have compared at a block, by contract and calldata."""
    found = {}
    for name, adapter in ((PLAIN, erc4626.ADAPTER), (LENDING, meta_morpho.ADAPTER)):
        codecs = Codecs(adapter)
        # Nothing here depends on the time, but pools that are looked at along the way do.
        block = replace(wrapped.head(), number=number)
        with wrapped.store.transaction() as connection:
            snap = snapshot(connection, wrapped.stored(name), block)
            questions = list(adapter.questions(snap))
        for question in questions:
            assert question.grade == "compared"
            assert question.ours is not None
            call = codecs.call(question.view)
            found[call.to, "0x" + call.data.hex()] = question.ours[0]
    return found


COLUMNS = [
    (PLAIN, erc4626_rows.ShareBalance, "balance_raw"),
    (PLAIN, erc4626_rows.Totals, "total_supply_raw"),
    (PLAIN, erc4626_rows.TotalAssets, "total_assets_raw"),
    (LENDING, meta_morpho_rows.ShareBalance, "balance_raw"),
    (LENDING, meta_morpho_rows.Totals, "last_total_assets_raw"),
    (LENDING, meta_morpho_rows.Totals, "fee_wad"),
    (LENDING, meta_morpho_rows.Cap, "cap_raw"),
    (LENDING, meta_morpho_rows.Lent, "supply_shares_raw"),
]


@pytest.mark.parametrize(("name", "row_type", "column"), COLUMNS)
def test_an_off_by_one_in_a_stored_number_is_found(
    wrapped: Wrapped, name: str, row_type: Any, column: str
) -> None:
    with changed(wrapped.store, row_type, column):
        assert wrapped.verdict(name).mismatches


def test_a_wrong_number_of_virtual_shares_is_found(wrapped: Wrapped) -> None:
    """One more or less of 1e21 shares is within a base unit: ten to the sixth, as some vaults
    have, is not.
    """
    table = row_table(erc4626_rows.Vault)
    now = wrapped.verdict(PLAIN).mismatches
    with wrapped.store.transaction() as connection:
        before = connection.execute(select(table)).mappings().all()
        connection.execute(update(table).values(virtual_shares_raw=10**6))
    try:
        assert wrapped.verdict(PLAIN).mismatches
    finally:
        with wrapped.store.transaction() as connection:
            for row in before:
                names = ("deployment_id", "valid_from_block", *erc4626_rows.Vault.key)
                here = [table.c[name] == row[name] for name in names]
                known = {"virtual_shares_raw": row["virtual_shares_raw"]}
                connection.execute(update(table).where(*here).values(**known))
    assert wrapped.verdict(PLAIN).mismatches == now == ()


def test_tokens_of_lenders_convert_as_the_contracts_say(wrapped: Wrapped) -> None:
    """cTokens at their stored exchange rate, aTokens one for one, each with all there is of it."""
    claims = wrapped.claims()
    protocols = wrapped.devnet.protocols
    c_tokens = [claim for claim in claims.values() if claim.kind == "c-token"]
    a_tokens = [claim for claim in claims.values() if claim.kind == "a-token"]
    assert len(c_tokens) >= 5
    assert len(a_tokens) == len(protocols.aave_v3.assets) + len(protocols.aave_v3_0.assets)
    for claim in c_tokens:
        decimals = 18 if claim.underlying == NATIVE else wrapped.ask(claim.underlying, "decimals()")
        mantissa = wrapped.ask(claim.token, "exchangeRateStored()")
        assert converted(claim, WAD, 8, decimals) == mantissa
        assert claim.supply_raw == wrapped.ask(claim.token, "totalSupply()")
    for claim in a_tokens:
        assert claim.rate == 1
        assert claim.supply_raw == wrapped.ask(claim.token, "totalSupply()")
        assert claim.underlying == "0x" + f"{wrapped.ask(claim.token, UNDERLYING):040x}"


def test_holders_are_listed_by_kind_and_by_name(wrapped: Wrapped, cli: CommandLine) -> None:
    db = ("--db", str(wrapped.store.engine.url), "--top", "1000", "--format", "json")
    for name, symbol in (("erc4626", "yWETH"), (PLAIN, CREDIT), (LENDING, ALLOCATOR)):
        ran = cli("positions", name, *db)
        assert ran.code == 0, ran.err
        mine = [row for row in json.loads(ran.out)["positions"] if row["symbol"] == symbol]
        held = sum(int(row["balance_raw"]) for row in mine)
        assert held == wrapped.ask(wrapped.vault(symbol), "totalSupply()")
        assert len({row["account"] for row in mine}) == len(mine) > 4
