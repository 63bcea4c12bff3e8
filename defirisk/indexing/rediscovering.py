"""What deployments watch, found again from their roots, the logs and the answers of a store."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from defirisk.core.adapter import Contract
from defirisk.core.evm import Block
from defirisk.indexing.codecs import by_address
from defirisk.indexing.discovery import TOKEN_ROLE, register
from defirisk.indexing.source import Source
from defirisk.indexing.token_words import read_token, token_calls
from defirisk.store.answers import answers_at, run_ends
from defirisk.store.raw import logs_of
from defirisk.store.registry import (
    forget_tokens_after,
    forget_watched_after,
    put_tokens,
    stored_tokens,
    watched,
)


def rediscover(connection: Connection, sources: Sequence[Source], end: Block) -> None:
    """Watched contracts and tokens of all deployments of a chain, as of the run that ended last."""
    if not sources:
        return
    chain_id = sources[0].stored.deployment.chain_id
    forget_tokens_after(connection, chain_id, -1)
    for source in sources:
        forget_watched_after(connection, source.stored.id, -1)
    for source in sources:
        deployment = source.stored.deployment
        register(
            connection, source.stored, source.adapter.roots(deployment), deployment.first_block
        )
    search = _Search(connection, chain_id, sources, end)
    while search.logs() + search.answers():
        pass


class _Search:
    """Each log is decoded once for each contract that it is of, whenever that is found."""

    def __init__(
        self, connection: Connection, chain_id: int, sources: Sequence[Source], end: Block
    ) -> None:
        self._connection = connection
        self._chain_id = chain_id
        self._sources = sources
        self._end = end
        self._ends = run_ends(connection, chain_id, -1, end.number)
        self._read: set[tuple[int, str, str]] = set()
        self._asked: dict[tuple[int, int], list[Contract]] = {}

    def logs(self) -> int:
        """Registers what logs of contracts reveal that were not looked at yet; how many are new."""
        revealing = [s for s in self._sources if s.codecs.reveals]
        unread = [(s, by_address(mine)) for s in revealing if (mine := self._unread(s))]
        addresses = sorted({address for _, contracts in unread for address in contracts})
        found = 0
        for log in logs_of(self._connection, self._chain_id, addresses, 0, self._end.number):
            for source, contracts in unread:
                for decoded in source.codecs.decode_all(contracts, [log]):
                    revealed = source.adapter.discover(source.stored.deployment, decoded)
                    found += register(self._connection, source.stored, revealed, log.block_number)
        return found

    def _unread(self, source: Source) -> list[Contract]:
        new = []
        for contract in watched(self._connection, source.stored.id):
            key = source.stored.id, contract.address, contract.role
            if key not in self._read and source.codecs.emits(contract):
                self._read.add(key)
                new.append(contract)
        return new

    def answers(self) -> int:
        """Registers what answers reveal, run by run; how many contracts and tokens are new."""
        found = 0
        for block in self._ends:
            found += sum(self._views(source, block) for source in self._sources)
            found += self._tokens(block)
        return found

    def _views(self, source: Source, block: Block) -> int:
        stored = source.stored
        contracts = watched(self._connection, stored.id, discovered_to=block.number)
        known = [c for c in contracts if c.role in source.adapter.interfaces]
        if self._asked.get((block.number, stored.id), []) == known:
            return 0
        self._asked[block.number, stored.id] = known
        asked = [(view, source.codecs.call(view)) for view in source.adapter.views(known)]
        calls = [call for _, call in asked]
        answers = answers_at(self._connection, self._chain_id, block.number, calls)
        found = 0
        for view, call in asked:
            if call in answers:
                answer = source.codecs.answer(view, answers[call])
                revealed = source.adapter.discover_view(view, answer)
                found += register(self._connection, stored, revealed, block.number)
        return found

    def _tokens(self, block: Block) -> int:
        known = stored_tokens(self._connection, self._chain_id)
        wanted = {
            contract.address: contract
            for source in self._sources
            for contract in watched(self._connection, source.stored.id, discovered_to=block.number)
            if contract.role == TOKEN_ROLE and contract.address not in known
        }
        calls = [call for token in wanted.values() for call in token_calls(token)]
        answers = answers_at(self._connection, self._chain_id, block.number, calls)
        read = [
            read_token(token, answers)
            for token in wanted.values()
            if all(call in answers for call in token_calls(token))
        ]
        put_tokens(self._connection, self._chain_id, read, block.number)
        return len(read)
