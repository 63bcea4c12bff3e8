"""The last line of defence: no URL of the environment or the command line is ever printed whole."""

from __future__ import annotations

import re

_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[^\s/'\"]*@)?(?P<host>[^\s/'\"?#]*)(?P<rest>[^\s'\"]*)",
    re.I,
)


def without_secrets(text: str) -> str:
    """Cuts http and websocket URLs down to scheme and host, and takes user and password out of any
    other.
    """

    def cut(match: re.Match[str]) -> str:
        is_node = match["scheme"].lower() in ("http", "https", "ws", "wss")
        return f"{match['scheme']}://{match['host']}" + ("" if is_node else match["rest"])

    return _URL.sub(cut, text)
