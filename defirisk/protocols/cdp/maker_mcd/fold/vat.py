"""The Vat: urns, debts and rates. Source: dss `Vat`."""

from __future__ import annotations

from dataclasses import replace

from defirisk.core.adapter import Log
from defirisk.core.row import State
from defirisk.protocols.cdp.maker_mcd.arithmetic import ilk_name
from defirisk.protocols.cdp.maker_mcd.fold.changes import (
    On,
    Touched,
    files,
    of_ilk,
    puts_out,
    system_key,
    writes,
)
from defirisk.protocols.cdp.maker_mcd.rows import RAY, Ilk, Join, System, Urn


def _urn_keys(log: Log) -> Touched:
    ilk = ilk_name(log.args["i"])
    return [(Ilk, (ilk,)), (Urn, (ilk, log.args["u"])), (System, (log.contract.address,))]


def _moved_debt(log: Log, state: State, column: str) -> None:
    """`frob` is about DAI that exists, `grab` about debt that nothing backs any more."""
    args, ilk = log.args, ilk_name(log.args["i"])
    system, terms = state.get(System, log.contract.address), state.get(Ilk, ilk)
    urn = state.get(Urn, ilk, args["u"])
    dart, sign = args["dart"], 1 if column == "debt_rad" else -1
    state.put(replace(urn, ink_raw=urn.ink_raw + args["dink"], art_raw=urn.art_raw + dart))
    state.put(replace(terms, art_raw=terms.art_raw + dart))
    total = getattr(system, column) + sign * terms.rate_ray * dart
    state.put(replace(system, **{column: total}))


def _frob(log: Log, state: State) -> None:
    _moved_debt(log, state, "debt_rad")


def _grab(log: Log, state: State) -> None:
    _moved_debt(log, state, "vice_rad")


def _fork_keys(log: Log) -> Touched:
    ilk = ilk_name(log.args["ilk"])
    return [(Urn, (ilk, log.args["src"])), (Urn, (ilk, log.args["dst"]))]


def _fork(log: Log, state: State) -> None:
    """From one urn into another; both may be the same."""
    for (_, key), sign in zip(_fork_keys(log), (-1, 1), strict=True):
        urn = state.get(Urn, *key)
        ink, art = sign * log.args["dink"], sign * log.args["dart"]
        state.put(replace(urn, ink_raw=urn.ink_raw + ink, art_raw=urn.art_raw + art))


def _fold_keys(log: Log) -> Touched:
    return [(Ilk, (ilk_name(log.args["i"]),)), (System, (log.contract.address,))]


def _fold(log: Log, state: State) -> None:
    terms = state.get(Ilk, ilk_name(log.args["i"]))
    system, change = state.get(System, log.contract.address), log.args["rate"]
    state.put(replace(terms, rate_ray=terms.rate_ray + change))
    state.put(replace(system, debt_rad=system.debt_rad + terms.art_raw * change))


def _unbacked(sign: int) -> On:
    """`suck` and `heal`: DAI and debt that nothing backs, made or undone together."""

    def keys(log: Log) -> Touched:
        return [(System, (log.contract.address,))]

    def apply(log: Log, state: State) -> None:
        system, rad = state.get(System, log.contract.address), sign * log.args["rad"]
        vice, debt = system.vice_rad + rad, system.debt_rad + rad
        state.put(replace(system, vice_rad=vice, debt_rad=debt))

    return On(keys, apply)


def _first_rate(_: Log) -> dict[str, int]:
    return {"rate_ray": RAY}


def _ward_keys(log: Log) -> Touched:
    return [(Join, (log.args["usr"],))]


def _rely(log: Log, state: State) -> None:
    """What the ward is, only the ward itself can say."""
    state.put(state.get(Join, log.args["usr"]))


APPLIED = {
    "init": writes(Ilk, _first_rate),
    "file": files(
        system_key,
        of_ilk(Ilk),
        {"Line": "line_rad"},
        {"spot": "spot_ray", "line": "line_rad", "dust": "dust_rad"},
    ),
    "frob": On(_urn_keys, _frob),
    "grab": On(_urn_keys, _grab),
    "fork": On(_fork_keys, _fork),
    "fold": On(_fold_keys, _fold),
    "suck": _unbacked(1),
    "heal": _unbacked(-1),
    "rely": On(_ward_keys, _rely),
    "cage": puts_out(System),
}
