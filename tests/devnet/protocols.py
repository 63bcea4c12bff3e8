"""The protocols of the chain, over the same tokens and price feeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .aave_v3_0.market import deploy_aave_v3_0
from .chain import Chain
from .compound_v2.market import Compound, deploy_compound
from .curve.market import Curve, deploy_curve
from .feeds import Feeds
from .guests import FOLDERS, Deployed, market_of
from .market import Market, deploy_market
from .morpho.composed import Parts, compose_markets
from .morpho.market import Morpho, deploy_morpho
from .oracles.market import PRICES, Oracles, deploy_oracles
from .prices import BELIEVED
from .purse import Purse
from .uniswap_v2.market import UniswapV2, deploy_uniswap_v2
from .uniswap_v3.market import UniswapV3, deploy_uniswap_v3
from .vaults.market import Vaults, deploy_vaults


@dataclass(frozen=True)
class Protocols:
    """What is deployed; the first one brings the tokens and the feeds."""

    aave_v3: Market
    morpho: Morpho
    compound_v2: Compound
    aave_v3_0: Market
    uniswap_v2: UniswapV2
    uniswap_v3: UniswapV3
    curve: Curve
    vaults: Vaults
    oracles: Oracles
    planted: bool = True
    """Whether this is the shared chain, with what is to be found on it, and not the control."""
    guests: dict[str, Deployed] = field(default_factory=dict)
    """By folder: protocols that also have a chain of their own."""

    @classmethod
    def deploy(
        cls,
        chain: Chain,
        ready: Mapping[str, str] | None = None,
        planted: bool = True,
        guests: Sequence[str] = (),
    ) -> Protocols:
        """Deploy everything; `ready` names where tokens are, or where WETH has to be.

        Where nothing is `planted`, pools are deep, limits are sane, and feeds are nobody else's.
        """
        market = deploy_market(chain, ready, planted)
        tokens = market.tokens

        def feeds() -> Feeds:
            return market.feeds if planted else market.feeds.another(PRICES)

        purse = Purse(tokens, PRICES | BELIEVED)
        # The pools come first: oracles of what comes later look at them.
        uniswap_v2 = deploy_uniswap_v2(chain, purse, planted)
        uniswap_v3 = deploy_uniswap_v3(chain, purse)
        curve = deploy_curve(chain, purse)
        morpho = deploy_morpho(chain, tokens, feeds(), planted)
        vaults = deploy_vaults(chain, tokens, morpho)
        protocols = cls(
            market,
            morpho,
            deploy_compound(chain, tokens, feeds()),
            deploy_aave_v3_0(chain, tokens, feeds(), planted),
            uniswap_v2,
            uniswap_v3,
            curve,
            vaults,
            deploy_oracles(chain, tokens, feeds(), vaults, (uniswap_v2, uniswap_v3), planted),
            planted,
        )
        compose_markets(chain, morpho, protocols.parts, planted)
        for folder in guests:
            theirs = replace(market, feeds=feeds())
            protocols.guests[folder] = market_of(folder).deploy(chain, theirs, purse)
        return protocols

    @property
    def parts(self) -> Parts:
        """What markets of Morpho are composed of."""
        return Parts(self.aave_v3, self.uniswap_v2, self.vaults, self.oracles)

    @classmethod
    def load(cls, chain: Chain, described: dict[str, Any]) -> Protocols:
        """What is on a chain that was built before."""
        market = Market.load(chain, described["aave-v3"])
        first = Market.load(chain, described["aave-v3.0"])
        curve = Curve.load(described["curve"])
        for pool in curve.pools.values():
            market.tokens.by_symbol.update(zip(pool.symbols, pool.tokens, strict=True))
        return cls(
            market,
            Morpho.load(described["morpho"]),
            Compound.load(described["compound-v2"]),
            replace(first, tokens=market.tokens, feeds=market.feeds),
            UniswapV2.load(described["uniswap-v2"]),
            UniswapV3.load(described["uniswap-v3"]),
            curve,
            Vaults.load(described["vaults"]),
            Oracles.load(chain, market.tokens, described["oracles"]),
            planted=bool(described["planted"]),
            guests={
                folder: market_of(folder).load(chain, market, described[folder])
                for folder in FOLDERS
                if folder in described
            },
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
            "uniswap-v2": self.uniswap_v2.describe(),
            "uniswap-v3": self.uniswap_v3.describe(),
            "curve": self.curve.describe(),
            "vaults": self.vaults.describe(),
            "oracles": self.oracles.describe(),
            **{folder: guest.describe() for folder, guest in self.guests.items()},
        }
