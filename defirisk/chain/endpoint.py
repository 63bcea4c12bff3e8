"""An RPC URL is a secret: what may be shown of it, and what has to be cut out of foreign text."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, unquote, urlsplit

from defirisk.core.errors import UsageError

_ANY_URL = re.compile(r"\w+://\S+")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\u00a0-\U0010ffff]+")
_SHOWN_CHARACTERS = 200
# Path pieces like "v3" or "rpc" are no secrets, and cutting them out would spoil every message.
_SHORTEST_SECRET = 6


def redact(url: str) -> str:
    """`scheme://host[:port]` of a URL: no user, password, path or query."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "<invalid URL>"
    if not parts.scheme or not parts.hostname:
        return "<invalid URL>"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")


def _secrets(parts: SplitResult) -> tuple[str, ...]:
    """The pieces of a URL that would give a key away, longest first."""
    pieces = [parts.username or "", parts.password or "", parts.path, parts.query, parts.fragment]
    pieces += parts.path.split("/")
    pieces += re.split(r"[=&]", parts.query)
    texts = {text for piece in pieces for text in (piece, unquote(piece))}
    return tuple(sorted((t for t in texts if len(t) >= _SHORTEST_SECRET), key=len, reverse=True))


class Endpoint:
    """One node's address. Only `reveal()` gives the URL; printing the object gives its host.

    Errors: `UsageError` where the text is no http(s) URL.
    """

    __slots__ = ("_secrets", "_url", "host")

    def __init__(self, url: str) -> None:
        self._url = url.strip()
        self.host = redact(self._url)
        if not self.host.startswith(("http://", "https://")):
            raise UsageError(
                f"{self.host} is not an http:// or https:// RPC URL: pass --rpc-url or ETH_RPC_URL"
            )
        self._secrets = _secrets(urlsplit(self._url))

    def reveal(self) -> str:
        """The whole URL, for the HTTP client and nothing else."""
        return self._url

    def scrub(self, text: str) -> str:
        """Foreign text in one short printable line, without URLs and without this node's key."""
        for secret in self._secrets:
            text = text.replace(secret, "<...>")
        text = " ".join(_UNPRINTABLE.sub(" ", _ANY_URL.sub("<url>", text)).split())
        return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 3] + "..."

    def __repr__(self) -> str:
        return f"Endpoint({self.host})"
