"""Nobody is liquidated silently: whoever a change makes liquidatable has to be named.

The rule: every unit that the change itself makes liquidatable at the block's prices must be among
the names given. Naming more than those does no harm, naming fewer is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from defirisk.core.errors import CheckFailed

SHOWN = 3


def names(stated: Iterable[str]) -> tuple[str, ...]:
    """The names in texts such as "0xabc…,0xdef…", in lower case."""
    words = (word.strip().lower() for text in stated for word in text.replace("\n", ",").split(","))
    return tuple(dict.fromkeys(word for word in words if word))


def silent(by_itself: Mapping[str, Any], accepted: Sequence[str]) -> list[dict[str, Any]]:
    """The units that would be liquidatable and are not named."""
    return [unit for unit in by_itself["units"] if unit["unit"].lower() not in accepted]


def refuse(unnamed: Sequence[Mapping[str, Any]], file: str) -> None:
    """Errors: `CheckFailed` where somebody is not named; `file` is where all of them are."""
    if not unnamed:
        return
    debt = sum(unit["debt_usd"] for unit in unnamed)
    collateral = sum(unit["collateral_usd"] for unit in unnamed)
    accounts = "1 account" if len(unnamed) == 1 else f"{len(unnamed):,} accounts"
    words = f"@{file}"
    if len(unnamed) <= SHOWN:
        words = ",".join(unit["unit"] for unit in unnamed)
    raise CheckFailed(
        f"the change itself makes {accounts} liquidatable, owing ${debt:,.2f} against "
        f"${collateral:,.2f} of collateral: name them with --accept-liquidations {words}, or "
        "change less"
    )
