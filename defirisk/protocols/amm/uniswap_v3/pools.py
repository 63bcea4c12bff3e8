"""Pools as they are at a block, and what their ranges could be taken out for.

Source: UniswapV3Pool.burn of @uniswap/v3-core 1.0.1, fees left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from defirisk.core.adapter import Snapshot
from defirisk.core.claim import Share
from defirisk.core.errors import UsageError
from defirisk.core.evm import ZERO_ADDRESS, Address
from defirisk.core.venue import Venue
from defirisk.protocols.amm.uniswap_v3.fold import entry_of
from defirisk.protocols.amm.uniswap_v3.rows import (
    Observation,
    Pool,
    Position,
    Slot,
    Tick,
    Token,
)
from defirisk.swaps.concentrated import Concentrated
from defirisk.swaps.swap_math import PIPS, amount0_delta, amount1_delta
from defirisk.swaps.tick_math import sqrt_ratio_at_tick
from defirisk.swaps.twap import Observations


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolNow:
    """A pool with all that was folded of it. `ticks` has cleared ones, too; `ring` is by index."""

    pool: Pool
    slot: Slot
    ticks: tuple[Tick, ...]
    ring: Mapping[int, Observation]

    def concentrated(self) -> Concentrated:
        """The pool that swaps. Errors: `UsageError` where logs are missing, so that liquidity and
        ticks do not belong together.
        """
        return Concentrated.of(
            sqrt_price_x96=self.slot.sqrt_price_x96,
            tick=self.slot.tick,
            liquidity=self.slot.liquidity,
            fee_pips=self.pool.fee,
            tick_spacing=self.pool.tick_spacing,
            liquidity_net={t.tick: t.liquidity_net for t in self.ticks if t.liquidity_gross},
        )

    def history(self, now: int) -> Observations:
        """What the pool remembers, as seen from a block with this time."""
        size, index = self.slot.observation_cardinality, self.slot.observation_index
        order = [(index + step) % size for step in range(1, size + 1)]
        return Observations(
            now=now,
            tick=self.slot.tick,
            liquidity=self.slot.liquidity,
            entries=tuple(entry_of(self.ring[at]) for at in order if at in self.ring),
        )


def pools_now(snapshot: Snapshot) -> Iterator[PoolNow]:
    """Every pool of which there is a log, in the order of their addresses."""
    ticks: dict[Address, list[Tick]] = defaultdict(list)
    for tick in snapshot.rows.all(Tick):
        ticks[tick.pool].append(tick)
    rings: dict[Address, dict[int, Observation]] = defaultdict(dict)
    for entry in snapshot.rows.all(Observation):
        rings[entry.pool][entry.index] = entry
    for pool in snapshot.rows.all(Pool):
        slot = snapshot.rows.find(Slot, pool.pool)
        if slot is not None:
            yield PoolNow(
                pool=pool, slot=slot, ticks=tuple(ticks[pool.pool]), ring=rings[pool.pool]
            )


def countable(snapshot: Snapshot) -> Iterator[tuple[PoolNow, Venue]]:
    """Pools whose tokens' decimals are known and whose logs are complete."""
    for now in pools_now(snapshot):
        tokens = [snapshot.tokens.get(token) for token in (now.pool.token0, now.pool.token1)]
        if tokens[0] is None or tokens[1] is None:
            continue
        try:
            pool = now.concentrated()
        except UsageError:
            continue
        yield (
            now,
            Venue(
                address=now.pool.pool,
                deployment=snapshot.deployment.name,
                label=f"{tokens[0].symbol}/{tokens[1].symbol} {_percent(now.pool.fee)}",
                kind="concentrated",
                tokens=(now.pool.token0, now.pool.token1),
                decimals=(tokens[0].decimals, tokens[1].decimals),
                pool=pool,
                history=now.history(snapshot.block.timestamp),
            ),
        )


def _percent(pips: int) -> str:
    """3000 pips are "0.3%"."""
    whole, part = divmod(pips * 100, PIPS)
    return f"{whole}.{part:06d}".rstrip("0").rstrip(".") + "%"


def shares(snapshot: Snapshot) -> Iterator[Share]:
    """Every range that is not empty: those of accounts, and those of a manager's tokens."""
    pools = {now.pool.pool: now for now, _ in countable(snapshot)}
    managers = set()
    for token in snapshot.rows.all(Token):
        if token.pool != ZERO_ADDRESS:
            managers.add(token.manager)
        if token.liquidity and token.pool in pools:
            label = f"{token.tick_lower}..{token.tick_upper} #{token.token_id}"
            held = Position(
                pool=token.pool,
                owner=token.owner,
                tick_lower=token.tick_lower,
                tick_upper=token.tick_upper,
                liquidity=token.liquidity,
            )
            yield _share(pools[token.pool], held, label)
    for position in snapshot.rows.all(Position):
        known = position.owner not in managers and position.pool in pools
        if position.liquidity and known:
            label = f"{position.tick_lower}..{position.tick_upper}"
            yield _share(pools[position.pool], position, label)


def _share(now: PoolNow, position: Position, label: str) -> Share:
    amounts = withdrawable(now.slot, position)
    return Share(
        account=position.owner,
        token=position.pool,
        balance_raw=position.liquidity,
        decimals=0,
        label=label,
        worth=((now.pool.token0, amounts[0]), (now.pool.token1, amounts[1])),
    )


def withdrawable(slot: Slot, position: Position) -> tuple[int, int]:
    """Base units of both tokens that a burn of the whole range gives."""
    lower = sqrt_ratio_at_tick(position.tick_lower)
    upper = sqrt_ratio_at_tick(position.tick_upper)
    price = slot.sqrt_price_x96
    if slot.tick < position.tick_lower:
        price = lower
    elif slot.tick >= position.tick_upper:
        price = upper
    return (
        amount0_delta(price, upper, position.liquidity, up=False),
        amount1_delta(lower, price, position.liquidity, up=False),
    )
