"""defirisk.toml: what is wrong in it is said, and what wins over what."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from defirisk.cli.options import node_options
from defirisk.cli.settings import load_settings
from defirisk.core.errors import UsageError
from tests.command import CommandLine

AT = "0x" + "Ab" * 20
ROLES = ("pool", "pool_configurator", "oracle", "pool_addresses_provider")
MARKET = "\n".join(
    ['[[deployment]]\nname = "mine"\nprotocol = "aave-v3"\nchain_id = 1\nfirst_block = 7']
    + [f'{role} = "{AT}"' for role in ROLES]
)


def written(folder: Path, text: str) -> Path:
    (folder / "defirisk.toml").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("db = [", "cannot be read"),
        ('rpc_url = "x"', "unknown setting 'rpc_url': known are alerts, chains, db"),
        ("db = 3", "3 must be text in quotes"),
        ("chains = 3", "write chains as [chains.ethereum]"),
        ('[chains]\nbase = "x"', "write chains as [chains.ethereum]"),
        ('[chains.base]\nrpc = "x"', "[chains.base]: unknown setting 'rpc'"),
        ('[chains.base]\nchain_id = "1"', "[chains.base]: chain_id must be a number"),
        ("[chains.base]\nchain_id = true", "[chains.base]: chain_id must be a number"),
        ("[chains.base]\nrpc_url = 1", "1 must be text in quotes"),
        ("deployment = 3", "write deployments as [[deployment]]"),
        ('deployment = ["x"]', "write deployments as [[deployment]]"),
        ('[deployment]\nname = "x"', "write deployments as [[deployment]]"),
        ("[[deployment]]\nchain_id = 1", "a [[deployment]] has no name"),
        (MARKET.replace("aave-v3", "aave-3"), "unknown protocol 'aave-3': did you mean aave-v3?"),
        (MARKET.replace('"aave-v3"', '["aave-v3"]'), "unknown protocol ['aave-v3']"),
        (MARKET.replace("chain_id = 1", 'chain_id = "1"'), "chain_id must be a number"),
        (MARKET.replace("chain_id = 1", "chain_id = true"), "chain_id must be a number"),
        (MARKET.replace("chain_id = 1\n", ""), "chain_id must be a number"),
        (MARKET.replace("first_block = 7", "first_block = -7"), "first_block must be"),
        (MARKET.replace("first_block = 7", "first_block = 7.5"), "first_block must be"),
        (MARKET.replace(AT, AT[:-1], 1), "pool must be an address of 0x and 40 hex digits"),
        (MARKET.replace(AT, AT[:-1] + "g", 1), "pool must be an address"),
        (MARKET.replace(f'"{AT}"', "7", 1), "pool must be an address"),
        (MARKET.replace("pool =", "pol ="), "the address of pool is missing"),
        (MARKET + '\nfollows = "WETH"', "write follows as"),
        (MARKET + "\nfollows = { a = 1 }", "write follows as"),
        (MARKET + "\n" + MARKET, "two deployments are called 'mine'"),
        ("heartbeats = 3", "write heartbeats as [heartbeats]"),
        ('[heartbeats]\ndefault = "1h"', "write heartbeats as [heartbeats]"),
        ("[heartbeats]\ndefault = true", "write heartbeats as [heartbeats]"),
        ("[heartbeats]\ndefault = 0", "write heartbeats as [heartbeats]"),
        ("[heartbeats]\nWETH = 3600", "write heartbeats as [heartbeats]"),
    ],
)
def test_what_is_wrong_is_said_with_the_place(cli: CommandLine, text: str, says: str) -> None:
    written(cli.folder, text)
    for words in (("status",), ("index", "aave-v3"), ("list", "deployments")):
        said = cli.refused(*words)
        assert "defirisk.toml" in said
        assert says in said
    assert [path.name for path in cli.folder.iterdir()] == ["defirisk.toml"]


def test_a_file_that_is_no_text_is_refused(cli: CommandLine) -> None:
    (cli.folder / "defirisk.toml").write_bytes(b"\xff\xfe")
    assert "defirisk.toml cannot be read" in cli.refused("status")


def test_it_is_found_upwards_and_its_store_lies_beside_it(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    settings = load_settings(written(tmp_path, 'db = "sqlite:///mine.db"') and inner)
    assert settings.database(None) == f"sqlite:///{tmp_path / 'mine.db'}"
    assert settings.database("sqlite:///flag.db") == "sqlite:///flag.db"


def test_a_deployment_is_read_with_its_addresses_in_lower_case(tmp_path: Path) -> None:
    (mine,) = load_settings(written(tmp_path, MARKET)).deployments
    assert (mine.name, mine.chain_id, mine.first_block) == ("mine", 1, 7)
    assert mine.contracts == dict.fromkeys(ROLES, AT.lower())


def test_heartbeats_are_a_day_unless_something_else_is_said(tmp_path: Path) -> None:
    assert load_settings(tmp_path).heartbeats.of(AT.lower()) == 86_400
    text = f'[heartbeats]\ndefault = 7200\n"{AT}" = 3600'
    stated = load_settings(written(tmp_path, text)).heartbeats
    assert (stated.of(AT.lower()), stated.of("0x00")) == (3600, 7200)


def test_variables_are_filled_in_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "k1")
    monkeypatch.delenv("NOT_SET", raising=False)
    text = '[chains.a]\nrpc_url = "http://x/${MY_KEY}"\n[chains.b]\nrpc_url = "${NOT_SET}"'
    settings = load_settings(written(tmp_path, text))
    assert settings.rpc_url(None, None) == "http://x/k1"
    with pytest.raises(UsageError, match="no node is configured for chain 'b'"):
        settings.rpc_url(None, "b")


def test_a_flag_wins_then_the_named_chain_then_the_environment_then_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(
        written(tmp_path, '[chains.base]\nrpc_url = "http://b"\n[chains.ethereum]\nrpc_url = ""')
    )
    assert settings.rpc_url(None, None) == "http://b"
    monkeypatch.setenv("ETH_RPC_URL", "http://env")
    assert settings.rpc_url(None, None) == "http://env"
    assert settings.rpc_url(None, "ethereum") == "http://env"
    assert settings.rpc_url(None, "base") == "http://b"
    assert settings.rpc_url(None, "8453") == "http://b"
    assert settings.rpc_url("http://flag", "base") == "http://flag"


def test_several_chains_want_one_to_be_chosen(tmp_path: Path) -> None:
    text = '[chains.base]\nrpc_url = "http://b"\n[chains.optimism]\nrpc_url = "http://o"'
    with pytest.raises(UsageError, match=r"choose with --chain \(base, optimism\)"):
        load_settings(written(tmp_path, text)).rpc_url(None, None)


def test_a_key_is_not_in_the_text_of_the_settings(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, '[chains.base]\nrpc_url = "http://x/SECRET"'))
    assert "SECRET" not in repr(settings)


def test_chains_go_by_the_names_of_the_file_the_known_names_and_ids(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, "[chains.local]\nchain_id = 31337\n[chains.odd]"))
    assert settings.chain_id(None) is None
    assert settings.chain_id("local") == 31337
    assert settings.chain_id("ethereum") == 1
    assert settings.chain_id("777") == 777
    for name, says in (
        ("odd", "has no chain_id"),
        ("etherum", "did you mean ethereum"),
        ("²", "unknown chain"),
    ):
        with pytest.raises(UsageError, match=says):
            settings.chain_id(name)


@pytest.mark.parametrize(
    "stated",
    ['"http://a, http://b"', '["http://a", "http://b"]', '["http://a,http://b", ""]'],
)
def test_a_chain_may_have_several_endpoints(tmp_path: Path, stated: str) -> None:
    settings = load_settings(written(tmp_path, f"[chains.base]\nrpc_url = {stated}"))
    assert settings.rpc_urls(None, "base") == ("http://a", "http://b")
    assert settings.rpc_url(None, "base") == "http://a"


def test_the_environment_may_name_several_endpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETH_RPC_URL", "http://a,http://b,")
    settings = load_settings(tmp_path)
    assert settings.rpc_urls(None, None) == ("http://a", "http://b")
    assert settings.rpc_urls("http://c http://d", None) == ("http://c", "http://d")


def test_the_flag_may_be_repeated() -> None:
    seen: list[str | None] = []

    @click.command()
    @node_options
    def command(rpc_url: str | None, **_: object) -> None:
        seen.append(rpc_url)

    for words in ([], ["--rpc-url", "http://a"], ["--rpc-url=http://a", "--rpc-url", "http://b"]):
        assert CliRunner().invoke(command, words).exit_code == 0
    assert seen == [None, "http://a", "http://a,http://b"]
