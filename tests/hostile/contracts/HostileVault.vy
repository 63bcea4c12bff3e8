# pragma version 0.4.3
# A token that says it is a vault: of whatever asset, holding whatever it likes, converting as it
# pleases. Its transfers are logs and nothing else.

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256

event Deposit:
    sender: indexed(address)
    owner: indexed(address)
    assets: uint256
    shares: uint256

REVERTS: constant(uint256) = max_value(uint256) - 1

asset: public(address)
decimals: public(uint256)
total: uint256
worth: uint256


@deploy
def __init__(decimals: uint256, total: uint256, worth: uint256):
    self.decimals = decimals
    self.total = total
    self.worth = worth
    self.asset = self


@external
def hold(asset: address):
    self.asset = asset


@external
def pretend(to: address, amount: uint256):
    log Transfer(sender=empty(address), receiver=to, amount=amount)
    log Deposit(sender=to, owner=to, assets=max_value(uint256), shares=amount)


@external
@view
def symbol() -> String[8]:
    return "vault"


@external
@view
def totalAssets() -> uint256:
    assert self.total != REVERTS, "no comment"
    return self.total


@external
@view
def convertToAssets(shares: uint256) -> uint256:
    assert self.worth != REVERTS, "no comment"
    return self.worth
