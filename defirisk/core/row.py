"""Rows: the whole state of a protocol, as its fold sees it.

An adapter declares its state as frozen dataclasses. The store makes one table of each; a row is
valid from the block that wrote it until the block that wrote the next version of the same key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Protocol, TypeVar, get_type_hints

Wide = Annotated[int, "256 bit"]
"""An integer that may need up to 256 bits, signed or not: stored without losing a digit."""

Key = tuple[Any, ...]


class Row:
    """Base of every row: a frozen dataclass `class Reserve(Row, table="…", key=("asset",))`.

    The fields named in `key` identify a row within its deployment. All other fields have defaults:
    a key that was never written reads as them. Types: str, bool, int (64 bit) and `Wide`.
    """

    __slots__ = ()
    table: ClassVar[str]
    key: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls, table: str = "", key: tuple[str, ...] = ()) -> None:
        # Called twice for a slotted dataclass; the second class inherits the first one's dict.
        if table:
            cls.table, cls.key = table, key


R = TypeVar("R", bound=Row)


def columns(row_type: type[Row]) -> dict[str, Any]:
    """Field name to annotated type, in order of declaration."""
    hints = get_type_hints(row_type, include_extras=True)
    return {field.name: hints[field.name] for field in fields(row_type)}  # type: ignore[arg-type]


def key_of(row: Row) -> Key:
    """The values of a row's key fields."""
    return _key_getter(type(row))(row)  # type: ignore[arg-type]  # a class is hashable


@cache
def _key_getter(row_type: type[Row]) -> Callable[[Row], Key]:
    """Folds ask for keys all the time: a getter that is compiled C is a third of their cost."""
    if len(row_type.key) == 1:
        only = attrgetter(row_type.key[0])
        return lambda row: (only(row),)
    getter: Callable[[Row], Key] = attrgetter(*row_type.key)
    return getter


class State(Protocol):
    """What a fold reads and writes: rows by key, and nothing else."""

    def get(self, row_type: type[R], *key: Any) -> R:
        """The current row of this key; a row of defaults where none was written."""

    def put(self, row: Row) -> None:
        """Makes `row` the current version of its key."""

    def amend(self, row: Row) -> None:
        """Corrects the current version in place: what was so ever since that version began.

        Where the key was never written, since the deployment's first block.
        """


class Rows(Protocol):
    """All rows of one deployment that are valid at one block."""

    def all(self, row_type: type[R]) -> Iterable[R]:
        """Every row of this type, in the order of their keys."""

    def find(self, row_type: type[R], *key: Any) -> R | None:
        """The row of this key, if one was ever written."""
