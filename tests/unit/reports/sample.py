"""A made-up market, large enough for every part of a report to have something to say."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np

from defirisk.core.adapter import Finding
from defirisk.core.book import Asset, Book, DeploymentFacts, MarketFacts
from defirisk.core.evm import Address, Block
from defirisk.core.holdings import Side
from defirisk.core.quote import Feed, Product, Rate
from defirisk.reports.model import Run

RUN = Run(
    command="defirisk report protocol aave-v3 --block 21000000",
    version="0.1.0",
    final=True,
    chain="Ethereum",
    explorer="https://etherscan.io/address/",
)
# Symbol, price in USD, liquidation threshold, the asset that it follows.
ASSETS = (
    ("WETH", 2500.0, 0.83, None),
    ("wstETH", 2950.0, 0.79, 0),
    ("WBTC", 61000.0, 0.78, None),
    ("USDC", 1.0, 0.78, None),
    ("DAI", 0.9998, 0.77, None),
    ("LINK", 11.5, 0.68, None),
)
BONUS = 0.05


class NoEdge:
    """Nobody in the sample is near enough to the edge to be asked about."""

    def liquidatable(self, unit: int, prices: Mapping[int, Fraction]) -> bool:
        """Not liquidatable."""
        return False


def address(number: int) -> Address:
    """A different address for every number."""
    return "0x" + hashlib.sha256(number.to_bytes(4)).hexdigest()[:40]


def book(units: int = 240, seed: int = 7, finding: str = "") -> Book:
    """Accounts with heavy-tailed loans of stablecoins and loops of WETH on wstETH."""
    random = np.random.default_rng(seed)
    holdings = [row for unit in range(units) for row in _unit(random, unit)]
    return _book(units, holdings, finding)


def empty_book() -> Book:
    """The same market before anybody came."""
    return _book(0, [], "")


def hostile(sample: Book, text: str) -> Book:
    """The same book, in which the first asset, the deployment and a finding say `text`."""
    facts = replace(sample.deployments[0], name=text, findings=(Finding(code="x", text=text),))
    first = replace(sample.assets[0], symbol=text)
    return replace(sample, assets=(first, *sample.assets[1:]), deployments=(facts,))


def _unit(random: np.random.Generator, unit: int) -> list[tuple[int, int, Side, float]]:
    """Rows of (unit, asset, side, tokens)."""
    debt_usd = float(np.exp(random.normal(9.5, 2.0)))
    collateral = int(random.choice([0, 0, 0, 1, 1, 2, 2, 5]))
    debt = 0 if collateral == 1 and random.random() < 0.5 else int(random.choice([3, 3, 4]))
    health = 1.02 + float(random.gamma(1.3, 0.35)) if unit % 60 else 0.97
    price, threshold = ASSETS[collateral][1:3]
    rows = [(unit, collateral, Side.COLLATERAL, debt_usd * health / threshold / price)]
    if unit % 6 == 5:
        return [(unit, debt, Side.SUPPLY, debt_usd / ASSETS[debt][1])]
    if unit % 4 == 0:
        rows.append((unit, 3, Side.SUPPLY, debt_usd * 0.3))
    return [*rows, (unit, debt, Side.DEBT, debt_usd / ASSETS[debt][1])]


def _book(units: int, holdings: list[tuple[int, int, Side, float]], finding: str) -> Book:
    count = len(ASSETS)
    feed_price = [Fraction(price) for _, price, _, _ in ASSETS]
    programs = tuple(
        Product((Feed(address(100 + asset), feed_price[asset]), Rate("index", Fraction(21, 20))))
        for asset in range(count)
    )
    findings = (Finding(code="unproven-revision", text=finding),) if finding else ()
    prices = np.array([price for _, price, _, _ in ASSETS])
    return Book(
        chain_id=1,
        block=Block(
            number=21_000_000,
            hash="0x" + "ab" * 32,
            parent_hash="0x" + "aa" * 32,
            timestamp=1_763_000_000,
        ),
        deployments=(
            DeploymentFacts(
                name="aave-v3-ethereum", protocol="aave-v3", proof="compared", findings=findings
            ),
        ),
        assets=tuple(
            Asset(address=address(1 + a), symbol=symbol, follows=follows)
            for a, (symbol, _, _, follows) in enumerate(ASSETS)
        ),
        markets=tuple(_market(asset, holdings) for asset in range(count)),
        units=tuple(address(1000 + unit) for unit in range(units)),
        unit_deployment=np.zeros(units, dtype=np.int64),
        unpriced=np.zeros(units, dtype=np.bool_),
        asset_price=prices,
        quote_asset=np.arange(count),
        quote_deployment=np.zeros(count, dtype=np.int64),
        quote_market=("aave-v3-ethereum",) * count,
        quote_program=programs,
        quote_price=prices * 1.05,
        quote_rate=np.full(count, 1.05),
        quote_grain=np.full(count, 1e-18),
        ltv=np.array([threshold - 0.03 for _, _, threshold, _ in ASSETS]),
        liquidation_threshold=np.array([threshold for _, _, threshold, _ in ASSETS]),
        liquidation_bonus=np.full(count, BONUS),
        holding_unit=np.array([row[0] for row in holdings], dtype=np.int64),
        holding_quote=np.array([row[1] for row in holdings], dtype=np.int64),
        holding_side=np.array([row[2] for row in holdings], dtype=np.int8),
        holding_amount=np.array([row[3] / 1.05 for row in holdings], dtype=np.float64),
        holding_parameters=np.array([row[1] for row in holdings], dtype=np.int64),
        resolution=np.full(units, 1e-8),
        edge=NoEdge(),
    )


def _market(asset: int, holdings: list[tuple[int, int, Side, float]]) -> MarketFacts:
    mine = [(side, amount) for _, held, side, amount in holdings if held == asset]
    borrowed = sum(amount for side, amount in mine if side == Side.DEBT)
    supplied = sum(amount for side, amount in mine if side != Side.DEBT) + 1.2 * borrowed
    _, price, threshold, _ = ASSETS[asset]
    return MarketFacts(
        deployment=0,
        market="aave-v3-ethereum",
        asset=asset,
        supplied=supplied,
        borrowed=borrowed,
        cash=supplied - borrowed,
        deficit=1520.25 if asset == 4 and holdings else 0.0,
        price_usd=price,
        supply_cap=2_000_000 if asset != 2 else 0,
        borrow_cap=1_400_000 if asset != 5 else 0,
        supply_apr=0.021,
        borrow_apr=0.034,
        ltv=threshold - 0.03,
        liquidation_threshold=threshold,
        liquidation_bonus=BONUS,
        reserve_factor=0.1,
        price_source=address(100 + asset),
        price_updated_ts=None if asset == 5 else 1_763_000_000 - 700 * asset - 40,
        price_grade="logs" if asset != 1 else "read",
        flags=("frozen", "not borrowable") if asset == 5 else ("flash loans",),
    )
