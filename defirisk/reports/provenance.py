"""The lines of a header that say how to repeat a report, the same in every format."""

from __future__ import annotations

from defirisk.reports.model import Header
from defirisk.reports.value import show

_FINAL = {
    True: "final",
    False: "not final: a reorganisation may still replace it",
    None: "finality unknown",
}


def lines(header: Header) -> list[tuple[str, str]]:
    """Pairs of what and its value, without those that do not apply."""
    found: list[tuple[str, str]] = []
    if header.chain_id is not None:
        chain = header.run.chain
        found.append(("Chain", f"{chain} ({header.chain_id})" if chain else str(header.chain_id)))
    if header.block is not None:
        found.append(("Block", f"{header.block:,} ({_FINAL[header.run.final]})"))
    if header.block_hash:
        found.append(("Block hash", header.block_hash))
    if header.as_of is not None:
        found.append(("Time", show(header.as_of, "time")))
    if header.shocks:
        found.append(("Shocks", ", ".join(header.shocks)))
    found += [("Proof", f"{name}: {proof}") for name, proof in header.proof]
    found.append(("Code", f"defirisk {header.run.version}"))
    return found
