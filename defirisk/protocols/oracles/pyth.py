"""Pyth: prices that anybody publishes to one contract, read through a wrapper for each price.

Source: `PythAggregatorV3` and `AbstractPyth` of npm @pythnetwork/pyth-sdk-solidity 4.2.0. Every
newer price of any id is in the logs of the Pyth contract; the exponent is not, and is what the
wrapper's `decimals` says. A wrapper takes a price of any age, without looking at its interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from defirisk.core.adapter import Answer, Contract, Discovery, Interface, Log, Snapshot, View
from defirisk.core.evm import ZERO_ADDRESS, Address
from defirisk.core.row import Key, Row, State, Wide
from defirisk.protocols.feed_getters import CANDIDATE, FEED, FeedsWithGetters

MAX_TIME = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PythFeed(Row, table="pyth_feeds", key=("feed",)):
    """A wrapper that reads one price as a Chainlink feed."""

    feed: str
    pyth: str = ZERO_ADDRESS
    price_id: str = ""
    decimals: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PythPrice(Row, table="pyth_prices", key=("pyth", "price_id")):
    """The latest PriceFeedUpdate of one id. Price and interval have the wrapper's decimals."""

    pyth: str
    price_id: str
    price_raw: int = 0
    confidence_raw: Wide = 0
    publish_time_ts: int = 0


class Pyth(FeedsWithGetters):
    """The adapter. Its deployments are made by the indexer, one per chain."""

    name = "pyth"
    source = "npm @pythnetwork/pyth-sdk-solidity 4.2.0: PythAggregatorV3, MockPyth"
    rows: tuple[type[Row], ...] = (PythFeed, PythPrice)
    interfaces: Mapping[str, Interface] = {
        CANDIDATE: Interface(abi="Pyth.Aggregator"),
        FEED: Interface(abi="Pyth.Aggregator"),
        "pyth": Interface(
            abi="Pyth.Pyth", events={"Pyth.Pyth": ("PriceFeedUpdate",)}, untrusted=True
        ),
    }
    row = PythFeed
    known_by = "priceId"
    constants: Mapping[str, str] = {
        "pyth": "pyth",
        "priceId": "price_id",
        "decimals": "decimals",
    }

    def touches(self, log: Log) -> Iterable[tuple[type[Row], Key]]:
        """The row of the id."""
        return [(PythPrice, (log.contract.address, _id(log)))]

    def fold(self, log: Log, state: State) -> None:
        """An update is only emitted where it is newer than what was there."""
        state.put(
            PythPrice(
                pyth=log.contract.address,
                price_id=_id(log),
                price_raw=log.args["price"],
                confidence_raw=log.args["conf"],
                publish_time_ts=min(log.args["publishTime"], MAX_TIME),
            )
        )

    def discover_view(self, view: View, answer: tuple[Any, ...] | None) -> Iterable[Discovery]:
        """The contract that the wrapper reads."""
        yield from super().discover_view(view, answer)
        if answer and view.contract.role == FEED and view.function == "pyth":
            yield Contract(
                address=answer[0],
                role="pyth",
                first_block=view.contract.first_block,
                subject=view.contract.address,
            )

    def answers(self, snapshot: Snapshot) -> Mapping[Address, Answer]:
        """The last price of each wrapper's id, where its update is in the logs."""
        found: dict[Address, Answer] = {}
        for row in snapshot.rows.all(PythFeed):
            price = snapshot.rows.find(PythPrice, row.pyth, row.price_id)
            if price is not None:
                found[row.feed] = Answer(
                    price=price.price_raw,
                    decimals=row.decimals,
                    updated_at=price.publish_time_ts,
                    grade="logs",
                    kind=self.name,
                    made_of=(row.pyth,),
                )
        return found


def _id(log: Log) -> str:
    raw: bytes = log.args["id"]
    return "0x" + raw.hex()


ADAPTER = Pyth()
