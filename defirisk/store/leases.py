"""A lease per source: of two runs that would write the same rows, one works and the other ends.

A source is a chain of a store, whose deployments advance together. Whoever holds the lease renews
it while it works; a holder that died lets go at once where that can be seen (a process of this
machine that is no more), and otherwise when its lease runs out. Each transaction of a holder ends
with a look at the lease, so that one that was taken over meanwhile stores nothing more.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from secrets import token_hex

from sqlalchemy import BigInteger, ColumnElement, Connection, cast, delete, func, select, update

from defirisk.core.errors import LeaseHeld
from defirisk.store.base_tables import leases
from defirisk.store.bulk import insert_new
from defirisk.store.database import Store

LEASE_SECONDS = 120
RENEWED_EVERY = 20
"""Seconds. Several renewals may fail before the lease runs out."""


@contextmanager
def leased(store: Store, source: str) -> Iterator[None]:
    """Works on a source alone; `LeaseHeld` where another does.

    Within it, each transaction of the store that comes long after the last one renews the lease.
    """
    lease = _Lease(store, source)
    lease.take()
    store.guard = lease.still_mine
    try:
        yield
    finally:
        store.guard = None
        lease.release()


@asynccontextmanager
async def leased_while_waiting(store: Store, source: str) -> AsyncIterator[None]:
    """As `leased`, and renews the lease also while the run waits for a node."""
    with leased(store, source):
        renewing = asyncio.create_task(_renew(store))
        try:
            yield
        finally:
            renewing.cancel()


async def _renew(store: Store) -> None:
    while True:
        await asyncio.sleep(RENEWED_EVERY)
        # Whoever has lost the lease is told by its own next transaction.
        with contextlib.suppress(LeaseHeld), store.transaction():
            pass


class _Lease:
    def __init__(self, store: Store, source: str) -> None:
        self._store = store
        self._source = source
        self._me = f"{_this_machine()} {os.getpid()} {token_hex(8)}"
        self._renewed = 0.0

    def take(self) -> None:
        """`LeaseHeld` where somebody else has it."""
        with self._store.transaction() as connection:
            for _ in range(2):
                if self._try(connection):
                    return
                holder, left = self._held(connection)
                if not _died(holder):
                    break
                self._drop(connection, holder)
        raise LeaseHeld(
            f"{self._source} is being indexed by {_process(holder)}: wait for it to end, "
            f"or {max(left, 0)} s if it died"
        )

    def still_mine(self, connection: Connection) -> None:
        """Before a commit: `LeaseHeld`, and so nothing is stored, where another run took over."""
        mine = (leases.c.source == self._source, leases.c.holder == self._me)
        if time.monotonic() - self._renewed > RENEWED_EVERY:
            until = _now(connection) + LEASE_SECONDS
            done = connection.execute(update(leases).where(*mine).values(until_ts=until))
            found = done.rowcount == 1
            self._renewed = time.monotonic()
        else:
            found = connection.execute(select(leases.c.source).where(*mine)).first() is not None
        if not found:
            raise LeaseHeld(
                f"another run took over {self._source}, since this one did not answer for "
                f"{LEASE_SECONDS} s: run it again to go on with what is stored"
            )

    def release(self) -> None:
        """Lets go; nothing happens where another took over."""
        with self._store.transaction() as connection:
            self._drop(connection, self._me)

    def _try(self, connection: Connection) -> bool:
        """Takes what is free or has run out, in one statement."""
        now = _now(connection)
        until = now + LEASE_SECONDS
        # A row to decide on is made first, run out from the beginning.
        insert_new(connection, leases, ("source", "holder", "until_ts"), [(self._source, "", 0)])
        taken = connection.execute(
            update(leases)
            .where(leases.c.source == self._source, leases.c.until_ts < now)
            .values(holder=self._me, until_ts=until)
        )
        self._renewed = time.monotonic()
        return taken.rowcount == 1

    def _held(self, connection: Connection) -> tuple[str, int]:
        left = (leases.c.until_ts - _now(connection)).label("left")
        row = connection.execute(
            select(leases.c.holder, left).where(leases.c.source == self._source)
        ).one()
        return str(row.holder), int(row.left)

    def _drop(self, connection: Connection, holder: str) -> None:
        connection.execute(
            delete(leases).where(leases.c.source == self._source, leases.c.holder == holder)
        )


def _now(connection: Connection) -> ColumnElement[int]:
    """Seconds by the clock of the database, which all that share it have in common."""
    if connection.dialect.name == "postgresql":
        return cast(func.extract("epoch", func.clock_timestamp()), BigInteger)
    return cast(func.strftime("%s", "now"), BigInteger)


def _this_machine() -> str:
    """Where process ids are unique: host and, on Linux, the namespace of a container."""
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        space = "-"
    return f"{socket.gethostname()[:200].replace(' ', '-')} {space}"


def _process(holder: str) -> str:
    host, _, pid, _ = holder.split(" ")
    return f"process {pid} on {host}"


def _died(holder: str) -> bool:
    """Whether it is sure that this holder is no more. On another machine one cannot know."""
    host, space, pid, _ = holder.split(" ")
    if f"{host} {space}" != _this_machine():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass
    return False
