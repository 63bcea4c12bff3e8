"""What the fields of a snapshot's rows may be, and how each is written as JSON and read back."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

Read = Callable[[Any], Any]
"""A JSON value to what is stored. Errors: `ValueError`."""

_HASH = re.compile(r"0x[0-9a-f]{64}", re.ASCII)
_ADDRESS = re.compile(r"0x[0-9a-f]{40}", re.ASCII)
_NAME = re.compile(r"\w[\w .:+()-]{0,199}")
_MOST_BLOCKS = 2**62


def number(value: Any) -> int:
    """A block number, time or place: what a signed integer of 64 bits holds, not negative."""
    if type(value) is not int or not 0 <= value < _MOST_BLOCKS:
        raise ValueError("no number")
    return value


def small(value: Any) -> int:
    """A place within a block."""
    if type(value) is not int or not 0 <= value < 2**31:
        raise ValueError("no small number")
    return value


def block_hash(value: Any) -> str:
    """0x and 64 hex digits, lower case."""
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise ValueError("no hash")
    return value


def address(value: Any) -> str:
    """0x and 40 hex digits, lower case."""
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise ValueError("no address")
    return value


def data(value: Any) -> bytes:
    """Bytes as lower-case hex."""
    if not isinstance(value, str):
        raise ValueError("no bytes")
    found = bytes.fromhex(value)
    if found.hex() != value:
        raise ValueError("no bytes")
    return found


def topic(value: Any) -> bytes | None:
    """32 bytes, or None."""
    if value is None:
        return None
    found = data(value)
    if len(found) != 32:
        raise ValueError("no topic")
    return found


def topics(value: Any) -> bytes:
    """Any number of topics, ascending, one after the other."""
    found = data(value)
    each = [found[at : at + 32] for at in range(0, len(found), 32)]
    if len(found) % 32 or each != sorted(set(each)):
        raise ValueError("no topics")
    return found


def truth(value: Any) -> bool:
    """True or false."""
    if type(value) is not bool:
        raise ValueError("neither true nor false")
    return value


def text(longest: int) -> Read:
    """Printable text that is not too long."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
            raise ValueError("no text")
        return value

    return read


def name(value: Any) -> str:
    """A name that may become part of a file's: letters, digits and a few marks, no slashes."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError("no name")
    return value


def table(value: Any) -> dict[str, Any]:
    """An object; its content is judged by who knows what it means."""
    if not isinstance(value, dict):
        raise ValueError("no table")
    return value


def written(value: Any) -> Any:
    """What is stored, as JSON has it."""
    return value.hex() if isinstance(value, (bytes, memoryview)) else value


def read_row(fields: Sequence[tuple[str, Read]], row: Sequence[Any]) -> list[Any]:
    """All values of a row. Errors: `ValueError` names the field that is wrong."""
    if len(row) != len(fields):
        raise ValueError(f"{len(row)} values where there are {len(fields)}")
    found = []
    for (what, read), value in zip(fields, row, strict=True):
        try:
            found.append(read(value))
        except ValueError as error:
            raise ValueError(f"{what} is {error}") from error
    return found
