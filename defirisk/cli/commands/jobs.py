"""defirisk jobs"""

from __future__ import annotations

from pathlib import Path

import click

KINDS = ("cron", "systemd", "compose")


@click.command(
    epilog="""\b
Examples:
  defirisk jobs                      the cron lines
  defirisk jobs cron | crontab -     replaces the whole table of this user
  defirisk jobs systemd -o units     service and timer units, as files
  defirisk jobs compose -o deploy    a compose file with PostgreSQL"""
)
@click.argument("kind", type=click.Choice(KINDS), default="cron")
@click.option(
    "--every",
    type=click.IntRange(1, 59),
    default=10,
    show_default=True,
    metavar="MINUTES",
    help="How often to index.",
)
@click.option(
    "--at",
    type=click.DateTime(["%H:%M"]),
    default="02:15",
    show_default=True,
    metavar="HH:MM",
    help="When the nightly run begins, by the machine's clock.",
)
@click.option("--follow", is_flag=True, help="Index without end instead of every few minutes.")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False),
    help="Write the files into this folder. [default: print them]",
)
def command(kind: str, every: int, at: object, follow: bool, output: str | None) -> None:
    """The jobs that keep this configuration's store and pages up to date.

    Runs that overlap are harmless: the second leaves with exit code 4. Addresses of nodes and
    databases are secrets: the jobs read them from a file .env beside defirisk.toml, and none is
    printed here.
    """
    from datetime import datetime

    from defirisk.cli.schedule import Schedule, job_files
    from defirisk.cli.settings import load_settings

    assert isinstance(at, datetime)
    settings = load_settings()
    folder = settings.path.parent if settings.path else Path.cwd()
    made = job_files(kind, Schedule(folder.resolve(), every, at.hour, at.minute, follow))
    for name, text in made.items():
        if output is None:
            title = f"# {name}\n" * (len(made) > 1)
            click.echo(title + text)
            continue
        Path(output).mkdir(parents=True, exist_ok=True)
        (Path(output) / name).write_text(text, encoding="utf-8")
        click.echo(f"wrote {Path(output) / name}", err=True)
