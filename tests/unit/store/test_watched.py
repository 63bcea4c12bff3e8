"""Watched contracts: who of all deployments watches what."""

from __future__ import annotations

from defirisk.core.adapter import Contract, Deployment
from defirisk.store.database import Store
from defirisk.store.registry import put_deployment, watch, watches


def test_a_contract_is_watched_by_the_protocol_of_any_of_its_deployments(store: Store) -> None:
    pool = Contract(address="0xaa", role="pool", first_block=3)
    with store.transaction() as connection:
        for name, protocol in (("a", "uniswap-v2"), ("b", "uniswap-v2"), ("c", "uniswap-v3")):
            market = Deployment(name=name, protocol=protocol, chain_id=1, first_block=0)
            last = put_deployment(connection, market, 1)
            if name == "b":
                assert watch(connection, last.id, [pool, pool], 5) == 1
        assert watches(connection, "uniswap-v2", "0xaa")
        assert not watches(connection, "uniswap-v3", "0xaa")
        assert not watches(connection, "uniswap-v2", "0xbb")
