"""The protocols of the chain, over the same tokens and price feeds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .aave_v3_0.market import deploy_aave_v3_0
from .chain import Chain
from .compound_v2.market import Compound, deploy_compound
from .market import Market, deploy_market
from .morpho.market import Morpho, deploy_morpho


@dataclass(frozen=True)
class Protocols:
    """What is deployed; the first one brings the tokens and the feeds."""

    aave_v3: Market
    morpho: Morpho
    compound_v2: Compound
    aave_v3_0: Market

    @classmethod
    def deploy(cls, chain: Chain, weth: str | None = None) -> Protocols:
        """Deploy everything; `weth` may name the address where WETH is or has to be."""
        market = deploy_market(chain, weth)
        shared = (chain, market.tokens, market.feeds)
        return cls(
            market, deploy_morpho(*shared), deploy_compound(*shared), deploy_aave_v3_0(*shared)
        )

    @classmethod
    def load(cls, chain: Chain, described: dict[str, Any]) -> Protocols:
        """What is on a chain that was built before."""
        market = Market.load(chain, described["aave-v3"])
        first = Market.load(chain, described["aave-v3.0"])
        return cls(
            market,
            Morpho.load(described["morpho"]),
            Compound.load(described["compound-v2"]),
            replace(first, tokens=market.tokens, feeds=market.feeds),
        )

    def describe(self) -> dict[str, Any]:
        """Everything that `deployment.json` says of the protocols, each in its section."""
        main, first = self.aave_v3.describe(), self.aave_v3_0.describe()
        return {
            **main,
            "aave-v3": {"name": "aave-v3-devnet", **main},
            "morpho": self.morpho.describe(),
            "compound-v2": self.compound_v2.describe(),
            "aave-v3.0": {"name": "aave-v3.0-devnet", **first},
        }
