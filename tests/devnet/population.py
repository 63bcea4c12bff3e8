"""Half a year in the life of the chain, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from .aave import settle_aave_v3
from .aave_v3_0.life import settle_aave_v3_0
from .accounts import SHARES, Account, Role, draw_accounts
from .chain import SLOT, Chain, Tx
from .compound_v2.life import settle_compound
from .curve.life import settle_curve
from .guests import FOLDERS, Visit, settle_guests
from .life import Life, Pace
from .morpho.crowd import settle_crowd
from .morpho.life import settle_morpho
from .oracles.life import settle_oracles
from .owners import Owners
from .prices import BELIEVED, DAYS, STABLE_NOISE, Prices
from .protocols import Protocols
from .purse import Purse
from .uniswap_v2.life import settle_uniswap_v2
from .uniswap_v3.life import settle_uniswap_v3
from .vaults.life import settle_vaults

DEVIATION = 0.012  # a feed reports when its price moved that much, or by chance
STABLE_DEVIATION = 0.001
HEARTBEAT = 0.15
THIRD_ORACLE = 0.35
DONATION_EVERY = 6
YEARLY_YIELD = 0.035
# Of the accounts of the chain, the part that is also active on each further protocol.
PART_ELSEWHERE, PART_ON_EXCHANGE, AT_LEAST = 0.5, 0.15, 12
Settle = Callable[[Chain, Protocols, Purse, random.Random, list[Account], Pace], Life]
ELSEWHERE: dict[str, Settle] = {
    "morpho": settle_morpho,
    "compound-v2": settle_compound,
    "aave-v3.0": settle_aave_v3_0,
    "uniswap-v2": settle_uniswap_v2,
    "uniswap-v3": settle_uniswap_v3,
    "curve": settle_curve,
    "oracles": settle_oracles,
    "vaults": settle_vaults,
    "morpho-composed": settle_crowd,
}
EXCHANGES = ("uniswap-v2", "uniswap-v3", "curve")
WITHOUT_DEBT = (*EXCHANGES, "oracles", "vaults")


@dataclass(frozen=True)
class Population:
    """The accounts of one seed on every protocol, and the prices that they all see."""

    chain: Chain
    protocols: Protocols
    pace: Pace
    rng: random.Random
    addresses: list[str]
    prices: Prices
    reported: dict[str, float]
    lives: dict[str, Life]
    visits: dict[str, Visit]
    owners: Owners | None

    @classmethod
    def settle(
        cls, chain: Chain, protocols: Protocols, seed: int, count: int, pace: Pace
    ) -> Population:
        """Choose who takes part, and give them and the keepers what they start with."""
        rng = random.Random(f"devnet {seed}")
        aave = protocols.aave_v3
        planted = protocols.planted
        prices = Prices(rng, pace.steps, calm=not planted)
        reported = prices.current | BELIEVED
        purse = Purse(aave.tokens, reported)
        shares = {role: part for role, part in SHARES.items() if planted or role is not Role.LOOPER}
        accounts = draw_accounts(seed, rng, count, pace.steps, shares)
        lives = {"aave-v3": settle_aave_v3(chain, aave, purse, rng, accounts, pace)}
        for name, settle in ELSEWHERE.items():
            own = random.Random(f"devnet {seed} {name}")
            part = PART_ON_EXCHANGE if name in EXCHANGES else PART_ELSEWHERE
            number = min(count, max(AT_LEAST, round(count * part)))
            # Where nothing is planted, nobody owes anything on two protocols.
            crowd = "" if planted else f"{name} "
            some = draw_accounts(seed, own, number, pace.steps, shares, crowd)
            if crowd:
                chain.fund(account.address for account in some)
            lives[name] = settle(chain, protocols, purse, own, some, pace)
        addresses = [account.address for account in accounts]
        visits = settle_guests(chain, protocols.guests, purse, seed, pace.steps)
        owners = None
        if planted and set(FOLDERS) <= set(visits):
            curie = visits["curie_perp"]
            owners = Owners(chain, protocols, purse, curie.life, pace.steps - 1 - curie.every)
        return cls(chain, protocols, pace, rng, addresses, prices, reported, lives, visits, owners)

    @property
    def everywhere(self) -> list[Life]:
        """Everybody's life, that of guests included."""
        return [*self.lives.values(), *(visit.life for visit in self.visits.values())]

    @property
    def borrowers(self) -> list[str]:
        """Accounts that come to the composed markets, where they may borrow."""
        return [account.address for account in self.lives["morpho-composed"].accounts]

    def play(self, after_step: Callable[[int], None] | None = None) -> None:
        """Live through all steps; `after_step` is told the number of each when it is over."""
        for step in range(self.pace.steps):
            self._report_prices(step)
            # A block costs more than what is in it, and pools do not wait for each other.
            self.chain.mine([tx for name in WITHOUT_DEBT for tx in self.lives[name].moves(step)])
            for name, life in self.lives.items():
                if name not in WITHOUT_DEBT:
                    life.live(step)
            for visit in self.visits.values():
                visit.live(step)
            if self.owners is not None:
                self.owners.live(step)
            if after_step is not None:
                after_step(step)

    def _report_prices(self, step: int) -> None:
        """Time passes, the vault earns, and oracles report what moved."""
        market = self.protocols.aave_v3
        seconds = DAYS * 86_400 / self.pace.steps * self.rng.uniform(0.6, 1.4)
        self.chain.mine(self._earnings(step), int(seconds) // SLOT * SLOT)
        self.prices.advance(step, market.tokens.vault_rate() / 10**18)
        txs: list[Tx] = []
        for symbol, price in self.prices.current.items():
            limit = STABLE_DEVIATION if symbol in STABLE_NOISE else DEVIATION
            moved = abs(price / self.reported[symbol] - 1) > limit
            if moved or self.rng.random() < HEARTBEAT:
                third = self.rng.random() < THIRD_ORACLE
                spread = self.rng.uniform(0.0, 0.0004)
                txs += market.feeds.report(symbol, price, spread, third)
                self.reported[symbol] = price
        self.chain.must(*txs)

    def _earnings(self, step: int) -> list[Tx]:
        if step == 0 or step % DONATION_EVERY:
            return []
        tokens = self.protocols.aave_v3.tokens
        share = YEARLY_YIELD * DAYS / 365 * DONATION_EVERY / self.pace.steps
        return tokens.donate(int(tokens.vault_assets() * share))
