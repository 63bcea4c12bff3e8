# pragma version 0.4.3
# An ERC-20 that answers symbol(), name() and decimals() with the very bytes it was given, or not
# at all, takes a fee from every transfer, and multiplies all balances when it pleases.

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256

event Approval:
    owner: indexed(address)
    spender: indexed(address)
    amount: uint256

SCALE: constant(uint256) = 10**18
BPS: constant(uint256) = 10_000
REVERTS: constant(uint256) = 1
BURNS_ALL_GAS: constant(uint256) = 2

SYMBOL: immutable(Bytes[512])
NAME: immutable(Bytes[11000])
DECIMALS: immutable(Bytes[64])
BEHAVIOUR: immutable(uint256)
FEE_BPS: immutable(uint256)

scale: uint256
shares: HashMap[address, uint256]
total_shares: uint256
allowance: public(HashMap[address, HashMap[address, uint256]])


@deploy
def __init__(
    symbol: Bytes[512], name: Bytes[11000], decimals: Bytes[64], behaviour: uint256, fee_bps: uint256
):
    SYMBOL = symbol
    NAME = name
    DECIMALS = decimals
    BEHAVIOUR = behaviour
    FEE_BPS = fee_bps
    self.scale = SCALE


@internal
@view
def _behave():
    assert BEHAVIOUR != REVERTS, "no comment"
    if BEHAVIOUR == BURNS_ALL_GAS:
        digest: bytes32 = empty(bytes32)
        for i: uint256 in range(2**64):
            digest = keccak256(digest)


@external
@view
@raw_return
def symbol() -> Bytes[512]:
    self._behave()
    return SYMBOL


@external
@view
@raw_return
def name() -> Bytes[11000]:
    self._behave()
    return NAME


@external
@view
@raw_return
def decimals() -> Bytes[64]:
    return DECIMALS


@external
@view
def balanceOf(account: address) -> uint256:
    return self.shares[account] * self.scale // SCALE


@external
@view
def totalSupply() -> uint256:
    return self.total_shares * self.scale // SCALE


@external
def mint(account: address, amount: uint256):
    shares: uint256 = amount * SCALE // self.scale
    self.shares[account] += shares
    self.total_shares += shares
    log Transfer(sender=empty(address), receiver=account, amount=amount)


@external
def rebase(scale: uint256):
    """All balances are worth `scale` parts in 10**18 of their shares from now on."""
    self.scale = scale


@external
def approve(spender: address, amount: uint256) -> bool:
    self.allowance[msg.sender][spender] = amount
    log Approval(owner=msg.sender, spender=spender, amount=amount)
    return True


@external
def transfer(to: address, amount: uint256) -> bool:
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    self.allowance[owner][msg.sender] -= amount
    self._move(owner, to, amount)
    return True


@internal
def _move(owner: address, to: address, amount: uint256):
    shares: uint256 = amount * SCALE // self.scale
    fee: uint256 = shares * FEE_BPS // BPS
    self.shares[owner] -= shares
    self.shares[to] += shares - fee
    self.total_shares -= fee
    log Transfer(sender=owner, receiver=to, amount=amount)
