"""The constants of liquidations, as the contracts' own code states them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from defirisk.protocols.lending.aave_v3.liquidation import (
    CLOSE_FACTOR_HF_THRESHOLD,
    MIN_BASE_MAX_CLOSE_FACTOR_THRESHOLD,
    MIN_LEFTOVER_BASE,
)
from defirisk.protocols.lending.compound_v2.liquidation import PROTOCOL_SEIZE_SHARE
from tests.devnet.aave_v3_0.market import ARTIFACTS
from tests.devnet.abi import call_data, derived_address, words
from tests.devnet.build import Devnet

pytestmark = pytest.mark.onchain
WAD = 10**18
BPS = 10_000
NEW, OLD = "LiquidationLogic", f"{ARTIFACTS}LiquidationLogic"
SOMEWHERE = derived_address("a library to be asked")


def of_library(devnet: Devnet, name: str, getter: str) -> int:
    """A public constant of a library: its code is put somewhere for the time of the call."""
    chain = devnet.chain
    code = chain.rpc.call("eth_call", {"data": "0x" + chain.artifacts[name].bytecode})
    question = {"to": SOMEWHERE, "data": call_data(f"{getter}()", ())}
    (value,) = words(chain.rpc.call("eth_call", question, "latest", {SOMEWHERE: {"code": code}}))
    return value


def test_aave_v3_6(devnet: Devnet) -> None:
    least = of_library(devnet, NEW, "MIN_BASE_MAX_CLOSE_FACTOR_THRESHOLD")
    nearly_lost = Fraction(of_library(devnet, NEW, "CLOSE_FACTOR_HF_THRESHOLD"), WAD)

    assert least == MIN_BASE_MAX_CLOSE_FACTOR_THRESHOLD
    assert of_library(devnet, NEW, "MIN_LEFTOVER_BASE") == MIN_LEFTOVER_BASE
    assert nearly_lost == CLOSE_FACTOR_HF_THRESHOLD


def test_aave_v3_0(devnet: Devnet) -> None:
    nearly_lost = Fraction(of_library(devnet, OLD, "CLOSE_FACTOR_HF_THRESHOLD"), WAD)

    assert nearly_lost == CLOSE_FACTOR_HF_THRESHOLD
    assert of_library(devnet, OLD, "MAX_LIQUIDATION_CLOSE_FACTOR") == BPS


def test_compound_v2(devnet: Devnet) -> None:
    for token in devnet.protocols.compound_v2.ctokens.values():
        (share,) = words(devnet.chain.call(token.ctoken, "protocolSeizeShareMantissa()"))
        assert Fraction(share, WAD) == PROTOCOL_SEIZE_SHARE
