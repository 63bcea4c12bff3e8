"""Vaults from logs and answers, against a model of them; and what only claims to be a vault."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import pytest

from defirisk.core.adapter import Contract, Deployment, Discovery, Log, Snapshot, Token, View
from defirisk.core.claim import Claim, converted
from defirisk.core.evm import ZERO_ADDRESS, Block
from defirisk.core.quote import Market, leaves
from defirisk.protocols.wrappers.erc4626 import ADAPTER
from defirisk.protocols.wrappers.erc4626.rows import ShareBalance, TotalAssets, Totals, Vault
from tests.unit.protocols.rows_in_memory import RowsInMemory
from tests.unit.protocols.vault_model import Emitted, VaultModel

VAULT, ASSET, INNER = ("0x" + byte * 20 for byte in ("a1", "b2", "c3"))
PEOPLE = ["0x" + byte * 20 for byte in ("01", "02", "03")]
HEAD = 9


def block(number: int = HEAD) -> Block:
    return Block(number=number, hash="0x09", parent_hash="0x08", timestamp=1_700_000_000)


def contract(role: str = "vault", address: str = VAULT) -> Contract:
    return Contract(address=address, role=role, first_block=0)


def fold(state: RowsInMemory, emitted: Emitted, number: int = 5) -> None:
    for event, args in emitted:
        place = {"block_number": number, "timestamp": 0, "log_index": 0}
        ADAPTER.fold(Log(**place, contract=contract(), event=event, args=args), state)


def observe(state: RowsInMemory, model: VaultModel, number: int = HEAD, **said: Any) -> None:
    """A run ends: the vault answers as the model does, or as `said`."""
    answers = {"asset": (ASSET,), "totalAssets": (model.assets,), **said}
    for view in ADAPTER.views([contract()]):
        ADAPTER.observe(view, answers[view.function], block(number), state)
    for view in ADAPTER.views_of_rows([contract()], state):
        answer = said.get("convertToAssets", (model.convert_to_assets(view.args[0]),))
        ADAPTER.observe(view, answer, block(number), state)


def snapshot(state: RowsInMemory, number: int = HEAD, decimals: int = 18, **more: Any) -> Snapshot:
    tokens = {
        address: Token(address=address, symbol="T", name="T", decimals=places)
        for address, places in ((VAULT, decimals), (ASSET, 18), (INNER, 18))
    }
    return Snapshot(
        deployment=Deployment(name="erc4626-1", protocol="erc4626", chain_id=1),
        block=block(number),
        rows=state,
        tokens=more.pop("tokens", tokens),
        answers={},
        **more,
    )


def only_claim(snap: Snapshot) -> Claim:
    (claim,) = ADAPTER.claims(snap)
    return claim


def lived(model: VaultModel, seed: int) -> RowsInMemory:
    """A vault in which people come and go, with gifts and losses."""
    rng, state = random.Random(seed), RowsInMemory()
    for _ in range(60):
        who, to = rng.sample(PEOPLE, 2)
        held = model.balances[who]
        step = rng.choice(("deposit", "redeem", "transfer", "gift"))
        if step == "deposit":
            fold(state, model.deposit(who, rng.randint(10**9, 10**24)))
        elif step == "redeem":
            fold(state, model.redeem(who, rng.randint(0, held)))
        elif step == "transfer":
            fold(state, model.transfer(who, to, rng.randint(0, held)))
        else:
            fold(state, model.gift(rng.randint(-model.assets // 9, model.assets // 9)))
    fold(state, model.deposit(PEOPLE[0], 10**20))
    model.gift(model.assets // 7)
    observe(state, model)
    return state


@pytest.mark.parametrize("offset", [0, 3, 12, None])
@pytest.mark.parametrize("seed", range(8))
def test_what_shares_are_worth_is_what_the_vault_would_say(offset: int | None, seed: int) -> None:
    model = VaultModel(offset)
    state = lived(model, seed)
    snap = snapshot(state)

    virtual = state.get(Vault, VAULT).virtual_shares_raw
    assert virtual == (0 if offset is None else 10**offset)
    claim = only_claim(snap)
    assert (claim.supply_raw, claim.total_assets_raw) == (model.supply, model.assets)
    assert claim.rate == model.rate()
    assert claim.grade == "read"
    worth = {share.account: (share.balance_raw, share.worth) for share in ADAPTER.shares(snap)}
    assert worth == {
        who: (held, ((ASSET, model.convert_to_assets(held)),))
        for who, held in model.balances.items()
        if held
    }
    assert converted(claim, 10**20, 18, 18) == model.convert_to_assets(10**20)
    assert list(ADAPTER.findings(snap)) == []


def test_every_question_has_the_models_answer() -> None:
    model = VaultModel(3)
    snap = snapshot(lived(model, 1))
    asked = set()
    for question in ADAPTER.questions(snap):
        expected: Any
        match question.view.function, question.view.args:
            case "totalSupply", ():
                expected = model.supply
            case "totalAssets", ():
                expected = model.assets
            case "balanceOf", (who,):
                expected = model.balances[who]
            case "convertToAssets", (shares,):
                expected = model.convert_to_assets(shares)
            case _, (assets,):
                expected = model.convert_to_shares(assets)
        assert question.ours == (expected,)
        asked.add((question.view.function, question.grade))
    assert {function for function, grade in asked if grade == "compared"} == {
        "totalSupply",
        "balanceOf",
        "convertToAssets",
        "convertToShares",
    }
    assert ("totalAssets", "read") in asked


def test_a_gift_shows_once_it_is_read_and_a_trade_between_runs_tells_the_rate() -> None:
    model, state = VaultModel(), RowsInMemory()
    fold(state, model.deposit(PEOPLE[0], 10**20))
    observe(state, model)
    assert only_claim(snapshot(state)).rate == 1

    model.gift(10**20)
    later = snapshot(state, HEAD + 3)
    assert only_claim(later).rate == 1, "nobody was asked yet"
    assert [one.code for one in ADAPTER.findings(later)] == ["rate-not-of-this-block"]
    assert {q.view.function for q in ADAPTER.questions(later)} == {"totalSupply", "balanceOf"}

    fold(state, model.deposit(PEOPLE[1], 10**21), HEAD + 1)
    told = only_claim(later)
    assert told.grade == "logs"
    assert abs(told.rate / model.rate() - 1) < Fraction(1, 10**18)  # type: ignore[operator]
    assert abs(told.total_assets_raw - model.assets) < 10

    observe(state, model, HEAD + 3)
    assert only_claim(later).rate == model.rate()


def test_a_dust_deposit_tells_no_rate() -> None:
    model, state = VaultModel(), RowsInMemory()
    fold(state, model.deposit(PEOPLE[0], 10**20))
    model.gift(10**20)
    fold(state, model.deposit(PEOPLE[0], 3), HEAD + 1)

    observe(state, VaultModel(0, 10**20, model.balances), HEAD - 5)
    assert state.get(Totals, VAULT).traded_block == 5
    assert only_claim(snapshot(state, HEAD + 2)).rate == 1


def test_an_empty_vault_has_the_rate_at_which_it_would_take_deposits() -> None:
    for offset in (0, 6, None):
        model, state = VaultModel(offset), RowsInMemory()
        observe(state, model)
        assert only_claim(snapshot(state)).rate == model.rate()


def test_a_vault_that_lost_everything_is_worth_nothing_and_takes_no_deposits() -> None:
    model, state = VaultModel(None), RowsInMemory()
    fold(state, model.deposit(PEOPLE[0], 10**20))
    observe(state, VaultModel(None, 0, model.balances))

    snap = snapshot(state)
    assert only_claim(snap).rate == 0
    said = {q.view.function: q.ours for q in ADAPTER.questions(snap)}
    assert said["convertToShares"] is None


def test_another_formula_is_read_and_not_compared() -> None:
    """It takes a fee of 1 % on the way out."""
    model, state = VaultModel(), RowsInMemory()
    fold(state, model.deposit(PEOPLE[0], 10**20))
    said = model.convert_to_assets(model.supply * 10**9) * 99 // 100
    observe(state, model, convertToAssets=(said,))

    snap = snapshot(state)
    assert state.get(Vault, VAULT).virtual_shares_raw == -1
    assert only_claim(snap).rate == Fraction(99, 100)
    grades = {q.grade for q in ADAPTER.questions(snap) if q.view.function == "convertToAssets"}
    assert grades == {"read"}


def test_a_second_run_at_the_same_block_changes_nothing() -> None:
    model = VaultModel()
    state = lived(model, 3)
    before = [list(state.all(row_type)) for row_type in ADAPTER.rows]
    observe(state, model)
    assert [list(state.all(row_type)) for row_type in ADAPTER.rows] == before


def revealed(role: str, function: str, answer: tuple[Any, ...] | None) -> list[Discovery]:
    return list(ADAPTER.discover_view(View(contract(role), function), answer))


@pytest.mark.parametrize(
    ("role", "function", "answer", "becomes"),
    [
        ("candidate", "MORPHO", None, "other"),
        ("candidate", "MORPHO", (ZERO_ADDRESS,), "other"),
        ("candidate", "MORPHO", (INNER,), "lender"),
        ("lender", "withdrawQueueLength", None, "other"),
        ("lender", "withdrawQueueLength", (0,), None),
        ("other", "asset", None, None),
        ("other", "asset", (ZERO_ADDRESS,), None),
        ("other", "asset", (VAULT,), None),
        ("other", "asset", (ASSET,), "vault"),
    ],
)
def test_only_what_answers_as_a_vault_is_watched(
    role: str, function: str, answer: tuple[Any, ...] | None, becomes: str | None
) -> None:
    """One that lends by Morpho's queues is left to the adapter for these."""
    found = [one.role for one in revealed(role, function, answer) if isinstance(one, Contract)]
    assert found == ([becomes] if becomes else [])


def hostile(asset: str = ASSET, total: int = 10**18, supply: int = 10**18) -> RowsInMemory:
    """A vault that says what it likes."""
    state = RowsInMemory()
    fold(state, [("Transfer", {"from": ZERO_ADDRESS, "to": PEOPLE[0], "value": supply})])
    observe(state, VaultModel(0, total, {PEOPLE[0]: supply}), asset=(asset,))
    return state


def codes(snap: Snapshot) -> list[str]:
    assert (list(ADAPTER.claims(snap)), list(ADAPTER.shares(snap))) == ([], [])
    list(ADAPTER.questions(snap))
    return [finding.code for finding in ADAPTER.findings(snap)]


def test_a_vault_of_itself_or_of_what_is_made_of_it_is_refused() -> None:
    assert codes(snapshot(hostile(asset=VAULT))) == ["vault-loop"]
    back = Claim(token=INNER, kind="vault", program=Market(VAULT, None), underlying=VAULT)
    assert codes(snapshot(hostile(asset=INNER), claims={INNER: back})) == ["vault-loop"]
    innocent = Claim(token=INNER, kind="vault", program=Market(ASSET, None), underlying=ASSET)
    claim = only_claim(snapshot(hostile(asset=INNER), claims={INNER: innocent}))
    assert [one for one in leaves(claim.program) if isinstance(one, Market)] == [
        Market(INNER, None)
    ]


def test_a_rate_that_breaks_floats_is_refused_alone_and_in_a_chain() -> None:
    assert codes(snapshot(hostile(total=2**256 - 1, supply=1))) == ["absurd-rate"]
    assert codes(snapshot(hostile(total=10**40), decimals=77)) == ["absurd-rate"]
    steep = hostile(total=10**38)
    assert only_claim(snapshot(steep)).rate is not None
    inner = Claim(
        token=ASSET,
        kind="vault",
        program=Market(INNER, None),
        underlying=INNER,
        rate=Fraction(10**11),
    )
    assert codes(snapshot(steep, claims={ASSET: inner})) == ["absurd-rate"]


def test_a_vault_that_says_nothing_of_use_is_refused() -> None:
    state = hostile()
    observe(state, VaultModel(), totalAssets=None, convertToAssets=None)
    assert codes(snapshot(state)) == ["no-rate"]
    silent = {ASSET: Token(address=ASSET, symbol="A", name="A", decimals=18)}
    assert codes(snapshot(hostile(), tokens=silent)) == ["no-decimals"]


def test_transfers_that_do_not_add_up_stay_within_256_bits() -> None:
    state = RowsInMemory()
    for _ in range(3):
        fold(state, [("Transfer", {"from": ZERO_ADDRESS, "to": PEOPLE[0], "value": 2**256 - 1})])
        fold(state, [("Transfer", {"from": PEOPLE[1], "to": PEOPLE[2], "value": 2**255})])
    assert all(0 <= held.balance_raw < 2**256 for held in state.all(ShareBalance))
    observe(state, VaultModel())
    assert state.get(TotalAssets, VAULT).answered
    list(ADAPTER.questions(snapshot(state)))
