"""Exact swaps against the pools' own quoters, and against swaps that were executed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations

import pytest
from eth_abi.abi import decode

from defirisk.core.venue import Pool
from defirisk.swaps.concentrated import Concentrated
from defirisk.swaps.constant_product import ConstantProduct
from defirisk.swaps.stableswap import StableSwap
from tests.devnet.abi import call_data, words
from tests.devnet.build import CHAIN_ID, GENESIS_TIME
from tests.devnet.chain import Chain, Tx
from tests.devnet.curve.market import Curve, deploy_curve
from tests.devnet.node import run_node
from tests.devnet.protocol import ADMIN
from tests.devnet.purse import DECIMALS, Purse
from tests.devnet.rpc import Rpc
from tests.devnet.tokens import Tokens
from tests.devnet.toolchain import load_toolchain
from tests.devnet.uniswap_v2.market import DEADLINE, MAKER, UniswapV2, deploy_uniswap_v2
from tests.devnet.uniswap_v3.market import Pool as RangePool
from tests.devnet.uniswap_v3.market import UniswapV3, deploy_uniswap_v3

pytestmark = pytest.mark.onchain

SWAPS = 200
EXECUTED = 12
PRICES = dict.fromkeys(DECIMALS, 1.0) | {"WETH": 2283.17, "WBTC": 42_123.4, "yWETH": 2291.0}
PRICES |= {"LINK": 14.9}
QUOTE = "quoteExactInputSingle((address,address,uint256,uint24,uint160))"
SWAP_V2 = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
SWAP_V3 = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"


@dataclass(frozen=True)
class Venues:
    """A fresh chain with nothing on it but tokens and pools."""

    chain: Chain
    purse: Purse
    v2: UniswapV2
    v3: UniswapV3
    curve: Curve


@pytest.fixture(scope="module")
def venues() -> Iterator[Venues]:
    tools = load_toolchain()
    with run_node(tools.anvil, chain_id=CHAIN_ID, genesis_time=GENESIS_TIME) as node:
        chain = Chain(Rpc(node.url), tools.artifacts)
        chain.fund((ADMIN, MAKER), wei=10**28)
        purse = Purse(Tokens.deploy(chain, ADMIN, {}), PRICES)
        yield Venues(
            chain,
            purse,
            deploy_uniswap_v2(chain, purse),
            deploy_uniswap_v3(chain, purse),
            deploy_curve(chain, purse),
        )


def drawn(seed: str, places: int, most: Sequence[int]) -> list[tuple[int, int, int]]:
    """Directions, and amounts of every size up to four times `most` of the token sold."""
    dice = random.Random(seed)
    ways = list(permutations(range(places), 2))
    chosen = [dice.choice(ways) for _ in range(SWAPS)]
    return [(i, j, int(most[i] * 4 ** dice.uniform(-20, 1)) + 1) for i, j in chosen]


def pair_at(chain: Chain, address: str) -> ConstantProduct:
    first, second, _ = words(chain.call(address, "getReserves()"))
    return ConstantProduct((first, second))


def ranges_at(chain: Chain, pool: RangePool) -> Concentrated:
    """The whole pool from its views, every word of the bitmap included."""
    slot0 = chain.call(pool.address, "slot0()")
    sqrt_price, tick = decode(["uint160", "int24"], bytes.fromhex(slot0[2:130]))
    last = pool.highest // pool.spacing // 256 + 1
    bitmap = [(word, call_data("tickBitmap(int16)", (word,))) for word in range(-last, last + 1)]
    answers = chain.calls([(pool.address, data) for _, data in bitmap])
    ticks = [
        (256 * word + bit) * pool.spacing
        for (word, _), said in zip(bitmap, answers, strict=True)
        if said
        for bit in range(256)
        if int(said, 16) >> bit & 1
    ]
    asked = [(pool.address, call_data("ticks(int24)", (at,))) for at in ticks]
    nets = [
        decode(["uint128", "int128"], bytes.fromhex((said or "0x")[2:130]))[1]
        for said in chain.calls(asked)
    ]
    return Concentrated.of(
        sqrt_price_x96=sqrt_price,
        tick=tick,
        liquidity=words(chain.call(pool.address, "liquidity()"))[0],
        fee_pips=pool.fee,
        tick_spacing=pool.spacing,
        liquidity_net=dict(zip(ticks, nets, strict=True)),
    )


def stable_at(chain: Chain, address: str, symbols: Sequence[str]) -> StableSwap:
    def ask(signature: str, *args: int) -> int:
        return words(chain.call(address, signature, *args))[0]

    return StableSwap(
        balances=tuple(ask("balances(uint256)", place) for place in range(len(symbols))),
        rates=tuple(10 ** (36 - DECIMALS[symbol]) for symbol in symbols),
        amplification=ask("A_precise()"),
        fee_e10=ask("fee()"),
        admin_fee_e10=ask("admin_fee()"),
    )


@pytest.mark.parametrize(
    "label", ["WETH/USDC", "WBTC/WETH", "yWETH/WETH", "LINK/WETH", "LINK/USDC"]
)
def test_uniswap_v2_quotes_to_the_wei(venues: Venues, label: str) -> None:
    listed = venues.v2.pools[label]
    pool = pair_at(venues.chain, listed.address)
    swaps = drawn(label, 2, pool.reserves)
    asked = [
        call_data("getAmountsOut(uint256,address[])", (a, [listed.tokens[i], listed.tokens[j]]))
        for i, j, a in swaps
    ]
    answers = venues.chain.calls([(venues.v2.router, data) for data in asked])
    quoted = [words(said)[3] for said in answers if said]
    assert len(quoted) == SWAPS
    assert [pool.sell(i, j, amount).received for i, j, amount in swaps] == quoted


@pytest.mark.parametrize("label", ["WETH/USDC 0.05%", "WETH/USDC 0.3%", "WBTC/USDC 0.3%"])
def test_uniswap_v3_quotes_to_the_wei(venues: Venues, label: str) -> None:
    listed = venues.v3.pools[label]
    pool = ranges_at(venues.chain, listed)
    swaps = drawn(label, 2, [venues.purse.units(symbol, 4e6) for symbol in listed.symbols])
    asked = [
        call_data(QUOTE, ((listed.tokens[i], listed.tokens[j], amount, listed.fee, 0),))
        for i, j, amount in swaps
    ]
    answers = venues.chain.calls([(venues.v3.addresses["quoter"], data) for data in asked])
    quoted = [tuple(words(said)[:2]) for said in answers if said]
    assert len(quoted) == SWAPS
    sales = [pool.sell(i, j, amount) for i, j, amount in swaps]
    after = [sale.pool for sale in sales if isinstance(sale.pool, Concentrated)]
    assert [
        (sale.received, end.sqrt_price_x96) for sale, end in zip(sales, after, strict=True)
    ] == quoted
    # Some went through several ticks, and over the edges of words, both ways.
    passed = [sum(_between(tick, pool.tick, end.tick) for tick in pool.ticks) for end in after]
    assert sum(count >= 3 for count in passed) >= 5
    here = pool.tick // pool.tick_spacing // 256
    crossed = [end.tick // pool.tick_spacing // 256 - here for end in after]
    assert min(crossed) < 0 < max(crossed)


def test_curve_quotes_to_the_wei(venues: Venues) -> None:
    (listed,) = venues.curve.pools.values()
    pool = stable_at(venues.chain, listed.address, listed.symbols)
    swaps = drawn(listed.label, len(listed.tokens), pool.balances)
    asked = [call_data("get_dy(int128,int128,uint256)", swap) for swap in swaps]
    answers = venues.chain.calls([(listed.address, data) for data in asked])
    # A sale within the rounding of the balance reverts in the contract, and brings nothing here.
    quoted = [words(said)[0] if said else 0 for said in answers]
    assert sum(map(bool, quoted)) > SWAPS * 0.9
    assert [pool.get_dy(*swap) for swap in swaps] == quoted
    assert [pool.sell(*swap).received for swap in swaps] == quoted
    supply = words(venues.chain.call(listed.address, "totalSupply()"))[0]
    virtual = words(venues.chain.call(listed.address, "get_virtual_price()"))[0]
    assert pool.virtual_price(supply) == virtual


def test_pools_after_executed_swaps_are_those_of_the_sale(venues: Venues) -> None:
    """One after the other, each from the pool that the one before left, without looking."""
    chain, v2 = venues.chain, venues.v2.pools["LINK/USDC"]
    v3 = venues.v3.pools["WETH/USDC 0.05%"]
    (coins,) = venues.curve.pools.values()
    pair, ranges = pair_at(chain, v2.address), ranges_at(chain, v3)
    stable: Pool = stable_at(chain, coins.address, coins.symbols)
    tracked: list[Pool] = [pair, ranges, stable]
    for i, j, which, dollars in _plan(v2.symbols, v3.symbols, coins.symbols):
        token = (v2, v3, coins)[which].symbols[i]
        amount = venues.purse.units(token, dollars)
        spender, swap = _order(venues, which, i, j, amount)
        chain.must(*venues.purse.fund(MAKER, token, amount, spender), swap)
        sale = tracked[which].sell(i, j, amount)
        assert sale.sold == amount
        tracked[which] = sale.pool
    assert tracked[0] == pair_at(chain, v2.address)
    assert tracked[1] == ranges_at(chain, v3)
    assert tracked[2] == stable_at(chain, coins.address, coins.symbols)


def test_a_price_limit_is_the_pool_s_own(venues: Venues) -> None:
    """sell_until, executed by the router with sqrtPriceLimitX96: sold and received to the wei."""
    chain, listed = venues.chain, venues.v3.pools["WBTC/USDC 0.3%"]
    pool = ranges_at(chain, listed)
    for i in (0, 1):
        sale = pool.sell_until(i, 1 - i, pool.price(i, 1 - i) * Fraction(93, 100))
        assert isinstance(sale.pool, Concentrated)
        limit = sale.pool.sqrt_price_x96
        ask = (listed.tokens[i], listed.tokens[1 - i], 2**200, listed.fee, limit)
        said = chain.call(venues.v3.addresses["quoter"], QUOTE, ask)
        assert words(said)[:2] == [sale.received, limit]
        exact = (*ask[:2], sale.sold, *ask[3:])
        assert words(chain.call(venues.v3.addresses["quoter"], QUOTE, exact))[0] == sale.received


def _between(tick: int, one: int, other: int) -> bool:
    return min(one, other) < tick <= max(one, other)


def _plan(*symbols: Sequence[str]) -> list[tuple[int, int, int, float]]:
    """Swaps at one of three pools: place in, place out, pool, dollars."""
    dice = random.Random("executed")
    plan = []
    for _ in range(EXECUTED):
        which = dice.randrange(len(symbols))
        i, j = dice.sample(range(len(symbols[which])), 2)
        plan.append((i, j, which, 10 ** dice.uniform(1, 6 if which else 4)))
    return plan


def _order(venues: Venues, which: int, i: int, j: int, amount: int) -> tuple[str, Tx]:
    """Who may take the tokens, and the swap."""
    if which == 0:
        tokens = venues.v2.pools["LINK/USDC"].tokens
        args = (amount, 0, [tokens[i], tokens[j]], MAKER, DEADLINE)
        return venues.v2.router, Tx(MAKER, venues.v2.router, SWAP_V2, args)
    if which == 1:
        pool = venues.v3.pools["WETH/USDC 0.05%"]
        order = (pool.tokens[i], pool.tokens[j], pool.fee, MAKER, DEADLINE, amount, 0, 0)
        return venues.v3.router, Tx(MAKER, venues.v3.router, SWAP_V3, (order,))
    (coins,) = venues.curve.pools.values()
    exchange = "exchange(int128,int128,uint256,uint256)"
    return coins.address, Tx(MAKER, coins.address, exchange, (i, j, amount, 0))
