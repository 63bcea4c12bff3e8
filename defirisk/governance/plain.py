"""Values of the book as plain JSON and arrays, and back, without any code in between.

Only classes of defirisk that are dataclasses, enumerations or named tuples are made again: a bundle
is a file of a stranger, and must not be able to name anything else.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from fractions import Fraction
from typing import Any

import numpy as np

from defirisk.core.errors import UsageError

Arrays = dict[str, np.ndarray[Any, np.dtype[Any]]]
_OURS = "defirisk."


def plain(value: Any, arrays: Arrays) -> Any:
    """`value` as JSON; arrays are put into `arrays` and named. Floats keep every bit."""
    match value:
        case Enum():  # first: some are texts or numbers, too
            return {"enum": _name(type(value)), "value": value.name}
        case None | bool() | str():
            return value
        case int():
            return value
        case float():
            return {"float": value.hex()}
        case Fraction():
            return {"fraction": f"{value.numerator}/{value.denominator}"}
        case bytes():
            return {"bytes": value.hex()}
        case np.ndarray():
            name = f"a{len(arrays):04}"
            arrays[name] = value
            return {"array": name}
        case Mapping():
            pairs = [[plain(key, arrays), plain(inner, arrays)] for key, inner in value.items()]
            return {"map": pairs}
        case tuple() if hasattr(value, "_fields"):
            return {"named": _name(type(value)), "items": [plain(one, arrays) for one in value]}
        case tuple():
            return {"tuple": [plain(one, arrays) for one in value]}
        case list():
            return [plain(one, arrays) for one in value]
        case frozenset():
            return {"set": [plain(one, arrays) for one in sorted(value)]}
        case _ if is_dataclass(value):
            stated = {
                f.name: plain(getattr(value, f.name), arrays) for f in fields(value) if f.init
            }
            return {"class": _name(type(value)), "fields": stated}
    raise TypeError(f"{type(value).__name__} cannot be written into a bundle")


def restored(said: Any, arrays: Mapping[str, np.ndarray[Any, np.dtype[Any]]]) -> Any:
    """The value again. Errors: `UsageError` where it was not made by `plain`."""
    try:
        return _restored(said, arrays)
    except (KeyError, TypeError, ValueError, AttributeError, ImportError) as error:
        raise UsageError(
            f"the bundle is damaged, or of another version of defirisk ({type(error).__name__}: "
            f"{error})"
        ) from error


def _restored(said: Any, arrays: Mapping[str, np.ndarray[Any, np.dtype[Any]]]) -> Any:
    def again(inner: Any) -> Any:
        return _restored(inner, arrays)

    match said:
        case {"class": name, "fields": stated}:
            return _class(name)(**{field: again(inner) for field, inner in stated.items()})
        case {"named": name, "items": items}:
            return _class(name)(*map(again, items))
        case {"enum": name, "value": member}:
            return _class(name)[member]
        case {"float": text}:
            return float.fromhex(text)
        case {"fraction": text}:
            return Fraction(text)
        case {"bytes": text}:
            return bytes.fromhex(text)
        case {"array": name}:
            return arrays[name]
        case {"map": pairs}:
            return {again(key): again(inner) for key, inner in pairs}
        case {"tuple": items}:
            return tuple(map(again, items))
        case {"set": items}:
            return frozenset(map(again, items))
        case list():
            return [again(inner) for inner in said]
        case None | bool() | int() | str():
            return said
    raise ValueError("no such value")


def _name(kind: type) -> str:
    if not kind.__module__.startswith(_OURS):
        raise TypeError(f"{kind.__module__}.{kind.__qualname__} is not of defirisk")
    return f"{kind.__module__}:{kind.__qualname__}"


def _class(name: str) -> Any:
    module, _, qualname = name.partition(":")
    if not module.startswith(_OURS) or not qualname.isidentifier():
        raise ValueError(f"{name} is not of defirisk")
    kind = getattr(importlib.import_module(module), qualname)
    data = is_dataclass(kind) or (isinstance(kind, type) and issubclass(kind, Enum | tuple))
    if not isinstance(kind, type) or not data or kind.__module__ != module:
        raise ValueError(f"{name} is no value")
    return kind
