"""Stores of protocols that live on a chain of their own, made once a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from defirisk.core.adapter import Deployment
from defirisk.store.database import open_store
from tests.devnet.alone import Alone, build_alone, start_alone
from tests.devnet.toolchain import make_once
from tests.onchain import liquity_v1_chain, maker_chain, perp_curie_chain, synthetix_chain
from tests.onchain.markets import index_live

ALONE: dict[str, tuple[str, Callable[[Alone], Deployment]]] = {
    "liquity-v1": ("zero", liquity_v1_chain.deployment_of),
    "maker-mcd": ("maker", maker_chain.deployment_of),
    "perp-curie": ("curie_perp", perp_curie_chain.deployment_of),
    "synthetix-perps-v2": ("synthetix", synthetix_chain.deployment_of),
}
"""By adapter: the folder of `tests.devnet`, and the deployment on its chain."""


def indexed_alone(adapter: str, shared: Path) -> Path:
    """The database of its chain, indexed to the head. To be read only."""
    folder, deployment_of = ALONE[adapter]

    def fill(work: Path) -> None:
        with start_alone(build_alone(folder, 1)) as alone:
            store = open_store(f"sqlite:///{work / 'market.db'}", create=True)
            index_live(alone.url, store, deployment_of(alone))
            store.close()

    return make_once(shared / adapter, fill) / "market.db"
