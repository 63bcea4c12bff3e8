"""A synchronous JSON-RPC client over one kept-alive connection."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

Request = tuple[str, list[Any]]


class RpcError(Exception):
    """The node answered with an error object."""


class Rpc:
    """Calls and batches; results are plain JSON, so they are `Any` here and typed by callers."""

    def __init__(self, url: str, timeout: float = 120.0) -> None:
        parts = urlsplit(url)
        if parts.hostname is None:
            raise ValueError(f"no host in {url!r}")
        self.url = url
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)

    def call(self, method: str, *params: Any) -> Any:
        """The result of one request."""
        return _result(self._post(_body(0, (method, list(params)))))

    def batch(self, requests: Sequence[Request]) -> list[Any]:
        """Results in the order of `requests`; the first error is raised."""
        return [_result(answer) for answer in self.answers(requests)]

    def batch_or_none(self, requests: Sequence[Request]) -> list[Any]:
        """Like `batch`, with None for a request that failed."""
        return [answer.get("result") for answer in self.answers(requests)]

    def answers(self, requests: Sequence[Request]) -> list[dict[str, Any]]:
        """Each with its `result` or its `error`, in the order of `requests`."""
        if not requests:
            return []
        answers = self._post([_body(number, request) for number, request in enumerate(requests)])
        if not isinstance(answers, list):
            raise RpcError(str(answers))
        return sorted(answers, key=lambda answer: answer["id"])

    def close(self) -> None:
        """Drop the connection."""
        self._connection.close()

    def _post(self, body: Any) -> Any:
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", "/", json.dumps(body).encode(), headers)
        return json.loads(self._connection.getresponse().read())


def _body(number: int, request: Request) -> dict[str, Any]:
    method, params = request
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def _result(answer: dict[str, Any]) -> Any:
    if "error" in answer:
        raise RpcError(str(answer["error"]))
    return answer["result"]
