"""An event of static words as one Python function: what its layout does, without its calls.

Decoding is the innermost loop of indexing, and most of its time went into calling one small reader
per word. The function that is written here checks exactly what the readers check; where a check
fails it leaves the log to them, who say what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

Decode = Callable[[Sequence[bytes], bytes], dict[str, object]]

_SIZED = re.compile(r"(u?int|bytes)(\d+)")
_DYNAMIC = re.compile(r"string|bytes|.*[\])]")
_WORD = 32


class _Word(NamedTuple):
    """Python of one word: what must hold of it, and its value."""

    condition: str
    value: str


def unrolled(indexed: Mapping[str, str], data: Mapping[str, str], checked: Decode) -> Decode | None:
    """A function that decodes as `checked` does; None where a field is no plain word.

    `indexed` and `data` map the fields' names to their canonical ABI types.
    """
    words: dict[str, _Word] = {}
    for number, (name, abi_type) in enumerate(indexed.items(), 1):
        # Of a dynamic value only the hash is indexed.
        of = "bytes32" if _DYNAMIC.fullmatch(abi_type) else abi_type
        word = _word(of, f"t{number}", 0, f"v{len(words)}")
        if word is None:
            return None
        words[name] = word
    for number, (name, abi_type) in enumerate(data.items()):
        word = _word(abi_type, "data", _WORD * number, f"v{len(words)}")
        if word is None:
            return None
        words[name] = word
    return _compiled(len(indexed), len(data), words, checked)


def _compiled(topics: int, size: int, words: Mapping[str, _Word], checked: Decode) -> Decode:
    names = [f"t{number}" for number in range(1, topics + 1)]
    lengths = [f"len({name}) == {_WORD}" for name in names]
    lengths += [f"len(data) >= {_WORD * size}"] if size else []
    conditions = [*lengths, *(word.condition for word in words.values() if word.condition)]
    fields = ", ".join(f"{name!r}: {word.value}" for name, word in words.items())
    # The text is made of numbers, of the names above, and of quoted names of fields.
    text = f"""
def decode(topics, data):
    _, {"".join(f"{name}, " for name in names)} = topics
    if {" and ".join(conditions) or "True"}:
        return {{{fields}}}
    return checked(topics, data)
"""
    scope: dict[str, object] = {"checked": checked, "integer": _integer}
    scope |= {f"zeros{n}": bytes(n) for n in range(1, _WORD)}
    exec(text, scope)
    made: Decode = scope["decode"]  # type: ignore[assignment]
    return made


_integer = int.from_bytes


def _word(abi_type: str, source: str, at: int, name: str) -> _Word | None:
    """The word of `source` that begins at byte `at`; `name` is a variable of its own."""

    def part(first: int, last: int) -> str:
        return f"{source}[{at + first}:{at + last}]"

    if abi_type == "address":
        return _Word(f"{part(0, 12)} == zeros12", f"'0x' + {part(12, 32)}.hex()")
    if abi_type == "bool":
        last = f"{source}[{at + 31}]"
        return _Word(f"{part(0, 31)} == zeros31 and {last} < 2", f"{last} == 1")
    sized = _SIZED.fullmatch(abi_type)
    if sized is None:
        return None
    kind, size = sized[1], int(sized[2])
    if kind == "bytes":
        padding = f"{part(size, 32)} == zeros{_WORD - size}" if size < _WORD else ""
        return _Word(padding, part(0, size))
    unused = _WORD - size // 8
    if kind == "uint":
        padding = f"{part(0, unused)} == zeros{unused}" if unused else ""
        return _Word(padding, f"integer({part(unused, 32)})")
    if not unused:
        return _Word("", f"integer({part(0, 32)}, signed=True)")
    limit = 1 << (size - 1)
    return _Word(f"-{limit} <= ({name} := integer({part(0, 32)}, signed=True)) < {limit}", name)
