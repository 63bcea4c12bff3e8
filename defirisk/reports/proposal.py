"""A proposal as a forum reads it: what changes, what that does, and how anybody repeats it.

Made from impact.json and the manifest's account of the execution alone, so that it can be made of a
folder as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from defirisk.reports import escape
from defirisk.reports import proposal_tables as tables
from defirisk.reports.model import (
    Block,
    Header,
    Note,
    Number,
    Numbers,
    Paragraph,
    Report,
    Run,
    Section,
)
from defirisk.reports.proposal_oracle import oracle
from defirisk.reports.proposal_tables import TERMS, Data, shown, symbol
from defirisk.reports.render import render
from defirisk.reports.value import listed, plural, show

COPYRIGHT = (
    "## Copyright\n\n"
    "Copyright and related rights waived via "
    "[CC0](https://creativecommons.org/publicdomain/zero/1.0/).\n"
)


def build(data: Data, execution: Data, run: Run) -> Report:
    """The report of an impact (`governance.impact`) and an execution (`governance.manifest`)."""
    return Report(
        title=title(data),
        header=_header(data, run),
        lead=(*_status(execution), _tiles(data)),
        sections=(
            Section("summary", "Simple Summary", (Paragraph(_summary(data)),)),
            Section("motivation", "Motivation", (Paragraph(_motivation(data)),)),
            Section("specification-table", "Recommendation", (tables.changes(data),)),
            Section("impact", "Impact", tuple(tables.impact(data))),
            Section("liquidity", "Liquidity", tuple(tables.liquidity(data))),
            Section(
                "liquidatable",
                "Positions made liquidatable by the change",
                tuple(tables.units(data)),
            ),
            Section("spill-over", "Spill-over to other protocols", tuple(tables.spill_over(data))),
            Section("oracle", "Oracle", tuple(oracle(data))),
            Section("specification", "Specification", tuple(_specification(execution))),
            Section("assumptions", "Assumptions", tuple(map(Paragraph, data["assumptions"]))),
        ),
        data={**data, "execution": dict(execution)},
    )


def post(report: Report) -> str:
    """The Markdown of a forum post, with the front matter of an AIP."""
    name = escape.clean(report.title).replace("'", "''")  # as YAML says a quote in quotes
    matter = f"---\ntitle: '{name}'\nauthor: ''\ndiscussions: ''\n---\n\n"
    return matter + render(report, "md") + "\n" + COPYRIGHT


def title(data: Data) -> str:
    """What is changed where, in one line."""
    symbols = listed(list(dict.fromkeys(symbol(one) for one in data["changes"])))
    return f"Risk parameter updates: {symbols} on {data['deployment']}"


def _header(data: Data, run: Run) -> Header:
    return Header(
        run=run,
        chain_id=data["chain_id"],
        block=data["block"],
        block_hash=data["block_hash"],
        as_of=data["as_of"],
        proof=tuple(data["proof"].items()),
    )


def _status(execution: Data) -> Iterator[Block]:
    status = execution["status"]
    if status == "EXECUTED":
        asked = execution["contracts_asked"]
        yield Note(
            "info",
            f"The payload was executed on a fork ({execution['node']}) as the market's "
            f"{execution['as']['role']}, the fork was indexed again, and its contracts were asked: "
            f"{plural(asked['compared'], 'number')} of {plural(asked['accounts'], 'account')} "
            "compared, no difference.",
            "executed",
        )
    elif status == "DIFFERS":
        for difference in execution["differences"][:20]:
            yield Note("warning", f"Executed on a fork, and it differs: {difference}", "differs")
    else:
        yield Note("warning", f"{status}: {execution['why']}", "not-executed")


def _summary(data: Data) -> str:
    by_asset: dict[str, list[str]] = {}
    for one in data["changes"]:
        said = (
            f"{TERMS[one['parameter']].lower()} from {shown(one['parameter'], one['current'])} to "
            f"{shown(one['parameter'], one['recommended'])}"
        )
        by_asset.setdefault(symbol(one), []).append(said)
    changes = "; ".join(f"{symbol}: {listed(said)}" for symbol, said in by_asset.items())
    return f"{plural(len(data['changes']), 'parameter')} of {data['deployment']}: {changes}."


def _motivation(data: Data) -> str:
    power, made = data["borrowing_power"], data["by_the_change_itself"]
    worst = max(data["scenarios"], key=lambda one: one["before"]["bad_debt_usd"] or 0, default=None)
    text = (
        f"The change {'adds' if power['change_usd'] >= 0 else 'takes'} "
        f"{show(abs(power['change_usd']), 'usd')} of borrowing power and makes "
        f"{plural(made['accounts'], 'account')} liquidatable at today's prices."
    )
    if worst is None:
        return text
    return (
        f"{text} In the worst of {plural(len(data['scenarios']), 'named scenario')} "
        f"({worst['name']}) bad debt is {show(worst['before']['bad_debt_usd'], 'usd')} today and "
        f"{show(worst['after']['bad_debt_usd'], 'usd')} with the change."
    )


def _tiles(data: Data) -> Numbers:
    power, made = data["borrowing_power"], data["by_the_change_itself"]
    return Numbers(
        (
            Number(
                key="borrowing_power_change_usd",
                label="Borrowing power",
                value=power["change_usd"],
                kind="usd",
                note="gained, or lost where negative",
            ),
            Number(
                key="liquidatable_by_change",
                label="Accounts made liquidatable by the change itself",
                value=made["accounts"],
                kind="int",
                tone="loss",
            ),
            Number(
                key="debt_of_those_usd",
                label="Their debt",
                value=made["debt_usd"],
                kind="usd",
                tone="loss",
            ),
        )
    )


def _specification(execution: Data) -> Iterator[Block]:
    yield Paragraph(
        "payload/ holds the calls to the market's PoolConfigurator, the same for the config engine "
        "(as calldata and as input of the payload generator, config.ts), a batch for a Safe, and "
        "the market's configuration before and after."
    )
    if "as" in execution:
        yield Paragraph(
            f"On the fork they were sent by {execution['as']['account']}, "
            f"{execution['as']['role']} of the market."
        )
    yield Paragraph(
        "defirisk replay FOLDER computes impact.json again from bundle/, without a node or a "
        "store, and compares every byte; manifest.json has the digests of all files."
    )
