"""Reading a JSON-RPC answer body: which answer belongs to which request, and what it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from defirisk.chain.node_errors import Asked, Overwhelmed, classify
from defirisk.core.errors import NodeError, RangeTooLarge, RetryableNodeError

_ABOUT_SIZE = re.compile(r"large|limit|many|size|max|exceed", re.I)


class Request(NamedTuple):
    """One JSON-RPC call."""

    method: str
    params: Sequence[object] = ()


class BatchRefused(NodeError):
    """The node does not take a batch of this size: ask in batches of `try_size`."""

    def __init__(self, message: str, *, try_size: int) -> None:
        super().__init__(message)
        self.try_size = try_size


class BrokenAnswer(RetryableNodeError):
    """Came in time and says nothing: what a transport does not ask again by itself."""


def describe(requests: Sequence[Request], host: str) -> Asked:
    """What these requests ask, as one error message would put it."""
    methods = list(dict.fromkeys(request.method for request in requests))
    blocks = next(filter(None, map(_block_range, requests)), None)
    return Asked(host=host, method="+".join(methods), blocks=blocks)


def match(
    parsed: object, ids: Sequence[int], asked: Asked, scrub: Callable[[str], str]
) -> dict[int, object]:
    """The answers by their request's position; requests that were left out are missing.

    Answers may come in any order, and some nodes leave the ids out. Errors: `BatchRefused` or
    whatever else a single error object for the whole batch means.
    """
    if isinstance(parsed, dict) and len(ids) > 1:
        raise _refusal(parsed.get("error"), len(ids), asked, scrub)
    answers = parsed if isinstance(parsed, list) else [parsed]
    if len(answers) == 1 < len(ids) and isinstance(answers[0], dict) and _id(answers[0]) is None:
        return match(answers[0], ids, asked, scrub)
    if len(answers) == len(ids) and all(_id(answer) is None for answer in answers):
        return dict(enumerate(answers))
    positions = {str(i): position for position, i in enumerate(ids)}
    found = [(positions[str(_id(a))], a) for a in answers if str(_id(a)) in positions]
    if len(dict(found)) != len(found):
        raise Overwhelmed(asked.says("two answers to one request"))
    return dict(found)


def read(answer: object, asked: Asked, scrub: Callable[[str], str]) -> object | NodeError:
    """The result in one answer object, or the error that it stands for."""
    if not isinstance(answer, Mapping):
        return Overwhelmed(asked.says("no answer object for this request"))
    if answer.get("error") is not None:
        return classify(answer["error"], asked, scrub)
    if "result" not in answer:
        return Overwhelmed(asked.says("an answer with neither result nor error"))
    result: object = answer["result"]
    return result


def _refusal(error: object, size: int, asked: Asked, scrub: Callable[[str], str]) -> NodeError:
    """Why a whole batch got one error. Wordings about batches win: "too many requests in batch"."""
    meant = classify(error, asked, scrub)
    message = str(error)
    if isinstance(meant, RetryableNodeError | RangeTooLarge) and "batch" not in message.lower():
        return meant
    return BatchRefused(
        str(meant), try_size=max(1, size // 2) if _ABOUT_SIZE.search(message) else 1
    )


def _id(answer: object) -> object:
    return answer.get("id") if isinstance(answer, Mapping) else None


def _block_range(request: Request) -> tuple[int, int] | None:
    """The numbers of the blocks that an eth_getLogs by range asks for."""
    query = request.params[0] if request.params else None
    if request.method != "eth_getLogs" or not isinstance(query, Mapping):
        return None
    if "fromBlock" not in query or "toBlock" not in query:
        return None
    return int(str(query["fromBlock"]), 16), int(str(query["toBlock"]), 16)
