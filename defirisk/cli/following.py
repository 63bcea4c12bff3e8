"""Indexing without end: a step at each new block, through node failures, until a signal comes."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from defirisk.core.errors import FinalityBroken, LeaseHeld, NodeError

if TYPE_CHECKING:
    from defirisk.cli.alert_settings import AlertSettings
    from defirisk.indexing.run import Indexer, RunSummary
    from defirisk.store.database import Store

FASTEST_SECONDS = 0.5
SLOWEST_SECONDS = 12.0
"""Between two looks at the head, by the chain's block time."""
LONGEST_PAUSE_SECONDS = 120.0
"""After failures of the node, which double the pause each time."""

After = Callable[["RunSummary"], None]
Step = Coroutine[Any, Any, "RunSummary | None"]


async def followed(
    indexer: Indexer, store: Store, alerts: AlertSettings, chain_id: int, port: int | None
) -> None:
    """Follows a chain, says what each step did, and serves metrics where a port is given."""
    from defirisk.chain.chains import chain_of
    from defirisk.cli.alerts import tell
    from defirisk.cli.metrics import Served
    from defirisk.core.status import Status
    from defirisk.indexing.status import read_chains

    def after(summary: RunSummary) -> None:
        say(summary)
        tell(store, read_chains(store), alerts)

    served = None
    if port is not None:
        served = Served(lambda: Status(chains=read_chains(store), deployments=()), port, "0.0.0.0")
        click.echo(f"metrics: http://127.0.0.1:{served.port}/metrics", err=True)
    try:
        await follow(indexer, chain_of(chain_id).block_seconds, after)
    finally:
        if served is not None:
            served.stop()


async def follow(indexer: Indexer, block_seconds: float, after: After) -> int:
    """Steps until SIGTERM or SIGINT; returns how many there were. `after` is told of each.

    A node that fails is asked again later, without end; another run at work on the chain is
    waited for. Errors: `LeaseHeld` where one is at work at the very start, `FinalityBroken`.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(wanted, stop.set)
    rest = min(SLOWEST_SECONDS, max(FASTEST_SECONDS, block_seconds))
    steps, failures = 0, 0
    while not stop.is_set():
        pause = rest
        try:
            summary = await _unless(stop, indexer.step())
        except FinalityBroken:
            raise
        except LeaseHeld:
            if not steps:
                raise
        except NodeError as error:
            failures += 1
            pause = min(LONGEST_PAUSE_SECONDS, rest * 2**failures)
            click.echo(f"{error}; trying again in {pause:,.0f} s", err=True)
        else:
            failures = 0
            if summary is not None:
                steps += 1
                after(summary)
        await _rest(stop, pause)
    return steps


async def _unless(stop: asyncio.Event, step: Step) -> RunSummary | None:
    """The step's summary; None where the signal came first, and the step was broken off.

    It breaks off where it waits for the node, so no transaction is open.
    """
    working = asyncio.ensure_future(step)
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not working.done():
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        return None
    return working.result()


async def _rest(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def say(summary: RunSummary) -> None:
    """One line for a person at a terminal, JSON elsewhere."""
    lag = max(0, int(time.time()) - summary.block.timestamp)
    if sys.stderr.isatty():
        lost = f", {summary.reorg_depth} blocks replaced" * bool(summary.reorg_depth)
        done = f"block {summary.block.number:,}: {summary.new_logs:,} new logs"
        click.echo(f"{done}, {lag:,} s behind{lost}", err=True)
        return
    line = {
        "ts": int(time.time()),
        "step": "follow",
        "block": summary.block.number,
        "new_logs": summary.new_logs,
        "rows_written": summary.rows_written,
        "lag_seconds": lag,
        "reorg_depth": summary.reorg_depth,
    }
    print(json.dumps(line), file=sys.stderr, flush=True)
