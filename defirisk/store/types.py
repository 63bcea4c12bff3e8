"""Column types that keep what Python's integers and texts hold, and order them as Python does."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Numeric, String, Text, types
from sqlalchemy.engine import Dialect

_DIGITS = 78  # 2^256 - 1 has 78 decimal digits
_ZERO, _ONE, _TWO = "\x00", "\x01", "\x02"
_NINES = str.maketrans("0123456789", "9876543210")


def to_sortable(value: int) -> str:
    """Text of an integer below 10^78 in size that sorts as the integer does.

    The number of digits comes first, so "0212" is 12 and "03100" is 100 and the digits stay
    readable; negative numbers are complemented, so that larger sizes sort lower.
    """
    digits = str(abs(value))
    if len(digits) > _DIGITS:
        raise OverflowError(f"an integer of {len(digits)} digits does not fit into 256 bits")
    if value >= 0:
        return f"{len(digits):02d}{digits}"
    return f"-{99 - len(digits):02d}{digits.translate(_NINES)}"


def from_sortable(text: str) -> int:
    """The integer that `to_sortable` wrote."""
    if text.startswith("-"):
        return -int(text[3:].translate(_NINES))
    return int(text[2:])


class WideInteger(types.TypeDecorator[int]):
    """A signed or unsigned integer of up to 256 bits: exact, and ordered by the database.

    NUMERIC(78, 0) where the database has it, else text by `to_sortable`. Never a float.
    """

    impl = String(_DIGITS + 3)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> types.TypeEngine[Any]:
        """The type that stores it in this database."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Numeric(_DIGITS, 0))
        return dialect.type_descriptor(String(_DIGITS + 3))

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:
        """Python to database."""
        if value is None:
            return None
        return Decimal(value) if dialect.name == "postgresql" else to_sortable(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        """Database to Python."""
        if value is None:
            return None
        return int(value) if dialect.name == "postgresql" else from_sortable(value)


def written_text(text: str) -> str:
    """As PostgreSQL takes it, which refuses the character 0.

    That is written as the two characters 1 1, and the character 1 as 1 2: nothing is lost, and
    since no other character comes before 2, texts keep their order.
    """
    if _ZERO not in text and _ONE not in text:
        return text
    return text.replace(_ONE, _ONE + _TWO).replace(_ZERO, _ONE + _ONE)


def read_text(written: str) -> str:
    """What `written_text` was given."""
    if _ONE not in written:
        return written
    return written.replace(_ONE + _ONE, _ZERO).replace(_ONE + _TWO, _ONE)


class AnyText(types.TypeDecorator[str]):
    """Text with any character in it, as names on a chain are. SQLite holds it as it is."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:
        """Python to database."""
        if dialect.name != "postgresql":
            return None
        return lambda value: None if value is None else written_text(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Database to Python."""
        if dialect.name != "postgresql":
            return None
        return lambda value: None if value is None else read_text(value)


def by_code_point(connection: Connection, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """What to order by for the order that Python has, whatever the database's own collation is.

    SQLite compares bytes, and so code points; of PostgreSQL that has to be asked.
    """
    if connection.dialect.name == "postgresql" and isinstance(column.type, AnyText | String):
        return column.collate("C")
    return column
