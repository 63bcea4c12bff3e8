"""Makes foreign text harmless: a token may call itself anything.

Symbols, names and reasons come from contracts and files of strangers. `clean` is the first step for
every format; then one function per output takes away what that output would act on. HTML is
escaped by Jinja2's autoescape, JSON by its encoder.
"""

from __future__ import annotations

import re
import unicodedata

SYMBOL_LIMIT = 24
CELL_LIMIT = 120
DATA_LIMIT = 1000
TEXT_LIMIT = 4000
_LIMITS = {"prose": TEXT_LIMIT}
_REPLACED = "\N{REPLACEMENT CHARACTER}"
_SPACES = re.compile(r"\s+")
# An amount such as $5 keeps its sign: no forum takes a $ after a blank for the end of a formula.
_MARKDOWN = re.compile(r"[\\`*_\[\]|~#@^{}]|(?<![\s(])(?<!^)\$|\$(?!\d)|(?<=\w)[.:](?=[A-Za-z/])")
_BULLET = re.compile(r"^([-+=>])")
_NUMBERED = re.compile(r"^(\d+)([.)])(?!\d)")
_FORMULA = tuple("=+-@|%\uff1d\uff0b\uff0d\uff20")


def clean(text: str, limit: int = CELL_LIMIT) -> str:
    """One line of visible characters, at most `limit` of them, cut with an ellipsis.

    Control, format (also right-to-left overrides and zero-width) and unassigned characters are
    shown as the replacement character, so that two names which look alike do not.
    """
    shown = _SPACES.sub(" ", text[: 4 * limit]).strip()
    characters: list[str] = []
    marks = 0
    for character in shown:
        category = unicodedata.category(character)
        marks = marks + 1 if category.startswith("M") else 0
        if marks > 2:  # A tower of accents grows over the lines above.
            continue
        characters.append(_REPLACED if category[0] == "C" else character)
    if len(characters) > limit or len(text) > 4 * limit:
        return "".join(characters[: limit - 1]) + "…"
    return "".join(characters)


def limit_of(kind: str) -> int:
    """How many characters a value of this `model.Kind` may have."""
    return _LIMITS.get(kind, CELL_LIMIT)


def terminal(text: str, limit: int = CELL_LIMIT) -> str:
    """For a terminal: no escape sequence survives `clean`. To be printed without rich's markup."""
    return clean(text, limit)


def markdown(text: str, limit: int = CELL_LIMIT) -> str:
    """For Markdown as forums render it: no markup, link, mention, formula, HTML or cell border."""
    escaped = _MARKDOWN.sub(lambda match: "\\" + match[0], clean(text, limit))
    escaped = escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _NUMBERED.sub(r"\1\\\2", _BULLET.sub(r"\\\1", escaped))


def fenced(text: str, limit: int = CELL_LIMIT) -> str:
    """For a fenced block of Markdown, which only a backtick could end."""
    return clean(text, limit).replace("`", "'")


def csv(text: str, limit: int = CELL_LIMIT) -> str:
    """For a spreadsheet: text that would be taken for a formula begins with an apostrophe."""
    shown = clean(text, limit)
    return "'" + shown if shown.startswith(_FORMULA) else shown
