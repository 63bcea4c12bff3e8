"""The lending markets of the shared chain, by the names of their deployments."""

from __future__ import annotations

from tests.devnet.build import Devnet

from .aave import Aave, AaveV30
from .compound import CompoundV2
from .lending import Lending
from .morpho import MorphoBlue

AAVE_V3, AAVE_V3_0 = "aave-v3-devnet", "aave-v3.0-devnet"
COMPOUND, MORPHO = "compound-v2-devnet", "morpho-devnet"


def lendings(devnet: Devnet) -> dict[str, Lending]:
    """Everything that the keeper can liquidate on."""
    protocols = devnet.protocols
    return {
        AAVE_V3: Aave(AAVE_V3, protocols.aave_v3),
        AAVE_V3_0: AaveV30(AAVE_V3_0, protocols.aave_v3_0),
        COMPOUND: CompoundV2(COMPOUND, protocols.compound_v2),
        MORPHO: MorphoBlue(MORPHO, protocols.morpho),
    }
