"""Liquity v1: a wrong number in the store, and a wrong formula, are found by `verify`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from defirisk.core.row import Row
from defirisk.protocols.cdp.liquity_v1.pool import compounded_deposit
from defirisk.protocols.cdp.liquity_v1.rows import (
    Deposit,
    PoolSums,
    PriceFeed,
    StabilityPool,
    Surplus,
    System,
    SystemParameters,
    Trove,
)
from defirisk.protocols.cdp.liquity_v1.troves import TroveNow, trove_now
from tests.devnet.build import CHECKPOINTS
from tests.devnet.checkpoints import read_checkpoints
from tests.onchain.liquity_v1_chain import SEEDS, Indexed, compared, indexed_chain
from tests.onchain.perturbed import changed

pytestmark = pytest.mark.onchain
PACKAGE = "defirisk.protocols.cdp.liquity_v1"


@pytest.fixture(scope="module", params=SEEDS)
def indexed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Indexed]:
    with indexed_chain(request.param, tmp_path_factory.mktemp("wrong")) as found:
        yield found


COLUMNS: list[tuple[type[Row], str]] = [
    (Trove, "debt_raw"),
    (Trove, "coll_raw"),
    (Trove, "stake_raw"),
    (Trove, "l_coll_snapshot_wad"),
    (Trove, "l_debt_snapshot_wad"),
    (System, "l_coll_wad"),
    (System, "l_debt_wad"),
    (System, "base_rate_wad"),
    (System, "last_fee_operation_ts"),
    (System, "total_stakes_snapshot_raw"),
    (System, "total_collateral_snapshot_raw"),
    (System, "active_coll_raw"),
    (System, "active_debt_raw"),
    (System, "default_coll_raw"),
    (System, "default_debt_raw"),
    (StabilityPool, "p_wad"),
    (StabilityPool, "epoch"),
    (StabilityPool, "deposits_raw"),
    (StabilityPool, "coll_raw"),
    (PoolSums, "s"),
    (PoolSums, "g"),
    (Deposit, "initial_raw"),
    (Deposit, "p_wad"),
    (Deposit, "s"),
    (Deposit, "g"),
    (Deposit, "epoch"),
    (Surplus, "coll_raw"),
    (PriceFeed, "last_good_price_wad"),
    (SystemParameters, "mcr_wad"),
    (SystemParameters, "borrowing_fee_floor_wad"),
]


@pytest.mark.parametrize(("row_type", "column"), COLUMNS)
def test_an_off_by_one_in_a_stored_number_is_found(
    indexed: Indexed, row_type: type[Row], column: str
) -> None:
    with changed(indexed.store, row_type, column):
        assert indexed.verdict().mismatches
    assert indexed.verdict().mismatches == ()


def _without_pending(trove: Trove, system: System) -> TroveNow:
    return TroveNow(stored=trove, pending_debt_raw=0, pending_coll_raw=0)


def _rounded_up(trove: Trove, system: System) -> TroveNow:
    now = trove_now(trove, system)
    more = now.pending_coll_raw and now.pending_coll_raw + 1
    return TroveNow(stored=trove, pending_debt_raw=now.pending_debt_raw, pending_coll_raw=more)


FORMULAS: dict[str, tuple[str, Callable[..., object] | property, str]] = {
    "what is pending is forgotten": ("system_now.trove_now", _without_pending, "pending debt"),
    "what is pending is rounded up": ("system_now.trove_now", _rounded_up, "getPendingETHReward"),
    "a deposit is rounded up": (
        "system_now.compounded_deposit",
        lambda deposit, pool: compounded_deposit(deposit, pool) + 1,
        "getCompoundedZUSDDeposit",
    ),
    "the base rate does not decay": (
        "referee.decayed_base_rate",
        lambda system, _: system.base_rate_wad,
        "getRedemptionRateWithDecay",
    ),
    "there is no recovery mode": (
        "troves.Rules.recovery",
        property(lambda _: False),
        "checkRecoveryMode",
    ),
}


@pytest.mark.parametrize("wrong", FORMULAS)
def test_a_wrong_formula_is_found(
    indexed: Indexed, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the head, or at a checkpoint where it matters."""
    place, formula, name = FORMULAS[wrong]
    monkeypatch.setattr(f"{PACKAGE}.{place}", formula)
    checkpoints = read_checkpoints(indexed.path / CHECKPOINTS)

    found = (compared(indexed, checkpoint).wrong for checkpoint in checkpoints)
    at_head = indexed.verdict().mismatches
    assert any(name in {one.field for one in wrong_here} for wrong_here in (at_head, *found))
