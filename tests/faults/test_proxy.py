"""The proxy does the faults it was told to do, as often as it was told, and no others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.generated_chain import ChainShape, GeneratedChain, Node, serve
from tests.faults.proxy import FaultProxy, Faults, of_node, of_url
from tests.faults.wordings import refusals

CHAIN = GeneratedChain(ChainShape(blocks=60, every=5, logs_per_block=4, finalized_distance=9))
WHOLE = {"fromBlock": "0x0", "toBlock": "0x3c"}
EVERY_LOG = 8 + 11 * 4


class Request:
    """What aiohttp hands to a handler, as far as the proxy reads it."""

    def __init__(self, calls: object) -> None:
        self._body = json.dumps(calls).encode()

    async def read(self) -> bytes:
        return self._body


def exchange(proxy: FaultProxy, *calls: tuple[str, list[Any]], batch: bool = False) -> Any:
    """Status, and the answers where they are JSON."""
    asked = [
        {"jsonrpc": "2.0", "id": at, "method": method, "params": params}
        for at, (method, params) in enumerate(calls)
    ]
    response: Any = asyncio.run(proxy.answer(Request(asked if batch else asked[0])))  # type: ignore[arg-type]
    try:
        return response.status, json.loads(response.body)
    except (ValueError, TypeError):
        return response.status, None


def logs(proxy: FaultProxy, query: dict[str, Any] = WHOLE) -> list[Any]:
    answer = exchange(proxy, ("eth_getLogs", [query]))[1]
    found: list[Any] = answer["result"]
    return found


HONEST = logs(FaultProxy(of_node(Node(CHAIN)), Faults()))


def _emptied(proxy: FaultProxy) -> bool:
    found = logs(proxy)
    assert found in ([], HONEST)
    assert proxy.hurt == (set() if found else {int(log["blockNumber"], 16) for log in HONEST})
    proxy.hurt.clear()
    return not found


def _without_blocks(proxy: FaultProxy) -> bool:
    found = logs(proxy)
    gone = {log["blockNumber"] for log in HONEST if log not in found}
    assert gone.isdisjoint(log["blockNumber"] for log in found)
    return bool(gone)


def _without_logs(proxy: FaultProxy) -> bool:
    found = logs(proxy)
    gone = {log["blockNumber"] for log in HONEST if log not in found}
    assert gone <= {log["blockNumber"] for log in found}
    assert len(gone) <= 1
    return bool(gone)


def _doubled(proxy: FaultProxy) -> bool:
    found = logs(proxy)
    assert len(found) - len(HONEST) in (0, 1)
    assert all(log in HONEST for log in found)
    return len(found) > len(HONEST)


def _null(proxy: FaultProxy) -> bool:
    return exchange(proxy, ("eth_blockNumber", []))[1]["result"] is None


def _answered_twice(proxy: FaultProxy) -> bool:
    answers = exchange(proxy, ("eth_blockNumber", []), ("eth_chainId", []), batch=True)[1]
    assert {one["id"] for one in answers} == {0, 1}
    return len(answers) == 3


def _refused(proxy: FaultProxy) -> bool:
    return bool(exchange(proxy, ("eth_chainId", []))[0] == 429)


def _failing(proxy: FaultProxy) -> bool:
    return bool(exchange(proxy, ("eth_chainId", []))[0] in (500, 502, 503, 504))


def _cut(proxy: FaultProxy) -> bool:
    return exchange(proxy, ("eth_chainId", []))[1] is None


def _behind(proxy: FaultProxy) -> bool:
    head, last, found = exchange(
        proxy,
        ("eth_blockNumber", []),
        ("eth_getBlockByNumber", ["latest", False]),
        ("eth_getLogs", [WHOLE]),
        batch=True,
    )[1]
    seen = int(head["result"], 16)
    assert int(last["result"]["number"], 16) == seen
    assert found["result"] == [log for log in HONEST if int(log["blockNumber"], 16) <= seen]
    return seen < CHAIN.tip.head


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("empty", _emptied),
        ("lost_blocks", _without_blocks),
        ("lost_logs", _without_logs),
        ("doubled_logs", _doubled),
        ("null", _null),
        ("doubled_answers", _answered_twice),
        ("refused", _refused),
        ("failing", _failing),
        ("silent", _failing),
        ("cut", _cut),
        ("lagging", _behind),
    ],
)
def test_a_fault_happens_as_often_as_it_was_told(
    fault: str, seen: Callable[[FaultProxy], bool]
) -> None:
    faults: dict[str, Any] = {fault: 0.3, "silence": 0.0}
    proxy = FaultProxy(of_node(Node(CHAIN)), Faults(seed=3, **faults))
    happened = [seen(proxy) for _ in range(100)]
    assert 15 <= sum(happened) <= 45
    assert proxy.done[fault] == sum(happened)
    assert +proxy.done == {fault: sum(happened)}
    again = FaultProxy(of_node(Node(CHAIN)), Faults(seed=3, **faults))
    assert [seen(again) for _ in range(100)] == happened


def test_caps_are_said_in_at_least_25_wordings_and_an_unknown_one() -> None:
    known = refusals()
    said = set()
    for refusal in known:
        proxy = FaultProxy(
            of_node(Node(CHAIN)), Faults(max_logs=20, max_blocks=30, refusal=refusal)
        )
        error = exchange(proxy, ("eth_getLogs", [WHOLE]))[1]["error"]
        said.add(error["message"])
        assert proxy.done["capped"] == 1
        assert logs(proxy, {"fromBlock": "0x8", "toBlock": "0x10"})
    assert len(said) >= 26
    assert sum(refusal.wording is None for refusal in known) == 1


def test_a_hint_is_a_range_that_does() -> None:
    (infura,) = (one for one in refusals() if one.provider == "Infura and zkSync")
    proxy = FaultProxy(of_node(Node(CHAIN)), Faults(max_logs=20, refusal=infura))
    first = {"fromBlock": "0x10", "toBlock": "0x3c"}
    error = exchange(proxy, ("eth_getLogs", [first]))[1]["error"]
    _, begin, end = (word.strip("[],.") for word in error["message"].rsplit(" ", 2))
    assert begin == "0x10"
    assert 0 < len(logs(proxy, {"fromBlock": begin, "toBlock": end})) <= 20


def test_any_node_can_be_behind_it() -> None:
    with serve(CHAIN) as url:
        proxy = FaultProxy(of_url(url), Faults())
        assert logs(proxy) == HONEST
        assert len(HONEST) == EVERY_LOG
