"""The chains that defirisk knows by name."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownChain:
    """A chain's id, and the start of its explorer's address pages (empty where it has none).

    `finality_depth`: blocks below the head that are taken as final where the node does not say.
    `block_seconds`: about, for estimates and for how often to look.
    """

    short_name: str
    chain_id: int
    explorer: str
    finality_depth: int = 64
    block_seconds: float = 12.0


@cache
def known_chains() -> dict[str, KnownChain]:
    """Every known chain by its short name."""
    tables = tomllib.loads(files("defirisk.chain").joinpath("chains.toml").read_text("utf-8"))
    return {
        name: KnownChain(
            short_name=name,
            chain_id=table["chain_id"],
            explorer=table["explorer_address_url"],
            finality_depth=table["finality_depth"],
            block_seconds=table["block_time_seconds"],
        )
        for name, table in tables.items()
    }


def chain_of(chain_id: int) -> KnownChain:
    """The chain of this id; one without a name where it is not known."""
    for chain in known_chains().values():
        if chain.chain_id == chain_id:
            return chain
    return KnownChain(short_name=f"chain {chain_id}", chain_id=chain_id, explorer="")
