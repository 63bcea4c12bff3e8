"""Owners who have something at several guests of the shared chain at once, planted there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from .abi import MAX_UINT256
from .accounts import IN_TWO_MODES, OF_BOTH, ON_CREDIT, OWNERS
from .chain import Chain, Tx
from .curie_perp.desk import Desk as CurieDesk
from .curie_perp.keepers import WINDOWS
from .curie_perp.life import CurieCustoms
from .curie_perp.market import SETTLEMENT, Curie, updates
from .desk import Desk as AaveDesk
from .life import Life
from .maker.actions import FROB
from .maker.book import read_terms
from .maker.market import BY_ILK, RAD, Maker
from .protocols import Protocols
from .purse import Plan, Purse
from .synthetix.desk import Desk as SynthetixDesk
from .synthetix.market import Synthetix
from .synthetix.system import UNIT
from .zero.actions import ANY_FEE
from .zero.market import Zero

PLEDGED, LENT, LEVERAGE = 60_000.0, 25_000.0, 1.5
DRAWN, BACKED = 5_000.0, 2.5
ETHER = 10.0


@dataclass(frozen=True)
class Owners:
    """They come once, all on one day."""

    chain: Chain
    protocols: Protocols
    purse: Purse
    curie_life: Life
    comes: int
    """The step: shortly before the last fall."""

    def live(self, step: int) -> None:
        """See `Life`."""
        if step != self.comes:
            return
        # A pool far from the mean of its index takes no trades, and its keepers may be away.
        cast(CurieCustoms, self.curie_life.customs).keepers.follow()
        self.chain.mine(updates(self._curie().curie), WINDOWS)
        self.chain.fund(OWNERS)
        for plan in (self._on_credit(), self._of_both(), self._in_two_modes()):
            self.chain.must(*plan)

    def _on_credit(self) -> Plan:
        """What Aave lends against WETH is the margin of a perpetual on WETH."""
        curie = self._curie()
        token, vault = self.purse.token(SETTLEMENT), curie.curie["vault"]
        lent = self.purse.units(SETTLEMENT, LENT)
        return [
            *self._borrowed(ON_CREDIT, PLEDGED, lent),
            self.purse.approve(ON_CREDIT, SETTLEMENT, vault),
            Tx(ON_CREDIT, vault, "deposit(address,uint256)", (token, lent)),
            curie.trade(ON_CREDIT, "vETH", LENT * LEVERAGE, long=True),
        ]

    def _of_both(self) -> Plan:
        """The same collateral backs a trove, an urn and a loan."""
        who, guests = OF_BOTH, self.protocols.guests
        zero, maker = cast(Zero, guests["zero"]), cast(Maker, guests["maker"])
        kind = BY_ILK["ETH-A"]
        backing = self.purse.units("WETH", DRAWN * BACKED)
        join, vat = maker.of("MCD_JOIN", kind), maker["MCD_VAT"]
        art = int(DRAWN) * RAD // read_terms(maker)[kind.ilk].rate
        signature = "openTrove(uint256,uint256,address,address)"
        terms = (ANY_FEE, int(DRAWN) * UNIT, who, who)
        return [
            Tx(who, zero["borrower_operations"], signature, terms, value=backing),
            *maker.grant(kind, who, backing),
            Tx(who, maker[kind.gem], "approve(address,uint256)", (join, MAX_UINT256)),
            Tx(who, join, "join(address,uint256)", (who, backing)),
            Tx(who, vat, FROB, (kind.key, who, who, who, backing, art)),
            *self._borrowed(who, DRAWN * BACKED, self.purse.units(SETTLEMENT, DRAWN)),
        ]

    def _in_two_modes(self) -> Plan:
        """The same position twice: its margin crosses on one side, and is isolated on the other."""
        who, price = IN_TWO_MODES, self.purse.prices["WETH"]
        margin = ETHER * price / LEVERAGE
        isolated = SynthetixDesk(cast(Synthetix, self.protocols.guests["synthetix"]))
        perp, cross = isolated.synthetix.perps["sETH"], self._curie()
        return [
            *cross.deposit(who, margin),
            cross.trade(who, "vETH", ETHER * price, long=True),
            *isolated.deposit(who, perp, int(margin * 10**6) * 10**12),
            isolated.trade(who, perp, int(ETHER * UNIT), price),
        ]

    def _curie(self) -> CurieDesk:
        return CurieDesk(cast(Curie, self.protocols.guests["curie_perp"]), self.purse, {})

    def _borrowed(self, who: str, pledged: float, units: int) -> Plan:
        """USDC from Aave v3.6 against so many dollars of WETH."""
        desk = AaveDesk(self.protocols.aave_v3, self.purse)
        backing = self.purse.units("WETH", pledged)
        return [
            *desk.fund(who, "WETH", backing),
            desk.supply(who, "WETH", backing),
            desk.borrow(who, SETTLEMENT, units),
        ]
