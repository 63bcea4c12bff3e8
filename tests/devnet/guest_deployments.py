"""The product's deployments for guests, from their sections of `deployment.json`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from defirisk.core.adapter import Deployment

VAULT = {"yWETH": "WETH"}
"""What follows what on every chain of ours."""
OF_MAKER = {
    "vat": "MCD_VAT",
    "spotter": "MCD_SPOT",
    "jug": "MCD_JUG",
    "cat": "MCD_CAT",
    "dai": "MCD_DAI",
    "cdp_manager": "CDP_MANAGER",
}


def guest_deployment(folder: str, chain_id: int, section: Mapping[str, Any]) -> Deployment:
    """Of the protocol whose folder of `tests.devnet` this is."""
    protocol, contracts, follows = KNOWN[folder](section)
    return Deployment(
        name=section["name"],
        protocol=protocol,
        chain_id=chain_id,
        first_block=section["first_block"],
        contracts={role: address.lower() for role, address in contracts.items()},
        follows={**VAULT, **follows},
    )


Said = tuple[str, Mapping[str, str], Mapping[str, str]]
"""The adapter, its contracts, and what follows what."""


def _curie(section: Mapping[str, Any]) -> Said:
    follows = {symbol: base["asset"] for symbol, base in section["bases"].items()}
    return "perp-curie", section["contracts"], follows


def _maker(section: Mapping[str, Any]) -> Said:
    return "maker-mcd", {role: section["addresses"][name] for role, name in OF_MAKER.items()}, {}


def _synthetix(section: Mapping[str, Any]) -> Said:
    follows = {f"s{token}PERP": asset for token, asset in (("ETH", "WETH"), ("BTC", "WBTC"))}
    contracts = {"address_resolver": section["address_resolver"]}
    return "synthetix-perps-v2", contracts, {**follows, "sLINKPERP": "LINK"}


def _zero(section: Mapping[str, Any]) -> Said:
    contracts = {
        "trove_manager": section["addresses"]["trove_manager"],
        "wrapped_native": section["coin"],
    }
    return "liquity-v1", contracts, {}


KNOWN: dict[str, Callable[[Mapping[str, Any]], Said]] = {
    "curie_perp": _curie,
    "maker": _maker,
    "synthetix": _synthetix,
    "zero": _zero,
}
