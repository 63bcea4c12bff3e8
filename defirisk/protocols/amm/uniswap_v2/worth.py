"""What LP tokens of a pair are worth. Source: UniswapV2Pair.burn and _mintFee of
@uniswap/v2-core 1.0.1; the fair value is that of an LP oracle that cannot be moved by a swap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from defirisk.core.adapter import Snapshot
from defirisk.core.claim import Claim, Share
from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.quote import Constant, Market, Product, Root
from defirisk.core.venue import Venue
from defirisk.protocols.amm.uniswap_v2.fold import history
from defirisk.protocols.amm.uniswap_v2.rows import Balance, FeeTo, Pair, ProtocolFee, Reserves
from defirisk.swaps.constant_product import ConstantProduct

LP_DECIMALS = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class PairNow:
    """A pair whose tokens' decimals are known. `supply_raw` is as it is once the protocol has
    taken its share, which every mint and burn does first; where that share is not known, without.
    """

    pair: Pair
    reserves: Reserves
    decimals: tuple[int, int]
    label: str
    supply_raw: int


def pairs_now(snapshot: Snapshot) -> Iterator[PairNow]:
    """Every pair that can be counted."""
    for pair in snapshot.rows.all(Pair):
        reserves = snapshot.rows.find(Reserves, pair.pair)
        tokens = [snapshot.tokens.get(token) for token in (pair.token0, pair.token1)]
        if reserves is not None and tokens[0] is not None and tokens[1] is not None:
            yield PairNow(
                pair=pair,
                reserves=reserves,
                decimals=(tokens[0].decimals, tokens[1].decimals),
                label=f"{tokens[0].symbol}/{tokens[1].symbol}",
                supply_raw=reserves.total_supply_raw + _share_due(snapshot, pair, reserves),
            )


def _share_due(snapshot: Snapshot, pair: Pair, reserves: Reserves) -> int:
    """What the protocol would be given now; 0 where that was not read at this block."""
    to = snapshot.rows.find(FeeTo, pair.factory)
    if to is None or to.read_block != snapshot.block.number or to.fee_to == ZERO_ADDRESS:
        return 0
    return protocol_share(reserves, k_last(snapshot, pair.pair) or 0)


def k_last(snapshot: Snapshot, pair: str) -> int | None:
    """kLast of a pair, where it was read at this very block."""
    fee = snapshot.rows.find(ProtocolFee, pair)
    return None if fee is None or fee.read_block != snapshot.block.number else fee.k_last


def protocol_share(reserves: Reserves, before: int) -> int:
    """LP tokens that `_mintFee` would mint now: a sixth of what the pair has grown by."""
    if before == 0:
        return 0
    root, last = isqrt(reserves.reserve0 * reserves.reserve1), isqrt(before)
    if root <= last:
        return 0
    return reserves.total_supply_raw * (root - last) // (5 * root + last)


def venue_of(snapshot: Snapshot, now: PairNow) -> Venue:
    """The pair as a pool."""
    return Venue(
        address=now.pair.pair,
        deployment=snapshot.deployment.name,
        label=now.label,
        kind="constant-product",
        tokens=(now.pair.token0, now.pair.token1),
        decimals=now.decimals,
        pool=ConstantProduct((now.reserves.reserve0, now.reserves.reserve1)),
        history=history(now.reserves),
    )


def claim_of(now: PairNow) -> Claim:
    """2 * sqrt(k) / supply * sqrt(p0 * p1): where prices move, arbitrage moves the reserves along
    the curve, and this is what is left. A swap alone does not change it.
    """
    wholes = Fraction(now.reserves.reserve0, 10 ** now.decimals[0])
    wholes *= Fraction(now.reserves.reserve1, 10 ** now.decimals[1])
    per_token = Fraction(now.supply_raw, 10**LP_DECIMALS)
    return Claim(
        token=now.pair.pair,
        kind="lp",
        program=Product(
            (
                Constant(Fraction(2)),
                Root(
                    Product(
                        (
                            Constant(wholes / per_token**2),
                            Market(now.pair.token0, None),
                            Market(now.pair.token1, None),
                        )
                    )
                ),
            )
        ),
        # As totalSupply() says: the protocol's share is only minted with the next mint or burn.
        supply_raw=now.reserves.total_supply_raw,
    )


def shares(snapshot: Snapshot) -> Iterator[Share]:
    """Every account's LP tokens, with what `burn` would give for them now."""
    pairs = {now.pair.pair: now for now in pairs_now(snapshot)}
    for held in snapshot.rows.all(Balance):
        now = pairs.get(held.pair)
        if now is None or held.account == ZERO_ADDRESS or not held.balance_raw:
            continue
        reserves = (now.reserves.reserve0, now.reserves.reserve1)
        amounts = (held.balance_raw * reserve // now.supply_raw for reserve in reserves)
        yield Share(
            account=held.account,
            token=held.pair,
            balance_raw=held.balance_raw,
            decimals=LP_DECIMALS,
            worth=tuple(zip((now.pair.token0, now.pair.token1), amounts, strict=True)),
        )
