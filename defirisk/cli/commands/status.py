"""defirisk status"""

from __future__ import annotations

import click

from defirisk.cli.options import db_option, output_options


@click.command(
    epilog="""\b
Examples:
  defirisk status
  defirisk status --format json"""
)
@db_option
@output_options()
def command(db: str | None, format_: str | None, output: str | None) -> None:
    """What is indexed, how far, and how far behind the chain's head that was."""
    from defirisk.cli.output import emit
    from defirisk.cli.session import opened, provenance
    from defirisk.indexing.status import read_status
    from defirisk.reports.status import build

    with opened(db) as (_, store):
        status = read_status(store)
    emit(build(status, run=provenance(0, None)), format_, output)
