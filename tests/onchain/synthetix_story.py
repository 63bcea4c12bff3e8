"""What happened on a chain with Perps V2, from its logs, read without any code of the adapter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode
from eth_hash.auto import keccak

from tests.devnet.chain import Chain
from tests.devnet.synthetix.book import signed
from tests.devnet.synthetix.market import Perp, Synthetix

MODIFIED = "PositionModified(uint256,address,uint256,int256,int256,uint256,uint256,uint256,int256)"
LIQUIDATED = "PositionLiquidated(uint256,address,address,int256,uint256,uint256,uint256,uint256)"
FLAGGED = "PositionFlagged(uint256,address,address,uint256,uint256)"
RECOMPUTED = "FundingRecomputed(int256,int256,uint256,uint256)"
REMOVED = "DelayedOrderRemoved(address,bool,uint256,int256,uint256,uint256,uint256,bytes32)"
TRANSFERRED = "MarginTransferred(address,int256)"
ADDED_MARKET, REMOVED_MARKET = (
    f"Market{what}(address,bytes32,bytes32)" for what in ("Added", "Removed")
)
UPDATED = "ParameterUpdated(bytes32,bytes32,uint256)"
PARAMETERS_OF_A_MARKET = 21
Logs = list[dict[str, Any]]


@dataclass(frozen=True)
class Story:
    """Counts of what happened; rates are per day."""

    actions: int
    margin_transfers: int
    liquidations: int
    two_steps: int
    forced: int
    losses_beyond_margin: int
    fee_regimes: set[str]
    executed_offchain: int
    executed_onchain: int
    cancelled: int
    partial_closes: int
    flips: int
    funding_rates: list[float]
    days: float
    added: list[str]
    removed: list[str]
    parameters_changed: int


def read_story(chain: Chain, synthetix: Synthetix) -> Story:
    """Over all markets."""
    perps, names = list(synthetix.perps.values()), synthetix.system.names
    trades = [one for perp in perps for one in _trades(chain, perp)]
    closed = [one for perp in perps for one in _closed(chain, perp)]
    funding = [log for perp in perps for log in _logs(chain, perp.market, RECOMPUTED)]
    rates = [signed(int(log["data"][66:130], 16)) / 1e18 for log in funding]
    times = [int(log["data"][-64:], 16) for log in funding]
    orders = [one for perp in perps for one in _orders(chain, perp)]
    transfers = [log for perp in perps for log in _logs(chain, perp.market, TRANSFERRED)]
    manager = names["FuturesMarketManager"]
    updates = len(_logs(chain, names["PerpsV2MarketSettings"], UPDATED))
    added = [_key(log) for log in _logs(chain, manager, ADDED_MARKET)]
    return Story(
        actions=len(funding),
        margin_transfers=len(transfers),
        liquidations=len(closed),
        two_steps=sum(one["two steps"] for one in closed),
        forced=sum(one["liquidator fee"] == 0 for one in closed),
        losses_beyond_margin=sum(one["stakers fee"] == 0 for one in closed),
        fee_regimes={one["regime"] for one in closed},
        executed_offchain=orders.count("offchain"),
        executed_onchain=orders.count("onchain"),
        cancelled=orders.count("cancelled"),
        partial_closes=sum(0 < new / old < 1 for old, new in trades if old),
        flips=sum(old * new < 0 for old, new in trades),
        funding_rates=rates,
        days=(max(times) - min(times)) / 86_400,
        added=added,
        removed=[_key(log) for log in _logs(chain, manager, REMOVED_MARKET)],
        parameters_changed=updates - PARAMETERS_OF_A_MARKET * len(added),
    )


def _logs(chain: Chain, address: str, signature: str) -> Logs:
    topic = "0x" + keccak(signature.encode()).hex()
    everything = {"address": address, "topics": [topic], "fromBlock": "0x0", "toBlock": "latest"}
    found: Logs = chain.rpc.call("eth_getLogs", everything)
    return found


def _key(log: dict[str, Any]) -> str:
    return bytes.fromhex(log["topics"][2][2:]).rstrip(b"\0").decode()


def _trades(chain: Chain, perp: Perp) -> list[tuple[int, int]]:
    """Sizes before and after every change."""
    sizes: dict[str, int] = {}
    found = []
    for log in _logs(chain, perp.market, MODIFIED):
        account, size = log["topics"][2], signed(int(log["data"][66:130], 16))
        found.append((sizes.get(account, 0), size))
        sizes[account] = size
    return found


def _closed(chain: Chain, perp: Perp) -> list[dict[str, Any]]:
    """Liquidations; the regime of the fee is where it lies between the least and the most."""
    flagged: dict[str, list[int]] = {}
    for log in _logs(chain, perp.market, FLAGGED):
        _, account, *_ = decode(["uint256", "address"], bytes.fromhex(log["data"][2:]))
        flagged.setdefault(account, []).append(int(log["blockNumber"], 16))
    types = ["uint256", "address", "address", "int256", *["uint256"] * 4]
    found = []
    for log in _logs(chain, perp.market, LIQUIDATED):
        _, account, _, _, _, fee, keeper, stakers = decode(types, bytes.fromhex(log["data"][2:]))
        number = int(log["blockNumber"], 16)
        whole = fee % 10**18 == 0
        regime = "proportional" if not whole else "least" if fee < 10 * 10**18 else "capped"
        found.append(
            {
                "two steps": any(block < number for block in flagged[account]),
                "liquidator fee": keeper,
                "stakers fee": stakers,
                "regime": regime,
            }
        )
    return found


def _orders(chain: Chain, perp: Perp) -> list[str]:
    """How every order ended: one that was executed also traded in the same transaction."""
    traded = {
        log["transactionHash"]
        for log in _logs(chain, perp.market, MODIFIED)
        if int(log["data"][130:194], 16)
    }
    found = []
    for log in _logs(chain, perp.market, REMOVED):
        offchain = int(log["data"][2:66], 16)
        executed = log["transactionHash"] in traded
        found.append("cancelled" if not executed else "offchain" if offchain else "onchain")
    return found
