"""What every command owes to whoever asks for help."""

from __future__ import annotations

import re
import shlex
from keyword import iskeyword

import click
import pytest

from defirisk.cli.main import cli
from tests.command import CommandLine

_CONTEXT = click.Context(cli, info_name="defirisk")
COMMANDS = cli.list_commands(_CONTEXT)
EVERY_COMMAND = pytest.mark.parametrize("name", COMMANDS)


def command_of(name: str) -> click.Command:
    found = cli.get_command(_CONTEXT, name)
    assert found is not None
    return found


def examples(name: str) -> list[str]:
    """The lines of a command's help that can be typed."""
    epilog = command_of(name).epilog or ""
    lines = [re.split(r" {3,}", line.strip())[0] for line in epilog.splitlines()]
    parts = [part.strip() for line in lines for part in line.split("&&")]
    return [part for part in parts if part.startswith(f"defirisk {name}")]


def test_help_lists_every_command(cli: CommandLine) -> None:
    ran = cli("--help")
    assert (ran.code, ran.err) == (0, "")
    listed = re.findall(r"^  ([a-z]+)  +\S", ran.out.split("Commands:")[1], re.M)
    assert listed == COMMANDS


def test_every_module_of_a_command_is_listed() -> None:
    from importlib.resources import files

    names = (p.name.removesuffix(".py") for p in files("defirisk.cli.commands").iterdir())
    # A command whose name Python keeps for itself (import) has a module with a line behind it.
    modules = {n.removesuffix("_") if iskeyword(n.removesuffix("_")) else n for n in names}
    assert {m for m in modules if not m.startswith("_")} == set(COMMANDS)


@EVERY_COMMAND
def test_a_command_says_what_it_does_with_an_example(name: str, cli: CommandLine) -> None:
    ran = cli(name, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert f"defirisk {name}" in ran.out.split("Example")[1]
    assert len(command_of(name).get_short_help_str().split()) >= 4


@EVERY_COMMAND
def test_its_examples_use_options_that_it_has(name: str) -> None:
    assert examples(name)
    command = command_of(name)
    for example in examples(name):
        context = click.Context(command, info_name=name)
        command.make_parser(context).parse_args(shlex.split(example)[2:])


@EVERY_COMMAND
def test_every_option_is_explained(name: str) -> None:
    for parameter in command_of(name).params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.name}"


def test_no_words_at_all_are_answered_with_help(cli: CommandLine) -> None:
    ran = cli()
    assert ran.code == 2
    assert "Commands:" in ran.err
    assert ran.out == ""


def test_a_version_can_be_asked_for(cli: CommandLine) -> None:
    assert re.fullmatch(r"defirisk, version \d+\.\d+\.\d+\n", cli("--version").out)
