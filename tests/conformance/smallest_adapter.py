"""The piggy bank: accounts save any listed token and owe nothing. The smallest adapter there is.

Source: PiggyBank.vy beside this file. A package of its own registers this module's `ADAPTER` as an
entry point of the group `defirisk.adapters`; its ABI, PiggyBank.json, lies beside the module.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from defirisk.core.adapter import (
    Contract,
    Deployment,
    Discovery,
    FeedWanted,
    Finding,
    Interface,
    Kind,
    Log,
    Proof,
    Question,
    Snapshot,
    TokenWanted,
    View,
)
from defirisk.core.evm import ZERO_ADDRESS, Address, Block
from defirisk.core.holdings import Holding, Holdings, Market, Parameters, Quote, Side
from defirisk.core.liquidation_check import LiquidationCheck
from defirisk.core.quote import Feed
from defirisk.core.row import Key, Row, State, Wide


# 1. Rows: the whole state, in the contract's own names. Every field but the key has a default.
@dataclass(frozen=True, slots=True, kw_only=True)
class Bank(Row, table="piggy_bank_banks", key=("bank",)):
    """What the bank stores about itself. `is_open` was read where a run ended."""

    bank: str
    is_open: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Row, table="piggy_bank_listings", key=("asset",)):
    """A token that may be saved, and the feed that prices it."""

    asset: str
    feed: str = ZERO_ADDRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving(Row, table="piggy_bank_savings", key=("account", "asset")):
    """What one account saved of one token, in base units."""

    account: str
    asset: str
    savings_raw: Wide = 0


NOTHING = Parameters(
    label="", ltv=Fraction(0), liquidation_threshold=Fraction(0), liquidation_bonus=Fraction(0)
)


class PiggyBank:
    """The adapter: pure, exact, and nothing in it reads or writes anything but rows."""

    name = "piggy-bank"
    kind: Kind = "lending"
    version = 1
    proof: Proof = "executed"
    source = "PiggyBank.vy of defirisk's own tests"
    required_contracts = ("bank",)
    rows: tuple[type[Row], ...] = (Bank, Listing, Saving)
    # 2. Interfaces: "package:name" is name.json in that package, a plain name one of ours.
    interfaces: Mapping[str, Interface] = {
        "bank": Interface(
            abi=f"{__package__}:PiggyBank",
            events={f"{__package__}:PiggyBank": ("Listed", "Saved")},
        )
    }

    # 3. What to watch: from the deployment's data, and from what logs reveal.
    def roots(self, deployment: Deployment) -> Iterable[Discovery]:
        """The bank."""
        bank, first_block = deployment.contracts["bank"], deployment.first_block
        yield Contract(address=bank, role="bank", first_block=first_block)

    def discover(self, deployment: Deployment, log: Log) -> Iterable[Discovery]:
        """A listed token, and its feed: whoever knows that kind of feed reads it for us."""
        if log.event == "Listed":
            yield TokenWanted(address=log.args["asset"])
            yield FeedWanted(address=log.args["feed"], first_block=deployment.first_block)

    # 4. Folding: first the keys that a log touches, then what it does to their rows.
    def touches(self, log: Log) -> Iterable[tuple[type[Row], Key]]:
        """One row per log."""
        asset = log.args["asset"]
        if log.event == "Listed":
            return [(Listing, (asset,))]
        return [(Saving, (log.args["account"], asset))]

    def fold(self, log: Log, state: State) -> None:
        """The log states what is stored now."""
        asset = log.args["asset"]
        if log.event == "Listed":
            state.put(Listing(asset=asset, feed=log.args["feed"]))
        else:
            account, savings = log.args["account"], log.args["savings"]
            state.put(Saving(account=account, asset=asset, savings_raw=savings))

    # 5. Views: only what no log says, here whether the bank is open.
    def views(self, contracts: Sequence[Contract]) -> Iterable[View]:
        """Whether each bank is open."""
        return [View(bank, "is_open") for bank in contracts]

    def discover_view(self, view: View, answer: tuple[Any, ...] | None) -> Iterable[Discovery]:
        """Answers reveal no contracts."""
        return ()

    def observe(
        self, view: View, answer: tuple[Any, ...] | None, block: Block, state: State
    ) -> None:
        """`answer` is None where the view reverted."""
        if answer is not None:
            bank = state.get(Bank, view.contract.address)
            state.put(replace(bank, is_open=answer[0]))

    # 6. What the rows mean, how the contract itself can be asked, and what must be said.
    def holdings(self, snapshot: Snapshot) -> Holdings:
        """A unit is an account, a quote is a listed token whose decimals are known."""
        name = snapshot.deployment.name
        listed = [one for one in snapshot.rows.all(Listing) if one.asset in snapshot.tokens]
        place = {one.asset: index for index, one in enumerate(listed)}
        saved = [one for one in snapshot.rows.all(Saving) if one.asset in place]
        units = sorted({one.account for one in saved})
        decimals = {asset: token.decimals for asset, token in snapshot.tokens.items()}
        return Holdings(
            units=tuple(units),
            quotes=tuple(
                Quote(
                    market=name,
                    asset=one.asset,
                    decimals=decimals[one.asset],
                    program=Feed(one.feed, _price(snapshot, one)),
                )
                for one in listed
            ),
            parameters=(NOTHING,),
            holdings=tuple(
                Holding(
                    unit=units.index(one.account),
                    quote=place[one.asset],
                    side=Side.SUPPLY,
                    amount_raw=one.savings_raw,
                    balance_raw=one.savings_raw,
                    parameters=0,
                )
                for one in sorted(saved, key=lambda one: one.account)
            ),
            markets=tuple(_market(snapshot, one, saved) for one in listed),
        )

    def liquidation_check(self, snapshot: Snapshot) -> LiquidationCheck:
        """Nobody owes anything."""
        return _never

    def questions(self, snapshot: Snapshot) -> Iterable[Question]:
        """Every saving, and the view that decides whether it is right."""
        bank = Contract(address=snapshot.deployment.contracts["bank"], role="bank", first_block=0)
        for one in snapshot.rows.all(Saving):
            yield Question(
                subject=one.account,
                unit=one.account,
                view=View(bank, "savings", (one.account, one.asset)),
                fields=("savings",),
                ours=(one.savings_raw,),
            )

    def findings(self, snapshot: Snapshot) -> Iterable[Finding]:
        """A closed bank, and tokens that cannot be counted or priced."""
        bank = snapshot.rows.find(Bank, snapshot.deployment.contracts["bank"])
        if bank is not None and not bank.is_open:
            yield Finding(code="closed", text="the bank is closed: savings cannot be withdrawn")
        for one in snapshot.rows.all(Listing):
            if one.asset not in snapshot.tokens:
                text = f"{one.asset} states no usable decimals: it is left out"
                yield Finding(code="no-decimals", text=text)
            elif _price(snapshot, one) is None:
                symbol = snapshot.tokens[one.asset].symbol
                yield Finding(code="no-price", text=f"{symbol} has no price at this block")


def _never(unit: str, prices: Mapping[int, Fraction]) -> bool:
    return False


def _price(snapshot: Snapshot, listing: Listing) -> Fraction | None:
    """US dollars per whole token; None where the feed says nothing that can be a price."""
    answer = snapshot.answers.get(listing.feed)
    if answer is None or answer.price <= 0:
        return None
    return Fraction(answer.price, 10**answer.decimals)


def _market(snapshot: Snapshot, listing: Listing, saved: Sequence[Saving]) -> Market:
    answer = snapshot.answers.get(listing.feed)
    total = sum(one.savings_raw for one in saved if one.asset == listing.asset)
    feed: Address = listing.feed
    return Market(
        market=snapshot.deployment.name,
        asset=listing.asset,
        decimals=snapshot.tokens[listing.asset].decimals,
        supplied_raw=total,
        borrowed_raw=0,
        cash_raw=total,
        deficit_raw=0,
        supply_cap=0,
        borrow_cap=0,
        supply_apr=Fraction(0),
        borrow_apr=Fraction(0),
        parameters=NOTHING,
        reserve_factor=Fraction(0),
        price=_price(snapshot, listing),
        price_source=feed,
        price_updated_ts=None if answer is None else answer.updated_at,
        price_grade="none" if answer is None else answer.grade,
    )


ADAPTER = PiggyBank()
