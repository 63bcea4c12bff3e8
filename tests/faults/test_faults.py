"""Through a node that loses, refuses and lies: the store is the chain's, or says where not."""

from __future__ import annotations

import pytest

from benchmarks.generated_chain import ChainShape, GeneratedChain, Node
from defirisk.indexing.audit.settings import AuditMode
from defirisk.indexing.run import RunSummary
from defirisk.indexing.status import read_status
from tests.faults.mixes import RECEIPTS, mix, shape
from tests.faults.naive import Difference, difference
from tests.faults.proxy import FaultProxy, Faults, of_node, proxied
from tests.faults.runs import WATCHED, Stores, done, run
from tests.faults.seeded import seeds
from tests.faults.wordings import Cap, Refusal, refusals

PATIENCE = 6
"""Runs, as of a cron job, until one comes to its end."""


def check_through_faults(seed: int, stores: Stores, faults: Faults, audit: AuditMode) -> Difference:
    """Indexes through the faults, then without; returns how the store was in between."""
    chain = GeneratedChain(shape(seed))
    tokens = chain.tokens[:WATCHED]
    store = stores.new()
    with proxied(of_node(Node(chain)), faults) as proxy:
        for _ in range(PATIENCE):
            if isinstance(run(store, chain, [proxy.url], audit=audit), RunSummary):
                break
        found = difference(store, chain, tokens)
        assert found.lost == []
        assert found.surplus == []
        check_marks(found, proxy)
        if found.to_block is not None:
            assert found.uncovered == []
            assert found.owned_up or found.unfolded == []
        proxy.become_honest()
        done(run(store, chain, [proxy.url], audit=audit))
        after = difference(store, chain, tokens)
        assert after.complete, after
        assert after.to_block == chain.tip.head
    store.close()
    return found


def check_marks(found: Difference, proxy: FaultProxy) -> None:
    """No range is marked from which nothing was ever kept back."""
    for _, first, last in found.marked:
        assert proxy.hurt.intersection(range(first, last + 1))


@seeds([3, 7, 8, 9, 23], range(300))
def test_nothing_is_lost_without_saying_so(seed: int, stores: Stores) -> None:
    check_through_faults(seed, stores, mix(seed), "bloom")


@seeds([22], range(100))
def test_losses_inside_a_block_are_seen_by_receipts(seed: int, stores: Stores) -> None:
    check_through_faults(seed, stores, mix(seed, inside=True), "receipts")


@seeds([6], range(60))
def test_what_a_sample_does_not_see_it_gives_a_chance(seed: int, stores: Stores) -> None:
    """Without headers of all blocks a loss can stay unseen, and the status says how likely."""
    chain = GeneratedChain(shape(seed))
    store = stores.new()
    with proxied(of_node(Node(chain)), mix(seed)) as proxy:
        for _ in range(PATIENCE):
            if isinstance(run(store, chain, [proxy.url], audit="sample"), RunSummary):
                break
        found = difference(store, chain, chain.tokens[:WATCHED])
        check_marks(found, proxy)
    audits = {one.audit: one for on in read_status(store).chains for one in on.audits}
    store.close()
    assert found.surplus == []
    if found.lost:
        unseen = audits["bloom"].unseen
        assert unseen is not None
        assert 0 < unseen < 1


@pytest.mark.parametrize(
    ("first", "least"),
    [(4, 3), *(pytest.param(at, 10, marks=pytest.mark.nightly) for at in range(0, 300, 10))],
)
def test_a_second_honest_endpoint_makes_it_whole(first: int, least: int, stores: Stores) -> None:
    whole = sum(_whole_with_a_second(first + at, stores) for at in range(least))
    assert whole >= 0.95 * least


def _whole_with_a_second(seed: int, stores: Stores) -> bool:
    """Whether one run ends with all there is, where at most 30 % is dropped."""
    chain = GeneratedChain(shape(seed))
    store = stores.new()
    node = Node(chain)
    with (
        proxied(of_node(node), mix(seed, most_dropped=0.3)) as proxy,
        proxied(of_node(node)) as honest,
    ):
        ended = run(store, chain, [proxy.url, honest.url], audit="bloom")
        found = difference(store, chain, chain.tokens[:WATCHED])
    store.close()
    assert found.lost == []
    return isinstance(ended, RunSummary) and found.complete


SPARSE = ChainShape(blocks=300, every=7, logs_per_block=6)
CAPS = [(refusal, cap) for refusal in reversed(refusals()) for cap in refusal.caps]


@pytest.mark.parametrize(
    ("refusal", "cap"),
    [
        pytest.param(*one, id=f"{one[0].provider}-{one[1]}", marks=[pytest.mark.nightly][: at % 12])
        for at, one in enumerate(CAPS)
    ],
)
def test_every_wording_of_a_cap_is_coped_with(refusal: Refusal, cap: Cap, stores: Stores) -> None:
    chain = GeneratedChain(SPARSE)
    by_logs = cap == "logs"
    most_logs, most_blocks = (31, 0) if by_logs else (0, 23)
    caps = Faults(refusal=refusal, max_logs=most_logs, max_blocks=most_blocks)
    needed = 300 / 7 * 6 / 31 if by_logs else 300 / 23
    store = stores.new()
    with proxied(of_node(Node(chain)), caps) as proxy:
        done(run(store, chain, [proxy.url]))
        found = difference(store, chain, chain.tokens)
    store.close()
    assert found.complete, found
    assert 0 < proxy.done["capped"] <= 12
    assert proxy.asked["eth_getLogs"] <= 4 * needed + 12


def test_what_nobody_gives_is_marked_and_had_later(stores: Stores) -> None:
    chain = GeneratedChain(ChainShape(blocks=150, every=30, logs_per_block=2))
    store = stores.new()
    with proxied(of_node(Node(chain)), Faults(empty=1.0, unknown=RECEIPTS)) as proxy:
        assert done(run(store, chain, [proxy.url], audit="bloom")).unverified
        found = difference(store, chain, chain.tokens)
        assert {block for _, block in found.owned_up} == proxy.hurt
        assert found.lost + found.uncovered == []
        assert found.surplus == []
        check_marks(found, proxy)
        proxy.become_honest()
        assert not done(run(store, chain, [proxy.url], audit="bloom")).unverified
        assert difference(store, chain, chain.tokens).complete
    store.close()


def test_without_faults_nothing_is_marked(stores: Stores) -> None:
    chain = GeneratedChain(shape(3))
    store = stores.new()
    with proxied(of_node(Node(chain))) as proxy:
        done(run(store, chain, [proxy.url]))
        found = difference(store, chain, chain.tokens[:WATCHED])
        assert found.complete, found
        assert not +proxy.done
    store.close()


def test_the_check_sees_what_no_audit_looked_for(stores: Stores) -> None:
    """Without any audit, an empty answer is a silent loss: the naive pass must tell."""
    chain = GeneratedChain(shape(3))
    store = stores.new()
    with proxied(of_node(Node(chain)), Faults(seed=3, empty=0.5)) as proxy:
        done(run(store, chain, [proxy.url], audit="none"))
        found = difference(store, chain, chain.tokens[:WATCHED])
        assert proxy.done["empty"]
        assert {block for _, block in found.lost} == proxy.hurt
        assert found.marked == []
        assert found.unfolded
    store.close()
