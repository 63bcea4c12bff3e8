"""Events by which the story of the local chain can be told, and what accounts themselves do."""

from __future__ import annotations

from eth_hash.auto import keccak


def topic(signature: str) -> str:
    return "0x" + keccak(signature.encode()).hex()


LIQUIDATION = topic("LiquidationCall(address,address,address,uint256,uint256,address,bool)")
LIQUIDATE = topic("Liquidate(bytes32,address,address,uint256,uint256,uint256,uint256,uint256)")
LIQUIDATE_BORROW = topic("LiquidateBorrow(address,address,uint256,address,uint256)")
REPAY_BORROW = topic("RepayBorrow(address,address,uint256,uint256,uint256)")
FAILURE = topic("Failure(uint256,uint256,uint256)")
HEALTHY_POSITION = b"position is healthy".hex()
DEFICIT = topic("DeficitCreated(address,address,uint256)")
MINT = topic("Mint(address,address,uint256,uint256,uint256)")
BURN = topic("Burn(address,address,uint256,uint256,uint256)")


# What accounts themselves do, by protocol; every one of them names a borrower or a lender.
ACTIONS = {
    "morpho": (
        "Supply(bytes32,address,address,uint256,uint256)",
        "Withdraw(bytes32,address,address,address,uint256,uint256)",
        "Borrow(bytes32,address,address,address,uint256,uint256)",
        "Repay(bytes32,address,address,uint256,uint256)",
        "SupplyCollateral(bytes32,address,address,uint256)",
        "WithdrawCollateral(bytes32,address,address,address,uint256)",
    ),
    "compound-v2": (
        "Mint(address,uint256,uint256)",
        "Redeem(address,uint256,uint256)",
        "Borrow(address,uint256,uint256,uint256)",
        "RepayBorrow(address,address,uint256,uint256,uint256)",
        "MarketEntered(address,address)",
        "MarketExited(address,address)",
    ),
    "aave-v3.0": (
        "Supply(address,address,address,uint256,uint16)",
        "Withdraw(address,address,address,uint256)",
        "Borrow(address,address,address,uint256,uint8,uint256,uint16)",
        "Repay(address,address,address,uint256,bool)",
        "UserEModeSet(address,uint8)",
    ),
}
