"""A fold touches what it says, keeps to integers, and comes out the same however it is run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from defirisk.core.adapter import Adapter
from defirisk.core.evm import Block
from defirisk.core.plugins import adapters
from defirisk.core.row import Row, columns, key_of
from defirisk.indexing import folding
from defirisk.indexing.rewinding import rewind_deployment
from defirisk.indexing.source import Source, silent
from defirisk.store.database import Store, open_store
from defirisk.store.derived import StoredRows
from defirisk.store.registry import find_deployment
from tests.conformance.folding import (
    fold_checked,
    handled,
    made_up,
    recorded_logs,
    sources,
    versions,
)
from tests.conformance.test_adapters import plain_type
from tests.onchain.alone_stores import ALONE, indexed_alone

Versions = dict[str, list[Any]]
EVERY_EVENT = [
    pytest.param(adapter, role, event, id=f"{name}-{role}-{event['name']}-{len(event['inputs'])}")
    for name, adapter in adapters().items()
    for role, event in handled(adapter)
]
CUTS = (0.0, 0.13, 0.5, 0.77, 0.999, 1.0)


@pytest.fixture(scope="module")
def chains(
    demo_database: Path, shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Store]]:
    """The logs of a chain with this adapter, with only what they say in the rows: no views."""
    folder, opened = tmp_path_factory.mktemp("folds"), dict[str, Store]()

    def chain_of(adapter: str) -> Store:
        name = adapter if adapter in ALONE else "demo"
        if name not in opened:
            database = indexed_alone(adapter, shared) if adapter in ALONE else demo_database
            path = shutil.copy(database, folder / f"{name}.db")
            opened[name] = open_store(f"sqlite:///{path}", create=False)
            for source in sources(opened[name]):
                refold(opened[name], source, after=-1)
        return opened[name]

    yield chain_of
    for store in opened.values():
        store.close()


@pytest.fixture(
    params=[
        pytest.param(name, marks=[pytest.mark.onchain] if name in ALONE else [])
        for name in sorted(name for name, one in adapters().items() if list(handled(one)))
    ]
)
def adapter(request: pytest.FixtureRequest) -> Adapter:
    """Each adapter that folds events."""
    return adapters()[request.param]


@pytest.fixture
def store(adapter: Adapter, chains: Callable[[str], Store]) -> Store:
    """The chain that it is on."""
    return chains(adapter.name)


@pytest.fixture
def source(adapter: Adapter, store: Store) -> Source:
    """Its deployment, the one with most logs. A new adapter has to be in the recorded chain, or on
    one of its own.
    """
    found = [one for one in sources(store) if one.adapter.name == adapter.name]
    if not found and not type(adapter).__module__.startswith("defirisk."):
        pytest.skip(f"{adapter.name} of another package is not in the recorded chain")
    return max(found, key=lambda one: len(recorded_logs(store, one)))


def head_of(source: Source) -> Block:
    number = source.stored.folded_to
    return Block(number=number, hash="0x", parent_hash="0x", timestamp=0)


def refold(store: Store, source: Source, after: int, *, to: int | None = None) -> None:
    """Undoes everything after a block, and folds it again."""
    with store.transaction() as connection:
        stored = find_deployment(connection, source.stored.deployment.name)
        assert stored is not None
        rewind_deployment(connection, stored, after)
    head = head_of(source)
    target = Block(number=head.number if to is None else to, hash="", parent_hash="", timestamp=0)
    folding.fold_logs(store, source, target, silent)


def folded(store: Store, source: Source) -> Versions:
    return versions(store, source.stored, source.adapter)


@pytest.mark.parametrize(("its", "role", "event"), EVERY_EVENT)
def test_every_event_names_all_the_rows_that_it_reads_and_writes(
    its: Adapter, role: str, event: dict[str, Any]
) -> None:
    """With its addresses alike and different, and with its flags on and off."""
    written = set()
    for alike, flag in product((True, False), repeat=2):
        log = made_up(its, role, event, alike=alike, flag=flag)
        written |= {row_type for row_type, _ in fold_checked(its, [log, log]).rows}
    assert written, "it is declared, but changes nothing"
    assert written <= set(its.rows)


def test_every_recorded_log_names_all_the_rows_that_it_reads_and_writes(
    store: Store, source: Source
) -> None:
    logs = recorded_logs(store, source)
    # Some kinds of feeds seldom say anything: a cap that is moved, once.
    assert len(logs) > (100 if source.adapter.kind != "oracles" else 1)
    state = fold_checked(source.adapter, logs)
    assert {row_type for row_type, _ in state.rows} <= set(source.adapter.rows)


def test_a_fold_depends_on_nothing_but_its_logs(store: Store, source: Source) -> None:
    logs = recorded_logs(store, source)
    assert fold_checked(source.adapter, logs).rows == fold_checked(source.adapter, logs).rows


def test_a_fold_makes_integers_text_and_flags_only(store: Store, source: Source) -> None:
    rows = fold_checked(source.adapter, recorded_logs(store, source)).rows
    assert rows
    for row in rows.values():
        for name, hint in columns(type(row)).items():
            assert type(getattr(row, name)) is plain_type(hint), f"{row}: {name}"


def test_what_is_stored_is_what_was_folded(store: Store, source: Source) -> None:
    """The store's own state, prefetched and batched, against one dictionary."""
    state = fold_checked(source.adapter, recorded_logs(store, source))
    current = {
        (row_type, key_of(row)): row
        for row_type in source.adapter.rows
        for row in current_rows(store, source, row_type)
    }
    assert current == state.rows


def current_rows(store: Store, source: Source, row_type: type[Row]) -> list[Row]:
    with store.transaction() as connection:
        rows = StoredRows(connection, source.stored.id, head_of(source).number)
        return list(rows.all(row_type))


@pytest.mark.parametrize("size", [1, 97, 1500, 10**9])
def test_the_size_of_batches_does_not_matter(
    store: Store, source: Source, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = folded(store, source)
    start = -1 if size > 1 else head_of(source).number * 9 // 10
    monkeypatch.setattr(folding, "BATCH_LOGS", size)
    refold(store, source, after=start)
    assert folded(store, source) == before


@pytest.mark.parametrize("part", CUTS)
def test_fold_undo_fold_equals_fold(store: Store, source: Source, part: float) -> None:
    whole = folded(store, source)
    cut = int(head_of(source).number * part)
    refold(store, source, after=cut, to=cut)
    undone = folded(store, source)
    refold(store, source, after=-1, to=cut)
    assert folded(store, source) == undone
    refold(store, source, after=cut)
    assert folded(store, source) == whole


def test_undoing_does_undo_something(store: Store, source: Source) -> None:
    whole = folded(store, source)
    cut = head_of(source).number // 2
    refold(store, source, after=cut, to=cut)
    try:
        assert folded(store, source) != whole
    finally:
        refold(store, source, after=cut)
