"""What `defirisk verify` found."""

from __future__ import annotations

from dataclasses import dataclass

from defirisk.core.evm import Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """That a deployment's numbers were compared with its contracts' answers, and where.

    `accounts` may be a sample; `mismatches` counts the numbers that differed.
    """

    block_number: int
    accounts: int
    compared: int
    mismatches: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """One number that differs. `account` is the subject: an account, or an asset."""

    account: str
    field: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What `verify` found in one deployment.

    `compared` counts numbers that were computed here and asked there; `read` those that we took
    from that same view, which prove nothing.
    """

    chain_id: int
    deployment: str
    protocol: str
    block: Block
    accounts: int
    compared: int
    read: int
    mismatches: tuple[Mismatch, ...]
