"""What was planted on the chain for tests to find, by name and address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .accounts import IN_TWO_MODES, OF_BOTH, ON_CREDIT
from .book import read_positions as read_aave
from .chain import Chain
from .compound_v2.book import read_positions as read_compound
from .guests import FOLDERS
from .morpho import composed
from .morpho.book import read_positions as read_morpho
from .morpho.crowd import LOOPER, LOOPS
from .oracles import market as sources
from .protocols import Protocols
from .vaults.market import ALLOCATOR, CREDIT

BEHIND_ONE_FEED = (
    composed.A_TOKEN,
    composed.SHARED_USDT,
    composed.SHARED_DAI,
    composed.VAULT_RATE,
)


def planted(chain: Chain, protocols: Protocols, accounts: Sequence[str]) -> dict[str, Any]:
    """Structures by name; markets are ids on Morpho, everything else is addresses.

    The control has none.
    """
    if not protocols.planted:
        return {}
    morpho, parts = protocols.morpho, protocols.parts
    ids = {label: market.id for label, market in morpho.composed.items()}
    owing = _owing(chain, protocols, accounts)
    of_weth = [one.id for one in morpho.plain if (one.collateral, one.loan) == ("WETH", "USDC")]
    allocator = parts.vaults.by_symbol[ALLOCATOR]
    return {
        "looped_share": {
            "account": LOOPER,
            "market": ids[composed.LOOPED],
            "vault": parts.token("yWETH"),
            "loops": LOOPS,
        },
        "shared_feed": {
            "feed": parts.feeds.by_symbol["WETH"].proxy,
            "markets": [*of_weth, *(ids[label] for label in BEHIND_ONE_FEED)],
        },
        "hard_coded": [
            {"feed": parts.source(sources.PEGGED), "market": ids[composed.PEG]},
            {"feed": parts.source(sources.WRITTEN), "market": ids[composed.BAD]},
        ],
        "bad_allocation": {
            "vault": allocator.address,
            "markets": allocator.markets,
            "bad": ids[composed.BAD],
            "collateral": parts.token(CREDIT),
            "borrowers": [who for who, markets in owing.items() if composed.BAD in markets],
        },
        "shared_borrowers": {
            who: where for who, where in owing.items() if {"aave-v3", "compound-v2"} & set(where)
        },
        "thin_pool": {
            "pool": parts.uniswap_v2.pools[sources.THIN].address,
            "feed": parts.source(sources.TWAP_V2),
            "market": ids[composed.THIN],
        },
        "lp_collateral": {
            "pair": parts.token(composed.LP),
            "naive": {"feed": parts.source(sources.NAIVE), "market": ids[composed.LP_NAIVE]},
            "fair": {"feed": parts.source(sources.FAIR), "market": ids[composed.LP_FAIR]},
        },
        "a_token_collateral": {
            "token": parts.token(composed.A_WETH),
            "market": ids[composed.A_TOKEN],
        },
        "replaced_aggregator": {"feed": parts.source(sources.RENEWED)},
        "capped_ratio": {"feed": parts.source(sources.CAPPED), "vault": parts.token("yWETH")},
        **(_owners() if set(FOLDERS) <= set(protocols.guests) else {}),
    }


def _owners() -> dict[str, Any]:
    return {
        "margin_on_credit": {"account": ON_CREDIT, "in": ["aave-v3", "perp-curie"]},
        "trove_and_urn": {"account": OF_BOTH, "in": ["aave-v3", "maker-mcd", "liquity-v1"]},
        "two_modes": {"account": IN_TWO_MODES, "in": ["perp-curie", "synthetix-perps-v2"]},
    }


def _owing(chain: Chain, protocols: Protocols, accounts: Sequence[str]) -> dict[str, list[str]]:
    """Of those who owe something in a composed market: there and on which other protocols."""
    morpho, everybody = protocols.morpho, list(accounts)
    places = [(one.id, who) for who in everybody for one in morpho.composed.values()]
    found: dict[str, list[str]] = {}
    for position in read_morpho(chain, morpho, places):
        if position.borrow_shares:
            found.setdefault(position.account, []).append(position.market.label)
    for aave in read_aave(chain, protocols.aave_v3, found):
        if aave.owed():
            found[aave.account].append("aave-v3")
    for compound in read_compound(chain, protocols.compound_v2, list(found)):
        if any(held.owed for held in compound.holdings.values()):
            found[compound.account].append("compound-v2")
    return found
