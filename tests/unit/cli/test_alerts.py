"""Alerts reach a real HTTP listener through apprise: once when they begin, once when over."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed

from defirisk.cli.alert_settings import AlertSettings, parse
from defirisk.cli.alerts import alerts_of, tell
from defirisk.cli.metrics import Served, exposition
from defirisk.core.errors import UsageError
from defirisk.core.status import ChainStatus, Status
from defirisk.store.database import Store, open_store
from defirisk.store.reorgs import Reorg, put_reorg
from tests.command import CommandLine

NOW = 1_750_000_000


def chains(**changes: object) -> tuple[ChainStatus]:
    """One chain that is a minute behind, with `changes`."""
    facts: dict[str, object] = {
        "chain_id": 1,
        "head": 105,
        "verified_to": 100,
        "verified_ts": NOW - 60,
        "lag_seconds": 60,
        "unverified_ranges": (),
        "reorgs": 0,
    }
    return (ChainStatus(**{**facts, **changes}),)  # type: ignore[arg-type]


class Listener(HTTPServer):
    """What was posted to it; it answers with `answer`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.posted: list[str] = []
        self.answer = 200

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.server_port}/a-secret-token"


class _Handler(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append(json.loads(body)["message"])
        self.send_response(self.server.answer)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    server = Listener()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(f"sqlite:///{tmp_path / 'alerts.db'}", create=True)
    yield made
    made.close()


def test_what_is_wrong_is_named_once_for_each_chain() -> None:
    settings = AlertSettings(lag_seconds=100, reorg_depth=3)
    reorg = Reorg(1, NOW - 5, 90, 10, 91, "0xold", "0xnew")
    assert alerts_of(chains(), [], settings, NOW) == {}
    assert set(alerts_of(chains(lag_seconds=101), [], settings, NOW)) == {"behind 1"}
    # A job that no longer runs leaves no lag behind, but an old block.
    assert set(alerts_of(chains(verified_ts=NOW - 101), [], settings, NOW)) == {"behind 1"}
    torn = alerts_of(chains(unverified_ranges=((7, 9), (20, 20))), [], settings, NOW)
    assert torn["unverified 1"].startswith("chain 1 has 2 ranges")
    assert len(alerts_of(chains(), [reorg], settings, NOW)) == 1
    assert alerts_of(chains(), [reorg._replace(depth=3)], settings, NOW) == {}
    assert alerts_of(chains(), [reorg], settings, NOW + 90_000 - 60) != {}  # behind by then
    assert alerts_of(chains(verified_ts=NOW + 90_000), [reorg], settings, NOW + 90_000) == {}


def test_an_alert_is_sent_when_it_begins_and_when_it_is_over(
    store: Store, listener: Listener
) -> None:
    settings = AlertSettings(urls=(listener.url,), lag_seconds=2**40)
    torn = chains(unverified_ranges=((7, 9),))
    assert len(tell(store, torn, settings)) == 1
    assert len(tell(store, torn, settings)) == 1
    assert len(listener.posted) == 1
    assert "7 to 9" in listener.posted[0]
    assert tell(store, chains(), settings) == []
    assert len(listener.posted) == 2
    assert listener.posted[1].startswith("over: chain 1")
    assert tell(store, chains(), settings) == []
    assert len(listener.posted) == 2


def test_what_could_not_be_delivered_is_tried_again(
    store: Store, listener: Listener, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = AlertSettings(urls=(listener.url,), lag_seconds=2**40)
    torn = chains(unverified_ranges=((7, 9),))
    listener.answer = 500
    tell(store, torn, settings)
    said = capsys.readouterr().err
    assert "could not be delivered" in said
    assert "a-secret-token" not in said
    listener.answer = 200
    tell(store, torn, settings)
    assert len(listener.posted) == 2


def test_a_deep_reorg_of_the_store_is_told(store: Store, listener: Listener) -> None:
    with store.transaction() as connection:
        put_reorg(connection, Reorg(1, int(time.time()), 90, 10, 91, "0xold", "0xnew"), {})
    tell(store, chains(), AlertSettings(urls=(listener.url,), lag_seconds=2**40))
    assert "replaced 10 blocks after block 90" in listener.posted[0]


@pytest.mark.parametrize(
    "table",
    [
        [],
        {"url": "json://x"},
        {"urls": "json://x"},
        {"lag_seconds": -1},
        {"reorg_depth": "3"},
        {"lag_seconds": True},
    ],
)
def test_wrong_settings_are_named(table: object) -> None:
    with pytest.raises(UsageError, match="alerts"):
        parse(table, "defirisk.toml", str)


def test_a_variable_that_is_not_set_tells_nobody() -> None:
    table = {"urls": ["${A}", "${B}"], "reorg_depth": 9}
    settings = parse(table, "defirisk.toml", {"${A}": "", "${B}": "json://b"}.__getitem__)
    assert settings == AlertSettings(urls=("json://b",), reorg_depth=9)
    assert "json" not in repr(settings)


def test_metrics_are_what_prometheus_reads() -> None:
    torn = Status(chains=chains(unverified_ranges=((7, 9), (20, 20))), deployments=())
    read = {
        (sample.name, sample.labels["chain_id"]): sample.value
        for family in parsed(exposition(torn))
        for sample in family.samples
    }
    assert read["defirisk_verified_block", "1"] == 100
    assert read["defirisk_unverified_blocks", "1"] == 4
    assert read["defirisk_lag_seconds", "1"] == 60
    served = Served(lambda: torn, 0, "127.0.0.1")
    with urlopen(f"http://127.0.0.1:{served.port}/metrics") as answer:
        assert answer.read().decode() == exposition(torn)
    served.stop()


def test_status_alerts_and_writes_metrics(cli: CommandLine) -> None:
    open_store(f"sqlite:///{cli.folder / 'defirisk.db'}", create=True).close()
    assert cli("status", "--alert").code == 0
    assert cli("status", "--format", "prometheus", "-o", "defirisk.prom").code == 0
    assert "defirisk_head_block" in (cli.folder / "defirisk.prom").read_text()
    (cli.folder / "defirisk.toml").write_text("[alerts]\nlag = 3\n")
    assert "[alerts]: unknown setting 'lag'" in cli.refused("status")
