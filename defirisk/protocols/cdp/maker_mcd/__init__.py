"""MakerDAO's multi-collateral Dai: urns that owe DAI, judged by pips, liquidated by auctions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from defirisk.core.adapter import (
    Contract,
    Deployment,
    Discovery,
    Interface,
    Kind,
    Log,
    Proof,
    TokenWanted,
    View,
)
from defirisk.core.evm import ZERO_ADDRESS, Block
from defirisk.core.row import Row, State
from defirisk.protocols.cdp.maker_mcd import fold as folding
from defirisk.protocols.cdp.maker_mcd import observing
from defirisk.protocols.cdp.maker_mcd.arithmetic import ilk_name
from defirisk.protocols.cdp.maker_mcd.debt import debt
from defirisk.protocols.cdp.maker_mcd.findings import findings
from defirisk.protocols.cdp.maker_mcd.holdings import holdings
from defirisk.protocols.cdp.maker_mcd.referee import Liquidatable, questions
from defirisk.protocols.cdp.maker_mcd.rows import ROWS

NAMED = ("vat", "spotter", "jug", "cat", "dog", "cdp_manager")
"""The contracts that a deployment names, by role; besides them the token of DAI."""


def _interface(role: str, abi: str, *, untrusted: bool = False) -> Interface:
    events, notes = folding.EVENTS.get(role), folding.NOTES.get(role)
    return Interface(
        abi=abi,
        events={abi: events} if events else {},
        notes={abi: notes} if notes else {},
        untrusted=untrusted,
    )


class MakerMcd:
    """The adapter. What it does is in the files beside this one."""

    name = "maker-mcd"
    kind: Kind = "cdp"
    version = 1
    proof: Proof = "executed"
    source = "npm @makerdao/testchain 1.1.32 (dss with Cat and Flip 1.2, dss-cdp-manager)"
    required_contracts = ("vat", "spotter", "jug", "dai")
    rows: tuple[type[Row], ...] = ROWS
    interfaces: Mapping[str, Interface] = {
        "vat": _interface("vat", "MakerMcd.Vat"),
        "spotter": _interface("spotter", "MakerMcd.Spotter"),
        "jug": _interface("jug", "MakerMcd.Jug"),
        "cat": _interface("cat", "MakerMcd.Cat"),
        "dog": _interface("dog", "MakerMcd.Dog"),
        "flip": _interface("flip", "MakerMcd.Flip"),
        "cdp_manager": _interface("cdp_manager", "MakerMcd.CdpManager"),
        "join": _interface("join", "MakerMcd.GemJoin", untrusted=True),
        "dai": Interface(abi="ERC20"),
    }

    def roots(self, deployment: Deployment) -> Iterable[Discovery]:
        """What the deployment names. All but the Vat have it as their subject."""
        vat = deployment.contracts["vat"]
        for role in NAMED:
            if role in deployment.contracts:
                yield Contract(
                    address=deployment.contracts[role],
                    role=role,
                    first_block=deployment.first_block,
                    subject="" if role == "vat" else vat,
                )
        yield TokenWanted(address=deployment.contracts["dai"])

    def discover(self, deployment: Deployment, log: Log) -> Iterable[Discovery]:
        """Who may write to the Vat, and where lots are sold: both lived before they were named."""
        first, args = deployment.first_block, log.args
        if log.contract.role == "vat" and log.event == "rely":
            yield Contract(address=args["usr"], role="join", first_block=first)
        elif log.contract.role == "cat" and "flip" in args and log.event == "file":
            ilk = ilk_name(args["ilk"])
            yield Contract(address=args["flip"], role="flip", first_block=first, subject=ilk)

    touches = staticmethod(folding.touches)
    fold = staticmethod(folding.fold)
    views = staticmethod(observing.views)
    views_of_rows = staticmethod(observing.views_of_rows)

    def discover_view(self, view: View, answer: tuple[Any, ...] | None) -> Iterable[Discovery]:
        """The token that an adapter lets in."""
        if view.function == "gem" and answer and answer[0] != ZERO_ADDRESS:
            yield TokenWanted(address=answer[0])

    def observe(
        self, view: View, answer: tuple[Any, ...] | None, block: Block, state: State
    ) -> None:
        """Applies an answer to the rows."""
        observing.observe(view, answer, state)

    holdings = staticmethod(holdings)
    liquidation_check = staticmethod(Liquidatable)
    questions = staticmethod(questions)
    findings = staticmethod(findings)
    debt = staticmethod(debt)


ADAPTER = MakerMcd()
