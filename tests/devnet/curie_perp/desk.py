"""Calls of Perp Curie, and the views that tell what an account has."""

from __future__ import annotations

from dataclasses import dataclass

from ..abi import MAX_UINT256, view_data
from ..chain import Chain, Tx
from ..life import Call
from ..purse import Plan, Purse
from .market import SETTLEMENT, WAD, Curie, ints

ADD = "addLiquidity((address,uint256,uint256,int24,int24,uint256,uint256,bool,uint256))"
REMOVE = "removeLiquidity((address,int24,int24,uint128,uint256,uint256,uint256))"
OPEN = "openPosition((address,bool,bool,uint256,uint256,uint256,uint160,bytes32))"
CLOSE = "closePosition((address,uint160,uint256,uint256,bytes32))"
FREE = "getFreeCollateralByToken(address,address)"
SIZE = "getTakerPositionSize(address,address)"
NOTHING = b"\0" * 32

Range = tuple[str, str, int, int]
"""Maker, symbol of the market, and the ticks."""


@dataclass(frozen=True)
class Desk:
    """Writes transactions; `ranges` are all that ever had liquidity, in this order."""

    curie: Curie
    purse: Purse
    ranges: dict[Range, None]

    def deposit(self, who: str, dollars: float, symbol: str = SETTLEMENT) -> Plan:
        """Get tokens and bring them to the vault."""
        vault, amount = self.curie["vault"], self.purse.units(symbol, dollars)
        order = (self.purse.token(symbol), amount)
        return [
            *self.purse.fund(who, symbol, amount, vault),
            Tx(who, vault, "deposit(address,uint256)", order),
        ]

    def withdraw(self, who: str, amount: int, symbol: str = SETTLEMENT) -> Tx:
        """Take tokens out of the vault."""
        order = (self.purse.token(symbol), amount)
        return Tx(who, self.curie["vault"], "withdraw(address,uint256)", order)

    def trade(self, who: str, symbol: str, dollars: float, *, long: bool, limit: int = 0) -> Tx:
        """Go long or short by so many dollars."""
        amount = int(dollars * WAD)
        token = self.curie.bases[symbol].token
        order = (token, not long, long, amount, 0, MAX_UINT256, limit, NOTHING)
        return Tx(who, self.curie["clearing_house"], OPEN, (order,))

    def close(self, who: str, symbol: str) -> Tx:
        """Close a position, or as much of it as the price limit of a block allows."""
        order = (self.curie.bases[symbol].token, 0, 0, MAX_UINT256, NOTHING)
        return Tx(who, self.curie["clearing_house"], CLOSE, (order,))

    def provide(self, who: str, symbol: str, ticks: tuple[int, int], base: int, quote: int) -> Tx:
        """Add liquidity of at most so much of both tokens, which are minted for it."""
        self.ranges[who, symbol, *ticks] = None
        token = self.curie.bases[symbol].token
        order = (token, base, quote, *ticks, 0, 0, False, MAX_UINT256)
        return Tx(who, self.curie["clearing_house"], ADD, (order,))

    def remove(self, who: str, symbol: str, ticks: tuple[int, int], liquidity: int) -> Tx:
        """Take liquidity back; none of it collects the fees."""
        order = (self.curie.bases[symbol].token, *ticks, liquidity, 0, 0, MAX_UINT256)
        return Tx(who, self.curie["clearing_house"], REMOVE, (order,))

    def liquidate(self, keeper: str, who: str, symbol: str, size: int = 0) -> Tx:
        """Take over as much of a position as is allowed, or less."""
        order = (who, self.curie.bases[symbol].token, size)
        signature = "liquidate(address,address,int256)"
        return Tx(keeper, self.curie["clearing_house"], signature, order)

    def cancel(self, keeper: str, who: str, symbol: str) -> Tx:
        """Remove all orders of somebody who cannot afford them."""
        order = (who, self.curie.bases[symbol].token)
        signature = "cancelAllExcessOrders(address,address)"
        return Tx(keeper, self.curie["clearing_house"], signature, order)

    def size_question(self, who: str, symbol: str) -> Call:
        """What an account holds as a taker."""
        return self.curie["account_balance"], view_data(SIZE, who, self.curie.bases[symbol].token)

    def order_question(self, one: Range) -> Call:
        """An open order."""
        who, symbol, lower, upper = one
        view = "getOpenOrder(address,address,int24,int24)"
        token = self.curie.bases[symbol].token
        return self.curie["order_book"], view_data(view, who, token, lower, upper)


def read_sizes(chain: Chain, desk: Desk, who: str) -> dict[str, int]:
    """The account's positions as a taker, those that are not 0."""
    symbols = list(desk.curie.bases)
    answers = ints(chain.calls([desk.size_question(who, symbol) for symbol in symbols]))
    return {symbol: said[0] for symbol, said in zip(symbols, answers, strict=True) if said[0]}


def read_orders(chain: Chain, desk: Desk, who: str) -> dict[Range, int]:
    """The liquidity of the account's open orders."""
    own = [one for one in desk.ranges if one[0] == who]
    answers = ints(chain.calls([desk.order_question(one) for one in own]))
    return {one: said[0] for one, said in zip(own, answers, strict=True) if said[0]}


def read_free(chain: Chain, desk: Desk, who: str, symbol: str = SETTLEMENT) -> int:
    """How much of a token the account may withdraw, in its base units."""
    call = (desk.curie["vault"], view_data(FREE, who, desk.purse.token(symbol)))
    (said,) = ints(chain.calls([call]))
    return said[0] if said else 0


def read_distress(chain: Chain, desk: Desk, who: list[str]) -> list[tuple[str, int, int]]:
    """Accounts with what they are worth and what liquidation asks for, both 1e18; of those only
    that are worth less.
    """
    house, balance = desk.curie["clearing_house"], desk.curie["account_balance"]
    need = "getMarginRequirementForLiquidation(address)"
    values = ints(chain.calls([(house, view_data("getAccountValue(address)", one)) for one in who]))
    needs = ints(chain.calls([(balance, view_data(need, one)) for one in who]))
    every = zip(who, values, needs, strict=True)
    return [(one, v[0], n[0]) for one, v, n in every if v and n and v[0] < n[0]]


def read_price(chain: Chain, desk: Desk, symbol: str) -> tuple[int, int, int]:
    """The pool's square-root price and tick, and the index price (1e18)."""
    base = desk.curie.bases[symbol]
    slot, index = ints(
        chain.calls(
            [
                (base.pool, view_data("slot0()")),
                (base.token, view_data("getIndexPrice(uint256)", 0)),
            ]
        )
    )
    return slot[0], slot[1], index[0]
