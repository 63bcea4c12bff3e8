"""Fewer searches for garbage while many objects are made that live for a step only."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_OBJECTS = 200_000
"""More than a step has. Python's own 700 makes it look through all logs of an answer over and over:
about half of the time of gathering.
"""


@contextmanager
def rarely_collected() -> Iterator[None]:
    """Objects without cycles go as soon as nobody holds them; what is rarer is the search for
    cycles, of which reading and folding make few.
    """
    before = gc.get_threshold()
    gc.set_threshold(max(_OBJECTS, before[0]), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
