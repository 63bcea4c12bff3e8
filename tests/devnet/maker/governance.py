"""What Maker's governance decides while the population lives, by the step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..chain import Tx
from .market import BY_ILK, KINDS, RAD, RAY, WAD, Maker

BASE = RAY // 10**12 * 700 // 1000  # per second, on top of every duty: 2.2 per cent in a year


@dataclass(frozen=True)
class Governance:
    """Through the proxy of the pause, as everything that was voted for goes."""

    maker: Maker
    steps: int

    def decisions(self, step: int) -> Sequence[Tx]:
        """Nothing in most steps."""
        planned = {
            int(self.steps * when): how
            for when, how in (
                (0.15, self._fees),
                (0.25, self._higher_ceilings),
                (0.35, self._lower_ceilings),
                (0.45, self._harder_terms),
                (0.55, self._target_price),
                (0.65, self._penalties),
                (0.7, self._base_fee),
                (0.85, self._softer_terms),
            )
        }
        return planned[step]() if step in planned else ()

    def _fees(self) -> list[Tx]:
        """Interest has to be counted up to the moment at which its rate changes."""
        kind = BY_ILK["ETH-A"]
        duty = 1_000000005781378656804591712
        return [self.maker.drip(kind), self.maker.changed(kind, "MCD_JUG", "duty", duty)]

    def _higher_ceilings(self) -> list[Tx]:
        more = {"ETH-B": 900_000, "WBTC-A": 12_000_000}
        return [
            self.maker.changed_for_all("MCD_VAT", "Line", 25_000_000 * RAD),
            *(self._ceiling(ilk, line) for ilk, line in more.items()),
        ]

    def _ceiling(self, ilk: str, line: int) -> Tx:
        return self.maker.changed(BY_ILK[ilk], "MCD_VAT", "line", line * RAD)

    def _lower_ceilings(self) -> list[Tx]:
        """One below what is owed already: nobody can draw any more."""
        return [self._ceiling("LINK-A", 1_000), self._ceiling("ETH-A", 3_000_000)]

    def _harder_terms(self) -> list[Tx]:
        kind = BY_ILK["WBTC-A"]
        return [
            self.maker.changed(kind, "MCD_SPOT", "mat", 156 * RAY // 100),
            self.maker.poke(kind),
            self.maker.changed(BY_ILK["ETH-B"], "MCD_VAT", "dust", 250 * RAD),
        ]

    def _target_price(self) -> list[Tx]:
        """A DAI is worth a little less than a dollar from here on."""
        par = self.maker.changed_for_all("MCD_SPOT", "par", 9975 * RAY // 10_000)
        return [par, *(self.maker.poke(kind) for kind in KINDS)]

    def _penalties(self) -> list[Tx]:
        kind = BY_ILK["ETH-A"]
        return [
            self.maker.changed(kind, "MCD_CAT", "chop", 113 * WAD // 100),
            self.maker.changed(kind, "MCD_CAT", "dunk", 3_000 * RAD),
            self.maker.changed_for_all("MCD_CAT", "box", 9_000 * RAD),
            self._ceiling("LINK-A", 3_000_000),
        ]

    def _base_fee(self) -> list[Tx]:
        base = self.maker.changed_for_all("MCD_JUG", "base", BASE)
        return [*(self.maker.drip(kind) for kind in KINDS), base]

    def _softer_terms(self) -> list[Tx]:
        """Not for everybody at once: nobody pokes, so that the old terms hold for a while."""
        return [self.maker.changed(BY_ILK["ETH-B"], "MCD_SPOT", "mat", 185 * RAY // 100)]
