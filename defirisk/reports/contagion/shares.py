"""What scenarios leave of each vault's share, as `defirisk stress` prints it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from defirisk.contagion.failure.losses import whole_assets
from defirisk.contagion.failure.settle import fail
from defirisk.core.book import Book
from defirisk.core.scenario import Scenario
from defirisk.reports.contagion.tables import known
from defirisk.reports.labels import token_label


def vaults(book: Book, scenarios: Sequence[Scenario]) -> list[list[dict[str, Any]]]:
    """For each scenario every vault whose rate is known: what a share converts to, in whole tokens
    of what the vault holds, and what all shares lose by that in USD (None: unknown).

    Everything is settled at once (`contagion.failure`); loans that are lost already count, too.
    """
    own = {t: c for t, c in book.sources.claims.items() if c.kind == "vault" and c.rate is not None}
    if not own:
        return [[] for _ in scenarios]
    found = fail(book, scenarios)
    places = {token: k for k, token in enumerate(found.claims)}
    assets = {asset.address: a for a, asset in enumerate(book.assets)}
    rows: list[list[dict[str, Any]]] = []
    for s, scenario in enumerate(scenarios):
        rows.append([])
        for token, claim in own.items():
            left = float(scenario.moves.conversions.get(token, 1))
            left *= float(found.left[places[token], s]) if token in places else 1.0
            asset = assets.get(claim.underlying)
            price = float("nan") if asset is None else float(found.prices[asset, s])
            lost = 0.0 if left == 1 else whole_assets(book, claim) * (1 - left) * price
            rows[-1].append(
                {
                    "vault": token_label(book, token),
                    "address": token,
                    "share_price": float(claim.rate or 0) * left,
                    "loss": known(lost),
                }
            )
    return rows
