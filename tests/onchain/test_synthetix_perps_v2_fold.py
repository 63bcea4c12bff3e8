"""Perps V2: a fold depends on nothing but its logs, and undoing undoes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from defirisk.core.row import key_of
from defirisk.indexing.folding import fold_logs
from defirisk.indexing.rewinding import rewind_deployment
from defirisk.indexing.source import Source, silent
from defirisk.protocols.perps.synthetix_perps_v2 import ADAPTER
from tests.conformance.folding import fold_checked, recorded_logs, sources, versions
from tests.onchain.markets import stored
from tests.onchain.synthetix_chain import Indexed, indexed_alone

pytestmark = pytest.mark.onchain


def test_the_fold_names_its_rows_and_can_be_undone(tmp_path: Path) -> None:
    """As the conformance suite asks of the recorded chain."""
    with indexed_alone(1, tmp_path) as again:
        (source,) = (one for one in sources(again.store) if one.adapter.name == ADAPTER.name)
        logs = recorded_logs(again.store, source)
        refold(again, source, after=-1)  # without what views said
        whole = versions(again.store, source.stored, source.adapter)

        assert len(logs) > 1_000
        current = again.snapshot().rows
        kept = fold_checked(ADAPTER, logs).rows
        assert {(type(r), key_of(r)): r for t in ADAPTER.rows for r in current.all(t)} == kept
        for part in (0.2, 0.55, 0.9):
            cut = int(source.stored.folded_to * part)
            refold(again, source, after=cut, to=cut)
            undone = versions(again.store, source.stored, source.adapter)
            refold(again, source, after=-1, to=cut)
            assert versions(again.store, source.stored, source.adapter) == undone != whole
            refold(again, source, after=cut)
            assert versions(again.store, source.stored, source.adapter) == whole


def refold(again: Indexed, source: Source, after: int, to: int | None = None) -> None:
    """Undoes everything after a block, and folds it again."""
    with again.store.transaction() as connection:
        rewind_deployment(connection, stored(again.store, again.market), after)
    until = source.stored.folded_to if to is None else to
    fold_logs(again.store, source, replace(again.block, number=until), silent)
