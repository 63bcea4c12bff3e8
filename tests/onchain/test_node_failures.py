"""A node that fails, at any point of a run: a plain error, and a store that goes on as before."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from defirisk.chain.retry import RetryPolicy
from defirisk.store.database import open_store
from tests.command import CommandLine
from tests.devnet.build import Devnet, fresh
from tests.devnet.chain import Tx
from tests.devnet.protocol import ADMIN
from tests.devnet.record import as_toml, deployment
from tests.gateway import SECRET, Gateway, gateway
from tests.onchain.dump import READ_AT_RUNS, dump

pytestmark = pytest.mark.onchain

CHEAP_EXCHANGES = (0, 1, 2, 3, 4, 6, 8, 12)
TIMEOUT = ("--timeout", "0.2")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many attempts as ever, but no pause between them."""
    monkeypatch.setattr(RetryPolicy, "_delay", lambda _policy, _state: 0.0)


@pytest.fixture(scope="module")
def devnet() -> Iterator[Devnet]:
    with fresh(4) as running:
        yield running


@pytest.fixture
def node(devnet: Devnet) -> Iterator[Gateway]:
    with gateway(devnet.url) as running:
        yield running


@pytest.fixture
def folder(cli: CommandLine, devnet: Devnet, node: Gateway) -> Path:
    """A folder whose configuration names the node, and no store yet."""
    settings = f'[chains.local]\nchain_id = 31337\nrpc_url = "{node.url}"\n\n'
    (cli.folder / "defirisk.toml").write_text(settings + as_toml(deployment(devnet.deployment)))
    return cli.folder


def held(path: Path, without: frozenset[str] = frozenset()) -> dict[str, list[tuple[Any, ...]]]:
    """Everything in a store."""
    store = open_store(f"sqlite:///{path}", create=False)
    try:
        return dump(store, without=without)
    finally:
        store.close()


def fresh_index(cli: CommandLine, to: str) -> Path:
    """A store that was filled in one go."""
    path = cli.folder / "fresh.db"
    path.unlink(missing_ok=True)
    assert cli("index", "--to-block", to, "--db", f"sqlite:///{path}").code == 0
    return path


def test_a_refused_connection_makes_no_store(cli: CommandLine, folder: Path) -> None:
    said = cli.refused("index", "--rpc-url", f"http://u:{SECRET}@127.0.0.1:1/{SECRET}", code=3)
    assert "http://127.0.0.1:1 eth_chainId: no connection" in said
    assert SECRET not in said
    assert not list(folder.glob("*.db*"))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://127.0.0.1", "ftp://127.0.0.1 is not an http:// or https:// RPC URL"),
        ("127.0.0.1:8545", "is not an http:// or https:// RPC URL"),
        ("", "no node to ask"),
    ],
)
def test_what_is_no_url_is_refused_before_anything_is_asked(
    cli: CommandLine, url: str, says: str
) -> None:
    assert says in cli.refused("index", "aave-v3", "--rpc-url", url)
    assert not list(cli.folder.iterdir())


def test_a_wrong_key_is_told_from_a_wrong_question(
    cli: CommandLine, folder: Path, node: Gateway
) -> None:
    wrong = node.url.replace("/v3/", "/v4/")
    assert "there is no RPC at this URL" in cli.refused("index", "--rpc-url", wrong, code=3)
    node.fail("refuses")
    assert "the node refuses the key" in cli.refused("index", code=3)
    assert not list(folder.glob("*.db*"))


def test_the_wrong_chain_is_refused_before_a_store_is_made(
    cli: CommandLine, folder: Path, node: Gateway
) -> None:
    url = ("--rpc-url", node.url)
    said = cli.refused("index", "aave-v3-ethereum", *url)
    assert "not known on chain 31337 (but on 1)" in said
    said = cli.refused("index", "--chain", "ethereum", *url)
    assert "the node serves chain 31337, not chain 1" in said
    toml = folder / "defirisk.toml"
    toml.write_text(toml.read_text().replace("chain_id = 31337", "chain_id = 1"))
    assert "no deployment on chain 31337" in cli.refused("index")
    assert not list(folder.glob("*.db*"))


def test_the_wrong_chain_leaves_a_store_alone(
    cli: CommandLine, folder: Path, node: Gateway
) -> None:
    assert cli("index").code == 0
    before = held(folder / "defirisk.db")
    with fresh(5) as other, gateway(other.url) as elsewhere:
        said = cli.refused("verify", "--chain", "ethereum", "--rpc-url", elsewhere.url)
        assert "the node serves chain 31337, not chain 1" in said
    assert held(folder / "defirisk.db") == before


@pytest.mark.parametrize("after", CHEAP_EXCHANGES)
def test_a_first_run_that_was_cut_off_is_completed_by_the_next(
    cli: CommandLine, folder: Path, node: Gateway, devnet: Devnet, after: int
) -> None:
    head = str(devnet.chain.head)
    whole = fresh_index(cli, head)
    needed = node.exchanges
    assert after < needed
    node.recover()
    node.fail("refuses", after)

    said = cli.refused("index", "--to-block", head, code=3)
    assert "http://127.0.0.1" in said
    if (folder / "defirisk.db").exists():
        assert cli("status").code == 0
        cli.refused("positions", "aave-v3")

    node.recover()
    assert cli("index", "--to-block", head).code == 0
    assert held(folder / "defirisk.db") == held(whole)


def test_the_last_exchange_of_a_run_counts(
    cli: CommandLine, folder: Path, node: Gateway, devnet: Devnet
) -> None:
    head = str(devnet.chain.head)
    whole = fresh_index(cli, head)
    last = node.exchanges - 1
    node.recover()
    node.fail("refuses", last)

    cli.refused("index", "--to-block", head, code=3)
    node.recover()
    assert cli("index", "--to-block", head).code == 0
    assert node.exchanges < last
    asked = {(call[2], call[3]) for call in held(whole)["raw_calls"]}
    assert len(asked) > 50
    assert held(folder / "defirisk.db") == held(whole)


@pytest.mark.parametrize("after", [0, 4])
def test_a_node_that_falls_silent_is_given_up(
    cli: CommandLine, folder: Path, node: Gateway, after: int
) -> None:
    node.fail("silent", after)
    said = cli.refused("index", *TIMEOUT, code=3)
    assert "no answer within 0.2 s" in said
    node.recover()
    assert cli("index").code == 0
    assert cli("verify").code == 0


def test_a_later_run_that_was_cut_off_leaves_every_answer_as_it_was(
    cli: CommandLine, folder: Path, node: Gateway, devnet: Devnet
) -> None:
    """Also where the new blocks name a feed whose earlier answers have to be folded in."""
    asked = ("positions", "aave-v3", "--top", "999", "--format", "csv")
    stressed = ("stress", "--shock", "price:WETH=-40%", "--format", "json")
    before_change = devnet.chain.rpc.call("evm_snapshot")
    try:
        assert cli("index", "--to-block", "latest").code == 0
        before = [cli(*asked).out, cli(*stressed).out]
        market = devnet.market
        feed = market.feeds.add("WETH")
        devnet.chain.must(*market.feeds.report("WETH", 1500.0))
        weth = market.assets["WETH"].token
        sources = ([weth], [feed.proxy])
        set_sources = "setAssetSources(address[],address[])"
        devnet.chain.must(Tx(ADMIN, market.addresses["oracle"], set_sources, sources))
        for after in range(40):
            node.recover()
            node.fail("refuses", after)
            ran = cli("index", "--to-block", "latest")
            if ran.code == 0:
                break
            assert ran.code == 3
            assert [cli(*asked).out, cli(*stressed).out] == before
        assert after > 8
        assert cli(*asked).out != before[0]
        node.recover()
        whole = fresh_index(cli, "latest")
        assert held(folder / "defirisk.db", READ_AT_RUNS) == held(whole, READ_AT_RUNS)
        assert cli("verify").code == 0
    finally:
        devnet.chain.rpc.call("evm_revert", before_change)
        devnet.chain.resync()


def test_a_reorg_between_a_cut_off_run_and_the_next_is_noticed(
    cli: CommandLine, folder: Path, node: Gateway, devnet: Devnet
) -> None:
    """Blocks that were read but never verified can be replaced as well."""
    chain = devnet.chain
    before_change = chain.rpc.call("evm_snapshot")
    try:
        chain.must(*devnet.market.feeds.report("WETH", 1600.0))
        fresh_index(cli, "latest")
        last = node.exchanges - 1
        node.recover()
        node.fail("refuses", last)
        cli.refused("index", "--to-block", "latest", code=3)
        node.recover()

        chain.rpc.call("anvil_reorg", 1, [])
        chain.resync()
        assert cli("index", "--to-block", "latest").code == 0
        whole = fresh_index(cli, "latest")
        without = frozenset({"chains"})
        assert held(folder / "defirisk.db", without) == held(whole, without)
        assert "0x" in cli("db", "history").out
    finally:
        chain.rpc.call("evm_revert", before_change)
        chain.resync()


@pytest.mark.parametrize(
    ("to", "code", "says"),
    [
        ("9999999", 3, "does not have block 9999999"),
        ("yesterday", 2, "'yesterday' is no block"),
        ("-5", 2, "'-5' is no block"),
        ("²", 2, "'²' is no block"),
        ("1e3", 2, "'1e3' is no block"),
        ("9" * 40, 3, ""),
    ],
)
def test_a_block_that_cannot_be_is_refused(
    cli: CommandLine, folder: Path, to: str, code: int, says: str
) -> None:
    assert says in cli.refused("index", "--to-block", to, *TIMEOUT, code=code)


def test_a_run_does_not_go_backwards(cli: CommandLine, folder: Path) -> None:
    assert cli("index").code == 0
    before = held(folder / "defirisk.db")
    said = cli.refused("index", "--to-block", "20")
    assert "the store is already at block" in said
    assert held(folder / "defirisk.db") == before


def test_a_name_does_not_change_what_it_stands_for(
    cli: CommandLine, folder: Path, devnet: Devnet
) -> None:
    assert cli("index").code == 0
    before = held(folder / "defirisk.db")
    toml = folder / "defirisk.toml"
    original = toml.read_text()
    pool = devnet.market.addresses["pool"].lower()
    toml.write_text(original.replace(pool, "0x" + "ab" * 20))
    assert "was indexed with another pool" in cli.refused("index")
    first = f"first_block = {devnet.market.first_block}"
    toml.write_text(original.replace(first, "first_block = 1"))
    assert "was indexed with another first_block" in cli.refused("index")
    assert held(folder / "defirisk.db") == before


def test_a_newer_database_is_not_touched_by_a_run(cli: CommandLine, folder: Path) -> None:
    assert cli("index").code == 0
    with sqlite3.connect(folder / "defirisk.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
    connection.close()
    before = (folder / "defirisk.db").read_bytes()
    assert "was written by a newer defirisk" in cli.refused("index")
    assert (folder / "defirisk.db").read_bytes() == before
    missing = cli.refused("index", "--db", "sqlite:////nowhere/at/all.db")
    assert "cannot be opened" in missing
