"""Tokens that say they are vaults, through the product's own run on py-evm."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from defirisk.core.adapter import Snapshot
from defirisk.core.evm import Address
from defirisk.core.scenario import market_prices
from defirisk.indexing.verify import verify
from defirisk.protocols.wrappers.erc4626 import ADAPTER
from defirisk.shocks.grammar import scenario
from defirisk.store.database import Store
from defirisk.store.frames import load_book
from defirisk.store.registry import StoredDeployment, find_deployment
from defirisk.store.snapshots import snapshot, stored_block
from tests.hostile.piggy import Bank, new_store, registered
from tests.hostile.pyevm import PyEvmReader
from tests.onchain.markets import stored

REVERTS = 2**256 - 2
MOST = 2**256 - 1
DEEP = 14
WAD = 10**18


@dataclass(frozen=True)
class Trapped:
    """A bank that lists such vaults, indexed."""

    bank: Bank
    store: Store
    vaults: dict[str, Address]
    erc4626: StoredDeployment

    def snapshot(self) -> Snapshot:
        with self.store.transaction() as connection:
            at = stored_block(connection, self.bank.deployment.chain_id, None)
            snap = snapshot(connection, self.erc4626, at)
            for row_type in ADAPTER.rows:
                snap.rows.all(row_type)
        return snap


def list_vault(bank: Bank, *, total: int, worth: int, decimals: int = 18) -> Address:
    """A new vault of itself, with an honest feed; one account pretends to hold its shares."""
    vault = bank.chain.deploy("HostileVault", decimals, total, worth)
    bank.chain.send(bank.address, "list_asset(address,address)", vault, bank.feed("honest"))
    bank.chain.send(vault, "pretend(address,uint256)", bank.chain.accounts[1], WAD)
    return vault


def hold(bank: Bank, vault: Address, asset: Address) -> Address:
    bank.chain.send(vault, "hold(address)", asset)
    return vault


@pytest.fixture(scope="module")
def trapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trapped]:
    with registered():
        bank = Bank.deploy()
        token = bank.list_asset("ordinary", "honest")

        def of_token(**facts: int) -> Address:
            return hold(bank, list_vault(bank, **facts), token)

        vaults = {
            "itself": list_vault(bank, total=WAD, worth=WAD),
            "no code": hold(bank, list_vault(bank, total=WAD, worth=WAD), bank.chain.accounts[3]),
            "bank": hold(bank, list_vault(bank, total=WAD, worth=WAD), bank.address),
            "most": of_token(total=MOST, worth=MOST),
            "silent": of_token(total=REVERTS, worth=WAD),
            "no worth": of_token(total=WAD, worth=REVERTS),
            "many decimals": of_token(total=WAD, worth=WAD, decimals=77),
            "too many decimals": of_token(total=WAD, worth=WAD, decimals=255),
            "endless": of_token(total=WAD, worth=WAD),
            "one": list_vault(bank, total=WAD, worth=WAD),
            "other": list_vault(bank, total=WAD, worth=WAD),
        }
        hold(bank, vaults["one"], vaults["other"])
        hold(bank, vaults["other"], vaults["one"])
        for _ in range(3):
            bank.chain.send(vaults["endless"], "pretend(address,uint256)", bank.address, MOST)
        below = token
        for depth in range(DEEP):
            # Every one of them says that a share of it is worth 10^25 of the next.
            vaults[f"deep {depth}"] = below = hold(
                bank, list_vault(bank, total=10**43, worth=10**52), below
            )
        store = new_store(tmp_path_factory.mktemp("trapped"))
        bank.index(store)
        with store.transaction() as connection:
            its = find_deployment(connection, f"erc4626-{bank.deployment.chain_id}")
        assert its is not None
        yield Trapped(bank, store, vaults, its)
        store.close()


def test_traps_are_refused_aloud_and_all_else_goes_on(trapped: Trapped) -> None:
    snap, names = trapped.snapshot(), {a: name for name, a in trapped.vaults.items()}
    claims = {names[claim.token]: claim for claim in ADAPTER.claims(snap)}
    assert set(claims) == {"endless", "deep 0"}
    said = {finding.code for finding in ADAPTER.findings(snap)}
    assert said >= {"no-decimals", "no-rate", "absurd-rate", "vault-loop"}
    held = {names[share.token] for share in ADAPTER.shares(snap)}
    assert held <= set(claims)


def test_they_can_be_asked_about_and_what_differs_is_theirs(trapped: Trapped) -> None:
    with trapped.store.transaction() as connection:
        block = stored_block(connection, trapped.bank.deployment.chain_id, None)
    reader = PyEvmReader(trapped.bank.chain)
    verdict = asyncio.run(verify(reader, trapped.store, trapped.erc4626, block))
    assert {one.account.split()[0] for one in verdict.mismatches} <= set(trapped.vaults.values())


def test_a_book_with_them_can_be_shocked(trapped: Trapped) -> None:
    with trapped.store.transaction() as connection:
        block = stored_block(connection, trapped.bank.deployment.chain_id, None)
        its = stored(trapped.store, trapped.bank.deployment)
        book = load_book(connection, [its], block)
    token = trapped.bank.tokens["ordinary/honest"]
    prices = market_prices(book, [scenario("", [f"price:{token}=-50%"], book)])[:, 0]
    listed = [asset.address for asset in book.assets]
    assert set(trapped.vaults.values()) & set(listed)
    assert np.isfinite(prices[listed.index(token)])
    assert not np.isinf(prices).any()
