"""How far the store is, for Prometheus: as text for a collector of files, or served over HTTP.

Names and units follow Prometheus' own advice: base units, and `_total` for what only grows. No
address of a node or database is in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from defirisk.cli.alerts import doubtful
from defirisk.core.status import ChainStatus, DeploymentStatus, Status

_Of = Callable[[ChainStatus], float]
_CHAIN: tuple[tuple[str, str, _Of], ...] = (
    ("head_block", "The node's head when the last run ended", lambda c: c.head),
    ("verified_block", "Last block whose logs are complete", lambda c: c.verified_to),
    ("verified_timestamp_seconds", "Time of that block", lambda c: c.verified_ts),
    ("lag_seconds", "Block time between that block and the head", lambda c: c.lag_seconds),
    (
        "unverified_blocks",
        "Blocks that may lack logs",
        lambda c: sum(last - first + 1 for first, last in doubtful(c)),
    ),
    ("reorgs", "Reorgs seen since the chain was first indexed", lambda c: c.reorgs),
)
_Stored = Callable[[DeploymentStatus], float]
_DEPLOYMENT: tuple[tuple[str, str, _Stored], ...] = (
    ("folded_block", "Last block that positions include", lambda d: d.folded_to),
    ("raw_logs", "Logs stored", lambda d: d.raw_logs),
    ("accounts", "Accounts with a position", lambda d: d.accounts),
    ("findings", "Findings that every report must say", lambda d: len(d.findings)),
)


class StoreCollector(Collector):
    """The gauges of a status, read anew for each scrape."""

    def __init__(self, status: Callable[[], Status]) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """One family per measure, with a sample per chain or deployment."""
        status = self._status()
        for name, said, of_chain in _CHAIN:
            family = GaugeMetricFamily(f"defirisk_{name}", said, labels=["chain_id"])
            for chain in status.chains:
                family.add_metric([str(chain.chain_id)], of_chain(chain))
            yield family
        labels = ["deployment", "protocol", "chain_id"]
        for name, said, of_deployment in _DEPLOYMENT:
            family = GaugeMetricFamily(f"defirisk_{name}", said, labels=labels)
            for one in status.deployments:
                named = [one.deployment, one.protocol, str(one.chain_id)]
                family.add_metric(named, of_deployment(one))
            yield family


def exposition(status: Status) -> str:
    """The text that Prometheus and its collector of files read."""
    registry = CollectorRegistry()
    registry.register(StoreCollector(lambda: status))
    return generate_latest(registry).decode()


class Served:
    """Answers scrapes in a thread of its own until it is stopped; `port` is the one it got."""

    def __init__(self, status: Callable[[], Status], port: int, address: str) -> None:
        registry = CollectorRegistry()
        registry.register(StoreCollector(status))
        self._server, self._thread = start_http_server(port, address, registry)
        self.port: int = self._server.server_port

    def stop(self) -> None:
        """Ends the thread and frees the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
