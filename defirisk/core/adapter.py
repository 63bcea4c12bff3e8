"""The contract between a protocol and everything else. See CONTRIBUTING.md for a worked example.

An adapter is pure: it names contracts, events and views, folds decoded logs into rows, and states
what the rows mean (holdings and parameters) and how the protocol itself can be asked whether they
are right. All reading and writing is done for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, Protocol, runtime_checkable

from defirisk.core.claim import Claim
from defirisk.core.evm import Address, Block
from defirisk.core.holdings import Holdings
from defirisk.core.liquidation_check import LiquidationCheck
from defirisk.core.quote import Feed, Program
from defirisk.core.row import Key, Row, Rows, State
from defirisk.core.venue import Venue

Kind = Literal["lending", "cdp", "perps", "amm", "oracles", "wrappers"]
Proof = Literal["executed", "compared", "read", "imported"]
"""How a protocol's numbers were proven: against running contracts here, against recorded chain
data, not at all (formula from source only), or not ours to prove (the user's file)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One set of contracts of one protocol on one chain. Forks are deployments, not code."""

    name: str
    protocol: str
    chain_id: int
    first_block: int = 0
    contracts: Mapping[str, Address] = field(default_factory=dict)
    follows: Mapping[str, str] = field(default_factory=dict)
    """Symbol or address of a wrapped or pegged asset, to the asset whose price it follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A contract that is watched. `role` decides which of its events are decoded.

    `subject` is what it stands for (the asset of an aToken, the proxy of an aggregator);
    logs before `first_block` are not wanted.
    """

    address: Address
    role: str
    first_block: int
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedWanted:
    """A price source that a protocol reads: an oracle adapter takes it from here."""

    address: Address
    first_block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueWanted:
    """A pool that a price is read from: an AMM adapter takes it from here."""

    address: Address
    first_block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenWanted:
    """An ERC-20 whose symbol, name and decimals are needed.

    Every wrapper adapter is asked whether the token is one of its kind.
    """

    address: Address


Discovery = Contract | FeedWanted | VenueWanted | TokenWanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A decoded log of a watched contract. `args` uses the contract's own names."""

    block_number: int
    timestamp: int
    log_index: int
    contract: Contract
    event: str
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Interface:
    """A role's contract: its views are in abis/`abi`.json; `events` are those that are folded.

    Events are listed under the file they are in, which may be another one (a proxy's). A file of
    another package is "package:name". `untrusted`: whoever is behind it was named by strangers, so
    a log that does not fit is not that event; elsewhere it stops the run. `notes`: functions whose
    calls anonymous logs repeat (Maker's LogNote), folded as events.
    """

    abi: str
    events: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    untrusted: bool = False
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class View:
    """A question to a contract: a function of its role's interface, and its arguments."""

    contract: Contract
    function: str
    args: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a price feed says. `price` is raw, in 10^-`decimals` of its unit of account.

    `grade` is "logs" where it was folded from logs, "read" where a view was asked. `program`: what
    it is made of, worth the same today; None: of nothing else. `kind` is the adapter that answers,
    `made_of` what the feed asks. `exact`: it is of this very block, else the latest that is known.
    """

    price: int
    decimals: int
    updated_at: int
    grade: Literal["logs", "read"]
    program: Program | None = None
    kind: str = ""
    made_of: tuple[Address, ...] = ()
    exact: bool = True

    @property
    def value(self) -> Fraction:
        """Units of account per whole token."""
        return Fraction(self.price, 10**self.decimals)

    def of(self, feed: Address) -> Program:
        """What a quote that reads the feed at this address is made of."""
        return Feed(feed, self.value) if self.program is None else self.program


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An ERC-20's own words about itself; never to be shown unescaped."""

    address: Address
    symbol: str
    name: str
    decimals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything an adapter may know when it says what its rows mean at `block`.

    `venues` are the pools of all AMMs, `claims` all wrapped tokens, `answers` all price feeds, by
    address. Claims are made from venues, answers from both, and answers of one kind of feed from
    those of another: each is given what is known by then.
    """

    deployment: Deployment
    block: Block
    rows: Rows
    tokens: Mapping[Address, Token]
    answers: Mapping[Address, Answer]
    venues: Mapping[Address, Venue] = field(default_factory=dict)
    claims: Mapping[Address, Claim] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One of our numbers, and how the protocol itself can be asked for it.

    `ours` are the values expected in the view's outputs, whose names are `fields`: numbers, and
    addresses as text; None where we say that the view reverts.
    `grade` is "compared", or "read" where ours was itself taken from that view.
    `unit` is the account for a question about a liquidation unit, else empty. `refusal`: the only
    question is whether the call reverts with these words; ours is (1,) where it does, else (0,). So
    a transaction can be asked about that the asker, who has no tokens, could not complete.
    """

    subject: str
    view: View
    fields: tuple[str, ...]
    ours: tuple[int | str, ...] | None
    unit: str = ""
    grade: Literal["compared", "read"] = "compared"
    refusal: bytes = b""


class Adapter(Protocol):
    """What every protocol file offers. `name` is the file's name with dashes."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def version(self) -> int:
        """Raised whenever the fold would make other rows of the same logs."""

    @property
    def source(self) -> str:
        """Which contracts, in which version and package, the code was written from."""

    @property
    def required_contracts(self) -> tuple[str, ...]:
        """The roles whose addresses a deployment must name."""

    @property
    def rows(self) -> tuple[type[Row], ...]: ...
    @property
    def interfaces(self) -> Mapping[str, Interface]: ...

    def roots(self, deployment: Deployment) -> Iterable[Discovery]:
        """The contracts that a deployment's data names."""

    def discover(self, deployment: Deployment, log: Log) -> Iterable[Discovery]:
        """Contracts, feeds and tokens that a log reveals."""

    def touches(self, log: Log) -> Iterable[tuple[type[Row], Key]]:
        """Every key that `fold` may read or write for this log: all are loaded at once.

        It may reach further only through keys that a named row says (who gets a market's fees):
        such rows are loaded one by one.
        """

    def fold(self, log: Log, state: State) -> None:
        """Applies one log to the rows it touches."""

    def views(self, contracts: Sequence[Contract]) -> Iterable[View]:
        """What logs cannot say, to be read where a run ends."""

    def discover_view(self, view: View, answer: tuple[Any, ...] | None) -> Iterable[Discovery]:
        """Contracts that an answer reveals; `answer` is None where the view reverted."""

    def observe(
        self, view: View, answer: tuple[Any, ...] | None, block: Block, state: State
    ) -> None:
        """Applies an answer to the rows. May read and write any key."""


def logs_reveal_nothing(
    deployment: Deployment,  # noqa: ARG001
    log: Log,  # noqa: ARG001
) -> Iterable[Discovery]:
    """`Adapter.discover` where no log reveals a contract: none is decoded for it then."""
    return ()


@runtime_checkable
class AsksOfRows(Adapter, Protocol):
    """An adapter some of whose views can only be asked once everything is folded."""

    def views_of_rows(self, contracts: Sequence[Contract], rows: Rows) -> Iterable[View]:
        """Views whose arguments are in the rows, such as the rate for a market's totals.

        Asked where a run ends; `observe` is given their answers after those of `views`.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something about a deployment that every output must say, such as an unproven revision."""

    code: str
    text: str


@runtime_checkable
class Refereed(Adapter, Protocol):
    """An adapter whose numbers the contracts can be asked about."""

    @property
    def proof(self) -> Proof: ...

    def questions(self, snapshot: Snapshot) -> Iterable[Question]:
        """Our numbers, each with the view that decides whether they are right."""

    def findings(self, snapshot: Snapshot) -> Iterable[Finding]:
        """What must be said wherever numbers of this deployment are shown."""


@runtime_checkable
class MarketAdapter(Refereed, Protocol):
    """A protocol in which accounts hold positions that can be liquidated."""

    def holdings(self, snapshot: Snapshot) -> Holdings:
        """Units, quotes, parameters and amounts at the snapshot's block, in exact integers."""

    def liquidation_check(self, snapshot: Snapshot) -> LiquidationCheck:
        """Decides single units in the contract's own integers."""
