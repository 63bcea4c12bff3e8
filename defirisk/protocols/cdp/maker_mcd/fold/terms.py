"""The Spotter and the Jug: prices, safety margins and fees. Source: dss `Spotter` and `Jug`."""

from __future__ import annotations

from dataclasses import replace

from defirisk.core.adapter import Log
from defirisk.core.row import State
from defirisk.protocols.cdp.maker_mcd.fold.changes import (
    On,
    Touched,
    files,
    of_ilk,
    puts_out,
    system_key,
    writes,
)
from defirisk.protocols.cdp.maker_mcd.rows import RAY, JugIlk, SpotIlk, System


def _poke_keys(log: Log) -> Touched:
    return [of_ilk(SpotIlk)(log), system_key(log)]


def _poke(log: Log, state: State) -> None:
    """Where the pip had no price, whatever it said is none."""
    ilk_key, vat = (key for _, key in _poke_keys(log))
    spotter, system = state.get(SpotIlk, *ilk_key), state.get(System, *vat)
    spot = log.args["spot"]
    state.put(
        replace(
            spotter,
            val_wad=int.from_bytes(log.args["val"], "big") if spot else 0,
            poked_ts=log.timestamp,
            poked_mat_ray=spotter.mat_ray,
            poked_par_ray=system.par_ray,
            poked_spot_ray=spot,
        )
    )


SPOTTER = {
    "file": files(
        system_key, of_ilk(SpotIlk), {"par": "par_ray"}, {"pip": "pip", "mat": "mat_ray"}
    ),
    "Poke": On(_poke_keys, _poke),
    "cage": puts_out(System, "spotter_live"),
}
JUG = {
    "init": writes(JugIlk, lambda log: {"duty_ray": RAY, "rho_ts": log.timestamp}),
    "file": files(
        system_key, of_ilk(JugIlk), {"base": "base_ray", "vow": "vow"}, {"duty": "duty_ray"}
    ),
    "drip": writes(JugIlk, lambda log: {"rho_ts": log.timestamp}),
}
