"""A Liquity v1 of three troves and two deposits, as rows. One coin is worth 2,000."""

from __future__ import annotations

from dataclasses import replace

from defirisk.core.adapter import Answer, Deployment, Snapshot, Token
from defirisk.core.evm import Block
from defirisk.core.row import Row
from defirisk.protocols.cdp.liquity_v1.rows import (
    ACTIVE,
    CLOSED_BY_OWNER,
    WAD,
    Aggregator,
    Deposit,
    PoolSums,
    PriceFeed,
    StabilityPool,
    Surplus,
    System,
    SystemParameters,
    Trove,
)
from tests.unit.protocols.rows_in_memory import RowsInMemory

MANAGER, POOL, PRICE_FEED, ZUSD, SURPLUS_POOL, PARAMS = (
    "0x" + byte * 20 for byte in ("10", "20", "30", "40", "50", "60")
)
WETH, MAIN, BACKUP, MAIN_FEED, BACKUP_FEED = (
    "0x" + byte * 20 for byte in ("e1", "71", "72", "f1", "f2")
)
ANN, BOB, CID, DAN, EVE = ("0x" + byte * 20 for byte in ("aa", "bb", "cc", "dd", "ee"))
BLOCK = Block(number=1_000, hash="0x", parent_hash="0x", timestamp=1_700_000_000)
DEPLOYMENT = Deployment(
    name="liquity",
    protocol="liquity-v1",
    chain_id=1,
    contracts={"trove_manager": MANAGER, "wrapped_native": WETH},
)
TOKENS = {
    one: Token(address=one, symbol=symbol, name="", decimals=18)
    for one, symbol in ((WETH, "WETH"), (ZUSD, "ZUSD"))
}
SYSTEM = System(
    trove_manager=MANAGER,
    stability_pool=POOL,
    price_feed=PRICE_FEED,
    debt_token=ZUSD,
    coll_surplus_pool=SURPLUS_POOL,
    l_coll_wad=WAD // 10,
    l_debt_wad=150 * WAD,
    base_rate_wad=WAD // 100,
    last_fee_operation_ts=BLOCK.timestamp - 720 * 60,
    active_coll_raw=30 * WAD,
    active_debt_raw=20_000 * WAD,
    default_coll_raw=WAD,
    default_debt_raw=1_500 * WAD,
)
PARAMETERS = SystemParameters(
    trove_manager=MANAGER,
    base_params=PARAMS,
    debt_name="ZUSD",
    mcr_wad=11 * WAD // 10,
    ccr_wad=15 * WAD // 10,
    gas_compensation_raw=20 * WAD,
    min_net_debt_raw=180 * WAD,
    percent_divisor=200,
    borrowing_fee_floor_wad=5 * WAD // 1_000,
    redemption_fee_floor_wad=5 * WAD // 1_000,
    max_borrowing_fee_wad=5 * WAD // 100,
)
ROWS: list[Row] = [
    SYSTEM,
    PARAMETERS,
    # Nothing is pending for Ann; Bob and Cid have not been touched since a redistribution.
    Trove(
        borrower=ANN,
        debt_raw=10_000 * WAD,
        coll_raw=20 * WAD,
        stake_raw=20 * WAD,
        status=ACTIVE,
        l_coll_snapshot_wad=WAD // 10,
        l_debt_snapshot_wad=150 * WAD,
    ),
    Trove(borrower=BOB, debt_raw=9_000 * WAD, coll_raw=5 * WAD, stake_raw=5 * WAD, status=ACTIVE),
    Trove(borrower=CID, debt_raw=1_000 * WAD, coll_raw=5 * WAD, stake_raw=5 * WAD, status=ACTIVE),
    Trove(borrower=DAN, status=CLOSED_BY_OWNER),
    StabilityPool(pool=POOL, p_wad=WAD // 2, deposits_raw=3_000 * WAD, coll_raw=WAD),
    PoolSums(pool=POOL, epoch=0, scale=0, s=WAD * WAD // 1_000),
    Deposit(depositor=ANN, initial_raw=2_000 * WAD, p_wad=WAD),
    Deposit(depositor=EVE, initial_raw=4_000 * WAD, p_wad=WAD),
    Surplus(account=DAN, coll_raw=WAD // 4),
    Surplus(account=EVE),
    PriceFeed(price_feed=PRICE_FEED, main=MAIN, backup=BACKUP, last_good_price_wad=1_900 * WAD),
    Aggregator(contract=MAIN, aggregator=MAIN_FEED),
    Aggregator(contract=BACKUP, aggregator=BACKUP_FEED),
]


def answer(price: int, decimals: int = 8, *, exact: bool = True) -> Answer:
    """What a feed says."""
    return Answer(price=price, decimals=decimals, updated_at=7, grade="logs", exact=exact)


TWO_THOUSAND = answer(2_000 * 10**8)


def snapshot(*more: Row, **answers: Answer | None) -> Snapshot:
    """The system above, with these rows in place of those of the same key.

    `main` and `backup` are what the feeds say; None: nothing is known of that feed.
    """
    said = {"main": TWO_THOUSAND, "backup": None} | answers
    feeds = {"main": MAIN_FEED, "backup": BACKUP_FEED}
    return Snapshot(
        deployment=replace(DEPLOYMENT),
        block=BLOCK,
        rows=RowsInMemory(*ROWS, *more),
        tokens=TOKENS,
        answers={feeds[name]: one for name, one in said.items() if one is not None},
    )
