"""The entry point: finds the command, and turns errors into one or two lines and an exit code."""

from __future__ import annotations

import importlib
import signal
import sys
from keyword import iskeyword
from typing import NoReturn

import click

from defirisk import __version__
from defirisk.core.errors import DefiriskError

_COMMANDS = (
    "demo",
    "init",
    "index",
    "import",
    "verify",
    "status",
    "positions",
    "stress",
    "graph",
    "oracle",
    "tune",
    "propose",
    "replay",
    "report",
    "nightly",
    "jobs",
    "list",
    "snapshot",
    "db",
)


class _Commands(click.Group):
    """Loads a command's module when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which one would use them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command of this name, from the module of this name."""
        if name not in _COMMANDS:
            return None
        file = f"{name}_" if iskeyword(name) else name
        module = importlib.import_module(f"defirisk.cli.commands.{file}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Offers the nearest command for a name that is none."""
        if args and not args[0].startswith("-") and args[0] not in _COMMANDS:
            from defirisk.core.plugins import nearest

            ctx.fail(f"no such command {args[0]!r}: {nearest(args[0], _COMMANDS)}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "DEFIRISK"},
    epilog="Begin with: defirisk demo -o out",
)
@click.version_option(__version__, prog_name="defirisk")
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
@click.option("-v", "--verbose", is_flag=True, help="Say on stderr what is asked again, and why.")
def cli(verbose: bool) -> None:
    """On-chain DeFi risk: exact positions, shocks, and what they would break.

    Data goes to stdout, everything else to stderr. Exit codes: 0 fine, 1 a check found a
    difference, 2 wrong use, 3 the node failed, 4 another run works on it, 130 interrupted, 143
    terminated.
    """
    if verbose:
        import logging

        logging.basicConfig(format="%(message)s")
        logging.getLogger("defirisk").setLevel(logging.DEBUG)


def main() -> NoReturn:
    """Runs the command line and leaves with its exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(run(sys.argv[1:]))


def _terminate(number: int, _frame: object) -> NoReturn:
    """Ends as after an interrupt: the step in progress is rolled back, a lease is let go."""
    signal.signal(number, signal.SIG_IGN)
    click.echo("terminated: what was finished is stored, run it again to go on", err=True)
    sys.exit(128 + number)


def run(args: list[str]) -> int:
    """The exit code of a command line."""
    # --debug is for when something went wrong: it may be put behind the command that did.
    debug = "--debug" in args
    words = [word for word in args if word != "--debug"]
    try:
        result = cli.main(args=words, prog_name="defirisk", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return int(stop.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        click.echo(f"error: {_safe(error.format_message())}", err=True)
        if isinstance(error, click.UsageError) and error.ctx is not None:
            click.echo(f"see {error.ctx.command_path} --help", err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted: what was finished is stored, run it again to go on", err=True)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except DefiriskError as error:
        if debug:
            raise
        click.echo(f"error: {_safe(str(error))}", err=True)
        return error.exit_code
    except Exception as error:
        if debug:
            raise
        click.echo(f"error: {type(error).__name__}: {_safe(str(error))}", err=True)
        click.echo("this is a defect: run again with --debug for the traceback", err=True)
        return 1
    return result if isinstance(result, int) else 0


def _safe(message: str) -> str:
    """The message in one line, inert in a terminal and without any secret of a URL."""
    from defirisk.cli.secrets import without_secrets
    from defirisk.reports.escape import DATA_LIMIT, clean

    return clean(without_secrets(message), DATA_LIMIT)
