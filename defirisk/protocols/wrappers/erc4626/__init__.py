"""ERC-4626: vaults of any kind, known by their own answers wherever their shares turn up.

Who holds how many shares follows from logs. What a vault holds does not: a gift to it is a Transfer
of the asset, a loss or interest may be no log at all, so `totalAssets` is read where a run ends.
"""

from __future__ import annotations

from collections import defaultdict
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
from defirisk.protocols.vault_shares import SharePrice, virtual_shares
from defirisk.protocols.wrappers.erc4626 import fold as folding
from defirisk.protocols.wrappers.erc4626.rows import (
    ROWS,
    ShareBalance,
    TotalAssets,
    Totals,
    Vault,
)
from defirisk.protocols.wrappers.erc4626.worth import vaults_now

CANDIDATE, LENDER, OTHER, VAULT = "candidate", "lender", "other", general.VAULT


class Erc4626:
    """The adapter. What it does is in the files beside this one.

    A deployment may name single vaults (`vault…`). Any other token is first asked whether it is a
    vault that lends by Morpho's queues, which is left to the adapter for these.
    """

    name = "erc4626"
    kind: Kind = "wrappers"
    version = 1
    proof: Proof = "executed"
    source = "npm @openzeppelin/contracts 5.1.0: ERC4626; EIP-4626"
    required_contracts = ()
    rows: tuple[type[Row], ...] = ROWS
    interfaces: Mapping[str, Interface] = {
        CANDIDATE: Interface(abi="MetaMorpho"),
        LENDER: Interface(abi="MetaMorpho"),
        OTHER: Interface(abi="ERC4626"),
        VAULT: Interface(abi="ERC4626", events={"ERC4626": folding.EVENTS}, untrusted=True),
    }

    def roots(self, deployment: Deployment) -> Iterable[Discovery]:
        """The vaults that a deployment names."""
        for role, address in deployment.contracts.items():
            if role.startswith(VAULT):
                yield Contract(address=address, role=VAULT, first_block=deployment.first_block)
                yield TokenWanted(address=address)

    def wrapper(self, token: Address, first_block: int) -> Contract:
        """A token that is asked whether it is a vault.

        A vault is read from the chain's first block on: a balance is the sum of all its logs.
        """
        return Contract(address=token, role=CANDIDATE, first_block=0)

    discover = staticmethod(logs_reveal_nothing)

    touches = staticmethod(folding.touches)
    fold = staticmethod(folding.fold)

    def views(self, contracts: Sequence[Contract]) -> Iterable[View]:
        """What tells the kinds apart, and what each vault holds."""
        asked = {
            CANDIDATE: ("MORPHO",),
            LENDER: ("withdrawQueueLength",),
            OTHER: ("asset",),
            VAULT: ("asset", "totalAssets"),
        }
        for contract in contracts:
            yield from (View(contract, function) for function in asked.get(contract.role, ()))

    def views_of_rows(self, contracts: Sequence[Contract], rows: Rows) -> Iterable[View]:
        """What some shares convert to: which formula is the vault's own."""
        for contract in contracts:
            if contract.role == VAULT:
                totals = rows.find(Totals, contract.address)
                yield from general.samples(contract, totals.total_supply_raw if totals else 0)

    def discover_view(self, view: View, answer: tuple[Any, ...] | None) -> Iterable[Discovery]:
        """That a candidate is a vault, and the asset of a vault."""
        address, role = view.contract.address, view.contract.role
        said = answer is not None and answer[0] not in (ZERO_ADDRESS, address)
        if role == CANDIDATE:
            yield replace(view.contract, role=LENDER if said else OTHER)
        elif role == LENDER and answer is None:
            yield replace(view.contract, role=OTHER)
        elif view.function == "asset" and answer is not None and said:
            if role == OTHER:
                yield replace(view.contract, role=VAULT)
            else:
                yield TokenWanted(address=answer[0])

    def observe(
        self, view: View, answer: tuple[Any, ...] | None, block: Block, state: State
    ) -> None:
        """The asset and the formula hold since the vault was made; what it holds only for now."""
        if view.contract.role != VAULT:
            return
        vault = state.get(Vault, view.contract.address)
        if view.function == "asset":
            asset = answer[0] if answer else ZERO_ADDRESS
            changed = vault.asset not in (ZERO_ADDRESS, asset)
            (state.put if changed else state.amend)(replace(vault, asset=asset))
        elif view.function == "totalAssets":
            now = TotalAssets(
                vault=vault.vault,
                read_block=block.number,
                answered=answer is not None,
                total_assets_raw=answer[0] if answer else 0,
            )
            # Read again at the same block, the sample is as good as it was.
            read = state.get(TotalAssets, vault.vault)
            again = replace(read, sample_shares_raw=0, sample_assets_raw=0) == now
            state.put(read if again else now)
        elif answer is not None:
            _observe_sample(state, vault, SharePrice(answer[0], view.args[0]))

    def claims(self, snapshot: Snapshot) -> Iterable[Claim]:
        """What a share of each vault is a claim on."""
        return [general.claim_of(now) for now in vaults_now(snapshot).counted.values()]

    def shares(self, snapshot: Snapshot) -> Iterable[Share]:
        """Every account's shares."""
        return general.shares(vaults_now(snapshot), snapshot.rows.all(ShareBalance))

    def questions(self, snapshot: Snapshot) -> Iterable[Question]:
        """Every number of ours with the view that decides on it."""
        balances: dict[str, list[ShareBalance]] = defaultdict(list)
        for balance in snapshot.rows.all(ShareBalance):
            balances[balance.vault].append(balance)
        counted = vaults_now(snapshot).counted
        for totals in snapshot.rows.all(Totals):
            held = balances[totals.vault]
            yield from general.supply_questions(totals.vault, totals.total_supply_raw, held)
        for read in snapshot.rows.all(TotalAssets):
            yield from general.read_questions(read, snapshot.block.number)
            if read.vault in counted:
                yield from general.worth_questions(counted[read.vault], balances[read.vault])

    def totals(self, deployment: Deployment, rows: Rows) -> Iterable[Total]:
        """What all accounts hold of each vault."""
        vaults = (vault.vault for vault in rows.all(Vault))
        return general.supply_totals(deployment, vaults, rows.all(ShareBalance))

    def findings(self, snapshot: Snapshot) -> Iterable[Finding]:
        """Vaults that are left out, and rates that are older than the block."""
        return general.findings(vaults_now(snapshot))


def _observe_sample(state: State, vault: Vault, sample: SharePrice) -> None:
    """The first sample that was answered decides; the others are coarser."""
    read = state.get(TotalAssets, vault.vault)
    if not read.answered or read.sample_shares_raw:
        return
    supply = state.get(Totals, vault.vault).total_supply_raw
    known = vault.virtual_shares_raw
    agreed = virtual_shares(read.total_assets_raw, supply, sample, known)
    formula = replace(vault, virtual_shares_raw=-1 if agreed is None else agreed)
    (state.amend if known < 0 else state.put)(formula)
    sampled = replace(read, sample_shares_raw=sample.shares, sample_assets_raw=sample.assets)
    state.put(sampled)


ADAPTER = Erc4626()
