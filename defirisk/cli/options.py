"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

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
    """--rpc-url and --chain"""
    command = click.option(
        "--chain", help="Which chain, by the name it has in defirisk.toml or by its id."
    )(command)
    return click.option(
        "--rpc-url",
        envvar=["ETH_RPC_URL", "DEFIRISK_RPC_URL"],
        help="JSON-RPC address of the node. Never stored or shown.",
    )(command)


def block_option(command: F) -> F:
    """--block"""
    return click.option(
        "--block", type=int, help="Indexed block to look at. [default: the last one]"
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
