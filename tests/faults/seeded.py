"""Seeds: a few always, the others under the marker `nightly`."""

from __future__ import annotations

from collections.abc import Iterable

import pytest


def seeds(in_ci: Iterable[int], nightly: Iterable[int]) -> pytest.MarkDecorator:
    """Parametrizes `seed`."""
    few = [*in_ci]
    rest = [pytest.param(seed, marks=pytest.mark.nightly) for seed in nightly if seed not in few]
    return pytest.mark.parametrize("seed", [*few, *rest])
