"""Who may change a market's parameters: pool admins and risk admins of its ACLManager.

Source: `IACLManager` of @aave-dao/aave-v3-origin 3.6.0; what is called on the PoolConfigurator
is `onlyRiskOrPoolAdmins`.
"""

from __future__ import annotations

from dataclasses import dataclass

from defirisk.chain.codec import load_events, load_functions
from defirisk.core.adapter import Deployment
from defirisk.core.errors import CheckFailed
from defirisk.core.evm import Address, Block, Call, ChainReader, LogQuery

BEFORE = 100_000
"""How many blocks before its market an ACLManager may have given its first role."""
_CHECKS = {"isRiskAdmin": "risk admin", "isPoolAdmin": "pool admin"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleHolder:
    """An account that may call the setters, by its role."""

    account: Address
    role: str


async def role_holder(reader: ChainReader, deployment: Deployment, block: Block) -> RoleHolder:
    """The first risk admin, else pool admin, that was ever granted a role and still has it.

    Errors: `CheckFailed` where none is found, `NodeError`.
    """
    provider = deployment.contracts["pool_addresses_provider"]
    getter = load_functions("AaveV3.PoolAddressesProvider", ["getACLManager"])["getACLManager"]
    (answer,) = await reader.calls([Call(provider, getter.encode())], block)
    (manager,) = getter.decode(answer.data)
    accounts = await _granted(reader, manager, max(0, deployment.first_block - BEFORE), block)
    codecs = load_functions("AaveV3.ACLManager", _CHECKS)
    questions = [(role, account) for role in _CHECKS for account in accounts]
    results = await reader.calls(
        [Call(manager, codecs[role].encode((account,))) for role, account in questions], block
    )
    for (role, account), result in zip(questions, results, strict=True):
        if result.ok and codecs[role].decode(result.data) == (True,):
            return RoleHolder(account=account, role=_CHECKS[role])
    raise CheckFailed(
        f"{deployment.name}: ACLManager {manager} names no risk admin or pool admin in any event"
    )


async def _granted(
    reader: ChainReader, manager: Address, first_block: int, block: Block
) -> list[Address]:
    """Whoever was given a role, in order."""
    event = load_events("AaveV3.ACLManager", ["RoleGranted"])["RoleGranted"]
    query = LogQuery(addresses=(manager,), topics0=(event.topic0,))
    found: dict[Address, None] = {}
    async for page in reader.logs(query, first_block, block.number):
        for log in page.logs:
            found[str(event.decode(log.topics, log.data)["account"])] = None
    return list(found)
