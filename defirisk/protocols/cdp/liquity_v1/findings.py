"""What must be said wherever numbers of a Liquity v1 are shown."""

from __future__ import annotations

from collections.abc import Iterator

from defirisk.core.adapter import Finding, Snapshot
from defirisk.core.evm import ZERO_ADDRESS
from defirisk.protocols.cdp.liquity_v1.debt import uncovered
from defirisk.protocols.cdp.liquity_v1.rows import WAD
from defirisk.protocols.cdp.liquity_v1.system_now import SystemNow, system_now
from defirisk.protocols.cdp.liquity_v1.troves import Rules

PROVEN_NAME = "ZUSD"
"""The debt of the code that our numbers were compared with."""


def findings(snapshot: Snapshot) -> Iterator[Finding]:
    """Unproven code, a missing price, recovery mode, debt that nothing covers, a trove alone."""
    now = system_now(snapshot)
    yield from _of_code(now)
    rules = now.rules()
    if rules is None:
        text = "has neither a price nor known parameters at this block: nothing is liquidatable"
        yield Finding(code="no-price", text=f"the system {text}")
    else:
        yield from _of_state(now, rules)


def _of_code(now: SystemNow) -> Iterator[Finding]:
    if now.parameters.debt_name != PROVEN_NAME:
        yield Finding(
            code="unproven-implementation",
            text="its contracts are not those our numbers were compared with: treat what depends "
            "on them as unproven; when its price feed takes an answer for broken or frozen is "
            "not counted",
        )
    if now.parameters.base_params != ZERO_ADDRESS:
        yield Finding(
            code="parameters-read",
            text="no log states its parameters: they were read where runs ended, and a change "
            "between two runs counts from the end of the second",
        )


def _of_state(now: SystemNow, rules: Rules) -> Iterator[Finding]:
    troves = now.active
    if rules.recovery and troves:
        yield Finding(
            code="recovery-mode",
            text=f"is in recovery mode: all collateral is {rules.tcr_wad / WAD:.2%} of all debt, "
            f"below {rules.ccr_wad / WAD:.0%}; troves below that ratio whose debt the stability "
            "pool can absorb may be liquidated too",
        )
    uncovered_raw = [uncovered(one, rules.price_wad) for one in troves.values()]
    bad = [amount for amount in uncovered_raw if amount]
    if bad:
        owed = "1 trove owes" if len(bad) == 1 else f"{len(bad)} troves owe"
        yield Finding(
            code="bad-debt",
            text=f"{owed} {sum(bad) / WAD:,.6g} more than their collateral is worth; nobody has "
            "booked it, and liquidation would share it out among all other troves",
        )
    if len(troves) == 1:
        yield Finding(code="last-trove", text="has a single trove, which nobody can liquidate")
