"""`getUserAccountData` in the contract's integers.

Source: `GenericLogic.calculateUserAccountData` of @aave/core-v3 1.19.3 (POOL_REVISION 1), and with
`ValidationLogic.getUserReserveLtv` of @aave-dao/aave-v3-origin 3.6.0 (POOL_REVISION 10).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from defirisk.protocols.lending.aave_v3.generation import Generation
from defirisk.protocols.lending.aave_v3.ratios import MAX_UINT256, WAD, AccountData, Sums
from defirisk.protocols.lending.aave_v3.rows import (
    EModeAsset,
    EModeCategory,
    Reserve,
    UserReserve,
)

HEALTH_FACTOR_LIQUIDATION_THRESHOLD = WAD


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


def thresholds(reserve: Reserve, emode: EMode, generation: Generation) -> tuple[int, int]:
    """LTV and liquidation threshold in bps that an account in `emode` gets for this collateral."""
    own = reserve.ltv_bps, reserve.liquidation_threshold_bps
    if emode.category.category_id == 0 or reserve.asset not in emode.collateral:
        return own
    if generation.own_parameters_first:
        lacks_ltv, lacks_threshold = (value == 0 for value in own)
    else:
        lacks_ltv, lacks_threshold = reserve.asset in emode.ltvzero, False
    return (
        0 if lacks_ltv or lacks_threshold else emode.category.ltv_bps,
        0 if lacks_threshold else emode.category.liquidation_threshold_bps,
    )


def account_data(
    positions: Iterable[UserReserve],
    emode: EMode,
    reserves: Mapping[str, ReserveNow],
    generation: Generation,
) -> AccountData | None:
    """The account's six numbers; None where the contract would revert: a price is missing, or a
    product of its checked arithmetic has more than 256 bits.
    """
    balances, ratios = generation.balances, generation.ratios
    collateral = debt = weighted_ltv = weighted_threshold = largest = 0
    for position in positions:
        now = reserves.get(position.asset)
        if now is None or now.reserve.dropped:
            continue
        if not position.used_as_collateral and not position.scaled_variable_debt_raw:
            continue
        if now.price is None:
            return None
        if position.used_as_collateral and _counts(now.reserve, generation):
            balance = balances.a_token(position.scaled_a_token_raw, now.liquidity_index_ray)
            largest = max(largest, balance * now.price)
            value = balance * now.price // now.unit
            ltv, threshold = thresholds(now.reserve, emode, generation)
            collateral += value
            weighted_ltv += value * ltv
            weighted_threshold += value * threshold
        owed = balances.variable_debt(
            position.scaled_variable_debt_raw, now.variable_borrow_index_ray
        )
        largest = max(largest, owed * now.price)
        debt += ratios.debt_value(owed * now.price, now.unit)
    if largest > MAX_UINT256:
        return None
    return ratios.six_numbers(Sums(collateral, debt, weighted_ltv, weighted_threshold))


def _counts(reserve: Reserve, generation: Generation) -> bool:
    return reserve.liquidation_threshold_bps > 0 or not generation.own_parameters_first
