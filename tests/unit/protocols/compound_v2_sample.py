"""A Compound v2 market of two cTokens and two accounts, as rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from defirisk.core.adapter import Answer, Deployment, Question, Snapshot, Token
from defirisk.core.evm import Block
from defirisk.core.row import Row
from defirisk.protocols.lending.compound_v2 import ADAPTER
from defirisk.protocols.lending.compound_v2.rows import (
    AccountMarket,
    Comptroller,
    CToken,
    CTokenConstants,
    InterestRateModel,
    Price,
    PriceFeed,
)
from tests.unit.protocols.rows_in_memory import RowsInMemory

ONE = 10**18
COMPTROLLER, ORACLE, MODEL = ("0x" + byte * 20 for byte in ("c0", "0a", "1d"))
C_ETH, C_USD, USD, WETH, FEED = ("0x" + byte * 20 for byte in ("c1", "c2", "d2", "d1", "f1"))
ANN, BOB = "0x" + "aa" * 20, "0x" + "bb" * 20
BLOCK = Block(number=1_000, hash="0x", parent_hash="0x", timestamp=1_700_000_000)
DEPLOYMENT = Deployment(
    name="compound", protocol="compound-v2", chain_id=1, contracts={"comptroller": COMPTROLLER}
)
ROWS: list[Row] = [
    Comptroller(
        comptroller=COMPTROLLER,
        price_oracle=ORACLE,
        close_factor_mantissa=ONE // 2,
        liquidation_incentive_mantissa=108 * ONE // 100,
    ),
    CToken(
        c_token=C_ETH,
        listed=True,
        collateral_factor_mantissa=3 * ONE // 4,
        total_supply_raw=50 * 10**8,
        cash_raw=ONE + 1,
        accrual_block_number=1_000,
    ),
    CToken(
        c_token=C_USD,
        listed=True,
        collateral_factor_mantissa=ONE // 2,
        total_supply_raw=10**13,
        cash_raw=10**12,
        total_borrows_raw=10**9,
        borrow_index_mantissa=12 * ONE // 10,
        accrual_block_number=1_000,
        interest_rate_model=MODEL,
    ),
    CTokenConstants(c_token=C_ETH, native=True),
    CTokenConstants(c_token=C_USD, underlying=USD),
    InterestRateModel(model=MODEL, kind="white paper", base_rate_per_block_mantissa=10**10),
    Price(price_oracle=ORACLE, c_token=C_ETH, price_mantissa=2000 * ONE),
    PriceFeed(price_oracle=ORACLE, c_token=C_USD, feed=FEED),
    AccountMarket(account=ANN, c_token=C_ETH, entered=True, tokens_raw=50 * 10**8),
    AccountMarket(
        account=ANN,
        c_token=C_USD,
        entered=True,
        principal_raw=10**9,
        interest_index_mantissa=11 * ONE // 10,
    ),
    AccountMarket(account=BOB, c_token=C_USD, tokens_raw=10**8),
]


def snapshot(*more: Row, answer: int | None = 10**8, **contracts: str) -> Snapshot:
    """The market above, with these rows in place of those of the same key."""
    answers = {}
    if answer is not None:
        answers[FEED] = Answer(price=answer, decimals=8, updated_at=1, grade="logs")
    return Snapshot(
        deployment=replace(DEPLOYMENT, contracts={**DEPLOYMENT.contracts, **contracts}),
        block=BLOCK,
        rows=RowsInMemory(*ROWS, *more),
        tokens={USD: Token(address=USD, symbol="USD", name="", decimals=6)},
        answers=answers,
    )


def asked(snap: Snapshot, function: str, *args: str) -> Question:
    return next(
        q
        for q in ADAPTER.questions(snap)
        if q.view.function == function and (not args or q.view.args == args)
    )


def row(kind: type[Any], *key: str) -> Any:
    found = RowsInMemory(*ROWS).find(kind, *key)
    assert found is not None
    return found
