"""defirisk.toml: found upwards from the working folder, with ${VAR} expanded.

What wins: flags, then the environment, then this file, then defaults.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from defirisk.cli.alert_settings import AlertSettings
from defirisk.cli.alert_settings import parse as parse_alerts
from defirisk.cli.options import DEFAULT_DB
from defirisk.core.adapter import Deployment
from defirisk.core.errors import UsageError
from defirisk.core.heartbeat import Heartbeats
from defirisk.core.plugins import nearest

FILE = "defirisk.toml"
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_TOP_LEVEL = {"db", "chains", "deployment", "heartbeats", "alerts"}
_CHAIN_KEYS = {"chain_id", "rpc_url"}
_ADDRESS = re.compile("0x[0-9a-f]{40}")
_URL_VARIABLES = ("ETH_RPC_URL", "DEFIRISK_RPC_URL")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSettings:
    """One [chains.NAME] table. `rpc_urls` are secrets."""

    name: str
    chain_id: int | None
    rpc_urls: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What defirisk.toml says; empty where there is none."""

    path: Path | None
    db: str
    chains: Mapping[str, ChainSettings]
    deployments: tuple[Deployment, ...]
    heartbeats: Heartbeats = field(default_factory=Heartbeats)
    alerts: AlertSettings = field(default_factory=AlertSettings)

    def database(self, flag: str | None) -> str:
        """The address of the store. A relative SQLite file of defirisk.toml lies beside it."""
        if flag:
            return flag
        prefix = "sqlite:///"
        if self.path and self.db.startswith(prefix) and not self.db.startswith(prefix + "/"):
            return prefix + str(self.path.parent / self.db.removeprefix(prefix))
        return self.db

    def rpc_url(self, flag: str | None, chain: str | None) -> str:
        """The first of `rpc_urls`, for what can only ask one."""
        return self.rpc_urls(flag, chain)[0]

    def rpc_urls(self, flag: str | None, chain: str | None) -> tuple[str, ...]:
        """The endpoints to ask: --rpc-url, else those of --chain, else those of the environment,
        else those of the only chain there is. Several are separated by commas.
        """
        table = self._table(chain)
        stated = next((os.environ[name] for name in _URL_VARIABLES if os.environ.get(name)), None)
        urls = _split(flag) or (table.rpc_urls if table else ()) or _split(stated)
        if urls:
            return urls
        if chain is not None:
            raise UsageError(
                f"no node is configured for chain {chain!r}: give --rpc-url, or add "
                f"[chains.{chain}] with rpc_url to {FILE} (defirisk init writes one)"
            )
        usable = [settings for settings in self.chains.values() if settings.rpc_urls]
        if len(usable) == 1:
            return usable[0].rpc_urls
        if usable:
            names = ", ".join(settings.name for settings in usable)
            raise UsageError(f"several chains are configured: choose with --chain ({names})")
        raise UsageError(
            "no node to ask: give --rpc-url, set ETH_RPC_URL, or write a configuration with "
            "defirisk init"
        )

    def chain_id(self, chain: str | None) -> int | None:
        """The id of the chain that --chain names; None where it was not given."""
        from defirisk.chain.chains import known_chains

        if chain is None:
            return None
        known = {name: one.chain_id for name, one in known_chains().items()}
        known |= {name: one.chain_id for name, one in self.chains.items() if one.chain_id}
        if chain in known:
            return known[chain]
        if chain.isdecimal():
            return int(chain)
        if chain in self.chains:
            raise UsageError(f"{FILE}: [chains.{chain}] has no chain_id: add it")
        raise UsageError(f"unknown chain {chain!r}: {nearest(chain, known)}")

    def _table(self, chain: str | None) -> ChainSettings | None:
        for settings in self.chains.values():
            if chain is not None and chain in (settings.name, str(settings.chain_id)):
                return settings
        return None


def load_settings(start: Path | None = None) -> Settings:
    """Reads the nearest defirisk.toml; `UsageError` says what is wrong in it."""
    path = _find(start or Path.cwd())
    if path is None:
        return Settings(path=None, db=DEFAULT_DB, chains={}, deployments=())
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name} cannot be read: {error}") from error
    if unknown := sorted(set(document) - _TOP_LEVEL):
        known = ", ".join(sorted(_TOP_LEVEL))
        raise UsageError(f"{path.name}: unknown setting {unknown[0]!r}: known are {known}")
    return Settings(
        path=path,
        db=_expanded(document.get("db", DEFAULT_DB), path),
        chains=_chains(document.get("chains", {}), path),
        deployments=_deployments(document.get("deployment", []), path),
        heartbeats=_heartbeats(document.get("heartbeats", {}), path),
        alerts=parse_alerts(
            document.get("alerts", {}), path.name, lambda text: _expanded(text, path)
        ),
    )


def _find(start: Path) -> Path | None:
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
    return None


def _expanded(value: Any, path: Path) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{path.name}: {value!r} must be text in quotes")

    def variable(match: re.Match[str]) -> str:
        return os.environ.get(match[1], "")

    return _VARIABLE.sub(variable, value)


def _split(urls: str | None) -> tuple[str, ...]:
    """URLs separated by commas or white space."""
    return tuple(re.split(r"[\s,]+", urls.strip(" ,\t\n"))) if urls and urls.strip(" ,") else ()


def _chains(tables: Any, path: Path) -> dict[str, ChainSettings]:
    if not isinstance(tables, dict) or not all(isinstance(t, dict) for t in tables.values()):
        raise UsageError(f'{path.name}: write chains as [chains.ethereum] with rpc_url = "…"')
    return {name: _chain(name, table, path) for name, table in tables.items()}


def _chain(name: str, table: dict[str, Any], path: Path) -> ChainSettings:
    from defirisk.chain.chains import known_chains

    where = f"{path.name}, [chains.{name}]"
    if unknown := sorted(set(table) - _CHAIN_KEYS):
        raise UsageError(f"{where}: unknown setting {unknown[0]!r}: known are chain_id, rpc_url")
    known = known_chains()
    chain_id = table.get("chain_id", known[name].chain_id if name in known else None)
    if chain_id is not None and type(chain_id) is not int:
        raise UsageError(f"{where}: chain_id must be a number, such as chain_id = 1")
    stated = table.get("rpc_url", "")
    texts = [_expanded(text, path) for text in (stated if isinstance(stated, list) else [stated])]
    rpc_urls = tuple(url for text in texts for url in _split(text))
    return ChainSettings(name=name, chain_id=chain_id, rpc_urls=rpc_urls)


def _deployments(tables: Any, path: Path) -> tuple[Deployment, ...]:
    from defirisk.indexing.deployments import parse

    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UsageError(f"{path.name}: write deployments as [[deployment]], with two brackets")
    found = tuple(parse(table, path.name) for table in tables)
    names = [deployment.name for deployment in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise UsageError(f"{path.name}: two deployments are called {twice.pop()!r}: rename one")
    return found


def _heartbeats(table: Any, path: Path) -> Heartbeats:
    """Seconds by a feed's address, and `default` for all others."""
    wrong = f'{path.name}: write heartbeats as [heartbeats] with "0x…" = 3600, in seconds'
    if not isinstance(table, dict) or not all(type(s) is int and s > 0 for s in table.values()):
        raise UsageError(wrong)
    by_feed = {feed.lower(): seconds for feed, seconds in table.items() if feed != "default"}
    if not all(_ADDRESS.fullmatch(feed) for feed in by_feed):
        raise UsageError(wrong)
    default = table.get("default", Heartbeats().default_seconds)
    return Heartbeats(default_seconds=default, by_feed=by_feed)
