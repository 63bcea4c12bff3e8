"""Every provider's recorded words are read as what the caller does next."""

from __future__ import annotations

import pytest

from defirisk.chain.node_errors import (
    Asked,
    NodeUnavailable,
    Overwhelmed,
    RateLimited,
    TooManyAddresses,
    TooManyBlocks,
    TooManyLogs,
    classify,
)
from defirisk.chain.provider_errors import Wording, wordings
from defirisk.core.errors import NodeBehind, NodeError, RangeTooLarge, RetryableNodeError

FIRST, LAST = 1_000, 100_999
LOGS = Asked(host="https://node", method="eth_getLogs", blocks=(FIRST, LAST))
KINDS: dict[str, type[NodeError]] = {
    "blocks": TooManyBlocks,
    "logs": TooManyLogs,
    "range": RangeTooLarge,
    "addresses": TooManyAddresses,
    "rate": RateLimited,
    "behind": NodeBehind,
    "busy": Overwhelmed,
    "refused": NodeUnavailable,
}


def meaning(error: object, asked: Asked = LOGS) -> NodeError:
    return classify(error, asked, lambda text: text)


def test_the_table_holds_what_is_promised() -> None:
    assert len({wording.provider for wording in wordings()}) == len(wordings()) >= 25
    assert {wording.meaning for wording in wordings()} == set(KINDS)
    assert all(wording.source for wording in wordings())


@pytest.mark.parametrize("wording", wordings(), ids=lambda wording: wording.provider)
def test_a_recorded_example_is_read_as_it_is_meant(wording: Wording) -> None:
    error = meaning(wording.example)
    assert type(error) is KINDS[wording.meaning]
    message, data = str(wording.example["message"]), wording.example.get("data")
    said = f"{message} {data.get('payload', '') if isinstance(data, dict) else data or ''}"
    found = (w for w in wordings() if w.pattern.search(message) or w.pattern.search(said))
    assert next(found) is wording, "an earlier entry takes its words"
    if isinstance(error, RangeTooLarge):
        hint = None if wording.width is None else (FIRST, FIRST + wording.width - 1)
        assert error.suggested == hint
    if isinstance(error, RetryableNodeError):
        assert error.retry_after == wording.retry_after


@pytest.mark.parametrize("wording", wordings(), ids=lambda wording: wording.provider)
def test_a_hint_that_does_not_shrink_what_was_asked_for_is_none(wording: Wording) -> None:
    if wording.width is None:
        return
    asked = Asked(host="https://node", method="eth_getLogs", blocks=(7, 6 + wording.width))
    error = meaning(wording.example, asked)
    assert isinstance(error, RangeTooLarge)
    assert error.suggested is None


@pytest.mark.parametrize("wording", wordings(), ids=lambda wording: wording.provider)
def test_no_pattern_takes_forever(wording: Wording) -> None:
    for text in ("range " * 400, "0x1, " * 500, "1" * 2_000, "block range [0x" + "a" * 1_900):
        assert meaning({"code": -32000, "message": text}) is not None
        wording.pattern.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "it is raining",
        "Entschuldigung, das geht so nicht",
        "",
        "code 17",
        "no",
        "blocked by policy",
    ],
)
def test_an_unknown_text_stays_a_plain_error(text: str) -> None:
    assert type(meaning({"code": -32000, "message": text})) is NodeError


def test_words_about_ranges_mean_a_range_only_where_one_was_asked_for() -> None:
    call = Asked(host="https://node", method="eth_call")
    for wording in wordings():
        assert not isinstance(meaning(wording.example, call), RangeTooLarge | TooManyAddresses)


def test_what_a_contract_says_is_no_word_of_the_node() -> None:
    call = Asked(host="https://node", method="eth_call")
    for words in ("rate limit exceeded", "header not found", "request timed out"):
        error = meaning({"code": 3, "message": f"execution reverted: {words}"}, call)
        assert type(error).__name__ == "CallReverted"


def test_widths_are_read_with_their_units() -> None:
    says = "eth_getLogs range is too large, max is {} blocks"
    for text, width in (("1k", 1_000), ("2K", 2_000), ("1,024", 1_024), ("800", 800)):
        error = meaning({"code": -32602, "message": says.format(text)})
        assert isinstance(error, RangeTooLarge)
        assert error.suggested == (FIRST, FIRST + width - 1)
