# pragma version >=0.4.0
"""
@notice A vault's share that costs no storage: all of it goes from the contract to holders.
"""

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256

SUPPLY: constant(uint256) = 10**30
MOST: constant(uint256) = 1000

asset: public(immutable(address))
decimals: public(constant(uint8)) = 18
symbol: public(constant(String[4])) = "EMIT"
name: public(constant(String[7])) = "Emitter"
totalSupply: public(constant(uint256)) = SUPPLY
totalAssets: public(constant(uint256)) = SUPPLY


@deploy
def __init__(underlying: address):
    asset = underlying
    log Transfer(sender=empty(address), receiver=self, amount=SUPPLY)


@external
def emit_transfers(count: uint256, seed: uint256, holders: uint256):
    for i: uint256 in range(count, bound=MOST):
        drawn: uint256 = convert(keccak256(convert(seed * MOST + i, bytes32)), uint256)
        holder: address = convert(convert(drawn % holders + 2**64, uint160), address)
        log Transfer(sender=self, receiver=holder, amount=drawn % 10**18 + 1)


@external
@pure
def convertToAssets(shares: uint256) -> uint256:
    return shares
