"""MetaMorpho: an ERC-4626 vault that lends to several markets of Morpho Blue.

The package of MetaMorpho is published empty. Written from its published interface and behaviour,
and proven against a stand-in of our own, tests/devnet/contracts/AllocatorVault.sol. Of each market
is known what was owed when its interest was last booked; `totalAssets` has all interest in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from defirisk.core.adapter import (
    Contract,
    Deployment,
    Discovery,
    Finding,
    Interface,
    Kind,
    Proof,
    Question,
    Snapshot,
    TokenWanted,
    View,
    logs_reveal_nothing,
)
from defirisk.core.claim import Claim, Share
from defirisk.core.conservation import Total
from defirisk.core.evm import ZERO_ADDRESS, Address, Block
from defirisk.core.row import Row, Rows, State
from defirisk.protocols import vaults_now as general
from defirisk.protocols.wrappers.meta_morpho import fold as folding
from defirisk.protocols.wrappers.meta_morpho import observing, referee
from defirisk.protocols.wrappers.meta_morpho.rows import ROWS, Queues, ShareBalance, Totals
from defirisk.protocols.wrappers.meta_morpho.worth import vaults_now

CANDIDATE, LENDER, VAULT, MORPHO = "candidate", "lender", general.VAULT, referee.MORPHO


class MetaMorpho:
    """The adapter. What it does is in the files beside this one.

    A deployment may name single vaults (`vault…`). Other tokens are of this kind if they name a
    Morpho and have a queue to withdraw by.
    """

    name = "meta-morpho"
    kind: Kind = "wrappers"
    version = 1
    proof: Proof = "executed"
    source = "MetaMorpho's interface; tests/devnet/contracts/AllocatorVault.sol stands in for it"
    required_contracts = ()
    rows: tuple[type[Row], ...] = ROWS
    interfaces: Mapping[str, Interface] = {
        CANDIDATE: Interface(abi="MetaMorpho"),
        LENDER: Interface(abi="MetaMorpho"),
        VAULT: Interface(abi="MetaMorpho", events={"MetaMorpho": folding.EVENTS}, untrusted=True),
        MORPHO: Interface(abi="MorphoBlue.Morpho"),
    }

    def roots(self, deployment: Deployment) -> Iterable[Discovery]:
        """The vaults that a deployment names."""
        for role, address in deployment.contracts.items():
            if role.startswith(VAULT):
                yield Contract(address=address, role=CANDIDATE, first_block=deployment.first_block)
                yield TokenWanted(address=address)

    def wrapper(self, token: Address, first_block: int) -> Contract:
        """A token that is asked whether it is a vault of this kind.

        A vault is read from the chain's first block on: a balance is the sum of all its logs.
        """
        return Contract(address=token, role=CANDIDATE, first_block=0)

    discover = staticmethod(logs_reveal_nothing)

    touches = staticmethod(folding.touches)
    fold = staticmethod(folding.fold)

    def views(self, contracts: Sequence[Contract]) -> Iterable[View]:
        """What tells the kinds apart, and what each vault is and holds."""
        asked = {
            CANDIDATE: ("MORPHO",),
            LENDER: ("withdrawQueueLength",),
            VAULT: (*observing.CONSTANTS, "totalAssets"),
        }
        for contract in contracts:
            yield from (View(contract, function) for function in asked.get(contract.role, ()))

    def views_of_rows(self, contracts: Sequence[Contract], rows: Rows) -> Iterable[View]:
        """What some shares convert to, and what is lent to each market."""
        for contract in contracts:
            if contract.role != VAULT:
                continue
            totals = rows.find(Totals, contract.address)
            yield from general.samples(contract, totals.total_supply_raw if totals else 0)
            queues = rows.find(Queues, contract.address)
            for market in queues.withdraw_queue.split() if queues else ():
                for function in ("position", "market"):
                    yield referee.market_view(contract.address, contract.subject, function, market)

    def discover_view(self, view: View, answer: tuple[Any, ...] | None) -> Iterable[Discovery]:
        """That a candidate is a vault, and the asset of a vault, whose `subject` is its Morpho."""
        address, role = view.contract.address, view.contract.role
        if answer is None or answer[0] in (ZERO_ADDRESS, address):
            return
        if role == CANDIDATE:
            yield replace(view.contract, role=LENDER, subject=answer[0])
        elif role == LENDER:
            yield replace(view.contract, role=VAULT)
        elif view.function == "asset":
            yield TokenWanted(address=answer[0])

    def observe(
        self, view: View, answer: tuple[Any, ...] | None, block: Block, state: State
    ) -> None:
        """Applies an answer to the rows."""
        if view.contract.role == VAULT:
            observing.observe_vault(view, answer, block, state)
        elif view.contract.role == MORPHO:
            observing.observe_morpho(view, answer, block, state)

    def claims(self, snapshot: Snapshot) -> Iterable[Claim]:
        """What a share of each vault is a claim on, and to which markets the vault has lent."""
        return [general.claim_of(now) for now in vaults_now(snapshot).counted.values()]

    def shares(self, snapshot: Snapshot) -> Iterable[Share]:
        """Every account's shares."""
        return general.shares(vaults_now(snapshot), snapshot.rows.all(ShareBalance))

    def totals(self, deployment: Deployment, rows: Rows) -> Iterable[Total]:
        """What all accounts hold of each vault."""
        vaults = (totals.vault for totals in rows.all(Totals))
        return general.supply_totals(deployment, vaults, rows.all(ShareBalance))

    def questions(self, snapshot: Snapshot) -> Iterable[Question]:
        """Every number of ours with the view that decides on it."""
        return referee.questions(snapshot)

    def findings(self, snapshot: Snapshot) -> Iterable[Finding]:
        """Vaults that are left out, and rates that are older than the block."""
        return general.findings(vaults_now(snapshot))


ADAPTER = MetaMorpho()
