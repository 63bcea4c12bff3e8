"""The CDP manager: who owns which urn. Source: dss-cdp-manager `DssCdpManager`."""

from __future__ import annotations

from defirisk.core.adapter import Log
from defirisk.core.row import State
from defirisk.protocols.cdp.maker_mcd.arithmetic import urn_handler
from defirisk.protocols.cdp.maker_mcd.fold.changes import On, Touched, change
from defirisk.protocols.cdp.maker_mcd.rows import Cdp


def _cdp_keys(log: Log) -> Touched:
    return [(Cdp, (log.contract.address, log.args["cdp"]))]


def _new_cdp(log: Log, state: State) -> None:
    manager, number = log.contract.address, log.args["cdp"]
    urn = urn_handler(manager, number)
    state.put(Cdp(manager=manager, cdp=number, urn=urn, own=log.args["own"]))


def _give(log: Log, state: State) -> None:
    change(state, Cdp, (log.contract.address, log.args["cdp"]), own=log.args["dst"])


APPLIED = {"NewCdp": On(_cdp_keys, _new_cdp), "give": On(_cdp_keys, _give)}
