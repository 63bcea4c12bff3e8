"""What the pools and the position manager say right now, read in batches."""

from __future__ import annotations

from dataclasses import dataclass

from eth_abi.packed import encode_packed
from eth_hash.auto import keccak

from ..abi import call_data, view_data, words
from ..chain import Chain
from ..life import Call
from .desk import Desk, Range
from .market import TICKS_PER_WORD, Pool, UniswapV3

QUOTE = "quoteExactInputSingle((address,address,uint256,uint24,uint160))"
SAMPLES = (100.0, 40_000.0, 3_000_000.0)  # dollars
WINDOW = 1800  # seconds
SIGN = 2**255


@dataclass(frozen=True)
class Ticket:
    """A token of the position manager."""

    id: int
    pool: Pool
    ticks: tuple[int, int]
    liquidity: int


def read_sqrt_prices(chain: Chain, pools: list[Pool]) -> list[int]:
    """The current square root of each pool's price."""
    answers = chain.calls([(pool.address, view_data("slot0()")) for pool in pools])
    return [words(answer or "0x")[0] for answer in answers]


def read_tickets(chain: Chain, uniswap: UniswapV3, who: str) -> list[Ticket]:
    """The tokens that an account holds, also without liquidity."""
    manager = uniswap.positions
    count = words(chain.call(manager, "balanceOf(address)", who))[0]
    view = "tokenOfOwnerByIndex(address,uint256)"
    answers = chain.calls([(manager, call_data(view, (who, place))) for place in range(count)])
    ids = [words(answer or "0x")[0] for answer in answers]
    answers = chain.calls([(manager, view_data("positions(uint256)", one)) for one in ids])
    pools = {
        (*(int(token, 16) for token in pool.tokens), pool.fee): pool
        for pool in uniswap.pools.values()
    }
    tickets = []
    for one, answer in zip(ids, answers, strict=True):
        said = words(answer or "0x")
        ticks = (signed(said[5]), signed(said[6]))
        tickets.append(Ticket(one, pools[said[2], said[3], said[4]], ticks, said[7]))
    return tickets


def read_direct(chain: Chain, desk: Desk, who: str) -> list[tuple[Pool, tuple[int, int], int]]:
    """The ranges, and their liquidity, that pools have in the account's own name."""
    own = [one for one in desk.ranges if one[1] == who]
    answers = chain.calls([position_question(desk.uniswap, one) for one in own])
    held = [
        (desk.uniswap.pools[label], (lower, upper), words(answer or "0x")[0])
        for (label, _, lower, upper), answer in zip(own, answers, strict=True)
    ]
    return [one for one in held if one[2]]


def position_question(uniswap: UniswapV3, place: Range) -> Call:
    """Liquidity and dues of a range."""
    label, owner, lower, upper = place
    packed = encode_packed(["address", "int24", "int24"], [owner, lower, upper])
    return (uniswap.pools[label].address, view_data("positions(bytes32)", keccak(packed)))


def pool_questions(chain: Chain, desk: Desk, pool: Pool) -> list[Call]:
    """Everything that a pool stores and that decides a swap or a mean price."""
    to = pool.address
    slot0 = words(chain.call(to, "slot0()"))
    views = ("slot0()", "liquidity()")
    calls = [(to, view_data(view)) for view in views]
    ticks = sorted(
        {tick for label, _, *both in desk.ranges if label == pool.label for tick in both}
    )
    word = {tick // pool.spacing // TICKS_PER_WORD for tick in ticks}
    calls += [(to, view_data("ticks(int24)", tick)) for tick in ticks]
    calls += [(to, view_data("tickBitmap(int16)", one)) for one in sorted(word)]
    calls += [(to, view_data("observations(uint256)", place)) for place in range(slot0[3])]
    calls.append((to, view_data("observe(uint32[])", (WINDOW, 0))))
    return calls + _quotes(desk, pool)


def _quotes(desk: Desk, pool: Pool) -> list[Call]:
    quoter = desk.uniswap.addresses["quoter"]
    return [
        (quoter, call_data(QUOTE, ((*tokens, desk.purse.units(symbol, dollars), pool.fee, 0),)))
        for tokens, symbol in zip((pool.tokens, pool.tokens[::-1]), pool.symbols, strict=True)
        for dollars in SAMPLES
    ]


def signed(word: int) -> int:
    """A word as a signed integer."""
    return word - 2 * SIGN if word >= SIGN else word
