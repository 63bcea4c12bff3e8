"""Aave v3: a lending pool whose accounts hold aTokens and variable debt over many reserves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from defirisk.core.adapter import (
    Contract,
    Deployment,
    Discovery,
    FeedWanted,
    Interface,
    Kind,
    Log,
    Proof,
    Snapshot,
    TokenWanted,
    View,
)
from defirisk.core.claim import Claim
from defirisk.core.conservation import Total
from defirisk.core.evm import ZERO_ADDRESS, Block
from defirisk.core.holdings import Holdings
from defirisk.core.liquidation_check import LiquidationCheck
from defirisk.core.row import Row, Rows, State
from defirisk.protocols.lending.aave_v3 import fold as folding
from defirisk.protocols.lending.aave_v3 import observing
from defirisk.protocols.lending.aave_v3.claims import claims
from defirisk.protocols.lending.aave_v3.findings import findings
from defirisk.protocols.lending.aave_v3.generation import GENERATIONS
from defirisk.protocols.lending.aave_v3.holdings import holdings
from defirisk.protocols.lending.aave_v3.liquidation import liquidation
from defirisk.protocols.lending.aave_v3.referee import Liquidatable, questions, totals
from defirisk.protocols.lending.aave_v3.rows import ROWS

_ABIS = {
    "pool": "AaveV3.Pool",
    "pool_configurator": "AaveV3.PoolConfigurator",
    "a_token": "AaveV3.AToken",
    "variable_debt_token": "AaveV3.VariableDebtToken",
    "oracle": "AaveV3.Oracle",
    "pool_addresses_provider": "AaveV3.PoolAddressesProvider",
    **{generation.role: "AaveV3.PoolAddressesProvider" for generation in GENERATIONS},
}
_ELSEWHERE = {
    "Proxy": ("Upgraded",),
    "AaveV3.Pool2022": ("BackUnbacked", "SwapBorrowRateMode"),
    "AaveV3.PoolConfigurator2022": (
        *("EModeAssetCategoryChanged", "ReserveStableRateBorrowing", "UnbackedMintCapChanged"),
    ),
}
"""Events that are not in a role's own interface, or not any more, by the file they are in."""
_STRATEGY = {
    "ReserveInitialized": "interestRateStrategyAddress",
    "ReserveInterestRateStrategyChanged": "newStrategy",
}
"""Which argument of an event names the strategy that a reserve takes its rates from."""


def _interface(role: str, abi: str) -> Interface:
    folded = folding.EVENTS[role]
    found = {
        file: here
        for file, events in _ELSEWHERE.items()
        if (here := tuple(event for event in events if event in folded))
    }
    own = tuple(e for e in folded if not any(e in events for events in found.values()))
    return Interface(abi=abi, events={abi: own, **found})


class AaveV3:
    """The adapter. What it does is in the files beside this one."""

    name = "aave-v3"
    kind: Kind = "lending"
    version = 3
    proof: Proof = "executed"
    source = (
        "npm @aave-dao/aave-v3-origin 3.6.0 (Pool revision 10), "
        "@aave/core-v3 1.19.3 (Pool revision 1)"
    )
    required_contracts = ("pool", "pool_configurator", "oracle", "pool_addresses_provider")
    rows: tuple[type[Row], ...] = ROWS
    interfaces: Mapping[str, Interface] = {
        **{role: _interface(role, abi) for role, abi in _ABIS.items()},
        observing.POOL_IMPLEMENTATION: Interface(abi="AaveV3.Pool"),
        observing.UNDERLYING: Interface(abi="ERC20"),
        observing.INTEREST_RATE_STRATEGY: Interface(abi="AaveV3.InterestRateStrategy2022"),
    }

    def roots(self, deployment: Deployment) -> Iterable[Discovery]:
        """Pool, configurator, oracle and addresses provider."""
        for role in self.required_contracts:
            yield Contract(
                address=deployment.contracts[role],
                role=role,
                first_block=deployment.first_block,
                subject=deployment.contracts["pool"],
            )

    def discover(self, deployment: Deployment, log: Log) -> Iterable[Discovery]:
        """Tokens of a new reserve, what it takes its rates and prices from, new code."""
        args = log.args
        strategy = args.get(_STRATEGY.get(log.event, ""), ZERO_ADDRESS)
        if strategy != ZERO_ADDRESS:
            role = observing.INTEREST_RATE_STRATEGY
            yield Contract(address=strategy, role=role, first_block=log.block_number)
        if log.event == "ReserveInitialized":
            yield TokenWanted(address=args["asset"])
            for role, token in (
                ("a_token", args["aToken"]),
                ("variable_debt_token", args["variableDebtToken"]),
            ):
                yield Contract(
                    address=token, role=role, first_block=log.block_number, subject=args["asset"]
                )
        elif log.event == "AssetSourceUpdated" and args["source"] != ZERO_ADDRESS:
            yield FeedWanted(address=args["source"], first_block=deployment.first_block)
        elif log.event == "PriceOracleUpdated" and args["newAddress"] != ZERO_ADDRESS:
            yield Contract(
                address=args["newAddress"],
                role="oracle",
                first_block=deployment.first_block,
                subject=log.contract.subject,
            )

        elif log.event == "PoolUpdated" and args["newAddress"] != ZERO_ADDRESS:
            yield Contract(
                address=args["newAddress"],
                role=observing.POOL_IMPLEMENTATION,
                first_block=log.block_number,
                subject=log.contract.address,
            )

    touches = staticmethod(folding.touches)
    fold = staticmethod(folding.fold)

    def views(self, contracts: Sequence[Contract]) -> Iterable[View]:
        """Revisions, prices, uncounted cash, parameters of rates."""
        return observing.views(contracts)

    def discover_view(self, view: View, answer: tuple[Any, ...] | None) -> Iterable[Discovery]:
        """From when on which generation's rules hold."""
        return observing.reveal(view, answer)

    def observe(
        self, view: View, answer: tuple[Any, ...] | None, block: Block, state: State
    ) -> None:
        """Applies an answer to the rows."""
        observing.observe(view, answer, state)

    def holdings(self, snapshot: Snapshot) -> Holdings:
        """Accounts, quotes, parameters and amounts."""
        return holdings(snapshot)

    def liquidation_check(self, snapshot: Snapshot) -> LiquidationCheck:
        """Decides single accounts in the contract's integers."""
        return Liquidatable(snapshot)

    liquidation = staticmethod(liquidation)

    def claims(self, snapshot: Snapshot) -> Iterable[Claim]:
        """What each aToken is a claim on."""
        return claims(snapshot)

    questions = staticmethod(questions)
    findings = staticmethod(findings)

    def totals(self, deployment: Deployment, rows: Rows) -> Iterable[Total]:
        """What all accounts hold of each market's tokens."""
        return totals(rows)


ADAPTER = AaveV3()
