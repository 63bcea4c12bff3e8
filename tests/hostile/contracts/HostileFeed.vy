# pragma version 0.4.3
# A price feed in Chainlink's shape that says whatever it was told to say.

event AnswerUpdated:
    current: indexed(int256)
    roundId: indexed(uint256)
    updatedAt: uint256

REVERTS: constant(uint256) = 1
SAYS_TOO_LITTLE: constant(uint256) = 2

aggregator: public(address)
description: public(String[256])
decimals: public(uint8)
behaviour: uint256
answer: int256
round_id: uint256
updated_at: uint256


@deploy
def __init__(of_itself: bool, description: String[256]):
    self.description = description
    self.decimals = 8
    if of_itself:
        self.aggregator = self


@external
def report(answer: int256, updated_at: uint256):
    """A new answer, told to everybody."""
    self.round_id += 1
    self.answer = answer
    self.updated_at = updated_at
    log AnswerUpdated(current=answer, roundId=self.round_id, updatedAt=updated_at)


@external
def change_quietly(answer: int256):
    """A new answer, told to nobody."""
    self.answer = answer


@external
def misbehave(behaviour: uint256):
    self.behaviour = behaviour


@external
def log_unindexed(topic: bytes32, answer: int256):
    """The topic of AnswerUpdated, but with all of its fields in the data."""
    raw_log([topic], abi_encode(answer, self.round_id, block.timestamp))


@external
def log_too_little(topic: bytes32, answer: bytes32):
    """The topics of AnswerUpdated, but not its data."""
    raw_log([topic, answer, empty(bytes32)], b"short")


@external
@view
@raw_return
def latestAnswer() -> Bytes[32]:
    return self._said(abi_encode(self.answer))


@external
@view
@raw_return
def latestRoundData() -> Bytes[160]:
    assert self.behaviour != REVERTS, "no data present"
    whole: Bytes[160] = abi_encode(
        self.round_id, self.answer, self.updated_at, self.updated_at, self.round_id
    )
    if self.behaviour == SAYS_TOO_LITTLE:
        return slice(whole, 0, 16)
    return whole


@internal
@view
def _said(whole: Bytes[32]) -> Bytes[32]:
    assert self.behaviour != REVERTS, "no data present"
    if self.behaviour == SAYS_TOO_LITTLE:
        return slice(whole, 0, 16)
    return whole
