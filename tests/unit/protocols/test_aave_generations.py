"""Which rules hold when: by the revision of the Pool's code, from the block on in which it came."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defirisk.core.adapter import Contract, Deployment, Log, Snapshot, View
from defirisk.core.evm import Block
from defirisk.core.row import Row
from defirisk.protocols.lending.aave_v3 import ADAPTER, ratios
from defirisk.protocols.lending.aave_v3.account_data import NO_EMODE, EMode, thresholds
from defirisk.protocols.lending.aave_v3.accrual import SECONDS_PER_YEAR, binomial, exponential
from defirisk.protocols.lending.aave_v3.generation import GENERATIONS, V3_0, V3_6, generation_of
from defirisk.protocols.lending.aave_v3.ratios import MAX_UINT256, Sums
from defirisk.protocols.lending.aave_v3.rows import (
    RAY,
    EModeCategory,
    Implementation,
    PoolCode,
    Reserve,
    UserReserve,
)
from tests.unit.protocols.rows_in_memory import RowsInMemory

POOL, PROVIDER, ASSET, TOKEN, ANN = ("0x" + digit * 40 for digit in "12345")
OLD, NEW = "0x" + "a" * 40, "0x" + "b" * 40
DEPLOYMENT = Deployment(
    name="market",
    protocol="aave-v3",
    chain_id=1,
    first_block=5,
    contracts={
        "pool": POOL,
        "pool_configurator": "0xc",
        "oracle": "0xd",
        "pool_addresses_provider": PROVIDER,
    },
)
REVISIONS = {OLD: 1, NEW: 10}
INDEX = RAY * 3 // 2


def log(contract: Contract, block: int, event: str, **args: Any) -> Log:
    return Log(
        block_number=block, timestamp=block, log_index=0, contract=contract, event=event, args=args
    )


def provider_roles(*updates: tuple[int, str]) -> list[Contract]:
    """Every role in which the provider is watched after these Pools were put there."""
    roles = [c for c in ADAPTER.roots(DEPLOYMENT) if isinstance(c, Contract)]
    provider = next(one for one in roles if one.address == PROVIDER)
    found = {provider.role: provider}
    for block, code in updates:
        told = log(provider, block, "PoolUpdated", oldAddress=POOL, newAddress=code)
        (implementation,) = ADAPTER.discover(DEPLOYMENT, told)
        assert isinstance(implementation, Contract)
        (view,) = ADAPTER.views([implementation])
        for one in ADAPTER.discover_view(view, (REVISIONS[code],)):
            assert isinstance(one, Contract)
            found.setdefault(one.role, one)
    return list(found.values())


def told(state: RowsInMemory, roles: list[Contract], block: int, code: str) -> None:
    """The log of an update, decoded in every role whose first block has come."""
    for role in roles:
        if role.first_block <= block:
            ADAPTER.fold(log(role, block, "PoolUpdated", oldAddress=POOL, newAddress=code), state)


def borrowed(block: int) -> Log:
    """A debt of 4 at an index of 1.5, which is 2.67 scaled units."""
    token = Contract(address=TOKEN, role="variable_debt_token", first_block=5, subject=ASSET)
    args = {"caller": ANN, "onBehalfOf": ANN, "value": 4, "balanceIncrease": 0, "index": INDEX}
    return log(token, block, "Mint", **args)


@pytest.mark.parametrize(
    ("revision", "version"),
    [
        (1, "3.0"),
        (3, "3.0"),
        (4, "3.1"),
        (5, "3.2"),
        (7, "3.3"),
        (8, "3.4"),
        (9, "3.5"),
        (10, "3.6"),
    ],
)
def test_a_revision_belongs_to_a_generation(revision: int, version: str) -> None:
    assert generation_of(revision).version == version


def test_later_code_follows_the_last_rules_and_so_does_what_is_not_known() -> None:
    assert [generation_of(revision) for revision in (11, 99, 0, -1)] == [GENERATIONS[-1]] * 4


def test_an_upgrade_in_mid_history_changes_the_rules_from_its_block_on() -> None:
    updates = [(7, OLD), (9, NEW)]
    roles, state = provider_roles(*updates), RowsInMemory()

    told(state, roles, *updates[0])
    ADAPTER.fold(borrowed(8), state)
    before = state.get(UserReserve, ANN, ASSET).scaled_variable_debt_raw
    told(state, roles, *updates[1])
    state.put(UserReserve(account=ANN, asset=ASSET))
    ADAPTER.fold(borrowed(9), state)
    after = state.get(UserReserve, ANN, ASSET).scaled_variable_debt_raw

    assert (before, after) == (3, 2)  # to the nearest; then a debt rounds up, its scaled one down
    assert state.get(PoolCode, "pool") == PoolCode(role="pool", since_revision=10, first_revision=1)


@pytest.mark.parametrize(("code", "scaled"), [(OLD, 3), (NEW, 2)])
def test_one_event_means_two_balances_in_two_generations(code: str, scaled: int) -> None:
    state = RowsInMemory()
    told(state, provider_roles((7, code)), 7, code)

    ADAPTER.fold(borrowed(8), state)

    assert state.get(UserReserve, ANN, ASSET).scaled_variable_debt_raw == scaled
    assert state.get(Reserve, ASSET).scaled_variable_debt_raw == scaled


def test_code_that_does_not_say_its_revision_reveals_nothing() -> None:
    code = Contract(address=OLD, role="pool_implementation", first_block=7, subject=PROVIDER)

    assert list(ADAPTER.discover_view(View(code, "POOL_REVISION"), None)) == []


@pytest.mark.parametrize(("generation", "asked"), [(V3_0, 1), (V3_6, 0)])
def test_what_a_token_holds_is_asked_only_where_the_pool_does_not_count(
    generation: Any, asked: int
) -> None:
    token = Contract(address=TOKEN, role="a_token", first_block=5, subject=ASSET)
    provider = Contract(address=PROVIDER, role=generation.role, first_block=5)

    views = [view for view in ADAPTER.views([token, provider]) if view.function == "balanceOf"]

    assert [(view.contract.address, view.args) for view in views] == [(ASSET, (TOKEN,))] * asked


@given(rate=st.integers(0, 10 * RAY), seconds=st.integers(0, 10 * SECONDS_PER_YEAR))
def test_both_compoundings_are_three_terms_of_the_same_power(rate: int, seconds: int) -> None:
    x = Fraction(rate * seconds, RAY * SECONDS_PER_YEAR)
    terms = 1 + x + x**2 / 2 + x**3 / 6

    assert exponential(rate, seconds) <= terms * RAY + 2
    assert exponential(rate, seconds) >= terms * RAY - 3 - 2 * x - x**2
    # (1 + x/n)^n: n-1 and n-2 in the place of n, and powers of the rate per second cut off.
    assert binomial(rate, seconds) <= exponential(rate, seconds) + seconds**3
    if seconds in (0, 1):
        assert binomial(rate, seconds) == RAY + rate * seconds // SECONDS_PER_YEAR


def test_the_average_threshold_loses_a_basis_point_before_v3_5() -> None:
    """Ten at 80 %, one at 75 %: 79.54 % of 11 is 8.7494, which the exact sum, 8.75, covers."""
    sums = Sums(11_000_000, 8_750_000, 0, 10_000_000 * 8000 + 1_000_000 * 7500)

    half_up, directed = ratios.HALF_UP.six_numbers(sums), ratios.DIRECTED.six_numbers(sums)

    assert half_up is not None
    assert directed is not None
    assert half_up.current_liquidation_threshold == directed.current_liquidation_threshold == 7954
    assert half_up.health_factor < 10**18 == directed.health_factor


@pytest.mark.parametrize("rules", [ratios.HALF_UP, ratios.DIRECTED])
def test_what_has_more_than_256_bits_is_nothing(rules: ratios.Ratios) -> None:
    assert rules.six_numbers(Sums(MAX_UINT256, 1, MAX_UINT256 * 8000, 0)) is None
    assert rules.six_numbers(Sums(2**200, 1, 0, 2**200 * 8000)) is None
    assert rules.six_numbers(Sums(0, 0, 0, 0)) == (0, 0, 0, 0, 0, MAX_UINT256)


@pytest.mark.parametrize(
    ("generation", "own", "expected"),
    [
        (V3_0, (7000, 7500), (9000, 9300)),
        (V3_0, (0, 7500), (0, 9300)),
        (V3_6, (0, 0), (9000, 9300)),
    ],
)
def test_in_a_mode_an_own_ltv_of_zero_counts_until_v3_5(
    generation: Any, own: tuple[int, int], expected: tuple[int, int]
) -> None:
    category = EModeCategory(category_id=1, ltv_bps=9000, liquidation_threshold_bps=9300)
    mode = EMode(category=category, collateral=frozenset({ASSET}), ltvzero=frozenset())
    reserve = Reserve(asset=ASSET, ltv_bps=own[0], liquidation_threshold_bps=own[1])

    assert thresholds(reserve, mode, generation) == expected
    assert thresholds(reserve, NO_EMODE, generation) == own


def found(*rows: Row) -> set[str]:
    """The findings of a market of which these rows are known."""
    at = Snapshot(
        deployment=DEPLOYMENT,
        block=Block(number=9, hash="0x", parent_hash="0x", timestamp=9),
        rows=RowsInMemory(*rows),
        tokens={},
        answers={},
    )
    return {finding.code for finding in ADAPTER.findings(at)}


@pytest.mark.parametrize(
    ("since", "first", "running", "codes"),
    [
        (1, 1, 1, set()),
        (10, 10, 10, set()),
        (10, 1, 10, {"upgraded"}),
        (10, 10, 1, {"other-rules"}),
        (9, 9, 9, {"unproven-implementation"}),
        (10, 10, 11, {"unproven-implementation"}),
        (10, 10, -1, {"unproven-implementation"}),
    ],
)
def test_rules_that_did_not_always_hold_or_do_not_hold_are_a_finding(
    since: int, first: int, running: int, codes: set[str]
) -> None:
    code = PoolCode(role="pool", since_revision=since, first_revision=first)

    assert found(code, Implementation(proxy=POOL, role="pool", revision=running)) == codes


def test_a_market_whose_code_was_never_told_is_not_taken_for_another() -> None:
    assert found(Implementation(proxy=POOL, role="pool", revision=1)) == {"other-rules"}
    assert found(Implementation(proxy=POOL, role="pool", revision=10)) == set()
