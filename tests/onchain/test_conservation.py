"""Totals of real contracts: they agree with what was folded, and find a log that was left out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_hash.auto import keccak

from defirisk.core.adapter import Deployment
from defirisk.core.evm import RawLog
from defirisk.core.status import AuditStatus
from defirisk.indexing.run import RunSummary, index
from defirisk.indexing.status import read_status
from defirisk.store.database import Store
from tests.devnet import record
from tests.devnet.build import DEPLOYMENT, build, start
from tests.onchain.dump import dump
from tests.onchain.markets import new_store
from tests.unit.indexing.forgetful import Forgetful

pytestmark = pytest.mark.onchain
MINT = keccak(b"Mint(address,address,uint256,uint256,uint256)")
"""Of Aave's tokens."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with start(build(1)) as devnet:
        yield devnet.url


def run(store: Store, reader: Forgetful, deployments: list[Deployment]) -> RunSummary:
    async def work() -> RunSummary:
        try:
            return await index(reader, store, deployments, "latest")
        finally:
            await reader.aclose()

    return asyncio.run(work())


def markets() -> list[Deployment]:
    return record.deployments(json.loads((build(1) / DEPLOYMENT).read_text()))


def conservation(store: Store) -> AuditStatus:
    audits = {one.audit: one for one in read_status(store).chains[0].audits}
    return audits["conservation"]


def test_totals_of_every_protocol_agree(url: str, tmp_path: Path) -> None:
    store = new_store(tmp_path)
    assert run(store, Forgetful(url), markets()).unverified == 0
    agreed = conservation(store)
    assert agreed.suspicious == 0
    # Aave v3.6 and v3.0 by reserve and token, Morpho by market and side, Compound by cToken.
    assert agreed.checked >= 40
    store.close()


@pytest.mark.nightly
def test_totals_find_a_mint_that_was_left_out(url: str, tmp_path: Path) -> None:
    aave = [one for one in markets() if one.protocol == "aave-v3"][:1]
    whole = new_store(tmp_path / "whole")
    assert run(whole, Forgetful(url), aave).unverified == 0
    lost: list[RawLog] = []

    def first_mint(log: RawLog) -> bool:
        if lost or log.topics[0] != MINT:
            return False
        lost.append(log)
        return True

    store = new_store(tmp_path / "lost")
    reader = Forgetful(url)
    reader.blind, reader.drop = True, first_mint
    assert run(store, reader, aave).unverified == 0
    found = conservation(store)
    assert lost
    assert (found.suspicious > 0, found.gained) == (True, 1)
    but_audits = frozenset({"audits", "endpoint_health"})
    assert dump(store, without=but_audits) == dump(whole, without=but_audits)
    whole.close()
    store.close()
