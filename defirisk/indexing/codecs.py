"""The codecs of an adapter: which log is which event, and how its views are asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from defirisk.chain.codec import EventCodec, FunctionCodec, load_events, load_functions
from defirisk.chain.note import NoteCodec, load_notes
from defirisk.chain.words import DecodeError
from defirisk.core.adapter import Adapter, Contract, Log, View, logs_reveal_nothing
from defirisk.core.evm import Call, CallResult
from defirisk.store.raw import StoredLog


class Codecs:
    """Events and views of one adapter, compiled once."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._events: dict[str, dict[bytes, EventCodec | NoteCodec]] = {}
        self._functions: dict[tuple[str, str], FunctionCodec] = {}
        for role, interface in adapter.interfaces.items():
            compiled: list[EventCodec | NoteCodec] = []
            for abi, names in interface.events.items():
                compiled += load_events(abi, names).values()
            for abi, names in interface.notes.items():
                compiled += load_notes(abi, names).values()
            self._events[role] = {codec.topic0: codec for codec in compiled}

    @property
    def reveals(self) -> bool:
        """Whether a log can reveal a contract."""
        return self._adapter.discover is not logs_reveal_nothing

    def topics(self, contracts: Iterable[Contract]) -> tuple[bytes, ...]:
        """Every first topic that matters in a log of one of these contracts."""
        roles = {contract.role for contract in contracts}
        return tuple(sorted({t for role in roles for t in self._events.get(role, {})}))

    def emits(self, contract: Contract) -> bool:
        """Whether any event of this contract is folded."""
        return bool(self._events.get(contract.role))

    def decode(self, contract: Contract, log: StoredLog) -> Log | None:
        """The log as an event of the contract's role; None where it is none of them.

        `DecodeError` where a contract emitted data that does not fit the event's own ABI, unless
        anything may be expected of it.
        """
        codec = self._events.get(contract.role, {}).get(log.topics[0] if log.topics else b"")
        if codec is None:
            return None
        try:
            args = codec.decode(log.topics, log.data)
        except DecodeError as error:
            if self._adapter.interfaces[contract.role].untrusted:
                return None
            raise DecodeError(
                f"{codec.name} of {contract.address} in block {log.block_number}, "
                f"log {log.log_index}: {error}"
            ) from error
        return Log(
            block_number=log.block_number,
            timestamp=log.timestamp,
            log_index=log.log_index,
            contract=contract,
            event=codec.name,
            args=args,
        )

    def decode_all(
        self, contracts: dict[str, list[Contract]], logs: Iterable[StoredLog]
    ) -> Iterator[Log]:
        """Every log as the events it stands for; one contract may have several roles."""
        for log in logs:
            for contract in contracts.get(log.address, ()):
                decoded = self.decode(contract, log)
                if decoded is not None:
                    yield decoded

    def call(self, view: View) -> Call:
        """The view as a call."""
        return Call(view.contract.address, self._function(view).encode(view.args))

    def answer(self, view: View, result: CallResult) -> tuple[Any, ...] | None:
        """The outputs of a view; None where it reverted or answered something else."""
        if not result.ok:
            return None
        try:
            return self._function(view).decode(result.data)
        except DecodeError:
            return None

    def _function(self, view: View) -> FunctionCodec:
        key = (view.contract.role, view.function)
        if key not in self._functions:
            abi = self._adapter.interfaces[view.contract.role].abi
            self._functions[key] = load_functions(abi, (view.function,))[view.function]
        return self._functions[key]


def by_address(contracts: Iterable[Contract]) -> dict[str, list[Contract]]:
    """Contracts under their addresses."""
    found: dict[str, list[Contract]] = {}
    for contract in contracts:
        found.setdefault(contract.address, []).append(contract)
    return found
