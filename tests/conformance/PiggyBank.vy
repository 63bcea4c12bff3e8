# pragma version 0.4.3
# The protocol of the smallest adapter: keeps savings in any listed token, and lends nothing.

interface ERC20:
    def transferFrom(owner: address, to: address, amount: uint256) -> bool: nonpayable
    def transfer(to: address, amount: uint256) -> bool: nonpayable

event Listed:
    asset: indexed(address)
    feed: address

event Saved:
    account: indexed(address)
    asset: indexed(address)
    savings: uint256

owner: public(address)
is_open: public(bool)
savings: public(HashMap[address, HashMap[address, uint256]])


@deploy
def __init__():
    self.owner = msg.sender
    self.is_open = True


@external
def list_asset(asset: address, feed: address):
    assert msg.sender == self.owner
    log Listed(asset=asset, feed=feed)


@external
def set_open(is_open: bool):
    """Nothing is logged: only a view tells."""
    assert msg.sender == self.owner
    self.is_open = is_open


@external
def save(asset: address, amount: uint256):
    extcall ERC20(asset).transferFrom(msg.sender, self, amount)
    self._set(asset, self.savings[msg.sender][asset] + amount)


@external
def withdraw(asset: address, amount: uint256):
    assert self.is_open
    self._set(asset, self.savings[msg.sender][asset] - amount)
    extcall ERC20(asset).transfer(msg.sender, amount)


@internal
def _set(asset: address, savings: uint256):
    self.savings[msg.sender][asset] = savings
    log Saved(account=msg.sender, asset=asset, savings=savings)
