"""No URL with a key in it gets past the last line of defence."""

from __future__ import annotations

import pytest

from defirisk.cli.secrets import without_secrets

KEY = "SECRETKEY"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"at https://node.example/v3/{KEY} today", "at https://node.example today"),
        (f"HTTPS://node.example/{KEY}", "HTTPS://node.example"),
        (f"http://user:{KEY}@node.example:8545/", "http://node.example:8545"),
        (f"http://u:a@{KEY}@node.example/", "http://node.example"),
        (f"wss://node.example?key={KEY}", "wss://node.example"),
        (f"https://node.example#{KEY}", "https://node.example"),
        (f"'https://node.example/{KEY}': did you mean", "'https://node.example': did you mean"),
        (f"https://a.example/{KEY} https://b.example/{KEY}", "https://a.example https://b.example"),
        (f"postgresql+psycopg://me:{KEY}@db.example/risk", "postgresql+psycopg://db.example/risk"),
        ("sqlite:////var/lib/defirisk.db", "sqlite:////var/lib/defirisk.db"),
        ("no address at all: price:WETH=-40%", "no address at all: price:WETH=-40%"),
    ],
)
def test_only_scheme_and_host_are_left(text: str, left: str) -> None:
    assert without_secrets(text) == left
