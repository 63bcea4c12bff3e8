"""One tree of errors, split by what the caller can do next.

Every message is one or two lines: what is wrong, where, and what to type next. The exit codes are
those of the command line contract.
"""


class DefiriskError(Exception):
    """Base of every error that is shown to a user without a traceback."""

    exit_code = 1


class CheckFailed(DefiriskError):
    """The work was done and found a difference, or a part of it failed."""


class UsageError(DefiriskError):
    """The user asked for something that cannot be: a wrong flag, name, file or configuration."""

    exit_code = 2


class StoreError(UsageError):
    """The store cannot be used as it is: wrong version, other chain, nothing indexed yet."""


class NodeError(DefiriskError):
    """The node did not give an answer that can be used, after all retries."""

    exit_code = 3


class RetryableNodeError(NodeError):
    """The same request may succeed later: a time-out, 429, 5xx, a lost connection.

    `retry_after` is the node's own wish in seconds, where it stated one.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RangeTooLarge(NodeError):
    """The block range asks for more than the node gives in one answer: ask for less.

    `suggested` is the (first, last) block range that the node proposed, where it stated one.
    """

    def __init__(self, message: str, *, suggested: tuple[int, int] | None = None) -> None:
        super().__init__(message)
        self.suggested = suggested


class NodeBehind(NodeError):
    """The answering node does not know the block yet (or no longer has its state)."""


class ReorgDetected(NodeError):
    """A block that was read is no longer part of the canonical chain."""


class FinalityBroken(CheckFailed):
    """A block that was final is no longer part of the chain: the store stays as it is."""


class LeaseHeld(DefiriskError):
    """Another run is working on the same source."""

    exit_code = 4
