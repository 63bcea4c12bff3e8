"""What a configuration snapshot says that is in no log: names, descriptions, reserve ids.

Asked of the node in one step; an answer that does not decode is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from defirisk.chain.codec import FunctionCodec, load_functions
from defirisk.chain.words import DecodeError
from defirisk.core.adapter import Snapshot
from defirisk.core.evm import Address, Block, Call, ChainReader
from defirisk.protocols.lending.aave_v3.market_now import market_now

Question = tuple[str, Address, tuple[Any, ...]]
"""Function, contract, arguments."""
_STRATEGY = "RESERVE_INTEREST_RATE_STRATEGY"
_ABIS = {
    "name": "ERC20",
    "symbol": "ERC20",
    "balanceOf": "ERC20",
    "description": "Chainlink.Aggregator",
    "getReservesList": "AaveV3.Pool",
    _STRATEGY: "AaveV3.Pool",
    "getPoolDataProvider": "AaveV3.PoolAddressesProvider",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Answers by (function, contract, arguments); those that are not there were not given."""

    said: Mapping[Question, Any] = field(default_factory=dict)

    def of(self, function: str, contract: Address, *args: Any) -> Any:
        """The answer, or None."""
        return self.said.get((function, contract, args))

    def strategy(self) -> Address | None:
        """The interest rate strategy, of which there is one for all reserves since v3.4."""
        found = [said for (function, _, _), said in self.said.items() if function == _STRATEGY]
        return found[0] if found else None


async def ask(reader: ChainReader, snapshot: Snapshot, block: Block) -> Words:
    """Asks everything at `block`. Errors: `NodeError`."""
    codecs = {name: load_functions(abi, [name])[name] for name, abi in _ABIS.items()}
    questions = list(dict.fromkeys(_questions(snapshot)))
    results = await reader.calls([_call(codecs, one) for one in questions], block)
    said = {}
    for question, result in zip(questions, results, strict=True):
        if not result.ok:
            continue
        try:
            (said[question],) = codecs[question[0]].decode(result.data)
        except DecodeError:
            continue
    return Words(said=said)


def _questions(snapshot: Snapshot) -> Iterable[Question]:
    contracts, market = snapshot.deployment.contracts, market_now(snapshot)
    yield "getReservesList", contracts["pool"], ()
    yield _STRATEGY, contracts["pool"], ()
    yield "getPoolDataProvider", contracts["pool_addresses_provider"], ()
    for asset, now in market.reserves.items():
        for token in (now.reserve.a_token, now.reserve.variable_debt_token):
            yield "name", token, ()
            yield "symbol", token, ()
        yield "balanceOf", asset, (now.reserve.a_token,)
        yield "description", market.prices[asset].source, ()


def _call(codecs: Mapping[str, FunctionCodec], question: Question) -> Call:
    function, contract, args = question
    return Call(contract, codecs[function].encode(args))
