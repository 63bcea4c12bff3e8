"""What was predicted and what happened, in one shape: the engine writes one, the keeper the other.

In JSON, integers and fractions are strings, floats are numbers. Addresses are in lower case.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, is_dataclass
from fractions import Fraction
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")
VenueKind = Literal["constant-product", "concentrated", "stableswap"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The parameters that the specification names, but for the recovery of pools: there is none.

    `keeper_capacity_usd`: None for no limit. `unknown_depth`: what no pool of the header trades is
    sold elsewhere at the market price.
    """

    round_seconds: int = 12
    max_rounds: int = 200
    slices: int = 4
    gas_usd: Fraction = Fraction(5)
    feed_deviation: Fraction = Fraction(1, 200)
    keeper_capacity_usd: Fraction | None = None
    unknown_depth: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A liquidation unit, by its deployment's name and its own in the book."""

    deployment: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A token of the asset axis: its market price before the shock, and the factor on that."""

    address: str
    symbol: str
    decimals: int
    price_usd: Fraction | None
    move: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """A pool; `tokens` in its own order."""

    address: str
    kind: VenueKind
    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """The asset's price moves as its parent's does, times its price in the parent at `venue`.

    Without a venue it is a claim whose worth in the parent does not change.
    """

    asset: str
    parent: str
    venue: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A reporting network: the proxy's address, the shock's factor on its answer, and the asset
    with whose market price it moves from then on; None where the scenario holds it apart.
    """

    address: str
    move: Fraction
    asset: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What both sides know before anything happens; every sequence is in the order of the book."""

    scenario: str
    shocks: tuple[str, ...]
    chain_id: int
    block: int
    block_hash: str
    timestamp: int
    settings: Settings
    units: tuple[Unit, ...]
    assets: tuple[Asset, ...]
    venues: tuple[Venue, ...]
    tree: tuple[Branch, ...]
    feeds: tuple[Feed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Liquidation:
    """One unit in one round: what the keeper paid and got, and what the protocol took beside it."""

    deployment: str
    unit: str
    collateral: str
    debt: str
    repaid_raw: int
    seized_raw: int
    fee_raw: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BadDebt:
    """Debt that a protocol booked as its own or its lenders' loss."""

    deployment: str
    unit: str
    asset: str
    amount_raw: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """One slice of a pair: the pools it went through, none where it was sold elsewhere."""

    sold: str
    bought: str
    route: tuple[str, ...]
    sold_raw: int
    received_raw: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A new answer of a feed, as its own integer."""

    feed: str
    answer_raw: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """What a pool says at the end of a round: base units of `quote` per base unit of `base`, its
    first token, without fee.
    """

    venue: str
    base: str
    quote: str
    price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round, which is one block. Spots are of all venues."""

    timestamp: int
    block: int
    liquidations: tuple[Liquidation, ...]
    bad_debt: tuple[BadDebt, ...]
    sales: tuple[Sale, ...]
    posts: tuple[Post, ...]
    spots: tuple[Spot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncovered:
    """One debt of a unit that owes more than its collateral is worth at oracle prices."""

    deployment: str
    unit: str
    asset: str
    debt_raw: int


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """After the last round: who could still be liquidated, and who is under water."""

    liquidatable: tuple[Unit, ...]
    uncovered: tuple[Uncovered, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A whole cascade."""

    header: Header
    rounds: tuple[Round, ...]
    end: End

    def to_json(self) -> str:
        """One line per leaf, in the order of the fields."""
        return json.dumps(_plain(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Record:
        """The inverse. Errors: `ValueError` or `KeyError` where it is not of this shape."""
        record: Record = _read(cls, json.loads(text))
        return record

    @classmethod
    def load(cls, path: Path) -> Record:
        """A record from its file."""
        return cls.from_json(path.read_text())


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    counted = isinstance(value, int | Fraction) and not isinstance(value, bool)
    return str(value) if counted else value


def _read(kind: Any, value: Any) -> Any:
    """`value` as a thing of the annotated type."""
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return kind(**{name: _read(hint, value[name]) for name, hint in hints.items()})
    if get_origin(kind) is tuple:
        return tuple(_read(get_args(kind)[0], one) for one in value)
    if get_origin(kind) is UnionType:
        return None if value is None else _read(get_args(kind)[0], value)
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise ValueError(f"{value!r} is none of {get_args(kind)}")
        return value
    return kind(value)
