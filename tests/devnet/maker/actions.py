"""What accounts do while they are with Maker: drawn from a seed, sized by their position."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from eth_hash.auto import keccak

from ..abi import MAX_UINT256
from ..accounts import Account
from ..chain import Tx
from ..life import draw_plan
from ..purse import Plan
from .book import Position, Terms, Vault, read_positions, read_terms
from .market import BY_ILK, RAD, RAY, Kind, Maker

FROB = "frob(bytes32,address,address,address,int256,int256)"
USUAL, TIGHT, TIGHTER = (0.35, 0.92), (0.9, 0.985), (0.985, 0.999)
LEAST_DEBT, LARGEST_DEBT = 300.0, 150_000.0
SHARES = {"ETH-A": 5, "ETH-B": 3, "WBTC-A": 3, "LINK-A": 3}
OF_SHARED_TOKENS = {"ETH-A": 5, "ETH-B": 3}
BY_MANAGER = 0.6
COLLECTED = 0.8
DUSTY = 40 * RAD
SHORT_LIST = 0x7F  # nonces up to here are one byte of RLP


def urn_of(manager: str, number: int) -> str:
    """Where the manager's CDP of this number lies: its urns are all that it ever creates."""
    address = bytes.fromhex(manager[2:])
    if number <= SHORT_LIST:
        nonce = bytes([number])
    else:
        digits = number.to_bytes((number.bit_length() + 7) // 8)
        nonce = bytes([0x80 + len(digits)]) + digits
    content = bytes([0x94]) + address + nonce
    return "0x" + keccak(bytes([0xC0 + len(content)]) + content)[-20:].hex()


@dataclass
class Actions:
    """Writes plans. `used` is how much of what its collateral allows an account draws."""

    maker: Maker
    rng: random.Random
    accounts: list[Account]
    used: dict[str, tuple[float, float]] = field(default_factory=dict)
    shares: Mapping[str, int] = field(default_factory=lambda: SHARES)
    vaults: dict[str, list[Vault]] = field(default_factory=dict)
    opened: int = 0
    terms: dict[str, Terms] = field(default_factory=dict)

    def look(self) -> None:
        """Read the terms once for all plans of a step."""
        self.terms = read_terms(self.maker)

    def every(self) -> list[Vault]:
        """All vaults that anybody ever had."""
        return [vault for vaults in self.vaults.values() for vault in vaults]

    def join(self, account: Account) -> Plan:
        """A vault of some kind with a debt."""
        kinds = list(self.shares)
        ilk = self.rng.choices(kinds, list(self.shares.values()))[0]
        # Those whom nobody looks after have what falls deepest.
        if self.used.get(account.address) == TIGHTER:
            ilk = kinds[-1]
        return self._open(account.address, BY_ILK[ilk], account.size)

    def _open(self, account: str, kind: Kind, size: float) -> Plan:
        managed = self.rng.random() < BY_MANAGER
        debt = min(LARGEST_DEBT, max(LEAST_DEBT, size))
        vault, plan = self._new(account, kind, managed)
        terms = self.terms[kind.ilk]
        art = int(max(LEAST_DEBT, debt)) * RAD // terms.rate
        ink = int(art * terms.rate / terms.spot / self._part(account)) + 1
        units = -(-ink // 10 ** (18 - kind.decimals))
        ink = units * 10 ** (18 - kind.decimals)
        self.vaults.setdefault(account, []).append(vault)
        return [*plan, *self._pay_in(vault, units), *self._drawn(vault, ink, art)]

    def _new(self, account: str, kind: Kind, managed: bool) -> tuple[Vault, Plan]:
        hopes = [
            Tx(account, self.maker["MCD_VAT"], "hope(address)", (self.maker[who],))
            for who in ("CDP_MANAGER", "MCD_JOIN_DAI")
        ]
        if not managed:
            return Vault(account, kind, account), hopes
        self.opened += 1
        manager = self.maker["CDP_MANAGER"]
        opening = Tx(account, manager, "open(bytes32,address)", (kind.key, account))
        return Vault(account, kind, urn_of(manager, self.opened), self.opened), [*hopes, opening]

    def _part(self, account: str) -> float:
        return self.rng.uniform(*self.used.get(account, USUAL))

    def _pay_in(self, vault: Vault, units: int) -> Plan:
        """Tokens for the urn; they do not back it yet."""
        join, token = self.maker.of("MCD_JOIN", vault.kind), self.maker[vault.kind.gem]
        return [
            *self.maker.grant(vault.kind, vault.account, units),
            Tx(vault.account, token, "approve(address,uint256)", (join, MAX_UINT256)),
            Tx(vault.account, join, "join(address,uint256)", (vault.urn, units)),
        ]

    def _frob(self, vault: Vault, ink: int, art: int) -> Plan:
        """Through the manager where there is one; what is drawn goes on to the owner."""
        if not vault.cdp:
            args = (vault.kind.key, *(vault.account,) * 3, ink, art)
            return [Tx(vault.account, self.maker["MCD_VAT"], FROB, args)]
        return [self._manage(vault, "frob(uint256,int256,int256)", vault.cdp, ink, art)]

    def _drawn(self, vault: Vault, ink: int, art: int) -> Plan:
        """With the DAI in the owner's hands, mostly: the manager leaves it at the urn."""
        plan = self._frob(vault, ink, art)
        if vault.cdp and self.rng.random() < COLLECTED:
            rad = art * self.terms[vault.kind.ilk].rate
            args = (vault.cdp, vault.account, rad)
            plan.append(self._manage(vault, "move(uint256,address,uint256)", *args))
        return plan

    def _manage(self, vault: Vault, signature: str, *args: Any) -> Tx:
        return Tx(vault.account, self.maker["CDP_MANAGER"], signature, args)

    def act(self, account: str) -> Plan:
        """One random thing with one of its vaults."""
        vault = self.rng.choice(self.vaults[account])
        (position,) = read_positions(self.maker, [vault])
        weights: dict[Callable[[Position], Plan], int] = {
            self._lock: 3,
            self._free: 5,
            self._draw: 9,
            self._wipe: 5,
            self._both: 3,
            self._close: 2,
            self._collect: 3,
            self._exit: 2,
            self._give: 1,
            self._quit: 3,
            self._enter: 2,
            self._fork: 3,
            self._dusty: 2,
        }
        return draw_plan(self.rng, weights, position)

    def _lock(self, position: Position) -> Plan:
        if not position.ink:
            return []
        kind = position.vault.kind
        units = int(position.ink // 10 ** (18 - kind.decimals) * self.rng.uniform(0.03, 0.4)) + 1
        more = units * 10 ** (18 - kind.decimals)
        return [*self._pay_in(position.vault, units), *self._frob(position.vault, more, 0)]

    def _free(self, position: Position) -> Plan:
        """Down to what the account likes, or too much of it."""
        terms = self.terms[position.vault.kind.ilk]
        needed = int(position.art * terms.rate / terms.spot / self._part(position.vault.account))
        spare = min(position.ink, max(0, position.ink - needed))
        return self._frob(position.vault, -spare, 0) if spare else []

    def _draw(self, position: Position) -> Plan:
        """As much more as the account likes."""
        terms = self.terms[position.vault.kind.ilk]
        most = position.ink * terms.spot // terms.rate
        more = int(most * self._part(position.vault.account)) - position.art
        return self._drawn(position.vault, 0, more) if more > 0 else []

    def _paid(self, position: Position, art: int) -> Plan:
        """DAI for the urn, which pays with its own."""
        vault, terms = position.vault, self.terms[position.vault.kind.ilk]
        if not vault.cdp:
            return []
        args = (vault.account, vault.urn, art * terms.rate)
        return [Tx(vault.account, self.maker["MCD_VAT"], "move(address,address,uint256)", args)]

    def _affordable(self, position: Position) -> int:
        return min(position.art, position.dai // self.terms[position.vault.kind.ilk].rate)

    def _wipe(self, position: Position) -> Plan:
        less = int(self._affordable(position) * self.rng.uniform(0.1, 0.9))
        if not less:
            return []
        return [*self._paid(position, less), *self._frob(position.vault, 0, -less)]

    def _both(self, position: Position) -> Plan:
        """Less of each."""
        part = self.rng.uniform(0.05, 0.3)
        less, spare = int(position.art * part), int(position.ink * part * 0.9)
        if not less or self._affordable(position) < less:
            return []
        return [*self._paid(position, less), *self._frob(position.vault, -spare, -less)]

    def _close(self, position: Position) -> Plan:
        """Everything back, with DAI of somebody else's where one's own is too little."""
        vault, terms = position.vault, self.terms[position.vault.kind.ilk]
        missing = position.art * terms.rate - position.dai
        plan: Plan = []
        if not position.art:
            return []
        if missing > 0:
            others = [one for one in self.every() if one.account != vault.account]
            chosen = self.rng.sample(others, min(6, len(others)))
            rich = [one for one in read_positions(self.maker, chosen) if one.dai > missing]
            if not rich:
                return []
            args = (rich[0].vault.account, vault.account, missing)
            vat, move = self.maker["MCD_VAT"], "move(address,address,uint256)"
            plan = [Tx(rich[0].vault.account, vat, move, args)]
        paid = self._paid(position, position.art)
        return [*plan, *paid, *self._frob(vault, -position.ink, -position.art)]

    def _collect(self, position: Position) -> Plan:
        """What the manager drew lies at the urn until its owner moves it."""
        vault = position.vault
        if not vault.cdp:
            return []
        said = self.maker.chain.call(self.maker["MCD_VAT"], "dai(address)", vault.urn)
        if not int(said, 16):
            return []
        args = (vault.cdp, vault.account, int(said, 16))
        return [self._manage(vault, "move(uint256,address,uint256)", *args)]

    def _exit(self, position: Position) -> Plan:
        """Some DAI as a token."""
        wad = int(position.dai // RAY * self.rng.uniform(0.05, 0.3))
        if not wad:
            return []
        account = position.vault.account
        args = (account, wad)
        return [Tx(account, self.maker["MCD_JOIN_DAI"], "exit(address,uint256)", args)]

    def _give(self, position: Position) -> Plan:
        """The CDP, with all that is in it, belongs to somebody else."""
        vault = position.vault
        others = [one for one in self.vaults if one != vault.account]
        if not vault.cdp or not others or len(self.vaults[vault.account]) < 1:
            return []
        to = self.rng.choice(others)
        self.vaults[vault.account].remove(vault)
        if not self.vaults[vault.account]:
            del self.vaults[vault.account]
        self.vaults[to].append(Vault(to, vault.kind, vault.urn, vault.cdp))
        hope = Tx(to, self.maker["MCD_VAT"], "hope(address)", (self.maker["CDP_MANAGER"],))
        return [hope, self._manage(vault, "give(uint256,address)", vault.cdp, to)]

    def _quit(self, position: Position) -> Plan:
        """Out of the manager, into an urn of the owner's own: a fork."""
        vault = position.vault
        if not vault.cdp or not position.ink:
            return []
        own = Vault(vault.account, vault.kind, vault.account)
        if own not in self.vaults[vault.account]:
            self.vaults[vault.account].append(own)
        return [
            Tx(vault.account, self.maker["MCD_VAT"], "hope(address)", (self.maker["CDP_MANAGER"],)),
            self._manage(vault, "quit(uint256,address)", vault.cdp, vault.account),
        ]

    def _enter(self, position: Position) -> Plan:
        """From one's own urn into a new one of the manager's: a fork, too."""
        vault = position.vault
        if vault.cdp or not position.ink:
            return []
        managed, plan = self._new(vault.account, vault.kind, True)
        self.vaults[vault.account].append(managed)
        entering = ("enter(address,uint256)", vault.account, managed.cdp)
        return [*plan, self._manage(managed, *entering)]

    def _fork(self, position: Position) -> Plan:
        """Part of one's own urn to somebody else's, who agrees."""
        vault = position.vault
        others = [one for one in self.vaults if one != vault.account]
        if vault.cdp or not position.art or not others:
            return []
        to, part = self.rng.choice(others), self.rng.uniform(0.2, 0.5)
        theirs = Vault(to, vault.kind, to)
        if theirs not in self.vaults[to]:
            self.vaults[to].append(theirs)
        amounts = (int(position.ink * part), int(position.art * part))
        vat, fork = self.maker["MCD_VAT"], "fork(bytes32,address,address,int256,int256)"
        return [
            Tx(to, vat, "hope(address)", (vault.account,)),
            Tx(vault.account, vat, fork, (vault.kind.key, vault.account, to, *amounts)),
        ]

    def _dusty(self, position: Position) -> Plan:
        """Leave less of a debt than is allowed: refused, unless the rule was lifted."""
        terms = self.terms[position.vault.kind.ilk]
        less = position.art - DUSTY // terms.rate
        if less <= 0 or self._affordable(position) < less:
            return []
        approve = Tx(position.vault.account, self.maker["MCD_VAT"], "nope(address)", (ANYBODY,))
        paid = self._paid(position, less)
        return [approve, *paid, *self._frob(position.vault, 0, -less)]


ANYBODY = "0x" + "ab" * 20
