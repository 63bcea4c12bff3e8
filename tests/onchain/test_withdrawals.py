"""What a share is said to be worth, against what the pool gives for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_abi.abi import decode

from defirisk.core.claim import Share
from defirisk.core.plugins import adapter
from defirisk.core.sources import HoldsShares
from defirisk.indexing.run import index
from defirisk.store.snapshots import snapshot
from tests.devnet.build import Devnet, build, start
from tests.devnet.chain import Tx
from tests.devnet.protocol import ADMIN, TREASURY
from tests.devnet.record import deployments
from tests.onchain.markets import new_store, stored, with_reader

pytestmark = pytest.mark.onchain


@pytest.fixture(scope="module")
def own_devnet() -> Iterator[Devnet]:
    """A chain that is changed here."""
    with start(build(1)) as running:
        yield running


def shares_of(devnet: Devnet, protocol: str, folder: Path) -> list[Share]:
    """Every share at the head."""
    (market,) = (one for one in deployments(devnet.deployment) if one.protocol == protocol)
    its, store = adapter(protocol), new_store(folder)
    assert isinstance(its, HoldsShares)
    summary = with_reader(devnet.url, lambda reader: index(reader, store, [market], "latest"))
    with store.transaction() as connection:
        found = list(its.shares(snapshot(connection, stored(store, market), summary.block)))
    store.close()
    return found


def given(devnet: Devnet, sender: str, to: str, signature: str, *args: object) -> bytes:
    """What a call would answer, if this account sent it now."""
    data = Tx(sender, to, signature, args).data
    answer: str = devnet.chain.rpc.call(
        "eth_call", {"from": sender, "to": to, "data": data}, "latest"
    )
    return bytes.fromhex(answer[2:])


@pytest.mark.parametrize("collector", [None, TREASURY])
def test_a_pair_gives_what_its_lp_tokens_are_said_to_be_worth(
    own_devnet: Devnet, tmp_path: Path, collector: str | None
) -> None:
    """Also once the protocol takes its share first of what the pair has grown by."""
    factory = own_devnet.deployment["uniswap-v2"]["factory"]
    if collector is not None:
        own_devnet.chain.must(Tx(ADMIN, factory, "setFeeTo(address)", (collector,)))
    shares = shares_of(own_devnet, "uniswap-v2", tmp_path)
    first = {share.token: share for share in reversed(shares)}
    assert len(first) == 5
    less = 0
    for share in first.values():
        pair, move = share.token, "transfer(address,uint256)"
        own_devnet.chain.fund((share.account, pair), wei=10**20)
        own_devnet.chain.must(Tx(share.account, pair, move, (pair, share.balance_raw)))
        answer = given(own_devnet, share.account, pair, "burn(address)", share.account)
        (supply,) = decode(["uint256"], given(own_devnet, pair, pair, "totalSupply()"))
        reserves = decode(["uint256"] * 3, given(own_devnet, pair, pair, "getReserves()"))
        own_devnet.chain.must(Tx(pair, pair, move, (share.account, share.balance_raw)))
        assert tuple(decode(["uint256", "uint256"], answer)) == tuple(a for _, a in share.worth)
        less += share.worth[0][1] < share.balance_raw * reserves[0] // supply
    assert bool(less) is (collector is not None)


def test_a_range_gives_what_it_is_said_to_be_worth(own_devnet: Devnet, tmp_path: Path) -> None:
    """In the name of an account, or of the manager, which owns those of its tokens."""
    manager = own_devnet.deployment["uniswap-v3"]["position_manager"]
    shares = shares_of(own_devnet, "uniswap-v3", tmp_path)
    assert {"#" in share.label for share in shares} == {True, False}
    for share in shares:
        lower, upper = map(int, share.label.split(" #")[0].split(".."))
        owner = manager if "#" in share.label else share.account
        burn = (lower, upper, share.balance_raw)
        answer = given(own_devnet, owner, share.token, "burn(int24,int24,uint128)", *burn)
        assert tuple(decode(["uint256", "uint256"], answer)) == tuple(a for _, a in share.worth)


def test_a_stableswap_pool_gives_what_its_lp_tokens_are_said_to_be_worth(
    own_devnet: Devnet, tmp_path: Path
) -> None:
    shares = shares_of(own_devnet, "curve-stableswap", tmp_path)
    assert len(shares) >= 3
    for share in shares:
        withdraw = "remove_liquidity(uint256,uint256[4])"
        args = (share.balance_raw, (0, 0, 0, 0))
        answer = given(own_devnet, share.account, share.token, withdraw, *args)
        assert tuple(decode(["uint256[4]"], answer)[0]) == tuple(a for _, a in share.worth)
