"""An RPC URL never shows."""

from __future__ import annotations

import logging
import traceback

import pytest

from defirisk.chain.answers import Request
from defirisk.chain.endpoint import Endpoint, redact
from defirisk.chain.rpc import RpcChainReader
from defirisk.chain.transport import JsonRpcTransport
from defirisk.core.errors import NodeError, UsageError
from tests.unit.chain.fake_node import FAST, FakeNode, Fault, body, run, status

SECRET_URL = "https://alice:hunter2@node.example:8443/v3/SECRETKEY12345?token=TOPSECRET#fragment1"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (SECRET_URL, "https://node.example:8443"),
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("http://[::1]:8545/key", "http://[::1]:8545"),
        ("https://node.example", "https://node.example"),
        ("node.example/SECRETKEY", "<invalid URL>"),
        ("http://node:notaport/SECRETKEY", "<invalid URL>"),
    ],
)
def test_redact_keeps_scheme_and_host_only(url: str, shown: str) -> None:
    assert redact(url) == shown


@pytest.mark.parametrize("url", ["", "ws://node/SECRETKEY", "SECRETKEY", "http:///SECRETKEY"])
def test_a_wrong_url_is_a_usage_error_without_the_url(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        JsonRpcTransport(url)
    assert "SECRETKEY" not in str(caught.value)


def test_reprs_show_the_host_only() -> None:
    async def scenario() -> str:
        return repr(
            [Endpoint(SECRET_URL), JsonRpcTransport(SECRET_URL), RpcChainReader(SECRET_URL)]
        )

    shown = run(scenario())
    assert shown.count("https://node.example:8443") == 3
    assert not any(word in shown for word in ("SECRET", "hunter2", "alice"))


def test_scrub_cuts_urls_and_keys_out_of_foreign_text() -> None:
    endpoint = Endpoint(SECRET_URL)
    text = endpoint.scrub(f"no\0 key\nSECRETKEY12345 for hunter2, see {SECRET_URL} " + "x" * 500)
    assert "SECRET" not in text
    assert "hunter2" not in text
    assert "\n" not in text
    assert "\0" not in text
    assert len(text) == 200


@pytest.mark.parametrize(
    "fault",
    [
        status(401),
        status(301, Location="http://127.0.0.1:1/v3/SECRETKEY12345"),
        status(500),
        body('{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"bad /v3/SECRETKEY12345"}}'),
        None,
    ],
)
def test_no_failure_shows_the_key(fault: Fault | None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def scenario() -> NodeError:
        async with FakeNode() as node:
            url = node.url if fault is not None else "http://127.0.0.1:1/v3/SECRETKEY12345"
            node.faults.extend([fault] * 20)
            transport = JsonRpcTransport(url, FAST)
            try:
                await transport.request("eth_chainId")
            except NodeError as error:
                return error
            finally:
                await transport.aclose()
        raise AssertionError("no error")

    error = run(scenario())
    everything = "".join(traceback.format_exception(error)) + caplog.text
    seen: BaseException | None = error
    while seen is not None:
        everything += repr(seen) + str(seen)
        seen = seen.__cause__ or seen.__context__
    assert "eth_chainId" in str(error)
    assert "127.0.0.1" in str(error)
    assert "SECRETKEY" not in everything


def test_errors_of_a_batch_do_not_show_the_key() -> None:
    async def scenario() -> list[object]:
        transport = JsonRpcTransport("http://127.0.0.1:1/v3/SECRETKEY12345", FAST)
        try:
            return await transport.batch([Request("eth_chainId"), Request("eth_blockNumber")])
        finally:
            await transport.aclose()

    answers = run(scenario())
    assert all(isinstance(answer, NodeError) for answer in answers)
    assert "SECRETKEY" not in repr(answers)
