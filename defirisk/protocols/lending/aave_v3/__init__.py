"""Aave v3: a lending pool whose accounts hold aTokens and variable debt over many reserves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from defirisk.core.adapter import (
    Contract,
    Deployment,
    Discovery,
    FeedWanted,
    Finding,
    Interface,
    Kind,
    LiquidationCheck,
    Log,
    Proof,
    Question,
    Snapshot,
    TokenWanted,
    View,
)
from defirisk.core.claim import Claim
from defirisk.core.evm import ZERO_ADDRESS, Block
from defirisk.core.holdings import Holdings
from defirisk.core.row import Key, Row, State
from defirisk.protocols.lending.aave_v3 import fold as folding
from defirisk.protocols.lending.aave_v3.claims import claims
from defirisk.protocols.lending.aave_v3.findings import findings
from defirisk.protocols.lending.aave_v3.holdings import holdings
from defirisk.protocols.lending.aave_v3.referee import Liquidatable, questions
from defirisk.protocols.lending.aave_v3.rows import ROWS, Implementation, Price

_ABIS = {
    "pool": "AaveV3.Pool",
    "pool_configurator": "AaveV3.PoolConfigurator",
    "a_token": "AaveV3.AToken",
    "variable_debt_token": "AaveV3.VariableDebtToken",
    "oracle": "AaveV3.Oracle",
    "pool_addresses_provider": "AaveV3.PoolAddressesProvider",
}
_REVISION = {
    "pool": "POOL_REVISION",
    "pool_configurator": "CONFIGURATOR_REVISION",
    "a_token": "ATOKEN_REVISION",
    "variable_debt_token": "DEBT_TOKEN_REVISION",
}


def _events(role: str, abi: str) -> dict[str, tuple[str, ...]]:
    folded = folding.EVENTS[role]
    own = tuple(event for event in folded if event != "Upgraded")
    return {abi: own, "Proxy": ("Upgraded",)} if "Upgraded" in folded else {abi: own}


class AaveV3:
    """The adapter. What it does is in the files beside this one."""

    name = "aave-v3"
    kind: Kind = "lending"
    version = 1
    proof: Proof = "executed"
    source = "npm @aave-dao/aave-v3-origin 3.6.0 (Pool revision 10)"
    required_contracts = ("pool", "pool_configurator", "oracle", "pool_addresses_provider")
    rows: tuple[type[Row], ...] = ROWS
    interfaces: Mapping[str, Interface] = {
        role: Interface(abi=abi, events=_events(role, abi)) for role, abi in _ABIS.items()
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
        """The tokens of a new reserve, the source of a new price, a new price oracle."""
        args = log.args
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

    def touches(self, log: Log) -> Iterable[tuple[type[Row], Key]]:
        """The keys that a log reads or writes."""
        return folding.touches(log)

    def fold(self, log: Log, state: State) -> None:
        """Applies a log."""
        folding.fold(log, state)

    def views(self, contracts: Sequence[Contract]) -> Iterable[View]:
        """Which revision runs behind each proxy, and every price as the oracle states it."""
        oracles = [contract for contract in contracts if contract.role == "oracle"]
        for contract in contracts:
            if contract.role in _REVISION:
                yield View(contract, _REVISION[contract.role])
            if contract.role == "a_token":
                # An oracle that was replaced goes on answering: rows tell them apart.
                yield from (View(one, "getAssetPrice", (contract.subject,)) for one in oracles)

    def discover_view(self, view: View, answer: tuple[Any, ...] | None) -> Iterable[Discovery]:
        """Views reveal no contracts here."""
        return ()

    def observe(
        self, view: View, answer: tuple[Any, ...] | None, block: Block, state: State
    ) -> None:
        """A revision holds since the code was put there; a price is only known for now."""
        if view.function == "getAssetPrice":
            price = answer[0] if answer else 0
            oracle = view.contract.address
            state.put(Price(oracle=oracle, asset=view.args[0], price_raw=price))
            return
        known = state.get(Implementation, view.contract.address)
        state.amend(
            Implementation(
                proxy=view.contract.address,
                role=view.contract.role,
                implementation=known.implementation,
                revision=answer[0] if answer else -1,
            )
        )

    def holdings(self, snapshot: Snapshot) -> Holdings:
        """Accounts, quotes, parameters and amounts."""
        return holdings(snapshot)

    def liquidation_check(self, snapshot: Snapshot) -> LiquidationCheck:
        """Decides single accounts in the contract's integers."""
        return Liquidatable(snapshot)

    def claims(self, snapshot: Snapshot) -> Iterable[Claim]:
        """What each aToken is a claim on."""
        return claims(snapshot)

    def questions(self, snapshot: Snapshot) -> Iterable[Question]:
        """Every number of ours with the view that decides on it."""
        return questions(snapshot)

    def findings(self, snapshot: Snapshot) -> Iterable[Finding]:
        """Unproven code, missing prices."""
        return findings(snapshot)


ADAPTER = AaveV3()
