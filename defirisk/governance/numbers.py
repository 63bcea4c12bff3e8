"""How numbers are written down, so that the same computation makes the same bytes anywhere."""

from __future__ import annotations

import json
import math
from typing import Any

DIGITS = 10


def written(value: Any) -> bytes:
    """JSON with floats at 10 significant digits; what is no number is null."""
    text = json.dumps(_rounded(value), indent=1, ensure_ascii=True, allow_nan=False)
    return (text + "\n").encode("ascii")


def _rounded(value: Any) -> Any:
    match value:
        case float():
            if not math.isfinite(value):
                return None
            return float(f"{value:.{DIGITS}g}") + 0.0  # -0.0 becomes 0.0
        case dict():
            return {key: _rounded(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_rounded(inner) for inner in value]
    return value
