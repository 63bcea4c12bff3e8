"""The last line of defence: no URL of the environment or the command line is ever printed whole."""

from __future__ import annotations

import re

_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[^\s/@'\"]*@)?(?P<host>[^\s/'\"?#]*)[^\s'\"]*"
)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def without_secrets(text: str) -> str:
    """Cuts http and websocket URLs down to scheme and host, and removes control characters."""

    def cut(match: re.Match[str]) -> str:
        if match["scheme"] not in ("http", "https", "ws", "wss"):
            return match[0]
        return f"{match['scheme']}://{match['host']}"

    return _CONTROL.sub("", _URL.sub(cut, text))
