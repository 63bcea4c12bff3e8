"""A picture of nodes as plain data, which the page's own script draws, filters and explains.

All text is cleaned here; the script only ever sets it as text.
"""

from __future__ import annotations

import math
from typing import Any

from defirisk.reports import escape
from defirisk.reports.model import Dot, Network
from defirisk.reports.value import show

MARKS = ("protocol", "market", "asset", "oracle", "venue", "vault", "owner")
"""The kinds that have a shape and a colour of their own, the same in every picture."""
_SMALLEST, _LARGEST = 4.0, 11.0


def marks(picture: Network) -> list[int]:
    """For each kind the number of its shape and colour; others take turns."""
    return [
        MARKS.index(kind) if kind in MARKS else place % len(MARKS)
        for place, kind in enumerate(picture.kinds())
    ]


def diagram(picture: Network) -> dict[str, Any]:
    """Nodes and lines; a line names its ends by their places in `dots`, a dot its kind likewise."""
    kinds = picture.kinds()
    place = {dot.id: number for number, dot in enumerate(picture.dots)}
    return {
        "kinds": [escape.clean(kind) for kind in kinds],
        "marks": marks(picture),
        "dots": [_dot(dot, kinds.index(dot.kind)) for dot in picture.dots],
        "lines": [
            [
                place[line.source],
                place[line.target],
                escape.clean(line.kind),
                _finite(line.value_usd),
                show(line.value_usd, "usd"),
            ]
            for line in picture.lines
        ],
    }


def _dot(dot: Dot, kind: int) -> dict[str, Any]:
    return {
        "id": escape.clean(dot.id, escape.DATA_LIMIT),
        "label": escape.clean(dot.label),
        "kind": kind,
        "x": dot.x,
        "y": dot.y,
        "radius": _radius(dot.value_usd),
        "usd": _finite(dot.value_usd),
        "amount": show(dot.value_usd, "usd"),
        "ties": dot.ties,
        "facts": [[escape.clean(what), escape.clean(value)] for what, value in dot.facts],
        "marked": dot.marked,
        "minor": dot.minor,
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _radius(value: float | None) -> float:
    """Pixels: a thousand times the dollars are about four more."""
    known = _finite(value)
    if known is None or known <= 1:
        return _SMALLEST
    return round(min(max(_SMALLEST, 1.4 * math.log10(known) + 0.4), _LARGEST), 1)
