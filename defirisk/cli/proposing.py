"""The steps of `defirisk propose`: what was asked for, which market it is, what is written."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from defirisk import __version__
from defirisk.core.errors import NodeError, UsageError

if TYPE_CHECKING:
    from defirisk.cli.settings import Settings
    from defirisk.core.evm import BlockTag
    from defirisk.governance.aave_v3.proposal import Market, Proposal
    from defirisk.governance.losses import Engine
    from defirisk.governance.rehearsal import Rehearsal
    from defirisk.governance.scenarios import Texts
    from defirisk.store.database import Store
    from defirisk.store.registry import StoredDeployment

_URL = re.compile(r"\S+://\S+")
LISTING = "would-be-liquidatable.txt"
SHOCKED = "as asked for"


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line of a proposal."""

    deployment: str
    assets: tuple[str, ...]
    settings: tuple[str, ...]
    shocks: tuple[str, ...]
    scenarios: str | None
    accepted: tuple[str, ...]
    cascade: bool = False

    def command(self, deployment: str, block: int) -> str:
        """What to type to get the same, at the same block; a file by its name only."""
        words = ["defirisk", "propose", deployment]
        for asset, setting in zip(self.assets, self.settings, strict=True):
            words += ["--asset", asset, "--set", setting]
        for shock in self.shocks:
            words += ["--shock", shock]
        if self.scenarios:
            words += ["--scenarios", Path(self.scenarios).name]
        for text in self.accepted:
            words += [
                "--accept-liquidations",
                f"@{Path(text[1:]).name}" if _is_file(text) else text,
            ]
        if not self.cascade:
            words.append("--no-cascade")
        return shlex.join([*words, "--block", str(block)])

    def named(self, by_itself: dict[str, Any], folder: Path) -> tuple[str, ...]:
        """The accounts that were accepted. Errors: `CheckFailed` where one is missing; a file in
        the folder then has all that are.
        """
        from defirisk.cli.folder import put_files
        from defirisk.governance.acceptance import SHOWN, names, refuse, silent

        stated = names(_read(text) if _is_file(text) else text for text in self.accepted)
        unnamed = silent(by_itself, stated)
        if len(unnamed) > SHOWN:
            every = "".join(f"{unit['unit']}\n" for unit in by_itself["units"])
            put_files(folder, {LISTING: every.encode()})
        refuse(unnamed, str(folder / LISTING))
        return stated


def _is_file(text: str) -> bool:
    return text.startswith("@")


def _read(text: str) -> str:
    try:
        return Path(text[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--accept-liquidations {text}: the file cannot be read") from error


def prepared(
    store: Store, deployment: str, chain_id: int | None, block: int | BlockTag | None
) -> tuple[Market, StoredDeployment, bool | None]:
    """The market with its rows in memory, in the book of all markets of its chain."""
    from defirisk.cli.session import chosen, load
    from defirisk.governance.aave_v3.proposal import Market, deployment_of
    from defirisk.store.snapshots import snapshot

    chains = {one.deployment.chain_id for one in chosen(store, (deployment,), chain_id)}
    if len(chains) > 1:
        raise UsageError(f"{deployment} is on several chains: give --chain to choose one")
    book, final = load(store, (), chains.pop() if chains else chain_id, block)
    place = deployment_of(book, deployment)
    (stored,) = chosen(store, (book.deployments[place].name,), book.chain_id)
    with store.transaction() as connection:
        market = Market(book, place, snapshot(connection, stored, book.block))
    return market, stored, final


def texts_of(market: Market, asked: Asked) -> list[Texts]:
    """The scenarios of the file, or the default ones; and the one that was typed."""
    from defirisk.cli.scenario_file import read_scenarios
    from defirisk.governance.scenarios import asset_places, default_scenarios

    if asked.scenarios:
        found = [(name, tuple(texts)) for name, texts in read_scenarios(asked.scenarios)]
    else:
        assets = [market.reserve(text).asset for text in asked.assets]
        found = default_scenarios(market.book, market.deployment, asset_places(market.book, assets))
    return [*found, (SHOCKED, asked.shocks)] if asked.shocks else found


def repeated(market: Market, asked: Asked, texts: Sequence[Texts]) -> Proposal:
    """The proposal, and the command that makes it again."""
    from defirisk.governance.aave_v3.proposal import proposal
    from defirisk.governance.request import pairs

    changes, rows = market.changes(pairs(asked.assets, asked.settings))
    name, block = market.snapshot.deployment.name, market.book.block.number
    engine: Engine = "cascade" if asked.cascade else "static"
    return proposal(market, changes, rows, texts, asked.command(name, block), engine)


def rehearsed(
    settings: Settings,
    store: Store,
    stored: StoredDeployment,
    made: Proposal,
    *,
    url: str | None,
    chain: str | None,
    timeout: float,
) -> tuple[Rehearsal | None, str]:
    """What came of the execution on a fork, or why there was none."""
    from defirisk.chain.fork.anvil import NoAnvil
    from defirisk.governance.aave_v3.calls import configurator_calls
    from defirisk.governance.rehearsal import rehearse

    calls = configurator_calls(made.case.changes)
    try:
        node = settings.rpc_url(url, chain)
        return asyncio.run(rehearse(node, timeout, store, stored, made, calls)), ""
    except NodeError as error:
        # Even a host may be the secret of a provider, and this goes into files.
        return None, _URL.sub("the node", str(error))
    except (NoAnvil, UsageError) as error:
        return None, str(error)


def published(
    folder: Path,
    made: Proposal,
    numbers: dict[str, Any],
    done: Rehearsal | None,
    why_not: str,
    accepted: Sequence[str],
    final: bool | None,
) -> int:
    """Writes everything, says what it is, and returns the exit code."""
    from defirisk.cli.folder import put_files
    from defirisk.governance.comparison import disagreements
    from defirisk.governance.manifest import NAME, execution, manifest

    found = [] if done is None else disagreements(made.case, done)
    executed = execution(done, why_not, found)
    files = _files(made, numbers, done, executed, final)
    stated = manifest(
        numbers, version=__version__, accepted=accepted, executed=executed, files=files
    )
    put_files(folder, {**files, NAME: stated})
    click.echo(f"wrote {folder}", err=True)
    if done is None:
        click.echo(f"NOT EXECUTED: {why_not}")
        return 1
    for difference in found:
        click.echo(f"DIFFERS: {difference}")
    if found:
        return 1
    made_so = numbers["by_the_change_itself"]["accounts"]
    click.echo(
        f"EXECUTED on a fork as {done.holder.role} {done.holder.account}: parameters are those "
        f"proposed, {made_so} accounts made liquidatable by the change, all of them named"
    )
    return 0


def _files(
    made: Proposal,
    numbers: dict[str, Any],
    done: Rehearsal | None,
    executed: dict[str, Any],
    final: bool | None,
) -> dict[str, bytes]:
    """Everything but the manifest, by its path in the folder."""
    from dataclasses import replace

    from defirisk.cli.session import provenance
    from defirisk.governance.aave_v3.files import payload
    from defirisk.governance.aave_v3.snapshot import configuration
    from defirisk.governance.aave_v3.words import Words
    from defirisk.governance.bundle import pack
    from defirisk.governance.numbers import written
    from defirisk.reports.proposal import build, post, title
    from defirisk.reports.render import render

    market, case = made.market, made.case
    run = replace(provenance(case.book.chain_id, final), command=case.command)
    report = build(numbers, executed, run)
    before = done.before if done else configuration(market.snapshot, Words())
    after = (done.after or done.predicted) if done else None
    calls = payload(
        market.snapshot.deployment,
        case.changes,
        title(numbers),
        case.book.block,
        before,
        after or configuration(market.under(made.rows), Words()),
    )
    bundle = pack(case, made.before.said, made.after.said)
    return {
        "post.md": post(report).encode(),
        "proposal.html": render(report, "html").encode(),
        "impact.json": written(numbers),
        **{f"payload/{name}": content for name, content in calls.items()},
        **{f"bundle/{name}": content for name, content in bundle.items()},
    }
