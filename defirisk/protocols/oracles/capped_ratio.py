"""The price of a share out of that of its asset, with a cap on how fast the share's rate may grow.

Source: tests/devnet/contracts/CappedRatioFeed.sol, our own, with the getters, the event and the
rounding of Aave's price cap adapters (PriceCapAdapterBase, read only). The cap's parameters are in
logs; the rate is that of the wrapped token where it was found to be its own conversion, else it is
known where a run ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal

from defirisk.core.adapter import (
    Answer,
    Contract,
    Discovery,
    Interface,
    Log,
    Question,
    Snapshot,
    View,
)
from defirisk.core.claim import converted
from defirisk.core.evm import ZERO_ADDRESS, Address, Block
from defirisk.core.quote import Clamp, Conversion, Cut, Product, anchored
from defirisk.core.row import Key, Row, Rows, State, Wide
from defirisk.protocols.feed_getters import CANDIDATE, FEED, FeedsWithGetters, Grade, grade_of

VAULT = "vault"
SAMPLE = 10**18
"""Base units of a share whose conversion is compared with the ratio."""
_CAP = ("getSnapshotRatio", "getSnapshotTimestamp", "getMaxRatioGrowthPerSecond")


@dataclass(frozen=True, slots=True, kw_only=True)
class CappedFeed(Row, table="capped_ratio_feeds", key=("feed",)):
    """What a feed is made of. `ratio_raw` was read in `read_block`, in `ratio_decimals`.

    `converts`: whenever it was asked, the ratio was what the provider's shares convert to.
    """

    feed: str
    base_feed: str = ZERO_ADDRESS
    ratio_provider: str = ZERO_ADDRESS
    ratio_decimals: int = 0
    decimals: int = 0
    asked: bool = False
    converts: bool = False
    ratio_raw: Wide = 0
    read_block: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap(Row, table="capped_ratio_caps", key=("feed",)):
    """The highest ratio there may be: `snapshot_ratio_raw` at `snapshot_ts`, more each second."""

    feed: str
    snapshot_ratio_raw: Wide = 0
    snapshot_ts: Wide = 0
    growth_per_second_raw: Wide = 0

    def most(self, timestamp: int) -> int:
        """`getMaxRatio` at a time."""
        elapsed = timestamp - self.snapshot_ts
        return self.snapshot_ratio_raw + self.growth_per_second_raw * elapsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Row, table="capped_ratio_providers", key=("provider",)):
    """What 1e18 base units of the share converted to where a run ended; 0 where it did not say."""

    provider: str
    assets_raw: Wide = 0


class CappedRatio(FeedsWithGetters):
    """The adapter. Its deployments are made by the indexer, one per chain."""

    name = "capped-ratio"
    source = (
        "tests/devnet/contracts/CappedRatioFeed.sol of this project, after Aave's "
        "PriceCapAdapterBase"
    )
    rows: tuple[type[Row], ...] = (CappedFeed, Cap, Provider)
    interfaces: Mapping[str, Interface] = {
        CANDIDATE: Interface(abi="CappedRatio.Feed"),
        FEED: Interface(
            abi="CappedRatio.Feed",
            events={"CappedRatio.Feed": ("CapParametersUpdated",)},
            untrusted=True,
        ),
        VAULT: Interface(abi="CappedRatio.Provider"),
    }
    row = CappedFeed
    known_by = "getSnapshotRatio"
    constants: Mapping[str, str] = {
        "BASE_TO_USD_AGGREGATOR": "base_feed",
        "RATIO_PROVIDER": "ratio_provider",
        "RATIO_DECIMALS": "ratio_decimals",
        "decimals": "decimals",
    }
    feeds = ("BASE_TO_USD_AGGREGATOR",)
    tokens = ("RATIO_PROVIDER",)
    rounds = False  # Aave's adapters only answer latestAnswer

    def touches(self, log: Log) -> Iterable[tuple[type[Row], Key]]:
        """The cap of the feed."""
        return [(Cap, (log.contract.address,))]

    def fold(self, log: Log, state: State) -> None:
        """A new snapshot, from which the cap grows on."""
        state.put(
            Cap(
                feed=log.contract.address,
                snapshot_ratio_raw=log.args["snapshotRatio"],
                snapshot_ts=log.args["snapshotTimestamp"],
                growth_per_second_raw=log.args["maxRatioGrowthPerSecond"],
            )
        )

    def views(self, contracts: Sequence[Contract]) -> Iterable[View]:
        """Besides the getters: the cap, for a feed that set it before the first log, and what the
        provider's shares convert to.
        """
        yield from super().views(contracts)
        for contract in contracts:
            if contract.role == FEED:
                yield from (View(contract, getter) for getter in _CAP)
            elif contract.role == VAULT:
                yield View(contract, "convertToAssets", (SAMPLE,))

    def views_of_rows(self, contracts: Sequence[Contract], rows: Rows) -> Iterable[View]:
        """The ratios, after what they may be."""
        return (View(one, "getRatio") for one in contracts if one.role == FEED)

    def discover_view(self, view: View, answer: tuple[Any, ...] | None) -> Iterable[Discovery]:
        """The provider as a vault, besides what every feed reveals."""
        yield from super().discover_view(view, answer)
        if answer and view.contract.role == FEED and view.function == "RATIO_PROVIDER":
            yield Contract(
                address=answer[0],
                role=VAULT,
                first_block=view.contract.first_block,
                subject=view.contract.address,
            )

    def observe(
        self, view: View, answer: tuple[Any, ...] | None, block: Block, state: State
    ) -> None:
        """A cap that was never in the logs holds as it was read."""
        super().observe(view, answer, block, state)
        feed = view.contract.address
        if view.contract.role == VAULT:
            state.put(Provider(provider=feed, assets_raw=answer[0] if answer else 0))
        elif view.contract.role == FEED and view.function == "getRatio":
            _observe_ratio(state, feed, answer, block)
        elif view.contract.role == FEED and answer is not None and view.function in _CAP:
            columns = ("snapshot_ratio_raw", "snapshot_ts", "growth_per_second_raw")
            cap = state.get(Cap, feed)
            column = columns[_CAP.index(view.function)]
            if getattr(cap, column) != answer[0]:
                changes: dict[str, Any] = {column: answer[0]}
                state.put(replace(cap, **changes))

    def questions(self, snapshot: Snapshot) -> Iterator[Question]:
        """Besides the answers: the ratio and its cap."""
        yield from super().questions(snapshot)
        for row in snapshot.rows.all(CappedFeed):
            cap, (ratio, ratio_grade, known) = (
                snapshot.rows.find(Cap, row.feed),
                _ratio(row, snapshot),
            )
            if cap is None:
                continue
            numbers: dict[str, tuple[int, Literal["compared", "read"]]] = {
                "getMaxRatio": (cap.most(snapshot.block.timestamp), "compared")
            }
            if known:
                numbers["getRatio"] = (ratio, "compared" if ratio_grade == "logs" else "read")
            contract = Contract(address=row.feed, role=FEED, first_block=0)
            for function, (ours, grade) in numbers.items():
                yield Question(
                    subject=row.feed,
                    view=View(contract, function),
                    fields=(function,),
                    ours=(ours,),
                    grade=grade,
                )

    def answers(self, snapshot: Snapshot) -> Mapping[Address, Answer]:
        """The base price times the ratio or its cap, cut as the contract cuts it."""
        found: dict[Address, Answer] = {}
        for row in snapshot.rows.all(CappedFeed):
            cap, base = snapshot.rows.find(Cap, row.feed), snapshot.answers.get(row.base_feed)
            ratio, grade, known = _ratio(row, snapshot)
            if cap is None or base is None or ratio == 0:
                continue
            most = cap.most(snapshot.block.timestamp)
            price = capped_price(base.price, ratio, most, row.ratio_decimals)
            rate = Conversion(row.ratio_provider, Fraction(ratio, 10**row.ratio_decimals))
            limit = Fraction(most, 10**row.ratio_decimals)
            rise = Fraction(cap.growth_per_second_raw, 10**row.ratio_decimals)
            capped = Clamp(rate, None, limit, rise)
            program = Cut(Product((capped, base.of(row.base_feed))), base.decimals)
            found[row.feed] = Answer(
                price=price,
                decimals=row.decimals,
                updated_at=base.updated_at,
                grade=grade_of(grade, base.grade),
                program=anchored(program, Fraction(price, 10**row.decimals)),
                kind=self.name,
                made_of=(row.ratio_provider, row.base_feed),
                exact=known and base.exact,
            )
        return found


def capped_price(base: int, ratio: int, most: int, ratio_decimals: int) -> int:
    """`latestAnswer`; 0 where either factor is not above 0."""
    if base <= 0 or ratio <= 0:
        return 0
    price: int = base * min(ratio, most) // 10**ratio_decimals
    return price


def _ratio(row: CappedFeed, snapshot: Snapshot) -> tuple[int, Grade, bool]:
    """The ratio as of now where it is the conversion of a known share, else as it was read; and
    whether that is the ratio of this very block.
    """
    claim = snapshot.claims.get(row.ratio_provider)
    if row.converts and claim is not None:
        share, asset = (snapshot.tokens.get(one) for one in (claim.token, claim.underlying))
        if share is not None and asset is not None:
            ratio = converted(claim, SAMPLE, share.decimals, asset.decimals)
            if ratio is not None:
                return ratio, claim.grade, claim.exact
    return row.ratio_raw, "read", row.read_block == snapshot.block.number


def _observe_ratio(
    state: State, feed: Address, answer: tuple[Any, ...] | None, block: Block
) -> None:
    """The ratio for now, and whether it is a conversion."""
    row = state.get(CappedFeed, feed)
    ratio = answer[0] if answer else 0
    agrees = ratio > 0 and state.get(Provider, row.ratio_provider).assets_raw == ratio
    if row.converts and not agrees:
        row = replace(row, converts=False)
    else:
        converts = agrees and (row.converts or not row.asked)
        row = replace(row, asked=True, converts=converts)
        state.amend(row)
    state.put(replace(row, ratio_raw=ratio, read_block=block.number))


ADAPTER = CappedRatio()
