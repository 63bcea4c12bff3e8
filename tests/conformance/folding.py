"""What adapters are fed with: every event they handle, and the logs of the recorded chain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from eth_abi.abi import encode
from eth_hash.auto import keccak
from sqlalchemy import select

from defirisk.chain.codec import abi_entries
from defirisk.core.adapter import Adapter, Contract, Log
from defirisk.core.plugins import adapters
from defirisk.core.row import Key, R, Row, columns, key_of
from defirisk.indexing.codecs import Codecs, by_address
from defirisk.indexing.source import Source
from defirisk.store.database import Store
from defirisk.store.raw import StoredLog, logs_of
from defirisk.store.registry import StoredDeployment, stored_deployments, watched
from defirisk.store.row_tables import row_table

ADDRESS = "0x" + "c0" * 20
SUBJECT = "0x" + "50" * 20
NOTED = 224  # bytes of a call that a note keeps


class CheckedState:
    """Rows in memory. Refuses every key that the log being folded did not say it touches, nor any
    row that it read.
    """

    def __init__(self) -> None:
        self.rows: dict[tuple[type[Row], Key], Row] = {}
        self.named: set[tuple[type[Row], Key]] = set()
        self._parts: set[Any] = set()
        self._said: set[Any] = set()

    def name(self, keys: Iterable[tuple[type[Row], Key]]) -> None:
        """What the next log says it touches."""
        self.named = {(row_type, tuple(key)) for row_type, key in keys}
        self._parts = {part for _, key in self.named for part in key}
        self._said = set()

    def get(self, row_type: type[R], *key: Any) -> R:
        found = self.rows.get(self._checked(row_type, key))
        if found is None:
            found = row_type(**dict(zip(row_type.key, key, strict=True)))
        assert isinstance(found, row_type)
        self._said |= {
            getattr(found, name) for name in columns(row_type) if name not in row_type.key
        }
        return found

    def put(self, row: Row) -> None:
        self.rows[self._checked(type(row), key_of(row))] = row

    def amend(self, row: Row) -> None:
        self.put(row)

    def _checked(self, row_type: type[Row], key: Key) -> tuple[type[Row], Key]:
        said_by_a_row = self._said & set(key) and set(key) <= self._parts | self._said
        named = (row_type, key) in self.named or said_by_a_row
        assert named, f"{row_type.__name__} {key} is not in touches, nor said by a row in it"
        return row_type, key


def fold_checked(adapter: Adapter, logs: Iterable[Log]) -> CheckedState:
    """All logs folded one by one."""
    state = CheckedState()
    for log in logs:
        state.name(adapter.touches(log))
        adapter.fold(log, state)
    return state


def handled(adapter: Adapter) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every role with the ABI entry of every event, and of every noted call, that it folds."""
    for role, interface in adapter.interfaces.items():
        for kind, folded in (("event", interface.events), ("function", interface.notes)):
            for abi, names in folded.items():
                for name in names:
                    yield role, abi_entries(abi, kind, name)[0]


def made_up(adapter: Adapter, role: str, event: dict[str, Any], *, alike: bool, flag: bool) -> Log:
    """A log of the event as a node would return it; `alike`: all its addresses are the same."""
    kinds = [_kind(parameter) for parameter in event["inputs"]]
    values = [_sample(p, 0 if alike else at, flag) for at, p in enumerate(event["inputs"])]
    typed = list(zip(event["inputs"], kinds, values, strict=True))
    signature = f"{event['name']}({','.join(kinds)})"
    contract = Contract(address=ADDRESS, role=role, first_block=0, subject=SUBJECT)
    topics = [
        topic for topic in Codecs(adapter).topics([contract]) if topic == keccak(signature.encode())
    ]
    topics += [encode([kind], [value]) for p, kind, value in typed if p.get("indexed")]
    data = [(kind, value) for p, kind, value in typed if not p.get("indexed")]
    raw = StoredLog(
        block_number=7,
        timestamp=1_700_000_000,
        log_index=0,
        address=ADDRESS,
        topics=tuple(topics),
        data=encode([kind for kind, _ in data], [value for _, value in data]),
    )
    if event["type"] == "function":
        raw = _noted(raw, signature, encode(kinds, values))
    log = Codecs(adapter).decode(contract, raw)
    assert log is not None, f"{signature} is not decoded"
    return log


def _noted(raw: StoredLog, signature: str, arguments: bytes) -> StoredLog:
    """The log as Maker's contracts write it: the call itself, under its selector."""
    selector = keccak(signature.encode())[:4]
    words = [arguments[32 * n : 32 * n + 32].ljust(32, b"\0") for n in range(3)]
    call = (selector + arguments).ljust(NOTED, b"\0")
    return raw._replace(
        topics=(selector.ljust(32, b"\0"), *words),
        data=encode(["uint256", "uint256"], [32, NOTED]) + call,
    )


def _kind(parameter: dict[str, Any]) -> str:
    """The canonical type; a struct is spelled out."""
    kind = str(parameter["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(map(_kind, parameter['components']))}){kind.removeprefix('tuple')}"


def _sample(parameter: dict[str, Any], at: int, flag: bool) -> Any:
    if parameter["type"] == "tuple":
        return tuple(_sample(part, at, flag) for part in parameter["components"])
    kind = str(parameter["type"])
    if kind.endswith("]"):
        element, _, length = kind[:-1].rpartition("[")
        part = {**parameter, "type": element}
        return [_sample(part, at + place, flag) for place in range(int(length or 2))]
    if kind == "address":
        return f"0x{at + 1:040x}"
    if kind == "bool":
        return flag
    if kind == "string":
        return "label"
    if kind == "bytes":
        return bytes(range(128))
    if kind.startswith("bytes"):
        return bytes([at]) * int(kind.removeprefix("bytes"))
    return 3 + at


def sources(store: Store) -> list[Source]:
    """Every deployment of a store with its code."""
    with store.transaction() as connection:
        found = stored_deployments(connection)
    known = adapters()
    return [
        Source(
            stored=stored,
            adapter=known[stored.deployment.protocol],
            codecs=Codecs(known[stored.deployment.protocol]),
        )
        for stored in found
    ]


def recorded_logs(store: Store, source: Source) -> list[Log]:
    """Every log that a deployment folds, in chain order."""
    stored = source.stored
    with store.transaction() as connection:
        contracts = by_address(c for c in watched(connection, stored.id) if source.codecs.emits(c))
        logs = logs_of(connection, stored.deployment.chain_id, list(contracts), 0, stored.folded_to)
        decoded = list(source.codecs.decode_all(contracts, logs))
    return [log for log in decoded if log.block_number >= log.contract.first_block]


def versions(store: Store, stored: StoredDeployment, adapter: Adapter) -> dict[str, list[Any]]:
    """Every version of every row of a deployment, by table."""
    found = {}
    with store.transaction() as connection:
        for row_type in adapter.rows:
            table = row_table(row_type)
            query = select(table).where(table.c.deployment_id == stored.id)
            rows = connection.execute(query)
            found[table.name] = sorted(tuple(row) for row in rows)
    return found
