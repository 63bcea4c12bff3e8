"""defirisk status"""

from __future__ import annotations

import click

from defirisk.cli.options import FORMATS, db_option, output_options

PROMETHEUS = "prometheus"


@click.command(
    epilog="""\b
Examples:
  defirisk status
  defirisk status --format json
  defirisk status --format prometheus -o /var/lib/node_exporter/defirisk.prom
  defirisk status --alert     tells whom [alerts] names; exit code 1 if any is on"""
)
@click.option("--alert", is_flag=True, help="Send what is new of the alerts of defirisk.toml.")
@db_option
@output_options(*FORMATS, PROMETHEUS)
def command(alert: bool, db: str | None, format_: str | None, output: str | None) -> int:
    """What is indexed, how far, and how far behind the chain's head that was."""
    from defirisk.cli.alerts import tell
    from defirisk.cli.output import emit, put
    from defirisk.cli.session import opened, provenance
    from defirisk.indexing.status import read_status
    from defirisk.reports.status import build

    with opened(db) as (settings, store):
        status = read_status(store)
        on = tell(store, status.chains, settings.alerts) if alert else []
    if format_ == PROMETHEUS:
        from defirisk.cli.metrics import exposition

        put(exposition(status), output)
    else:
        emit(build(status, run=provenance(0, None)), format_, output)
    for said in on:
        click.echo(f"alert: {said}", err=True)
    return 1 if on else 0
