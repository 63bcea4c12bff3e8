"""Events of what a market depends on: rate models, price oracles, the code behind its proxies.

Source: `JumpRateModel.sol`, `BaseJumpRateModelV2.sol`, `WhitePaperInterestRateModel.sol`,
`Unitroller.sol` and `CTokenInterfaces.sol` of npm @thenextblock/hardhat-compound 0.0.14. FeedSet is
no event of Compound's: oracles that emit it are followed to their feeds, others are read.
"""

from __future__ import annotations

from defirisk.core.adapter import Log
from defirisk.core.row import State
from defirisk.protocols.lending.compound_v2.fold.events import On, Touched, of_contract
from defirisk.protocols.lending.compound_v2.rows import (
    Implementation,
    InterestRateModel,
    PriceFeed,
)


def _new_interest_params(log: Log, state: State) -> None:
    """The two forms of the event are those of the two formulas."""
    args, jumps = log.args, "kink" in log.args
    state.put(
        InterestRateModel(
            model=log.contract.address,
            kind="jump" if jumps else "white paper",
            base_rate_per_block_mantissa=args["baseRatePerBlock"],
            multiplier_per_block_mantissa=args["multiplierPerBlock"],
            jump_multiplier_per_block_mantissa=args["jumpMultiplierPerBlock"] if jumps else 0,
            kink_mantissa=args["kink"] if jumps else 0,
        )
    )


def _feed_set(log: Log, state: State) -> None:
    args = log.args
    state.put(
        PriceFeed(price_oracle=log.contract.address, c_token=args["cToken"], feed=args["feed"])
    )


def _feed_keys(log: Log) -> Touched:
    return [(PriceFeed, (log.contract.address, log.args["cToken"]))]


def _new_implementation(log: Log, state: State) -> None:
    # Whether the new code is known is not in the event: unproven until it is asked.
    state.put(
        Implementation(
            contract=log.contract.address,
            role=log.contract.role,
            implementation=log.args["newImplementation"],
        )
    )


MODEL_EVENTS = {"NewInterestParams": On(of_contract(InterestRateModel), _new_interest_params)}
ORACLE_EVENTS = {"FeedSet": On(_feed_keys, _feed_set)}
PROXY_EVENTS = {"NewImplementation": On(of_contract(Implementation), _new_implementation)}
