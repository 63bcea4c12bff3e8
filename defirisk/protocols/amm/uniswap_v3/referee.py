"""What Uniswap v3 itself answers: every number of ours with the view that decides on it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from eth_hash.auto import keccak

from defirisk.core.adapter import Contract, Finding, Question, Snapshot, View
from defirisk.core.errors import CheckFailed, UsageError
from defirisk.core.evm import ZERO_ADDRESS
from defirisk.protocols.amm.uniswap_v3.pools import PoolNow, pools_now
from defirisk.protocols.amm.uniswap_v3.rows import Observation, Position, Token
from defirisk.swaps.twap import Observations

WORD = 256
WINDOWS = (0, 1, 600, 1800, 3600)
"""Seconds ago that `observe` is asked about, beside the ends of what the pool remembers."""

SAMPLES = (10**6, 10**8, 10**10, 10**18, 10**20)
"""Sales, in base units of either token."""

_SLOT = (
    "sqrtPriceX96",
    "tick",
    "observationIndex",
    "observationCardinality",
    "observationCardinalityNext",
    "feeProtocol",
)
_NEVER_WRITTEN = (1, 0, 0, 0)
"""What `grow` leaves in a place that is reserved: a time of 1, to pay for the storage early."""


def questions(snapshot: Snapshot) -> Iterator[Question]:
    """Every pool's storage and mean prices, every range, every token, and sales at the quoter."""
    for now in pools_now(snapshot):
        contract = Contract(address=now.pool.pool, role="pool", first_block=0)
        yield from _storage(contract, now)
        yield from _ticks(contract, now)
        yield from _observations(contract, now)
        yield from _means(contract, now.history(snapshot.block.timestamp))
        if "quoter" in snapshot.deployment.contracts:
            yield from _sales(snapshot.deployment.contracts["quoter"], now)
    for position in snapshot.rows.all(Position):
        yield _range_question(position, position.liquidity, "liquidity")
    yield from _tokens(list(snapshot.rows.all(Token)))


def _storage(contract: Contract, now: PoolNow) -> Iterator[Question]:
    slot = now.slot
    yield Question(
        subject=contract.address,
        view=View(contract, "slot0"),
        fields=_SLOT,
        ours=(
            slot.sqrt_price_x96,
            slot.tick,
            slot.observation_index,
            slot.observation_cardinality,
            slot.observation_cardinality_next,
            slot.fee_protocol,
        ),
    )
    for function, ours in (
        ("liquidity", slot.liquidity),
        ("fee", now.pool.fee),
        ("tickSpacing", now.pool.tick_spacing),
    ):
        view = View(contract, function)
        yield Question(subject=contract.address, view=view, fields=(function,), ours=(ours,))


def _ticks(contract: Contract, now: PoolNow) -> Iterator[Question]:
    """Every tick that ever was, and the bitmap's words, which tell of those that were missed."""
    words: dict[int, int] = defaultdict(int)
    for tick in now.ticks:
        yield Question(
            subject=f"{contract.address} tick {tick.tick}",
            view=View(contract, "ticks", (tick.tick,)),
            fields=("liquidityGross", "liquidityNet"),
            ours=(tick.liquidity_gross, tick.liquidity_net),
        )
        word, bit = divmod(tick.tick // now.pool.tick_spacing, WORD)
        words[word] |= bool(tick.liquidity_gross) << bit
    for word, bits in words.items():
        yield Question(
            subject=f"{contract.address} word {word}",
            view=View(contract, "tickBitmap", (word,)),
            fields=("tickBitmap",),
            ours=(bits,),
        )


def _observations(contract: Contract, now: PoolNow) -> Iterator[Question]:
    for index in range(now.slot.observation_cardinality_next):
        yield Question(
            subject=f"{contract.address} observation {index}",
            view=View(contract, "observations", (index,)),
            fields=("blockTimestamp", "tickCumulative", "secondsPerLiquidityCumulativeX128"),
            ours=_NEVER_WRITTEN[:3] if index not in now.ring else _entry(now.ring[index]),
        )


def _entry(row: Observation) -> tuple[int, int, int]:
    return (
        row.block_timestamp,
        row.tick_cumulative,
        row.seconds_per_liquidity_cumulative_x128,
    )


def _means(contract: Contract, history: Observations) -> Iterator[Question]:
    """observe of one time each; a time that the pool does not remember must be refused."""
    if not history.entries:
        return
    ages = [history.now - entry.timestamp for entry in history.entries]
    for ago in sorted({*WINDOWS, ages[0], ages[0] + 1, ages[0] // 2, ages[len(ages) // 2]}):
        try:
            ours = history.accumulated(history.now - ago)
        except CheckFailed:
            ours = None
        yield Question(
            subject=f"{contract.address} {ago} seconds ago",
            view=View(contract, "observe", ((ago,),)),
            fields=("tickCumulative", "secondsPerLiquidityCumulativeX128"),
            ours=ours,
        )


def _range_question(position: Position, ours: int, field: str) -> Question:
    ticks = (position.tick_lower, position.tick_upper)
    packed = bytes.fromhex(position.owner.removeprefix("0x"))
    packed += b"".join(tick.to_bytes(3, "big", signed=True) for tick in ticks)
    contract = Contract(address=position.pool, role="pool", first_block=0)
    return Question(
        subject=f"{position.pool} {position.owner} {ticks[0]}..{ticks[1]}",
        unit=position.owner,
        view=View(contract, "positions", (keccak(packed),)),
        fields=(field,),
        ours=(ours,),
    )


def _tokens(tokens: Iterable[Token]) -> Iterator[Question]:
    """That tokens of the same range hold all of it, and that every owner has that many."""
    ranges: Counter[tuple[str, str, int, int]] = Counter()
    owned: Counter[tuple[str, str]] = Counter()
    for token in tokens:
        if token.pool != ZERO_ADDRESS:
            key = (token.pool, token.manager, token.tick_lower, token.tick_upper)
            ranges[key] += token.liquidity
        if token.owner != ZERO_ADDRESS:
            owned[token.manager, token.owner] += 1
    for (pool, manager, lower, upper), liquidity in ranges.items():
        whole = Position(pool=pool, owner=manager, tick_lower=lower, tick_upper=upper)
        yield _range_question(whole, liquidity, "sum of its tokens' liquidity")
    for (manager, owner), count in owned.items():
        contract = Contract(address=manager, role="position_manager", first_block=0)
        yield Question(
            subject=f"{manager} {owner}",
            unit=owner,
            view=View(contract, "balanceOf", (owner,)),
            fields=("balanceOf",),
            ours=(count,),
        )


def _sales(quoter: str, now: PoolNow) -> Iterator[Question]:
    contract = Contract(address=quoter, role="quoter", first_block=0)
    try:
        pool = now.concentrated()
    except UsageError:
        return
    tokens = (now.pool.token0, now.pool.token1)
    for i in (0, 1):
        for amount in SAMPLES:
            sale = pool.sell(i, 1 - i, amount)
            if sale.sold == amount:
                order = (tokens[i], tokens[1 - i], amount, now.pool.fee, 0)
                yield Question(
                    subject=now.pool.pool,
                    view=View(contract, "quoteExactInputSingle", (order,)),
                    fields=("amountOut",),
                    ours=(sale.received,),
                )


def findings(snapshot: Snapshot) -> Iterator[Finding]:
    """Pools that cannot be counted or do not add up, and tokens of pools that are not indexed."""
    pools = list(pools_now(snapshot))
    broken = [now for now in pools if _is_broken(now)]
    if broken:
        yield Finding(
            code="incomplete-pool",
            text=f"{len(broken)} of {len(pools)} pools have ticks that do not add up to their "
            "liquidity, so logs are missing: they are left out",
        )
    known = snapshot.tokens.keys()
    silent = [now for now in pools if {now.pool.token0, now.pool.token1} - known]
    if silent:
        yield Finding(
            code="no-decimals",
            text=f"{len(silent)} of {len(pools)} pools have a token without usable decimals: "
            "they are left out",
        )


def _is_broken(now: PoolNow) -> bool:
    try:
        now.concentrated()
    except UsageError:
        return True
    return False
