"""`getUserAccountData` in the contract's integers.

Source: `GenericLogic.calculateUserAccountData` and `ValidationLogic.getUserReserveLtv` of
@aave-dao/aave-v3-origin 3.6.0 (POOL_REVISION 10).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from defirisk.protocols.lending.aave_v3.rows import (
    EModeAsset,
    EModeCategory,
    Reserve,
    UserReserve,
)
from defirisk.protocols.lending.aave_v3.scaled_balance import (
    a_token_balance,
    variable_debt_balance,
)

WAD = 10**18
PERCENTAGE_FACTOR = 10_000
MAX_UINT256 = 2**256 - 1
HEALTH_FACTOR_LIQUIDATION_THRESHOLD = WAD


class AccountData(NamedTuple):
    """The six outputs of `getUserAccountData`, in its order and units."""

    total_collateral_base: int
    total_debt_base: int
    available_borrows_base: int
    current_liquidation_threshold: int
    ltv: int
    health_factor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveNow:
    """A reserve at one moment: what every account's numbers are made of.

    `price` is `AaveOracle.getAssetPrice`, raw; None where the contract would not answer.
    """

    reserve: Reserve
    unit: int
    liquidity_index_ray: int
    variable_borrow_index_ray: int
    price: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EMode:
    """One efficiency mode with its bitmaps as sets of assets."""

    category: EModeCategory
    collateral: frozenset[str]
    ltvzero: frozenset[str]


NO_EMODE = EMode(category=EModeCategory(category_id=0), collateral=frozenset(), ltvzero=frozenset())


def emodes(categories: Iterable[EModeCategory], assets: Iterable[EModeAsset]) -> dict[int, EMode]:
    """Every efficiency mode by its id, the absent mode 0 among them."""
    by_category: dict[int, list[EModeAsset]] = {}
    for asset in assets:
        by_category.setdefault(asset.category_id, []).append(asset)
    found = {0: NO_EMODE}
    known = {category.category_id: category for category in categories}
    for category_id in known.keys() | by_category.keys():
        members = by_category.get(category_id, [])
        found[category_id] = EMode(
            category=known.get(category_id, EModeCategory(category_id=category_id)),
            collateral=frozenset(member.asset for member in members if member.collateral),
            ltvzero=frozenset(member.asset for member in members if member.ltvzero),
        )
    return found


def thresholds(reserve: Reserve, emode: EMode) -> tuple[int, int]:
    """LTV and liquidation threshold in bps that an account in `emode` gets for this collateral."""
    if emode.category.category_id != 0 and reserve.asset in emode.collateral:
        ltv = 0 if reserve.asset in emode.ltvzero else emode.category.ltv_bps
        return ltv, emode.category.liquidation_threshold_bps
    return reserve.ltv_bps, reserve.liquidation_threshold_bps


def account_data(
    positions: Iterable[UserReserve], emode: EMode, reserves: Mapping[str, ReserveNow]
) -> AccountData | None:
    """The account's six numbers; None where the contract would revert: a price is missing, or a
    product of its checked arithmetic has more than 256 bits.
    """
    collateral = debt = weighted_ltv = weighted_threshold = largest = 0
    for position in positions:
        now = reserves.get(position.asset)
        if now is None or now.reserve.dropped:
            continue
        if not position.used_as_collateral and not position.scaled_variable_debt_raw:
            continue
        if now.price is None:
            return None
        if position.used_as_collateral:
            balance = a_token_balance(position.scaled_a_token_raw, now.liquidity_index_ray)
            largest = max(largest, balance * now.price)
            value = balance * now.price // now.unit
            ltv, threshold = thresholds(now.reserve, emode)
            collateral += value
            weighted_ltv += value * ltv
            weighted_threshold += value * threshold
        owed = variable_debt_balance(
            position.scaled_variable_debt_raw, now.variable_borrow_index_ray
        )
        largest = max(largest, owed * now.price)
        debt += -(-owed * now.price // now.unit)
    if largest > MAX_UINT256:
        return None
    return _six_numbers(collateral, debt, weighted_ltv, weighted_threshold)


def _six_numbers(
    collateral: int, debt: int, weighted_ltv: int, weighted_threshold: int
) -> AccountData | None:
    ltv = weighted_ltv // collateral if collateral else 0
    threshold = weighted_threshold // collateral if collateral else 0
    ratio = weighted_threshold * WAD + debt // 2 if debt else 0
    if max(collateral, weighted_ltv, weighted_threshold, ratio, collateral * ltv) > MAX_UINT256:
        return None
    health_factor = ratio // debt // PERCENTAGE_FACTOR if debt else MAX_UINT256
    available = max(0, collateral * ltv // PERCENTAGE_FACTOR - debt)
    return AccountData(collateral, debt, available, threshold, ltv, health_factor)
