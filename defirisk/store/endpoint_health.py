"""The rates of providers, shared by all processes that use one store.

Implements the port `chain.rate_state.RateShelf`. A row is replaced only if nobody replaced it since
it was read, so no transaction is held and no change gets lost. A provider is named by its host: no
part of a key is stored.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, Engine, create_engine, event, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.pool import NullPool

from defirisk.store.base_tables import endpoint_health
from defirisk.store.database import Store

Row = tuple[float, float, float, float, float, float]
_UNKNOWN: Row = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
# Seconds to wait for another writer. A request is waiting for its turn meanwhile.
_PATIENCE = 0.5
_TRIES = 20


class EndpointHealth:
    """A provider's state is six numbers, which mean what the caller says. May be used by threads.

    Errors: `TimeoutError` where other writers held the database too long.
    """

    def __init__(self, store: Store) -> None:
        self._engine = _impatient(store.engine)

    def update(self, provider: str, change: Callable[[Row], Row]) -> Row:
        """Replaces a provider's state by what `change` makes of it, and returns that."""
        try:
            for _ in range(_TRIES):
                with self._engine.begin() as connection:
                    version, row = _read(connection, provider)
                    changed = change(row)
                    if changed == row or _replaced(connection, provider, version, changed):
                        return changed
        except OperationalError as error:
            raise TimeoutError("the rates of the endpoints are locked") from error
        raise TimeoutError("the rates of the endpoints are changed all the time")


def _read(connection: Connection, provider: str) -> tuple[int | None, Row]:
    """The state and its version; None where it is not stored yet."""
    query = select(endpoint_health).where(endpoint_health.c.provider == provider)
    found = connection.execute(query).one_or_none()
    if found is None:
        return None, _UNKNOWN
    _, version, *numbers = found
    rate, next_free, blocked_until, refused, raised, step = map(float, numbers)
    return int(version), (rate, next_free, blocked_until, refused, raised, step)


def _replaced(connection: Connection, provider: str, version: int | None, row: Row) -> bool:
    """Whether the row was still that of `version`, and now is this one."""
    names = ("rate", "next_free_ts", "blocked_until_ts", "refused_ts", "raised_ts", "step")
    values = dict(zip(names, row, strict=True)) | {"version": (version or 0) + 1}
    if version is None:
        try:
            with connection.begin_nested():
                connection.execute(insert(endpoint_health).values(provider=provider, **values))
        except IntegrityError:
            return False
        return True
    mine = (endpoint_health.c.provider == provider) & (endpoint_health.c.version == version)
    return connection.execute(update(endpoint_health).where(mine).values(**values)).rowcount == 1


def _impatient(engine: Engine) -> Engine:
    """Connections of its own: they do not wait long for a lock, and close after each use."""
    if engine.url.get_backend_name() != "sqlite":
        return create_engine(engine.url, poolclass=NullPool)
    made = create_engine(engine.url, poolclass=NullPool, connect_args={"timeout": _PATIENCE})

    @event.listens_for(made, "connect")
    def _no_sync(connection: object, _record: object) -> None:
        # Safe with the write-ahead log; these numbers need not outlive a power cut at all.
        connection.execute("PRAGMA synchronous=NORMAL")  # type: ignore[attr-defined]

    return made
