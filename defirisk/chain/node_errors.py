"""What a node's refusal means, split by what the caller does next.

Providers answer the same condition with different codes and words; the words below are those seen
in the field. An unknown text is a plain NodeError: `ranges` then asks for less.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from defirisk.core.errors import NodeBehind, NodeError, RangeTooLarge, RetryableNodeError


class Overwhelmed(RetryableNodeError):
    """A time-out, a 5xx or a broken answer: asking for less may help as much as waiting."""


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
_NUMBER = r"(?P<width>\d[\d,._]*)\s*(?P<k>k\b)?"
# First the sentences that say how much is allowed, then those that only say "too much".
_RANGE_WORDINGS = tuple(
    re.compile(wording, re.I)
    for wording in (
        # Alchemy "this block range should work: [0x.., 0x..]", Infura "Try with this block range"
        r"\[\s*0x(?P<first>[0-9a-f]+)\s*,\s*0x(?P<last>[0-9a-f]+)\s*\]",
        # reth "query exceeds max results 20000, retry with the range 3600741-3620740"
        r"range (?P<first_decimal>\d+)\s*-\s*(?P<last_decimal>\d+)",
        # QuickNode, 1RPC, BlockPI "limited to a 10,000 range"; Alchemy, Aurora "up to a 2K block"
        rf"(?:limited to|up to|at most)(?: an?)? {_NUMBER} ?-?blocks?",
        rf"limited to (?:an?|0 -) {_NUMBER}",
        # Avalanche, Cloudflare, Merkle, Moonbeam, PublicNode, thirdweb, Hyperliquid
        rf"(?:maximum is set to|maxAllowedRange\W{{1,3}}) ?{_NUMBER}",
        rf"(?:max(?:imum)?(?: allowed)?(?: block)? range(?: is)?|max is)\W{{0,3}}{_NUMBER}",
        rf"\(maximum {_NUMBER}\)",
        rf"number of requested blocks is {_NUMBER}",
        rf"blocks distance: {_NUMBER}",
        # Somnia, Swell, Blast, Harmony
        rf"range (?:exceeds|greater than)(?: limit(?: of)?)? {_NUMBER}",
        rf"allowed for your plan \(\d+ > {_NUMBER}\)",
        rf"smaller than size {_NUMBER}",
        # geth, Erigon, Polygon zkEVM, LlamaRPC, Ankr, Arbitrum, Infura
        r"returned more than [\d,]+ (results|logs)",
        r"exceeds? max(imum)? (results|block)",
        r"logs matched .*exceeds",
        r"too many (results|logs|blocks)",
        # Ankr, Chainstack, Optimism, Base, NodeReal
        r"block range\b.*\b(too (wide|large|big)|exceed|limit)",
        r"range (is )?too (wide|large|big)",
        r"(response|result) (size )?(is )?(too large|too big|exceed|should not)",
        r"size (limit )?exceeded",
        # BSC nodes say no more than this to an over-wide eth_getLogs
        r"^limit exceeded$",
    )
)


def classify(error: object, asked: Asked, scrub: Callable[[str], str]) -> NodeError:
    """The typed error for a JSON-RPC error object. Its text is shown only through `scrub`."""
    fields = error if isinstance(error, Mapping) else {}
    code = fields.get("code")
    # What a node writes is unbounded, and every pattern below runs over it.
    message = str(fields.get("message", error))[:_READ_CHARACTERS]
    text = asked.says(scrub(message) or f"error {code} without a message")
    if asked.blocks is not None and _is_range_error(message):
        return RangeTooLarge(text, suggested=suggested_range(message, asked.blocks))
    if code in (429, -32029) or _RATE_LIMIT.search(message):
        return RetryableNodeError(text, retry_after=_wished_delay(fields.get("data")))
    if code == -32005:
        # "Limit exceeded" of EIP-1474: of requests or of results, in words not known here.
        return Overwhelmed(text, retry_after=_wished_delay(fields.get("data")))
    if asked.method == "eth_call" and (code in (3, -32015) or _REVERTED.search(message)):
        return CallReverted(text, data=_revert_data(fields.get("data")))
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
    return any(wording.search(message) for wording in _RANGE_WORDINGS)


def classify_status(status: int, asked: Asked, retry_after: float | None) -> NodeError | None:
    """The typed error for an HTTP status whose body says nothing; None where the status is fine."""
    if status < 300:
        return None
    text = asked.says(f"HTTP {status}")
    if status == 413 and asked.blocks is not None:
        return RangeTooLarge(text)
    if status == 429:
        return RetryableNodeError(text, retry_after=retry_after)
    if status in (408, 425) or status >= 500:
        return Overwhelmed(text, retry_after=retry_after)
    if status in (401, 402, 403):
        return NodeUnavailable(f"{text}: the node refuses the key, check --rpc-url or ETH_RPC_URL")
    if status < 400 or status == 404:
        return NodeUnavailable(f"{text}: there is no RPC at this URL, check --rpc-url")
    return NodeError(text)


def suggested_range(message: str, asked: tuple[int, int]) -> tuple[int, int] | None:
    """The range that a provider's message proposes, moved to where the asked one starts.

    None where the message proposes nothing or nothing smaller: some nodes suggest the very range
    that they refuse, and following them would never end.
    """
    widths = (_width(wording.search(message)) for wording in _RANGE_WORDINGS)
    width = next((width for width in widths if width > 0), 0)
    first, last = asked
    return (first, first + width - 1) if 1 <= width < last - first + 1 else None


def _width(match: re.Match[str] | None) -> int:
    """How many blocks a matched wording allows, 0 where it does not say."""
    groups = match.groupdict() if match is not None else {}
    if groups.get("first") is not None:
        return int(groups["last"], 16) - int(groups["first"], 16) + 1
    if groups.get("first_decimal") is not None:
        return int(groups["last_decimal"]) - int(groups["first_decimal"]) + 1
    digits = re.sub(r"\D", "", groups.get("width") or "")
    return int(digits or 0) * (1000 if groups.get("k") else 1)


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
