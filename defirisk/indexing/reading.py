"""Reads what logs cannot say, at the block where a run ends: views and the tokens' own words."""

from __future__ import annotations

from collections.abc import Sequence

from defirisk.core.adapter import AsksOfRows, Contract, View
from defirisk.core.evm import Block, Call, CallResult, ChainReader
from defirisk.indexing.discovery import TOKEN_ROLE, register
from defirisk.indexing.source import Source
from defirisk.indexing.token_words import read_token, token_calls
from defirisk.store.database import Store
from defirisk.store.derived import FoldState, StoredRows
from defirisk.store.raw import put_calls
from defirisk.store.registry import put_tokens, stored_tokens, watched


class Views:
    """The views of one run, each asked once, all at one block."""

    def __init__(self, reader: ChainReader, store: Store, chain_id: int, target: Block) -> None:
        self._reader = reader
        self._store = store
        self._chain_id = chain_id
        self._target = target
        self._answers: dict[Call, CallResult] = {}

    @property
    def asked(self) -> int:
        """How many views were asked so far."""
        return len(self._answers)

    async def discover(self, sources: Sequence[Source]) -> int:
        """Asks what was not asked yet; returns how many new contracts the answers revealed."""
        pending = {s.stored.deployment.name: self._views(s) for s in sources}
        tokens = self._unread_tokens(sources)
        calls = [s.codecs.call(v) for s in sources for v in pending[s.stored.deployment.name]]
        new = await self._ask([*calls, *(call for token in tokens for call in token_calls(token))])
        found = 0
        with self._store.transaction() as connection:
            put_calls(connection, self._chain_id, self._target, new.items())
            read = [read_token(token, self._answers) for token in tokens]
            put_tokens(connection, self._chain_id, read, self._target.number)
            for source in sources:
                for view in pending[source.stored.deployment.name]:
                    answer = source.codecs.answer(view, self._answers[source.codecs.call(view)])
                    revealed = source.adapter.discover_view(view, answer)
                    found += register(connection, source.stored, revealed, self._target.number)
        return found

    async def observe(self, sources: Sequence[Source]) -> int:
        """Applies every answer to the rows, as of this run's block; returns the rows written."""
        late = {s.stored.deployment.name: self._views_of_rows(s) for s in sources}
        new = await self._ask(
            [s.codecs.call(v) for s in sources for v in late[s.stored.deployment.name]]
        )
        rows = 0
        with self._store.transaction() as connection:
            put_calls(connection, self._chain_id, self._target, new.items())
            for source in sources:
                stored = source.stored
                state = FoldState(connection, stored.id, stored.deployment.first_block)
                state.at = self._target.number
                for view in (*self._views(source), *late[stored.deployment.name]):
                    answer = source.codecs.answer(view, self._answers[source.codecs.call(view)])
                    source.adapter.observe(view, answer, self._target, state)
                rows += state.write()
        return rows

    def _views(self, source: Source) -> list[View]:
        with self._store.transaction() as connection:
            contracts = watched(connection, source.stored.id)
        known = [c for c in contracts if c.role in source.adapter.interfaces]
        return list(source.adapter.views(known))

    def _views_of_rows(self, source: Source) -> list[View]:
        """What can only be asked now that everything is folded."""
        if not isinstance(source.adapter, AsksOfRows):
            return []
        with self._store.transaction() as connection:
            contracts = watched(connection, source.stored.id)
            rows = StoredRows(connection, source.stored.id, self._target.number)
            return list(source.adapter.views_of_rows(contracts, rows))

    def _unread_tokens(self, sources: Sequence[Source]) -> list[Contract]:
        with self._store.transaction() as connection:
            known = stored_tokens(connection, self._chain_id)
            wanted = {
                contract.address: contract
                for source in sources
                for contract in watched(connection, source.stored.id)
                if contract.role == TOKEN_ROLE and contract.address not in known
            }
        return list(wanted.values())

    async def _ask(self, calls: Sequence[Call]) -> dict[Call, CallResult]:
        """What was not answered yet, with its answers."""
        unknown = [call for call in dict.fromkeys(calls) if call not in self._answers]
        results = await self._reader.calls(unknown, self._target) if unknown else []
        new = dict(zip(unknown, results, strict=True))
        self._answers |= new
        return new
