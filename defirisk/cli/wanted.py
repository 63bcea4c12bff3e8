"""Which deployments the words of a command line mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from defirisk.core.adapter import Deployment


def wanted(names: tuple[str, ...], own: Sequence[Deployment], chain_id: int) -> list[Deployment]:
    """The deployments that the names mean on this chain, one's own before those shipped."""
    from defirisk.core.errors import UsageError
    from defirisk.indexing.deployments import choose, shipped

    if not names:
        here = [deployment for deployment in own if deployment.chain_id == chain_id]
        if not here:
            raise UsageError(
                f"defirisk.toml names no deployment on chain {chain_id}: say what to index, "
                "such as defirisk index aave-v3"
            )
        return here
    taken = {deployment.name for deployment in own}
    known = [*own, *(deployment for deployment in shipped() if deployment.name not in taken)]
    return choose(names, known, chain_id)
