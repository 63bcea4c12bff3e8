"""Who has a lease, who gets it, and when."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update

from defirisk.core.errors import LeaseHeld
from defirisk.store import leases as module
from defirisk.store.base_tables import chains, leases
from defirisk.store.database import Store
from defirisk.store.leases import LEASE_SECONDS, leased, leased_while_waiting
from tests.databases import Kind

SOURCE = "chain 1"


def expire(store: Store, seconds: int) -> None:
    """As if so much time had passed since the last renewal."""
    with store.engine.begin() as connection:
        connection.execute(update(leases).values(until_ts=leases.c.until_ts - seconds))


def refused(store: Store, said: str) -> None:
    """Somebody else has it."""
    with pytest.raises(LeaseHeld, match=said), leased(store, SOURCE):
        pass


def left(store: Store) -> int:
    """Seconds that the lease still has."""
    with store.engine.begin() as connection:
        now = module._now(connection)
        return int(connection.execute(select(leases.c.until_ts - now)).scalar_one())


def test_only_one_has_it_and_another_source_is_another_lease(store: Store, again: Store) -> None:
    with leased(store, SOURCE):
        refused(again, f"chain 1 is being indexed by process {os.getpid()}")
        with leased(again, "chain 2"):
            pass
    with leased(again, SOURCE):
        pass


def test_it_is_let_go_when_the_work_fails(store: Store, again: Store) -> None:
    with pytest.raises(ZeroDivisionError), leased(store, SOURCE):
        raise ZeroDivisionError
    with leased(again, SOURCE):
        pass


def test_one_that_has_run_out_is_taken_over_and_its_holder_stores_nothing(
    store: Store, again: Store
) -> None:
    def too_slow() -> None:
        with leased(store, SOURCE):
            expire(store, LEASE_SECONDS - 10)
            refused(again, "is being indexed by process")
            expire(store, 12)
            with leased(again, SOURCE), store.transaction() as connection:
                connection.execute(text("INSERT INTO chains VALUES (1, 2, 3, 4, NULL, 0)"))

    with pytest.raises(LeaseHeld, match="another run took over"):
        too_slow()
    with store.transaction() as connection:
        assert connection.execute(select(func.count()).select_from(chains)).scalar_one() == 0


def test_one_that_lost_it_does_not_let_go_of_what_another_has(store: Store, again: Store) -> None:
    with ExitStack() as taken_over:
        with leased(store, SOURCE):
            expire(store, LEASE_SECONDS + 2)
            taken_over.enter_context(leased(again, SOURCE))
        refused(store, "is being indexed by process")


def test_transactions_renew_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with leased(store, SOURCE):
        expire(store, 60)
        with store.transaction():
            pass
        assert left(store) <= LEASE_SECONDS - 50, "not each one: that would be a write for each"
        monkeypatch.setattr(module, "RENEWED_EVERY", -1)
        with store.transaction():
            pass
        assert left(store) >= LEASE_SECONDS - 5


def test_it_is_renewed_while_a_node_is_waited_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RENEWED_EVERY", 0.01)

    async def wait() -> None:
        async with leased_while_waiting(store, SOURCE):
            expire(store, 60)
            for _ in range(500):
                await asyncio.sleep(0.01)
                if left(store) >= LEASE_SECONDS - 5:
                    return
            raise AssertionError("it was not renewed")

    asyncio.run(wait())


def test_nobody_waits_for_a_process_of_this_machine_that_is_no_more(
    store: Store, kind: Kind, tmp_path: Path
) -> None:
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    here = module._this_machine()
    for holder, taken in [
        (f"{here} {int(dead.stdout)} x", True),
        (f"{here} {os.getpid()} x", False),
        (f"elsewhere - {int(dead.stdout)} x", False),
    ]:
        with store.engine.begin() as connection:
            connection.execute(leases.delete())
            row = {"source": SOURCE, "holder": holder, "until_ts": 2**40}
            connection.execute(leases.insert(), row)
        if taken:
            with leased(store, SOURCE):
                pass
        else:
            refused(store, "is being indexed by process")
