"""Tells people, by apprise, when a source falls behind, cannot be verified, or was replaced deeply.

`[alerts]` in defirisk.toml names whom to tell (`urls`, which are secrets) and from when on. Each
alert is sent once when it begins and once when it is over, by whichever run sees it first.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from defirisk.cli.alert_settings import AlertSettings
from defirisk.core.status import ChainStatus

if TYPE_CHECKING:
    from defirisk.store.database import Store
    from defirisk.store.reorgs import Reorg

REORG_SECONDS = 86_400
"""How long the alert of a deep reorg stays on."""


def alerts_of(
    chains: Iterable[ChainStatus], reorgs: Iterable[Reorg], settings: AlertSettings, now_ts: int
) -> dict[str, str]:
    """What is wrong at this moment, by the name of the alert."""
    found = {
        f"{what} {chain.chain_id}": f"chain {chain.chain_id} {said}"
        for chain in chains
        for what, said in _of_chain(chain, settings, now_ts)
    }
    for reorg in reorgs:
        recent = now_ts - reorg.detected_ts < REORG_SECONDS
        if recent and reorg.depth > settings.reorg_depth:
            found[f"reorg {reorg.chain_id} {reorg.detected_ts}"] = (
                f"chain {reorg.chain_id} replaced {reorg.depth:,} blocks after block "
                f"{reorg.ancestor:,}: what was reported of them is void"
            )
    return found


def _of_chain(
    chain: ChainStatus, settings: AlertSettings, now_ts: int
) -> Iterable[tuple[str, str]]:
    behind = max(chain.lag_seconds, now_ts - chain.verified_ts)
    if behind > settings.lag_seconds:
        yield (
            "behind",
            f"is {behind:,} s behind (verified to block {chain.verified_to:,}): "
            "see whether its index job runs",
        )
    torn = doubtful(chain)
    if torn:
        first, last = torn[0]
        yield (
            "unverified",
            f"has {len(torn)} ranges that may lack logs, first {first:,} to "
            f"{last:,}: run defirisk index again, with another --rpc-url if they stay",
        )


def doubtful(chain: ChainStatus) -> list[tuple[int, int]]:
    """Blocks of which logs may be missing: not read completely, or in doubt after an audit."""
    marked = [(one.first_block, one.last_block) for one in chain.unverified]
    return sorted({*chain.unverified_ranges, *marked})


def tell(store: Store, chains: Iterable[ChainStatus], settings: AlertSettings) -> list[str]:
    """Sends what is new and what is over; returns the alerts that are on.

    What cannot be delivered is not noted, so that the next run tries again; nothing is where
    nobody is to be told.
    """
    from defirisk.store.alerts import alerts_on, end_alerts, put_alerts
    from defirisk.store.reorgs import reorg_log

    now = int(time.time())
    with store.transaction() as connection:
        before = alerts_on(connection)
        reorgs = reorg_log(connection, most=50)
    current = alerts_of(chains, reorgs, settings, now)
    new = {name: said for name, said in current.items() if name not in before}
    over = {name: said for name, said in before.items() if name not in current}
    messages = [*new.values(), *(f"over: {said}" for said in over.values())]
    if not messages or not settings.urls or not _delivered(settings.urls, messages):
        return list(current.values())
    with store.transaction() as connection:
        put_alerts(connection, new, now)
        end_alerts(connection, over)
    return list(current.values())


def _delivered(urls: Iterable[str], messages: list[str]) -> bool:
    import click
    from apprise import Apprise, NotifyFormat

    everybody = Apprise()
    understood = [bool(everybody.add(url)) for url in urls]
    sent = bool(
        everybody.notify(title="defirisk", body="\n".join(messages), body_format=NotifyFormat.TEXT)
    )
    if not all(understood):
        click.echo("warning: [alerts] has a url that apprise does not understand", err=True)
    if not sent:
        click.echo("warning: an alert could not be delivered; the next run tries again", err=True)
    return sent and all(understood)
