"""Pools of mainnet and Base as they were: they load and quote, and what a file says they answered
is what we compute. No file holds answers of get_dy or of a quoter: the answers there are
virtual prices of 3pool, and slot0, whose tick and liquidity follow from its price and ticks.
"""

from __future__ import annotations

from fractions import Fraction

import pytest

from defirisk.core.errors import UsageError
from defirisk.swaps.concentrated import Concentrated
from defirisk.swaps.constant_product import ConstantProduct
from defirisk.swaps.stableswap import PRECISION, amplification_at
from defirisk.swaps.tick_math import sqrt_ratio_at_tick, tick_at_sqrt_ratio
from tests.unit.swaps import recorded

TRIPOOL = "1__curve_tripool_block_24407242"
METAPOOL = "1__curve_metapool_rai_3crv_block_25144000"
METAPOOL_BLOCKS = "1__curve_metapool_rai_3crv_multiblock_18850030_18850480"
WBTC_WETH = "1__uniswap_v3_wbtc_weth_block_24407242"
SNAPSHOT = "1__block_24947230"
V3_POOL = "0xcbcdf9626bc03e24f779434178a73a0b4bad62ed"
V2_PAIR = "0xbb2b8038a1640196fbe3e38816f3e67cba72d940"


def test_the_virtual_price_of_3pool() -> None:
    state = recorded.state(TRIPOOL)
    amplification = amplification_at(
        state["block_timestamp"],
        initial=state["initial_a"],
        future=state["future_a"],
        initial_time=state["initial_a_time"],
        future_time=state["future_a_time"],
    )
    assert amplification == state["a_coefficient"]
    pool = recorded.tripool(state, balances=state["balances"], amplification=amplification)
    assert pool.virtual_price(state["lp_token_total_supply"]) == state["virtual_price"]
    dy = pool.get_dy(0, 1, 10**6 * PRECISION)
    assert 0.99 < dy / 10**12 < 1.01
    assert abs(pool.sell(0, 1, 10**6 * PRECISION).received - dy) <= 1


def test_the_virtual_price_of_3pool_beneath_the_metapool() -> None:
    base = recorded.state(METAPOOL)["base_pool"]
    pool = recorded.tripool(base, balances=base["balances"], amplification=base["a_coefficient"])
    assert pool.virtual_price(base["lp_token_total_supply"]) == base["virtual_price"]


def test_the_virtual_price_of_3pool_at_sixteen_blocks() -> None:
    file = recorded.state(METAPOOL_BLOCKS)
    base, states = file["immutable"]["base_pool"], file["states"]
    assert len(states) == 16
    for state in states.values():
        pool = recorded.tripool(
            base, balances=state["base_balances"], amplification=state["base_a"]
        )
        said = pool.virtual_price(state["base_lp_token_total_supply"])
        assert said == state["base_virtual_price_own"]


def test_ticks_and_liquidity_of_uniswap_v3_follow_from_its_price() -> None:
    pool = recorded.ranges(recorded.state(WBTC_WETH))  # refuses ticks that do not add up
    assert tick_at_sqrt_ratio(pool.sqrt_price_x96) == pool.tick
    sale = pool.sell(0, 1, 10 * 10**8)
    assert isinstance(sale.pool, Concentrated)
    assert sale.pool.tick < pool.tick
    price = float(pool.price(0, 1)) / 10**10
    assert sale.received / 10**19 == pytest.approx(price * 0.997, rel=0.01)


def test_uniswap_v3_from_the_answers_of_its_views() -> None:
    state = recorded.state(SNAPSHOT)
    ticks = state[f"v3_{V3_POOL}_tick_data"]
    pool = Concentrated.of(
        sqrt_price_x96=recorded.answer(state, V3_POOL, "0x3850c7bd"),
        tick=recorded.answer(state, V3_POOL, "0x3850c7bd", 1),
        liquidity=recorded.answer(state, V3_POOL, "0x1a686502"),
        fee_pips=recorded.answer(state, V3_POOL, "0xddca3f43"),
        tick_spacing=recorded.answer(state, V3_POOL, "0xd0c93a7c"),
        liquidity_net={int(tick): int(one["liquidity_net"]) for tick, one in ticks.items()},
    )
    assert tick_at_sqrt_ratio(pool.sqrt_price_x96) == pool.tick
    assert pool.sell(1, 0, 10**18).received > 0


def test_uniswap_v4_state_is_of_the_same_shape() -> None:
    pool = recorded.ranges(recorded.state("1__uniswap_v4_eth_usdc_block_24407242"))
    assert tick_at_sqrt_ratio(pool.sqrt_price_x96) == pool.tick


def test_a_pool_of_which_one_word_of_ticks_was_read() -> None:
    state = recorded.state("8453__aerodrome_v3_cbeth_weth_block_46875151")
    with pytest.raises(UsageError, match="some are missing"):
        recorded.ranges(state)
    word = state["scalars"]["tick"] // state["scalars"]["tick_spacing"] // 256
    pool = recorded.ranges(state, known=(word * 256, word * 256 + 255))
    assert tick_at_sqrt_ratio(pool.sqrt_price_x96) == pool.tick
    small, whole = pool.sell(0, 1, 10**18), pool.sell(0, 1, 10**30)
    assert small.received / small.sold == pytest.approx(float(pool.price(0, 1)), rel=1e-3)
    assert isinstance(whole.pool, Concentrated)
    assert whole.sold < 10**30
    assert whole.pool.sqrt_price_x96 == sqrt_ratio_at_tick(word * 256)


def test_uniswap_v2_from_the_answers_of_its_views() -> None:
    state = recorded.state("1__block_24945920")
    reserves = tuple(recorded.answer(state, V2_PAIR, "0x0902f1ac", word) for word in (0, 1))
    pool = ConstantProduct((reserves[0], reserves[1]))
    sale = pool.sell(0, 1, 10**6)
    assert sale.received / 10**6 == pytest.approx(float(pool.price(0, 1)) * 0.997, rel=1e-3)


def test_pairs_of_other_fees() -> None:
    pancake = recorded.state("8453__pancakeswap_v2_weth_usdbc_block_46875151")
    fee = Fraction(pancake["fee_numer"], pancake["fee_denom"])
    pool = recorded.pair(pancake, fee)
    x, y = pool.reserves
    assert pool.sell(1, 0, 10**6).received == 9975 * 10**6 * x // (y * 10**4 + 9975 * 10**6)
    aerodrome = recorded.state("8453__aerodrome_v2_tbtc_weth_volatile_block_46875151")
    pool = recorded.pair(aerodrome, Fraction(aerodrome["fee_raw"], 10_000), fee_leaves=True)
    x, y = pool.reserves
    assert pool.sell(0, 1, 10**15).received == 997 * 10**12 * y // (x + 997 * 10**12)
