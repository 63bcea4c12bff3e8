"""Maker's contracts on the chain, with three kinds of collateral that the population uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..abi import address_in, view_data, words
from ..chain import Chain, Tx
from ..feeds import DECIMALS as FEED_DECIMALS
from ..market import KEEPERS, Market
from ..protocol import ADMIN
from ..purse import Purse
from .history import addresses, replay

WAD, RAY, RAD = 10**18, 10**27, 10**45
FIRST_BLOCK = 1
HOUR = 3600
DUST = 100 * RAD


@dataclass(frozen=True)
class Kind:
    """A collateral: its ilk, its token of Maker's, and the shared feed that its pip follows."""

    ilk: str
    gem: str
    feed: str
    decimals: int = 18

    @property
    def key(self) -> bytes:
        """As the contracts name it."""
        return self.ilk.encode().ljust(32, b"\0")

    @property
    def suffix(self) -> str:
        """In the names of its contracts."""
        return self.ilk.replace("-", "_")


KINDS = (
    Kind("ETH-A", "ETH", "WETH"),
    Kind("ETH-B", "ETH", "WETH"),
    Kind("WBTC-A", "WBTC", "WBTC", 8),
    Kind("LINK-A", "LINK", "LINK"),
)
BY_ILK = {kind.ilk: kind for kind in KINDS}
# Whole DAI: what may be owed, and what of a debt one auction may be about.
CEILINGS = {"ETH-A": 6_000_000, "ETH-B": 400_000, "WBTC-A": 8_000_000, "LINK-A": 3_000_000}
DUNKS = {"ETH-A": 8_000, "ETH-B": 5_000, "WBTC-A": 20_000, "LINK-A": 2_500}
BOX = 60_000
# Per second, as Maker states them: 5.5, 3, 9 and 14 per cent in a year.
DUTIES = {
    "ETH-A": 1_000000001697766583380253701,
    "ETH-B": 1_000000000937303470807876289,
    "WBTC-A": 1_000000002732676825177582095,
    "LINK-A": 1_000000004154878953532704765,
}


@dataclass(frozen=True)
class Maker:
    """Everything the population and the tests need to know of the deployment."""

    chain: Chain
    market: Market
    addresses: dict[str, str]

    def __getitem__(self, name: str) -> str:
        """The address of a contract by Maker's own name for it."""
        return self.addresses[name]

    def of(self, prefix: str, kind: Kind) -> str:
        """The address of a contract of one collateral, such as its MCD_JOIN."""
        return self.addresses[f"{prefix}_{kind.suffix}"]

    def pip(self, kind: Kind) -> str:
        """The source of the price."""
        return self.addresses[f"PIP_{kind.gem}"]

    def govern(self, name: str, signature: str, *args: Any) -> Tx:
        """A call by the proxy that owns everything."""
        return Tx(self["MCD_PAUSE_PROXY"], self[name], signature, args)

    def feed_price(self, kind: Kind) -> int:
        """What the shared feed says, with 18 decimals."""
        proxy = self.market.feeds.by_symbol[kind.feed].proxy
        answer = words(self.chain.call(proxy, "latestAnswer()"))[0]
        return int(answer * 10 ** (18 - FEED_DECIMALS))

    def price(self, kind: Kind) -> int:
        """What the pip says, with 18 decimals."""
        return words(self.chain.call(self.pip(kind), "read()"))[0]

    def report(self, kind: Kind, price: int) -> Tx:
        """The owner of the pip makes it say `price`."""
        poke = ("poke(bytes32)", (price.to_bytes(32),))
        return Tx(self["DEPLOYER"], self.pip(kind), *poke)

    def poke(self, kind: Kind) -> Tx:
        """Anybody makes the price count."""
        return Tx(KEEPERS[0], self["MCD_SPOT"], "poke(bytes32)", (kind.key,))

    def drip(self, kind: Kind) -> Tx:
        """Anybody makes interest count."""
        return Tx(KEEPERS[1], self["MCD_JUG"], "drip(bytes32)", (kind.key,))

    def bite(self, kind: Kind, urn: str) -> Tx:
        """Anybody starts an auction of an unsafe urn."""
        keeper = KEEPERS[int(urn, 16) % len(KEEPERS)]
        return Tx(keeper, self["MCD_CAT"], "bite(bytes32,address)", (kind.key, urn))

    def grant(self, kind: Kind, account: str, amount: int) -> list[Tx]:
        """Transactions after which the account has `amount`, in the token's own units, more."""
        if kind.gem == "ETH":
            return [Tx(account, self["ETH"], "deposit()", value=amount)]
        # Nobody can make more of the others: nearly all of them are in the faucet.
        given = ("transfer(address,uint256)", (account, amount))
        return [Tx(self["FAUCET"], self[kind.gem], *given)]

    def changed(self, kind: Kind, name: str, what: str, value: int) -> Tx:
        """One parameter of an ilk in one of the contracts."""
        args = (kind.key, what.encode().ljust(32, b"\0"), value)
        return self.govern(name, "file(bytes32,bytes32,uint256)", *args)

    def changed_for_all(self, name: str, what: str, value: int) -> Tx:
        """One parameter of a contract."""
        args = (what.encode().ljust(32, b"\0"), value)
        return self.govern(name, "file(bytes32,uint256)", *args)

    def cdps(self) -> list[tuple[int, str, str]]:
        """Every CDP: its number, its urn, its owner."""
        manager = self["CDP_MANAGER"]
        numbers = range(1, words(self.chain.call(manager, "cdpi()"))[0] + 1)
        calls = [(manager, view_data("urns(uint256)", number)) for number in numbers]
        calls += [(manager, view_data("owns(uint256)", number)) for number in numbers]
        said = [address_in(answer or "0x") for answer in self.chain.calls(calls)]
        half = len(said) // 2
        return list(zip(numbers, said[:half], said[half:], strict=True))

    def describe(self) -> dict[str, Any]:
        """The section of `deployment.json`."""
        return {"name": "maker-devnet", "first_block": FIRST_BLOCK, "addresses": self.addresses}


def begin(chain: Chain) -> dict[str, str]:
    """Maker's own history comes first; its WETH and its DAI are everybody's.

    Who makes the other tokens of the chain may make DAI, too.
    """
    known = replay(chain)
    ward, dai = known["MCD_JOIN_DAI"], known["MCD_DAI"]
    chain.fund([ward])
    chain.must(Tx(ward, dai, "rely(address)", (ADMIN,)))
    return {"WETH": known["ETH"], "DAI": dai}


def deploy(chain: Chain, market: Market, purse: Purse) -> Maker:
    """Prices of the shared feeds, and parameters for a population of this size."""
    maker = Maker(chain, market, addresses())
    chain.fund([maker[name] for name in ("DEPLOYER", "FAUCET", "MCD_PAUSE_PROXY")], wei=10**27)
    chain.must(*_parameters(maker))
    chain.must(*pokes(maker, KINDS))
    return maker


def load(chain: Chain, market: Market, described: dict[str, Any]) -> Maker:
    """What is on a chain that was built before."""
    return Maker(chain, market, described["addresses"])


def pokes(maker: Maker, kinds: Sequence[Kind]) -> list[Tx]:
    """The feeds' prices for the pips, and from there for everybody."""
    priced = {kind.gem: kind for kind in kinds}
    reports = [maker.report(kind, maker.feed_price(kind)) for kind in priced.values()]
    return [*reports, *(maker.poke(kind) for kind in kinds)]


def _parameters(maker: Maker) -> list[Tx]:
    txs = [
        maker.changed_for_all("MCD_VAT", "Line", 18_000_000 * RAD),
        maker.changed_for_all("MCD_CAT", "box", BOX * RAD),
    ]
    for kind in KINDS:
        flip = f"MCD_FLIP_{kind.suffix}"
        txs += [
            maker.drip(kind),
            maker.changed(kind, "MCD_JUG", "duty", DUTIES[kind.ilk]),
            maker.changed(kind, "MCD_VAT", "line", CEILINGS[kind.ilk] * RAD),
            maker.changed(kind, "MCD_CAT", "dunk", DUNKS[kind.ilk] * RAD),
            maker.changed_for_all(flip, "ttl", 3 * HOUR),
            maker.changed_for_all(flip, "tau", 48 * HOUR),
        ]
    return txs
