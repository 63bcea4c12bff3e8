"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast, get_args

import click

from defirisk.core.evm import BlockTag

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_DB = "sqlite:///defirisk.db"
FORMATS = ("table", "json", "csv", "md", "html")


def db_option(command: F) -> F:
    """--db"""
    return click.option(
        "--db",
        envvar=["DATABASE_URL", "DEFIRISK_DB"],
        help=f"The store, as a database address. [default: {DEFAULT_DB}]",
    )(command)


def node_options(command: F) -> F:
    """--rpc-url, --chain and --timeout"""
    command = click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        envvar="DEFIRISK_TIMEOUT",
        default=30.0,
        show_default=True,
        help="Seconds to wait for one answer of the node.",
    )(command)
    return click.option(
        "--rpc-url",
        multiple=True,
        callback=_joined,
        help="JSON-RPC address of a node, or several: repeat it, or separate them by commas. Where "
        "one fails another is asked. Never stored or shown. "
        "[default: those of --chain in defirisk.toml, else ETH_RPC_URL]",
    )(chain_option(command))


def _joined(_context: click.Context, _option: click.Parameter, urls: tuple[str, ...]) -> str | None:
    return ",".join(urls) or None


def chain_option(command: F) -> F:
    """--chain"""
    return click.option("--chain", help="Which chain, by name or id.")(command)


class BlockType(click.ParamType[int | BlockTag]):
    """A block number or one of the chain's tags."""

    name = "block"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | BlockTag:
        """The number, or the tag as it is."""
        text = str(value)
        if text.isascii() and text.isdigit():
            return int(text)
        if text not in get_args(BlockTag):
            self.fail(f"{text!r} is no block: give a number, safe, finalized or latest", param, ctx)
        return cast(BlockTag, text)


def block_option(command: F) -> F:
    """--block"""
    return click.option(
        "--block",
        type=BlockType(),
        metavar="N|safe|finalized|latest",
        help="Indexed block to look at. [default: the last one]",
    )(command)


def output_options(*formats: str) -> Callable[[F], F]:
    """--format and -o"""

    def decorate(command: F) -> F:
        command = click.option(
            "-o",
            "--output",
            type=click.Path(dir_okay=False),
            help="Write to a file; its suffix chooses the format.",
        )(command)
        return click.option(
            "--format",
            "format_",
            type=click.Choice(formats or FORMATS),
            help="How to print. [default: table on a terminal, else by -o, else table]",
        )(command)

    return decorate
