"""Refusals of wide or full ranges, in the providers' own words with the numbers of the occasion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from defirisk.chain.provider_errors import Wording, wordings

Cap = Literal["logs", "blocks"]
UNKNOWN: Mapping[str, Any] = {"code": -32099, "message": "this question is not to our taste"}
"""An error that no table has."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a provider says; without `wording`, `UNKNOWN`. `caps`: what it may be said of."""

    provider: str
    caps: tuple[Cap, ...]
    wording: Wording | None = None

    def error(self, first: int, last: int, cap: int) -> dict[str, Any]:
        """The error object where [first, last] is the widest range that would have done."""
        if self.wording is None:
            return dict(UNKNOWN)
        error = dict(self.wording.example)
        message = str(error["message"])
        match = self.wording.pattern.search(message)
        if match is None:
            return error  # its numbers, if any, are in the data
        said = {
            "first": f"{first:x}",
            "last": f"{last:x}",
            "first_decimal": f"{first}",
            "last_decimal": f"{last}",
            "width": f"{last - first + 1}",
        }
        spans = [
            (*match.span(group), said[group])
            for group, value in match.groupdict().items()
            if value is not None
        ]
        for start, end, number in sorted(spans, reverse=True):
            message = message[:start] + number + message[end:]
        return error | {"message": message}


def refusals() -> list[Refusal]:
    """Every wording of the product's table that is about ranges, and the unknown one."""
    caps: dict[str, tuple[Cap, ...]] = {
        "logs": ("logs",),
        "blocks": ("blocks",),
        "range": ("logs", "blocks"),
    }
    known = [
        Refusal(one.provider, caps[one.meaning], one) for one in wordings() if one.meaning in caps
    ]
    return [*known, Refusal("unknown", ("logs", "blocks"))]
