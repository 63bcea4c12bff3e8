"""The rows of Perp Curie joined for one block: markets, accounts, the insurance fund."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from defirisk.core.adapter import Snapshot
from defirisk.core.evm import ZERO_ADDRESS, Address
from defirisk.protocols.perps.perp_curie.index_now import Index, Indexes
from defirisk.protocols.perps.perp_curie.market_now import MarketNow
from defirisk.protocols.perps.perp_curie.rows import (
    ALL,
    DUST,
    Account,
    AccountMarket,
    Collateral,
    CollateralConfig,
    Config,
    InsuranceLedger,
    InsuranceWallet,
    MakerRead,
    MarginRatios,
    Market,
    Order,
    PausedPrice,
    PoolState,
    PriceSource,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldNow:
    """What an account has in one market. `read` is what its orders earned and owe, if known."""

    held: AccountMarket
    orders: tuple[Order, ...]
    read: MakerRead | None
    exact: bool

    @property
    def taker_size(self) -> int:
        """AccountBalance.getTakerPositionSize."""
        size = self.held.taker_position_size
        return 0 if abs(size) < DUST else size

    @property
    def base_balance(self) -> int:
        """AccountBalance.getBase."""
        return self.held.taker_position_size - sum(order.base_debt for order in self.orders)

    @property
    def quote_balance(self) -> int:
        """AccountBalance.getQuote."""
        return self.held.taker_open_notional - sum(order.quote_debt for order in self.orders)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountNow:
    """One account: the balance in the vault, other collateral, and what it has by market."""

    account: Address
    balance_raw: int
    owed_realized_pnl: int
    collateral: Mapping[Address, int]
    held: Mapping[Address, HeldNow]

    @property
    def exact(self) -> bool:
        """Whether everything is of this very block: what orders earned may be from earlier."""
        return all(one.exact for one in self.held.values())

    @property
    def has_orders(self) -> bool:
        """Whether anybody must cancel its orders before it can be liquidated."""
        return any(one.orders for one in self.held.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class CollateralNow:
    """A token in the vault. `decimals` and `index` are None where nobody says."""

    config: CollateralConfig
    decimals: int | None
    index: Index | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PerpNow:
    """Everything at the snapshot's block, by base token, account or token of collateral."""

    config: Config
    ratios: MarginRatios
    markets: Mapping[Address, MarketNow]
    accounts: Mapping[Address, AccountNow]
    insurance_fund: AccountNow
    wallet: InsuranceWallet
    collateral: Mapping[Address, CollateralNow]
    bad_debt_raw: int


def perp_now(snapshot: Snapshot) -> PerpNow:
    """Joins the snapshot's rows. A market counts once its pool was added."""
    rows = snapshot.rows
    config = rows.find(Config, ALL) or Config(scope=ALL)
    sources = {row.base_token: row.dispatcher for row in rows.all(PriceSource)}
    indexes = Indexes(snapshot)
    markets = {
        market.base_token: MarketNow(
            market=market,
            config=config,
            timestamp=snapshot.block.timestamp,
            venue=snapshot.venues.get(market.pool),
            pool=rows.find(PoolState, market.pool) or PoolState(pool=market.pool),
            index=indexes.of(sources.get(market.base_token, ZERO_ADDRESS)),
            paused=rows.find(PausedPrice, market.base_token)
            or PausedPrice(base_token=market.base_token),
        )
        for market in rows.all(Market)
        if market.pool != ZERO_ADDRESS
    }
    collateral = {
        row.token: CollateralNow(
            config=row,
            decimals=token.decimals if (token := snapshot.tokens.get(row.token)) else None,
            index=indexes.of(row.price_feed),
        )
        for row in rows.all(CollateralConfig)
        if row.listed
    }
    accounts = _accounts(snapshot)
    ledger = rows.find(InsuranceLedger, ALL) or InsuranceLedger(scope=ALL)
    fund = snapshot.deployment.contracts["insurance_fund"]
    return PerpNow(
        config=config,
        ratios=rows.find(MarginRatios, ALL) or MarginRatios(scope=ALL),
        markets=markets,
        accounts={who: one for who, one in accounts.items() if who != fund},
        insurance_fund=_insurance(fund, accounts.get(fund), ledger),
        wallet=rows.find(InsuranceWallet, ALL) or InsuranceWallet(scope=ALL, read_block=-1),
        collateral=collateral,
        bad_debt_raw=ledger.bad_debt_raw,
    )


def _insurance(fund: Address, account: AccountNow | None, ledger: InsuranceLedger) -> AccountNow:
    """The fund's balance in the vault is moved by what its own logs do not name."""
    return AccountNow(
        account=fund,
        balance_raw=(account.balance_raw if account else 0) - ledger.bad_debt_raw + ledger.fees_raw,
        owed_realized_pnl=account.owed_realized_pnl if account else 0,
        collateral={},
        held={},
    )


def _accounts(snapshot: Snapshot) -> dict[Address, AccountNow]:
    rows = snapshot.rows
    orders: dict[tuple[Address, Address], list[Order]] = defaultdict(list)
    for order in rows.all(Order):
        if order.liquidity:
            orders[order.account, order.base_token].append(order)
    held: dict[Address, dict[Address, HeldNow]] = defaultdict(dict)
    for row in rows.all(AccountMarket):
        key = (row.account, row.base_token)
        read = rows.find(MakerRead, *key) if row.orders else None
        exact = not row.orders or (read is not None and read.read_block == snapshot.block.number)
        if row.taker_position_size or row.taker_open_notional or row.orders:
            held[row.account][row.base_token] = HeldNow(
                held=row, orders=tuple(orders[key]), read=read, exact=exact
            )
    collateral: dict[Address, dict[Address, int]] = defaultdict(dict)
    for other in rows.all(Collateral):
        if other.balance_raw:
            collateral[other.account][other.token] = other.balance_raw
    return {
        row.account: AccountNow(
            account=row.account,
            balance_raw=row.balance_raw,
            owed_realized_pnl=row.owed_realized_pnl,
            collateral=collateral[row.account],
            held=held[row.account],
        )
        for row in rows.all(Account)
    }
