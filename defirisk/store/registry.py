"""What the store knows of chains, deployments, the contracts they watch, and tokens."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, insert, select, update

from defirisk.core.adapter import Contract, Deployment, Token
from defirisk.core.evm import Address
from defirisk.store.base_tables import chains, deployments, tokens, watched_contracts
from defirisk.store.raw import insert_or_ignore
from defirisk.store.types import by_code_point


class StoredDeployment(NamedTuple):
    """A deployment as the store holds it; `folded_to` is the last block its rows include."""

    id: int
    deployment: Deployment
    adapter_version: int
    folded_to: int


class StoredChain(NamedTuple):
    """A chain as of its last run. `verified_to` is complete for every deployment of the chain."""

    chain_id: int
    verified_to: int
    head: int
    head_ts: int
    finalized: int | None
    reorgs: int


def _deployment(row: Any) -> StoredDeployment:
    return StoredDeployment(
        id=row.deployment_id,
        deployment=Deployment(
            name=row.name,
            protocol=row.protocol,
            chain_id=row.chain_id,
            first_block=row.first_block,
            contracts=json.loads(row.contracts),
            follows=json.loads(row.follows),
        ),
        adapter_version=row.adapter_version,
        folded_to=row.folded_to_block,
    )


def stored_deployments(connection: Connection) -> list[StoredDeployment]:
    """Every deployment that was ever indexed, in the order of first indexing."""
    query = select(deployments).order_by(deployments.c.deployment_id)
    return [_deployment(row) for row in connection.execute(query)]


def find_deployment(connection: Connection, name: str) -> StoredDeployment | None:
    """The stored deployment of this name."""
    query = select(deployments).where(deployments.c.name == name)
    row = connection.execute(query).one_or_none()
    return _deployment(row) if row else None


def put_deployment(
    connection: Connection, deployment: Deployment, adapter_version: int
) -> StoredDeployment:
    """Stores a deployment, or brings what is stored of it up to date; nothing is folded yet."""
    values = {
        "protocol": deployment.protocol,
        "chain_id": deployment.chain_id,
        "first_block": deployment.first_block,
        "contracts": json.dumps(dict(deployment.contracts), sort_keys=True),
        "follows": json.dumps(dict(deployment.follows), sort_keys=True),
    }
    known = find_deployment(connection, deployment.name)
    if known is None:
        connection.execute(
            insert(deployments).values(
                name=deployment.name,
                adapter_version=adapter_version,
                folded_to_block=deployment.first_block - 1,
                **values,
            )
        )
    else:
        mine = deployments.c.deployment_id == known.id
        connection.execute(update(deployments).where(mine).values(**values))
    found = find_deployment(connection, deployment.name)
    assert found is not None
    return found


def set_folded(connection: Connection, deployment_id: int, block: int, version: int) -> None:
    """Records that the rows of a deployment include all logs up to `block`."""
    connection.execute(
        update(deployments)
        .where(deployments.c.deployment_id == deployment_id)
        .values(folded_to_block=block, adapter_version=version)
    )


def watched(
    connection: Connection,
    deployment_id: int,
    *,
    folded: bool | None = None,
    discovered_to: int | None = None,
) -> list[Contract]:
    """The contracts that a deployment watches; where that is asked, only those (not) folded yet,
    and only those that were discovered up to a block.
    """
    query = (
        select(watched_contracts)
        .where(watched_contracts.c.deployment_id == deployment_id)
        .order_by(
            watched_contracts.c.first_block,
            by_code_point(connection, watched_contracts.c.contract_address),
        )
    )
    if folded is not None:
        query = query.where(watched_contracts.c.folded == folded)
    if discovered_to is not None:
        query = query.where(watched_contracts.c.discovered_block <= discovered_to)
    return [
        Contract(
            address=row.contract_address,
            role=row.role,
            subject=row.subject,
            first_block=row.first_block,
        )
        for row in connection.execute(query)
    ]


def watch(
    connection: Connection, deployment_id: int, contracts: Iterable[Contract], block: int
) -> int:
    """Adds contracts that were discovered at `block`; returns how many of them are new.

    The earliest discovery says what is known of a contract, so that it does not depend on the
    order in which logs were read. Logs before those that were wanted so far will be folded, too.
    """
    new = 0
    for contract in contracts:
        known = _known_contract(connection, deployment_id, contract)
        if known is None:
            _add_contract(connection, deployment_id, contract, block)
            new += 1
            continue
        found = (block, contract.first_block, contract.subject)
        if found < (known.discovered_block, known.first_block, known.subject):
            folded = known.folded and contract.first_block >= known.first_block
            connection.execute(
                update(watched_contracts)
                .where(*_its(deployment_id, contract))
                .values(
                    discovered_block=block,
                    first_block=contract.first_block,
                    subject=contract.subject,
                    folded=folded,
                )
            )
    return new


def _its(deployment_id: int, contract: Contract) -> tuple[ColumnElement[bool], ...]:
    return (
        watched_contracts.c.deployment_id == deployment_id,
        watched_contracts.c.contract_address == contract.address,
        watched_contracts.c.role == contract.role,
    )


def _known_contract(connection: Connection, deployment_id: int, contract: Contract) -> Any:
    query = select(watched_contracts).where(*_its(deployment_id, contract))
    return connection.execute(query).one_or_none()


def _add_contract(
    connection: Connection, deployment_id: int, contract: Contract, block: int
) -> None:
    connection.execute(
        insert(watched_contracts).values(
            deployment_id=deployment_id,
            contract_address=contract.address,
            role=contract.role,
            subject=contract.subject,
            first_block=contract.first_block,
            discovered_block=block,
            folded=False,
        )
    )


def set_all_folded(connection: Connection, deployment_id: int) -> None:
    """Records that from now on the logs of every contract of a deployment are folded."""
    connection.execute(
        update(watched_contracts)
        .where(watched_contracts.c.deployment_id == deployment_id)
        .values(folded=True)
    )


def forget_watched_after(connection: Connection, deployment_id: int, block: int) -> None:
    """Drops contracts that only blocks after `block` revealed."""
    connection.execute(
        watched_contracts.delete().where(
            watched_contracts.c.deployment_id == deployment_id,
            watched_contracts.c.discovered_block > block,
        )
    )


def stored_tokens(connection: Connection, chain_id: int) -> dict[Address, Token]:
    """Every token of a chain whose own words were read."""
    query = select(tokens).where(tokens.c.chain_id == chain_id)
    return {
        row.token_address: Token(
            address=row.token_address, symbol=row.symbol, name=row.name, decimals=row.decimals
        )
        for row in connection.execute(query)
    }


def put_tokens(connection: Connection, chain_id: int, found: Iterable[Token], block: int) -> None:
    """Stores tokens; known ones stay as they are."""
    rows = [
        {
            "chain_id": chain_id,
            "token_address": token.address,
            "symbol": token.symbol,
            "name": token.name,
            "decimals": token.decimals,
            "read_at_block": block,
        }
        for token in found
    ]
    insert_or_ignore(connection, tokens, rows)


def forget_tokens_after(connection: Connection, chain_id: int, block: int) -> None:
    """Drops what tokens said in blocks after `block`."""
    connection.execute(
        tokens.delete().where(tokens.c.chain_id == chain_id, tokens.c.read_at_block > block)
    )


def stored_chains(connection: Connection) -> list[StoredChain]:
    """Every chain that was ever indexed."""
    query = select(chains).order_by(chains.c.chain_id)
    return [
        StoredChain(
            chain_id=row.chain_id,
            verified_to=row.verified_to_block,
            head=row.head_block,
            head_ts=row.head_ts,
            finalized=row.finalized_block,
            reorgs=row.reorgs,
        )
        for row in connection.execute(query)
    ]


def find_chain(connection: Connection, chain_id: int) -> StoredChain | None:
    """One chain as of its last run."""
    return next((chain for chain in stored_chains(connection) if chain.chain_id == chain_id), None)


def put_chain(connection: Connection, chain: StoredChain) -> None:
    """Stores what a run learned of a chain."""
    values = {
        "verified_to_block": chain.verified_to,
        "head_block": chain.head,
        "head_ts": chain.head_ts,
        "finalized_block": chain.finalized,
        "reorgs": chain.reorgs,
    }
    insert_or_ignore(connection, chains, [{"chain_id": chain.chain_id, **values}])
    connection.execute(update(chains).where(chains.c.chain_id == chain.chain_id).values(**values))
