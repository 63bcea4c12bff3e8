"""Books in which something fails, small enough to be reckoned by hand, and random ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from hypothesis import strategies as st

from defirisk.core.adapter import Token
from defirisk.core.book import Book
from defirisk.core.claim import Allocation, Claim
from defirisk.core.quote import Conversion, Market, Product
from defirisk.core.scenario import Moves, Scenario
from defirisk.core.sources import Sources
from tests import books

BAD, USDC = "BAD", "USDC"
E = 10**18


@dataclass(frozen=True)
class Vault:
    """One share a token. `lent` by the name of the isolated market, all in USDC unless `of`."""

    name: str
    total: int
    lent: Mapping[str, int]
    of: str = USDC


@dataclass(frozen=True)
class Isolated:
    """A market of one collateral for USDC. Loans are (collateral, debt), `others` lend, too."""

    name: str
    collateral: str
    loans: Sequence[tuple[float, float]]
    others: float


def at(name: str) -> str:
    return books.address(name)


def vault_claim(vault: Vault) -> Claim:
    return Claim(
        token=at(vault.name),
        kind="vault",
        program=Product((Conversion(at(vault.name), Fraction(1)), Market(at(vault.of), None))),
        underlying=at(vault.of),
        rate=Fraction(1),
        total_assets_raw=vault.total * E,
        supply_raw=vault.total * E,
        issuer="vaults",
        allocations=tuple(
            Allocation(market=market, assets_raw=amount * E)
            for market, amount in vault.lent.items()
        ),
    )


def book(markets: Sequence[Isolated], vaults: Sequence[Vault], bad_price: float = 1.0) -> Book:
    """Every market is a deployment of its own name; what vaults lend is theirs in the book."""
    tokens = [
        books.Token(BAD, bad_price, threshold=0.9),
        books.Token(USDC, 1.0, threshold=0.0),
        *(books.Token(vault.name, 1.0, threshold=0.9) for vault in vaults),
    ]
    units: list[list[books.Entry]] = []
    owners: list[str] = []
    placed: list[int] = []
    for d, market in enumerate(markets):
        for n, (pledged, owed) in enumerate(market.loans):
            units.append([("collateral", market.collateral, pledged), ("debt", USDC, owed)])
            owners.append(f"borrower-{market.name}-{n}")
            placed.append(d)
        for who, amount in _lenders(market, vaults):
            units.append([("supply", USDC, amount)])
            owners.append(who)
            placed.append(d)
    made = books.book(
        tokens,
        units,
        deployments=[market.name for market in markets],
        placed=placed,
        owners=owners,
    )
    names = [market.name for market in markets]
    claims = {at(vault.name): vault_claim(vault) for vault in vaults}
    return replace(
        made,
        assets=tuple(
            replace(asset, program=claims[asset.address].program)
            if asset.address in claims
            else asset
            for asset in made.assets
        ),
        markets=tuple(
            replace(facts, market=names[facts.deployment])
            for facts in made.markets
            if made.symbol(facts.asset) in (markets[facts.deployment].collateral, USDC)
        ),
        quote_market=tuple(names[int(d)] for d in made.quote_deployment),
        sources=Sources(
            tokens={
                asset.address: Token(
                    address=asset.address, symbol=asset.symbol, name="", decimals=18
                )
                for asset in made.assets
            },
            claims=claims,
        ),
    )


def _lenders(market: Isolated, vaults: Sequence[Vault]) -> list[tuple[str, float]]:
    lent = [
        (at(one.name), float(one.lent[market.name])) for one in vaults if market.name in one.lent
    ]
    return [*lent, (f"lender-{market.name}", market.others)]


def row(made: Book, market: str, symbol: str = USDC) -> int:
    """The place of one asset in one market."""
    return next(
        m
        for m, facts in enumerate(made.markets)
        if facts.market == market and made.symbol(facts.asset) == symbol
    )


def place(made: Book, symbol: str) -> int:
    return next(a for a, asset in enumerate(made.assets) if asset.symbol == symbol)


def falls(made: Book, symbol: str, left: Fraction = Fraction(0)) -> Scenario:
    """The market price of one asset falls to this part of it."""
    return Scenario(name="", shocks=(), moves=Moves(market={place(made, symbol): left}))


HAND = (
    Isolated("bad", BAD, [(100, 80)], others=100),
    Isolated("share", "V", [(50, 45)], others=100),
    Isolated("good", USDC, [], others=40),
)
"""V lent 100 of its 200 to the market that takes BAD, and 60 to one where nobody borrows."""
V = Vault("V", 200, {"bad": 100, "good": 60})
W = Vault("W", 20, {}, of="V")
"""A vault that holds shares of V and nothing else."""


@st.composite
def networks(draw: st.DrawFn, *, shares: bool = True) -> Book:
    """Up to three markets and three vaults, some of which hold shares of others; with `shares`,
    these are collateral, also where the vault itself lent.
    """
    names = ["bad", "one", "two"][: draw(st.integers(1, 3))]
    count = draw(st.integers(1, 3))
    vaults: list[Vault] = []
    for number in range(count):
        of = draw(st.sampled_from([USDC, *(one.name for one in vaults)]))
        total = draw(st.integers(1, 500))
        lent: dict[str, int] = {}
        if of == USDC:
            left = total
            for market in names:
                amount = draw(st.integers(0, left))
                left -= amount
                if amount:
                    lent[market] = amount
        vaults.append(Vault(f"V{number}", total, lent, of))
    pledged = [BAD, *(one.name for one in vaults)] if shares else [BAD]
    markets = []
    for market in names:
        collateral = BAD if market == "bad" else draw(st.sampled_from(pledged))
        lent_here = sum(one.lent.get(market, 0) for one in vaults)
        others = float(draw(st.integers(1, 300)))
        loans = draw(
            st.lists(st.tuples(st.integers(1, 200), st.integers(1, 100)), min_size=0, max_size=3)
        )
        room = lent_here + others
        kept = []
        for amount, owed in loans:
            if owed <= room:
                room -= owed
                kept.append((float(amount), float(owed)))
        markets.append(Isolated(market, collateral, kept, others))
    return book(markets, vaults)


def pool(units: Sequence[Sequence[books.Entry]], symbols: Sequence[str]) -> Book:
    """One deployment in which every asset at 1 USD is lent and backs debts, in one market."""
    tokens = [books.Token(symbol, 1.0, threshold=0.9) for symbol in symbols]
    made = books.book(tokens, units, deployments=("pool",))
    return replace(
        made,
        markets=tuple(replace(facts, market="pool") for facts in made.markets),
        quote_market=("pool",) * len(made.quote_market),
    )
