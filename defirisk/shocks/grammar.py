"""From the text of shocks to scenarios: `kind:TARGET=VALUE`, repeated, combined, multiplied out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

from defirisk.core import plugins
from defirisk.core.book import Book
from defirisk.core.errors import UsageError
from defirisk.core.scenario import Moves, Scenario, combine


def parse(text: str, book: Book) -> Moves:
    """What one shock such as `price:WETH=-40%` moves in this book.

    Errors: `UsageError` that says what is wrong and what to type instead.
    """
    kind, target, value = split(text)
    known = plugins.shocks()
    if not kind:
        example = known["price"].grammar.split()[0]
        raise UsageError(f"shock {text!r} names no kind: type for example {example}")
    shock = plugins.choose(kind, known, "shock")
    try:
        if not target:
            raise UsageError("it names no target")
        return shock.moves(book, target, value)
    except UsageError as error:
        example = " or ".join(shock.grammar.split())
        raise UsageError(f"shock {text!r}: {error}; type for example {example}") from error


def split(text: str) -> tuple[str, str, str]:
    """Kind, target and value; empty where missing. A target may contain both separators."""
    kind, colon, rest = text.strip().partition(":")
    if not colon:
        return "", rest, ""
    target, equals, value = rest.rpartition("=")
    if not equals:
        target, value = rest, ""
    return kind.strip().lower(), target.strip(), value.strip()


def baseline() -> Scenario:
    """Nothing moves."""
    return Scenario(name="none", shocks=(), moves=Moves())


def scenario(name: str, texts: Sequence[str], book: Book) -> Scenario:
    """All these shocks at once. An empty name is made of the shocks themselves."""
    moves = combine(parse(text, book) for text in texts)
    return Scenario(name=name or " ".join(texts) or "none", shocks=tuple(texts), moves=moves)


def axes(texts: Iterable[str]) -> list[list[str]]:
    """Shocks of the same kind and target are alternatives: one axis each, in order of mention."""
    found: dict[tuple[str, str], list[str]] = {}
    for text in texts:
        kind, target, _ = split(text)
        found.setdefault((kind, target.casefold()), []).append(text)
    return list(found.values())


def grid(axes: Iterable[Sequence[str]], book: Book) -> list[Scenario]:
    """One scenario for each way to take one shock of every axis; the last axis runs fastest."""
    return [scenario("", texts, book) for texts in product(*axes)]
