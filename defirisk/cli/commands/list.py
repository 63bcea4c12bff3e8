"""defirisk list"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from defirisk.cli.options import output_options

if TYPE_CHECKING:
    from defirisk.reports.model import Column, Value

WHAT = ("protocols", "deployments", "chains", "shocks", "reports")
_Listing = tuple[tuple["Column", ...], list[tuple["Value", ...]]]


@click.command(
    epilog="""\b
Examples:
  defirisk list protocols
  defirisk list deployments --format csv"""
)
@click.argument("what", type=click.Choice(WHAT), metavar="|".join(WHAT))
@output_options()
def command(what: str, format_: str | None, output: str | None) -> None:
    """List what there is: protocols, shipped deployments, chains, shocks, reports."""
    from defirisk.cli.output import emit
    from defirisk.cli.session import provenance
    from defirisk.reports.model import Header
    from defirisk.reports.records import records_report

    columns, rows = _LISTINGS[what]()
    header = Header(run=provenance(0, None))
    emit(records_report(what.capitalize(), header, columns, rows, name=what), format_, output)


def _protocols() -> _Listing:
    from defirisk.core.plugins import adapters
    from defirisk.reports.model import Column

    columns = (
        Column("protocol", "Protocol", "text"),
        Column("kind", "Kind", "text"),
        Column("proof", "Proof", "text"),
        Column("source", "Written from", "prose"),
    )
    return columns, [
        (name, one.kind, getattr(one, "proof", ""), one.source) for name, one in adapters().items()
    ]


def _deployments() -> _Listing:
    from defirisk.chain.chains import chain_of
    from defirisk.cli.settings import load_settings
    from defirisk.indexing.deployments import shipped
    from defirisk.reports.model import Column

    columns = (
        Column("deployment", "Deployment", "text"),
        Column("protocol", "Protocol", "text"),
        Column("chain", "Chain", "text"),
        Column("chain_id", "Chain id", "text"),
        Column("first_block", "First block", "int"),
        Column("from", "From", "text"),
    )
    own = [(one, "defirisk.toml") for one in load_settings().deployments]
    return columns, [
        (
            one.name,
            one.protocol,
            chain_of(one.chain_id).short_name,
            str(one.chain_id),
            one.first_block,
            where,
        )
        for one, where in [*own, *((one, "shipped") for one in shipped())]
    ]


def _chains() -> _Listing:
    from defirisk.chain.chains import known_chains
    from defirisk.reports.model import Column

    columns = (
        Column("chain", "Chain", "text"),
        Column("chain_id", "Chain id", "text"),
        Column("explorer", "Explorer", "text"),
    )
    return columns, [
        (name, str(chain.chain_id), chain.explorer) for name, chain in known_chains().items()
    ]


def _shocks() -> _Listing:
    from defirisk.core.plugins import shocks
    from defirisk.reports.model import Column

    columns = (
        Column("shock", "Shock", "text"),
        Column("example", "Example", "text"),
        Column("summary", "What moves", "prose"),
    )
    return columns, [(name, one.grammar, one.summary) for name, one in sorted(shocks().items())]


def _reports() -> _Listing:
    from defirisk.core.plugins import reports
    from defirisk.reports.model import Column

    columns = (Column("report", "Report", "text"), Column("summary", "Answers", "prose"))
    return columns, [(name, one.summary) for name, one in reports().items()]


_LISTINGS = {
    "protocols": _protocols,
    "deployments": _deployments,
    "chains": _chains,
    "shocks": _shocks,
    "reports": _reports,
}
