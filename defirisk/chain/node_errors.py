"""What a node's refusal means, split by what the caller does next.

Providers answer the same condition with different codes and words. Those that were recorded are in
`provider_errors.toml`; the families of words below catch their likes. An unknown text is a plain
NodeError: `ranges` then asks for less.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from defirisk.chain.provider_errors import OF_RANGES, Meaning, wordings
from defirisk.core.errors import NodeBehind, NodeError, RangeTooLarge, RetryableNodeError


class Overwhelmed(RetryableNodeError):
    """A time-out, a 5xx or a broken answer: asking for less may help as much as waiting."""


class RateLimited(RetryableNodeError):
    """The node was asked too often: ask it slower."""


class TooManyBlocks(RangeTooLarge):
    """The range is wider than the node reads at all, however few logs it holds."""


class TooManyLogs(RangeTooLarge):
    """The range holds more logs than the node gives in one answer, however few blocks it spans."""


class TooManyAddresses(NodeError):
    """The filter names more contracts than the node bears: ask for fewer at once."""


class NodeUnavailable(NodeError):
    """Asking for less will not help: a wrong key, an unknown method, no connection, no quota."""


class CallReverted(NodeError):
    """The EVM ran the view and it failed. `data` is the revert data, empty where none is given."""

    def __init__(self, message: str, *, data: bytes = b"") -> None:
        super().__init__(message)
        self.data = data


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked of whom, as far as an error message and its reading depend on it."""

    host: str
    method: str
    blocks: tuple[int, int] | None = None

    def says(self, text: str) -> str:
        """One line that names the node and the method."""
        return f"{self.host} {self.method}: {text}"


_READ_CHARACTERS = 2_000
_ABOUT_BLOCKS = re.compile(r"\b(blocks?|range|results?|logs)\b", re.I)
_RATE_LIMIT = re.compile(
    r"rate.?limit|too many requests|request rate|requests per second|compute units|"
    r"throughput|request count|capacity exceeded|credits|quota",
    re.I,
)
_BUSY = re.compile(
    r"time.?out|timed out|deadline exceeded|temporar|try again|overload|unavailable|"
    r"no backend|currently healthy|^internal (server )?error$|connection (reset|refused)",
    re.I,
)
_BEHIND = re.compile(
    r"BlockOutOfRange|(header|block|hash)( #?\w+)? not found|unknown block|missing trie node|"
    r"header for hash not found|cannot be found|prun(ed|ing)|historical state|"
    r"state .*not available|resource not found|beyond (current )?head|"
    r"after last accepted block|unfinalized data|proof window",
    re.I,
)
_REVERTED = re.compile(
    r"revert|out of gas|OutOfGas|gas (limit|required) exceed|invalid (opcode|jump)|bad instruction|"
    r"stack (under|over)flow|VM execution error|EVM error",
    re.I,
)
_NUMBER = r"(?P<width>\d[\d,._]* ?k?)"
# First the sentences that say how much is allowed, then those that only say "too much".
_RANGE_FAMILIES = tuple(
    re.compile(wording, re.I)
    for wording in (
        rf"(?:limited to|up to|at most)(?: an?)? {_NUMBER} ?-?blocks?",
        rf"limited to (?:an?|0 -) {_NUMBER}",
        rf"(?:maximum is set to|maxAllowedRange\W{{1,3}}) ?{_NUMBER}",
        rf"(?:max(?:imum)?(?: allowed)?(?: block)? range(?: is)?|max is)\W{{0,3}}{_NUMBER}",
        rf"\(maximum {_NUMBER}\)",
        rf"number of requested blocks is {_NUMBER}",
        rf"range (?:exceeds|greater than)(?: limit(?: of)?)? {_NUMBER}",
        r"exceeds? max(imum)? (results|block)",
        r"too many (results|logs|blocks)",
        r"block range\b.*\b(too (wide|large|big)|exceed|limit)",
        r"range (is )?too (wide|large|big|high)",
        r"(response|result) (size )?(is )?(too large|too big|exceed|should not)",
        r"size (limit )?exceeded",
    )
)


def classify(error: object, asked: Asked, scrub: Callable[[str], str]) -> NodeError:
    """The typed error for a JSON-RPC error object. Its text is shown only through `scrub`."""
    fields = error if isinstance(error, Mapping) else {}
    code, data = fields.get("code"), fields.get("data")
    # What a node writes is unbounded, and every pattern below runs over it.
    message = str(fields.get("message", error))[:_READ_CHARACTERS]
    text = asked.says(scrub(message) or f"error {code} without a message")
    # Before all else, because what a contract says when it reverts is anybody's words.
    if asked.method == "eth_call" and (code == 3 or message.startswith("execution reverted")):
        return CallReverted(text, data=_revert_data(data))
    known = _known(message, data, asked)
    if known is not None:
        meaning, match = known
        return _meant(meaning, text, _suggested(match, asked), _wished_delay(data))
    return _guessed(code, message, text, asked, data)


def _known(message: str, data: object, asked: Asked) -> tuple[Meaning, re.Match[str]] | None:
    """The recorded wording that this is, and where it says so."""
    said = message if (more := _words_of(data)) is None else f"{message} {more}"
    for wording in wordings():
        if wording.meaning in OF_RANGES and asked.blocks is None:
            continue
        match = wording.pattern.search(message) or wording.pattern.search(said)
        if match is not None:
            return wording.meaning, match
    return None


def _meant(
    meaning: Meaning, text: str, suggested: tuple[int, int] | None, wished: float | None
) -> NodeError:
    """The error of a meaning."""
    if meaning == "logs":
        return TooManyLogs(text, suggested=suggested)
    if meaning == "blocks":
        return TooManyBlocks(text, suggested=suggested)
    if meaning == "range":
        return RangeTooLarge(text, suggested=suggested)
    if meaning == "rate":
        return RateLimited(text, retry_after=wished)
    if meaning == "busy":
        return Overwhelmed(text)
    kinds = {"addresses": TooManyAddresses, "behind": NodeBehind}
    return kinds.get(meaning, NodeUnavailable)(text)


def _guessed(code: object, message: str, text: str, asked: Asked, data: object) -> NodeError:
    """What a wording that nobody recorded means, by its code and by words that are common."""
    if asked.blocks is not None and _is_range_error(message):
        return RangeTooLarge(text, suggested=suggested_range(message, asked.blocks))
    if code in (429, -32029) or _RATE_LIMIT.search(message):
        return RateLimited(text, retry_after=_wished_delay(data))
    if code == -32005:
        # "Limit exceeded" of EIP-1474: of requests or of results, in words not known here.
        return Overwhelmed(text, retry_after=_wished_delay(data))
    if asked.method == "eth_call" and (code == -32015 or _REVERTED.search(message)):
        return CallReverted(text, data=_revert_data(data))
    if _BEHIND.search(message):
        return NodeBehind(text)
    if code == -32601:
        return NodeUnavailable(f"{text}: use a node that serves {asked.method}")
    if _BUSY.search(message):
        return Overwhelmed(text)
    return NodeError(text)


def _is_range_error(message: str) -> bool:
    if _RATE_LIMIT.search(message) and not _ABOUT_BLOCKS.search(message):
        return False
    return any(wording.search(message) for wording in _RANGE_FAMILIES)


def _words_of(data: object) -> str | None:
    """The sentence that some providers put into the error's data."""
    if isinstance(data, Mapping):
        data = next((data[key] for key in ("payload", "message", "details") if key in data), None)
    if not isinstance(data, str) or data.startswith("0x"):
        return None
    return data[:_READ_CHARACTERS]


def classify_status(status: int, asked: Asked, retry_after: float | None) -> NodeError | None:
    """The typed error for an HTTP status whose body says nothing; None where the status is fine."""
    if status < 300:
        return None
    text = asked.says(f"HTTP {status}")
    if status == 413 and asked.blocks is not None:
        return RangeTooLarge(text)
    if status == 429:
        return RateLimited(text, retry_after=retry_after)
    if status in (408, 425) or status >= 500:
        return Overwhelmed(text, retry_after=retry_after)
    if status in (401, 402, 403):
        return NodeUnavailable(f"{text}: the node refuses the key, check --rpc-url or ETH_RPC_URL")
    if status < 400 or status == 404:
        return NodeUnavailable(f"{text}: there is no RPC at this URL, check --rpc-url")
    return NodeError(text)


def suggested_range(message: str, asked: tuple[int, int]) -> tuple[int, int] | None:
    """The range that a message proposes in words nobody recorded; None as for `_shrunk`."""
    widths = (_width(wording.search(message)) for wording in _RANGE_FAMILIES)
    return _shrunk(next((width for width in widths if width > 0), 0), asked)


def _suggested(match: re.Match[str], asked: Asked) -> tuple[int, int] | None:
    return None if asked.blocks is None else _shrunk(_width(match), asked.blocks)


def _shrunk(width: int, asked: tuple[int, int]) -> tuple[int, int] | None:
    """A proposed width as a range that starts where the asked one does.

    None where nothing smaller is proposed: some nodes suggest the very range that they refuse
    (reth issue 23810), and following them would never end.
    """
    first, last = asked
    return (first, first + width - 1) if 1 <= width < last - first + 1 else None


def _width(match: re.Match[str] | None) -> int:
    """How many blocks a matched wording allows, 0 where it does not say."""
    groups = match.groupdict() if match is not None else {}
    if groups.get("first") is not None:
        return int(groups["last"], 16) - int(groups["first"], 16) + 1
    if groups.get("first_decimal") is not None:
        return int(groups["last_decimal"]) - int(groups["first_decimal"]) + 1
    stated = groups.get("width") or ""
    return int(re.sub(r"\D", "", stated) or 0) * (1000 if "k" in stated.lower() else 1)


def _wished_delay(data: object) -> float | None:
    """Infura states its wish in the error object: data.rate.backoff_seconds."""
    rate = data.get("rate") if isinstance(data, Mapping) else None
    seconds = rate.get("backoff_seconds") if isinstance(rate, Mapping) else None
    return float(seconds) if isinstance(seconds, int | float) else None


def _revert_data(data: object) -> bytes:
    """The revert data, which nodes give as hex, as "Reverted 0x…" or inside an object."""
    if isinstance(data, Mapping):
        data = data.get("data", data.get("result"))
    found = re.search(r"0x([0-9a-fA-F]*)", data) if isinstance(data, str) else None
    digits = found[1] if found is not None else ""
    return bytes.fromhex(digits[: len(digits) // 2 * 2])
