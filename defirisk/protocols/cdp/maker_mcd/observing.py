"""What no note of Maker says: which token an ilk is of, what the Vow has, and the Dog's terms.

Who may write to the Vat is noted. Among these wards are the adapters through which tokens come in
(`GemJoin`): they answer with their ilk and their token, the others do not. The Dog, which came
after what was executed here, is only asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from defirisk.core.adapter import Contract, View
from defirisk.core.evm import ZERO_ADDRESS
from defirisk.core.row import Rows, State
from defirisk.protocols.cdp.maker_mcd.arithmetic import ilk_bytes, ilk_name
from defirisk.protocols.cdp.maker_mcd.rows import Dog, DogIlk, Ilk, Join, Surplus, System

JOIN_VIEWS = ("ilk", "gem", "dec")
DOG_VIEWS = {"Hole": "hole_rad", "Dirt": "dirt_rad", "live": "live"}
"""What a Dog states of all ilks together, by its column."""


def views(contracts: Sequence[Contract]) -> Iterator[View]:
    """What every ward of the Vat says of itself."""
    for contract in contracts:
        if contract.role == "join":
            for function in JOIN_VIEWS:
                yield View(contract, function)


def views_of_rows(contracts: Sequence[Contract], rows: Rows) -> Iterator[View]:
    """The DAI of the Vow, of which notes do not say who cancelled it; all that a Dog states."""
    for contract in contracts:
        system = rows.find(System, contract.address) if contract.role == "vat" else None
        if system is not None and system.vow != ZERO_ADDRESS:
            yield View(contract, "dai", (system.vow,))
        if contract.role == "dog":
            yield from (View(contract, function) for function in DOG_VIEWS)
            for ilk in rows.all(Ilk):
                yield View(contract, "ilks", (ilk_bytes(ilk.ilk),))


def observe(view: View, answer: tuple[Any, ...] | None, state: State) -> None:
    """What an adapter says of itself never changes."""
    if answer is None:
        return
    if view.function == "dai":
        state.put(Surplus(vow=view.args[0], dai_rad=answer[0]))
    elif view.contract.role == "dog":
        _observe_dog(view, answer, state)
    else:
        _observe_join(view, answer, state)


def _observe_dog(view: View, answer: tuple[Any, ...], state: State) -> None:
    dog = view.contract.address
    if view.function == "ilks":
        clip, chop, hole, dirt = answer
        terms = {"clip": clip, "chop_wad": chop, "hole_rad": hole, "dirt_rad": dirt}
        state.put(DogIlk(dog=dog, ilk=ilk_name(view.args[0]), **terms))
    else:
        column = DOG_VIEWS[view.function]
        learned: dict[str, Any] = {column: bool(answer[0]) if column == "live" else answer[0]}
        state.put(replace(state.get(Dog, dog), **learned))


def _observe_join(view: View, answer: tuple[Any, ...], state: State) -> None:
    known = state.get(Join, view.contract.address)
    learned = {
        "ilk": lambda: replace(known, ilk=ilk_name(answer[0])),
        "gem": lambda: replace(known, gem=answer[0]),
        "dec": lambda: replace(known, decimals=_decimals(answer[0])),
    }[view.function]()
    if learned != known:
        state.amend(learned)


def _decimals(said: int) -> int:
    """An adapter scales to 18 decimals: more than these make no sense."""
    return said if 0 <= said <= 18 else -1
