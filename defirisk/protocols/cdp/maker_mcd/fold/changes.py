"""What the folds of all of Maker's contracts have in common: parameters, and switches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from defirisk.core.adapter import Log
from defirisk.core.row import Key, Row, State
from defirisk.protocols.cdp.maker_mcd.arithmetic import ilk_name
from defirisk.protocols.cdp.maker_mcd.rows import System

Touched = list[tuple[type[Row], Key]]


class On(NamedTuple):
    """What happens on one event: the keys it needs, and what it does to their rows."""

    keys: Callable[[Log], Touched]
    apply: Callable[[Log, State], None]


def word(raw: bytes) -> str:
    """The name of a parameter."""
    return raw.rstrip(b"\0").decode("latin-1")


def system_of(log: Log) -> str:
    """The Vat: itself, or the contract's subject."""
    return log.contract.subject or log.contract.address


def change(state: State, row_type: type[Any], key: Key, **changes: Any) -> None:
    """Some columns of a row."""
    state.put(replace(state.get(row_type, *key), **changes))


def filed(log: Log, columns: dict[str, str]) -> dict[str, Any]:
    """What `file` changes; nothing where the parameter is not of ours."""
    column = columns.get(word(log.args["what"]))
    (value,) = (log.args[name] for name in ("data", "pip_", "flip") if name in log.args)
    return {} if column is None else {column: value}


def files(
    of_system: Callable[[Log], tuple[type[Row], Key]],
    of_ilk: Callable[[Log], tuple[type[Row], Key]],
    columns: dict[str, str],
    ilk_columns: dict[str, str],
) -> On:
    """`file`, of the whole contract or of one of its ilks."""

    def keys(log: Log) -> Touched:
        return [of_ilk(log) if "ilk" in log.args else of_system(log)]

    def apply(log: Log, state: State) -> None:
        ((row_type, key),) = keys(log)
        known = ilk_columns if "ilk" in log.args else columns
        change(state, row_type, key, **filed(log, known))

    return On(keys, apply)


def system_key(log: Log) -> tuple[type[Row], Key]:
    """The row of what holds for all ilks."""
    return System, (system_of(log),)


def of_ilk(row_type: type[Row]) -> Callable[[Log], tuple[type[Row], Key]]:
    """The row of the log's ilk."""
    return lambda log: (row_type, (ilk_name(log.args["ilk"]),))


def own(row_type: type[Row]) -> Callable[[Log], tuple[type[Row], Key]]:
    """The row of the contract itself."""
    return lambda log: (row_type, (log.contract.address,))


def own_ilk(row_type: type[Row]) -> Callable[[Log], tuple[type[Row], Key]]:
    """The row of the log's ilk in the contract itself."""
    return lambda log: (row_type, (log.contract.address, ilk_name(log.args["ilk"])))


def puts_out(row_type: type[Row], column: str = "live") -> On:
    """`cage`."""

    def keys(log: Log) -> Touched:
        key = system_of(log) if row_type is System else log.contract.address
        return [(row_type, (key,))]

    def apply(log: Log, state: State) -> None:
        ((kind, key),) = keys(log)
        change(state, kind, key, **{column: False})

    return On(keys, apply)


def writes(row_type: type[Row], columns: Callable[[Log], dict[str, int]]) -> On:
    """Columns of an ilk's row of which the log says everything."""

    def keys(log: Log) -> Touched:
        return [of_ilk(row_type)(log)]

    def apply(log: Log, state: State) -> None:
        ((kind, key),) = keys(log)
        row: Any = state.get(kind, *key)
        state.put(replace(row, **columns(log)))

    return On(keys, apply)
