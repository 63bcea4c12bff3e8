"""Quotes are what the oracles say: at every recorded moment, in integers and in floats.

The referees are the markets' own oracles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

from defirisk.core.adapter import Snapshot
from defirisk.core.evm import Address
from defirisk.core.quote import Program, exact, rate_value
from defirisk.core.sources import Link, Sources, chain_of_sources
from defirisk.protocols.lending.aave_v3 import market_now as aave
from defirisk.protocols.lending.compound_v2 import market_now as compound
from defirisk.protocols.lending.morpho_blue.market_now import markets_now
from tests.devnet.abi import view_data
from tests.onchain.oracle_chain import KINDS, Oracled, in_floats, lived

pytestmark = pytest.mark.onchain

RELATIVE = 1e-12


@pytest.fixture(scope="module")
def oracled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracled]:
    with lived(tmp_path_factory.mktemp("oracles")) as found:
        yield found


@dataclass(frozen=True)
class Price:
    """What we say that an oracle answers to a question, and what stands behind it."""

    oracle: Address
    question: str
    ours: int | None
    behind: Link

    def is_settled(self, at: Snapshot) -> bool:
        """Whether logs alone decide it: what a vault holds is in none."""
        claims = [at.claims.get(link.address) for link in self.behind.all()]
        return all(claim is None or claim.kind != "vault" for claim in claims)


def prices(at: Snapshot) -> Iterator[Price]:
    """Every price of a market."""
    known = Sources(answers=dict(at.answers), venues=dict(at.venues), claims=dict(at.claims))
    match at.deployment.protocol:
        case "aave-v3":
            market = aave.market_now(at)
            for asset, price in market.prices.items():
                question = view_data("getAssetPrice(address)", asset)
                behind = chain_of_sources(known, price.source)
                yield Price(market.oracle, question, price.price, behind)
        case "compound-v2":
            found = compound.market_now(at)
            for c_token, now in found.tokens.items():
                question = view_data("getUnderlyingPrice(address)", c_token)
                behind = chain_of_sources(known, now.price.source)
                yield Price(found.comptroller.price_oracle, question, now.price.mantissa, behind)
        case "morpho-blue":
            for one in markets_now(at):
                made_of = (*one.price.base.made_of, *one.price.quote.made_of)
                behind = chain_of_sources(known, one.price.oracle, made_of)
                yield Price(one.price.oracle, view_data("price()"), one.price.price, behind)


def test_every_kind_of_source_is_known_for_what_it_is(oracled: Oracled) -> None:
    known = oracled.sources().answers

    assert {label: known[oracled.source(label)].kind for label in KINDS} == KINDS
    assert all(answer.made_of for answer in known.values() if answer.kind != "hard-coded")


def test_every_quote_is_what_the_market_s_own_oracle_says_all_along(oracled: Oracled) -> None:
    """In integers, at the head and two dozen earlier blocks; what is in no log only at the head."""
    with oracled.store.engine.connect() as connection:
        query = "SELECT DISTINCT block_number FROM raw_logs ORDER BY 1"
        numbers = [row[0] for row in connection.exec_driver_sql(query)]
    chosen = [*numbers[len(numbers) // 4 :: max(1, len(numbers) // 32)], None]
    compared = unknown = 0
    for number in chosen:
        for _, at in oracled.markets(number):
            asked = list(prices(at))
            said = oracled.asked([(one.oracle, one.question) for one in asked], at.block.number)
            for one, theirs in zip(asked, said, strict=True):
                if number is None or (one.ours is not None and one.is_settled(at)):
                    assert (one.ours or 0) == (theirs or 0), f"{one} at {at.block.number}"
                    compared += 1
                elif one.ours is not None:
                    assert one.ours == pytest.approx(theirs, rel=0.05), "as of the last deposit"
                    unknown += 1
                else:
                    unknown += bool(theirs)

    assert len(chosen) >= 24
    assert compared >= 24 * 30
    # The mean that is written without a log, what only a view says, vaults: one in six at most.
    assert unknown < compared / 5


def test_every_program_is_the_oracle_s_price_in_floats(oracled: Oracled) -> None:
    seen = 0
    for its, at in oracled.markets():
        quotes = its.holdings(at).quotes
        assert all(exact(quote.program) is not None for quote in quotes)
        for quote in quotes:
            ours = exact(quote.program)
            assert ours is not None
            assert in_floats(quote.program) == pytest.approx(float(ours), rel=RELATIVE)
        for expected, program in in_whole(at, [quote.program for quote in quotes]):
            assert in_floats(program) / float(rate_value(program)) == pytest.approx(
                float(expected), rel=RELATIVE
            )
            seen += 1
    assert seen >= 24


def in_whole(at: Snapshot, programs: list[Program]) -> Iterator[tuple[Fraction, Program]]:
    """The prices of whole tokens that the contract's integers mean, with their programs."""
    match at.deployment.protocol:
        case "aave-v3":
            market = aave.market_now(at)
            for place, price in enumerate(market.prices.values()):
                assert price.price is not None
                worth = Fraction(price.price, market.base_currency_unit)
                yield from ((worth, programs[2 * place + side]) for side in (0, 1))
        case "compound-v2":
            for place, now in enumerate(compound.market_now(at).tokens.values()):
                assert now.price.mantissa is not None
                assert now.decimals is not None
                worth = Fraction(now.price.mantissa, 10 ** (36 - now.decimals))
                yield from ((worth, programs[2 * place + side]) for side in (0, 1))


def test_morpho_compares_as_its_oracles_do(oracled: Oracled) -> None:
    """The ratio of the two quotes of a market, in floats, is the oracle's integer."""
    (at,) = [at for _, at in oracled.markets() if at.deployment.protocol == "morpho-blue"]
    markets = markets_now(at)
    assert len(markets) >= 20
    for now in markets:
        collateral, loan = (
            np.prod([in_floats(part) for part in side])
            for side in (now.worth.collateral, now.worth.loan)
        )
        assert now.price.price is not None
        assert now.collateral_decimals is not None
        assert now.loan_decimals is not None
        whole = now.price.price * Fraction(10) ** (now.collateral_decimals - now.loan_decimals - 36)
        assert collateral / loan == pytest.approx(float(whole), rel=RELATIVE)
