"""What the code imports is what pyproject.toml declares, neither more nor less."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions

import pytest

from tests.packaging.checkout import ROOT, shown

pytestmark = pytest.mark.packaging

OURS = {"defirisk", "tests", "migrations", "benchmarks"}
SHIPPED = ("defirisk", "migrations")
# Calls whose first argument names a package as surely as an import does.
NAMING = {"files", "find_spec", "import_module", "version"}
# Run, never imported: linters, pytest's own plug-ins, and the stubs that mypy reads.
TOOLS = {"hatchling", "import-linter", "mypy", "py-evm", "pytest-xdist", "ruff"}
TOOLS |= {"scipy-stubs", "types-pyyaml"}


def normal(name: str) -> str:
    """A distribution's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def declared(extra: str | None = None) -> frozenset[str]:
    """Distributions that a plain install brings, or those of one extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] if extra is None else project["optional-dependencies"][extra]
    names = (re.match(r"[\w.-]+", requirement) for requirement in wanted)
    return frozenset(normal(name.group()) for name in names if name) - {"defirisk"}


def modules_named(tree: ast.AST) -> Iterator[str]:
    """Every module that a file imports, or names in a call that finds packages."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module
        elif isinstance(node, ast.Call) and node.args:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
            name = called.id if isinstance(called, ast.Name) else called
            first = node.args[0]
            if name in NAMING and isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


@cache
def imported(*folders: str) -> dict[str, list[str]]:
    """Third-party packages by import name, with the files that import them."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            tops = {name.partition(".")[0] for name in modules_named(ast.parse(path.read_bytes()))}
            for top in tops - OURS - sys.stdlib_module_names:
                found[top].append(shown(path))
    return dict(found)


_installed = cache(packages_distributions)


def distributions(top: str) -> set[str]:
    """The names under which an imported package may be declared."""
    return {normal(top), *map(normal, _installed().get(top, ()))}


def undeclared(allowed: frozenset[str], *folders: str) -> dict[str, list[str]]:
    return {
        top: paths for top, paths in imported(*folders).items() if not distributions(top) & allowed
    }


def unused(wanted: frozenset[str], *folders: str) -> set[str]:
    names = {name for top in imported(*folders) for name in distributions(top)}
    return set(wanted) - names - TOOLS


def test_the_package_imports_only_what_a_plain_install_brings() -> None:
    assert undeclared(declared(), *SHIPPED) == {}


def test_the_tests_import_only_what_their_extra_brings() -> None:
    allowed = declared() | declared("test") | declared("lint")
    assert undeclared(allowed, "tests", "benchmarks") == {}


def test_everything_that_a_plain_install_brings_is_imported() -> None:
    assert unused(declared(), *SHIPPED) == set()


def test_everything_that_the_extras_bring_is_imported_or_a_tool() -> None:
    assert unused(declared("test") | declared("lint"), "tests", "benchmarks") == set()


def test_what_is_called_a_tool_is_one() -> None:
    extras = declared("test") | declared("lint")
    assert extras >= TOOLS
    assert not {name for top in imported("tests", *SHIPPED) for name in distributions(top)} & TOOLS


def test_no_dependency_is_pinned_to_one_version_or_to_an_address() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    for wanted in (project["dependencies"], *project["optional-dependencies"].values()):
        assert [one for one in wanted if re.search("==|@|://", one.partition(";")[0])] == []


def test_the_walk_sees_every_way_of_naming_a_package() -> None:
    code = (
        "import a.b\nfrom c.d import e\nfrom . import f\nfiles('g')\nimportlib.util.find_spec('h')"
    )
    assert set(modules_named(ast.parse(code))) == {"a.b", "c.d", "g", "h"}
