"""Vaults at a block: claims, who holds shares, and what the vaults can be asked about them.

What all kinds of vaults with the interface of EIP-4626 have in common.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, Protocol

from defirisk.core.adapter import Contract, Deployment, Finding, Question, Snapshot, Token, View
from defirisk.core.claim import Allocation, Claim, Share
from defirisk.core.conservation import Total
from defirisk.core.evm import ZERO_ADDRESS, Address
from defirisk.core.quote import Conversion, Market, Product, leaves
from defirisk.protocols.vault_shares import SAMPLE_SCALES, UINT256, SharePrice, leads_back

VAULT = "vault"
"""The role of a contract that proved to be a vault."""
MAX_RATE = 10**30
"""Whole assets per whole share, through all vaults that are in between. More was made to break the
arithmetic of those who look: floats end at 10^308.
"""
_REASONS = {
    "no-decimals": "have no usable decimals, or their asset has none",
    "no-rate": "do not say what they hold",
    "absurd-rate": "state a rate that no asset has",
    "vault-loop": "hold, through others, shares of themselves",
}


class Reading(Protocol):
    """A row of what a vault answered in the block where a run ended.

    `sample_assets_raw` is what `sample_shares_raw` convert to, both 0 where that was not answered.
    """

    @property
    def vault(self) -> str: ...
    @property
    def read_block(self) -> int: ...
    @property
    def answered(self) -> bool: ...
    @property
    def total_assets_raw(self) -> int: ...
    @property
    def sample_shares_raw(self) -> int: ...
    @property
    def sample_assets_raw(self) -> int: ...


class Balance(Protocol):
    """A row of who holds how many shares of which vault."""

    @property
    def vault(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def balance_raw(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultNow:
    """A vault at a block. `exact`: its price is that of its own formula, over totals of this very
    block, so that ours are the contract's integers; else the price is the latest that is known.
    """

    share: Token
    asset: Token
    total_supply_raw: int
    total_assets_raw: int
    price: SharePrice
    exact: bool
    grade: Literal["logs", "read"]
    allocations: tuple[Allocation, ...] = field(default=())

    @property
    def rate(self) -> Fraction:
        """Whole assets per whole share."""
        return self.price.rate(self.share.decimals, self.asset.decimals)


@dataclass(slots=True)
class Vaults:
    """Those that can be counted, by address, and the others with a reason of `_REASONS`."""

    counted: dict[Address, VaultNow] = field(default_factory=dict)
    refused: dict[Address, str] = field(default_factory=dict)

    def without_traps(self, claims: Mapping[Address, Claim]) -> Vaults:
        """Refuses loops and absurd rates. `claims` are those that are known of other tokens."""
        made_of = {token: _wrapped(claim) for token, claim in claims.items()}
        made_of |= {vault: [now.asset.address] for vault, now in self.counted.items()}
        looped = [vault for vault in self.counted if leads_back(vault, made_of)]
        self._refuse(looped, "vault-loop")
        rates = {token: claim.rate for token, claim in claims.items() if claim.rate is not None}
        rates |= {vault: now.rate for vault, now in self.counted.items()}
        absurd = [v for v in self.counted if _deep_rate(v, rates, made_of) > MAX_RATE]
        self._refuse(absurd, "absurd-rate")
        return self

    def _refuse(self, vaults: Sequence[Address], reason: str) -> None:
        for vault in vaults:
            del self.counted[vault]
            self.refused[vault] = reason


def collected(snapshot: Snapshot, found: Mapping[Address, VaultNow | str | None]) -> Vaults:
    """The vaults that can be counted, and the others by why not; None is left out altogether."""
    vaults = Vaults()
    for vault, now in found.items():
        if isinstance(now, str):
            vaults.refused[vault] = now
        elif now is not None:
            vaults.counted[vault] = now
    return vaults.without_traps(snapshot.claims)


def samples(contract: Contract, supply: int) -> Iterator[View]:
    """What some shares convert to: large ones, so that rounding hides no formula."""
    for scale in SAMPLE_SCALES:
        if max(1, supply) * scale <= UINT256:
            yield View(contract, "convertToAssets", (max(1, supply) * scale,))


def _wrapped(claim: Claim) -> list[Address]:
    return [leaf.asset for leaf in leaves(claim.program) if isinstance(leaf, Market)]


def _deep_rate(
    vault: Address, rates: Mapping[Address, Fraction], made_of: Mapping[Address, Sequence[Address]]
) -> Fraction:
    """The rate of a vault down to what wraps nothing, or until it is absurd in any case."""
    rate, at, seen = Fraction(1), vault, set()
    while at in rates and at not in seen and rate <= MAX_RATE:
        rate *= max(Fraction(1), rates[at])
        seen.add(at)
        at = made_of[at][0] if made_of.get(at) else ""
    return rate


def claim_of(now: VaultNow) -> Claim:
    """What one share is a claim on."""
    token = now.share.address
    parts = (Conversion(token, now.rate), Market(now.asset.address, None))
    return Claim(
        token=token,
        kind="vault",
        program=Product(parts),
        underlying=now.asset.address,
        rate=now.rate,
        total_assets_raw=now.total_assets_raw,
        supply_raw=now.total_supply_raw,
        grade=now.grade,
        exact=now.exact,
        allocations=now.allocations,
    )


def shares(vaults: Vaults, balances: Iterable[Balance]) -> Iterator[Share]:
    """Every account's shares with what `convertToAssets` says of them."""
    for held in balances:
        now = vaults.counted.get(held.vault)
        if now is None or not held.balance_raw or held.account == ZERO_ADDRESS:
            continue
        yield Share(
            account=held.account,
            token=held.vault,
            balance_raw=held.balance_raw,
            decimals=now.share.decimals,
            worth=((now.asset.address, now.price.to_assets(held.balance_raw)),),
        )


def supply_totals(
    deployment: Deployment, vaults: Iterable[Address], balances: Iterable[Balance]
) -> Iterator[Total]:
    """`totalSupply` of every vault: what all accounts hold of it.

    Certain of those only that a deployment names: any token may say that it is a vault.
    """
    named = set(deployment.contracts.values())
    held = dict.fromkeys(vaults, 0)
    for balance in balances:
        held[balance.vault] = held.get(balance.vault, 0) + balance.balance_raw
    for vault, ours in held.items():
        contract = Contract(address=vault, role=VAULT, first_block=0)
        yield Total(
            subject=f"totalSupply of {vault}",
            view=View(contract, "totalSupply"),
            ours=ours,
            made_of=(vault,),
            certain=vault in named,
        )


def supply_questions(
    vault: Address, total_supply: int, balances: Sequence[Balance]
) -> Iterator[Question]:
    """Who holds how much, and how much there is: all of it from logs."""
    contract = Contract(address=vault, role=VAULT, first_block=0)
    # What all accounts hold must be all there is: sees an account that was missed.
    held = sum(balance.balance_raw for balance in balances)
    for field_name, ours in (("totalSupply", total_supply), ("sum of balances", held)):
        yield Question(
            subject=vault,
            view=View(contract, "totalSupply"),
            fields=(field_name,),
            ours=(ours,),
        )
    for balance in balances:
        yield Question(
            subject=f"{vault} {balance.account}",
            unit=balance.account,
            view=View(contract, "balanceOf", (balance.account,)),
            fields=("balanceOf",),
            ours=(balance.balance_raw,),
        )


def read_questions(read: Reading | None, block: int) -> Iterator[Question]:
    """What was itself taken from the vault, where that was at this block."""
    if read is None or read.read_block != block or not read.answered:
        return
    contract = Contract(address=read.vault, role=VAULT, first_block=0)
    asked = [(View(contract, "totalAssets"), read.total_assets_raw)]
    if read.sample_shares_raw:
        view = View(contract, "convertToAssets", (read.sample_shares_raw,))
        asked.append((view, read.sample_assets_raw))
    for view, ours in asked:
        yield Question(
            subject=read.vault, view=view, fields=(view.function,), ours=(ours,), grade="read"
        )


def worth_questions(now: VaultNow, balances: Sequence[Balance]) -> Iterator[Question]:
    """What shares convert to by our formula, where all that it takes is known at this block."""
    if not now.exact:
        return
    contract = Contract(address=now.share.address, role=VAULT, first_block=0)
    one_share, one_asset = 10**now.share.decimals, 10**now.asset.decimals
    asked: list[tuple[str, int, int | None, str]] = []
    asked.append(("convertToAssets", one_share, now.price.to_assets(one_share), ""))
    asked.append(("convertToShares", one_asset, now.price.to_shares(one_asset), ""))
    asked += [
        ("convertToAssets", b.balance_raw, now.price.to_assets(b.balance_raw), b.account)
        for b in balances
        if b.balance_raw
    ]
    for function, argument, ours, account in asked:
        yield Question(
            subject=f"{now.share.address} {account}".rstrip(),
            unit=account,
            view=View(contract, function, (argument,)),
            fields=(function,),
            ours=None if ours is None or ours >= UINT256 else (ours,),
        )


def findings(vaults: Vaults) -> Iterator[Finding]:
    """Vaults that are left out, and rates that are not those of this very block."""
    for code, words in _REASONS.items():
        count = sum(reason == code for reason in vaults.refused.values())
        if count:
            text = f"{count} of {len(vaults.counted) + len(vaults.refused)} vaults {words}: "
            yield Finding(code=code, text=text + "they are left out")
    guessed = sum(not now.exact for now in vaults.counted.values())
    if guessed:
        yield Finding(
            code="rate-not-of-this-block",
            text=f"what shares of {guessed} vaults convert to is the latest that was read or "
            "logged: donations, losses and interest since then are not in it",
        )


def tokens_of(snapshot: Snapshot, vault: Address, asset: Address) -> tuple[Token, Token] | None:
    """Share and asset; None where either has no usable decimals."""
    share, underlying = snapshot.tokens.get(vault), snapshot.tokens.get(asset)
    return None if share is None or underlying is None else (share, underlying)
