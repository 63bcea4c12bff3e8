"""What was asked, and the limit to it."""

from __future__ import annotations

from dataclasses import dataclass

from defirisk.core.errors import DefiriskError


class RequestBudgetSpent(DefiriskError):
    """As many requests were sent as were allowed; what was read until then stays."""


@dataclass(slots=True)
class Counts:
    """Of one endpoint: HTTP `requests`, JSON-RPC `calls` in them, and those of the requests that
    were `refused` for their rate or `failed` in another way. `strangers` are logs of contracts
    that nobody asked for, served because a filter by topics was cheaper.
    """

    requests: int = 0
    calls: int = 0
    refused: int = 0
    failed: int = 0
    strangers: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.requests + other.requests,
            self.calls + other.calls,
            self.refused + other.refused,
            self.failed + other.failed,
            self.strangers + other.strangers,
        )


class RequestBudget:
    """How many HTTP requests may still be sent, to all endpoints together; None: any number."""

    def __init__(self, limit: int | None = None) -> None:
        self.limit = limit
        self.spent = 0

    def spend(self) -> None:
        """One request is about to be sent. Errors: `RequestBudgetSpent`."""
        if self.limit is not None and self.spent >= self.limit:
            raise RequestBudgetSpent(
                f"the limit of {self.limit} requests is reached: run the same command to go on"
            )
        self.spent += 1
