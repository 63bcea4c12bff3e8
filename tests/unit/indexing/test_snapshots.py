"""What one user read of a chain, in the hands of another: equal, or refused."""

from __future__ import annotations

import asyncio
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.generated_chain import GeneratedChain, serve
from defirisk.chain.rpc import RpcChainReader
from defirisk.core.adapter import Contract
from defirisk.core.errors import CheckFailed, StoreError, UsageError
from defirisk.core.plugins import adapters
from defirisk.indexing.codecs import Codecs
from defirisk.indexing.snapshot_export import MEMBERS, export_snapshot
from defirisk.indexing.snapshot_import import SAMPLE, compare_with_node, import_snapshot
from defirisk.store.database import Store, open_store
from defirisk.store.snapshot_file import MANIFEST, SnapshotRefused, opened_snapshot
from defirisk.store.unverified import Unverified, put_unverified
from tests.command import CommandLine
from tests.logical_dump import differences, logical_dump
from tests.unit.indexing.forged_snapshots import Rows, doubling, forged, setting, unchanged
from tests.unit.indexing.generated import SHAPE, index_to, indexed_store

COUNTS = frozenset({"audits"})


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The sender's store."""
    folder = tmp_path_factory.mktemp("theirs")
    store = indexed_store(folder, "theirs", GeneratedChain(SHAPE), 41, "latest")
    yield store
    store.close()


@pytest.fixture(scope="module")
def sent(theirs: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file."""
    path = tmp_path_factory.mktemp("sent") / "a.snapshot"
    export_snapshot(theirs, path)
    return path


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that nothing is in, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "empty.db"
    open_store(f"sqlite:///{path}", create=True).close()
    return path


@pytest.fixture
def ours(empty: Path, tmp_path: Path) -> Iterator[Store]:
    """The store that a file is imported into."""
    copy = shutil.copy(empty, tmp_path / "ours.db")
    store = open_store(f"sqlite:///{copy}", create=False)
    yield store
    store.close()


def test_it_is_equal_and_goes_on_from_there(
    cli: CommandLine, theirs: Store, sent: Path, tmp_path: Path
) -> None:
    database = f"sqlite:///{tmp_path / 'mine.db'}"
    again = tmp_path / "again.snapshot"
    export = ("snapshot", "export", str(again), "--db")
    ran = cli(*export, theirs.engine.url.render_as_string())
    assert again.read_bytes() == sent.read_bytes()
    digest = ran.out.strip()
    assert f"block 80 ({GeneratedChain(SHAPE).hash(80, GeneratedChain(SHAPE).tip)})" in ran.err

    wrong = ("snapshot", "import", str(sent), "--db", database, "--digest")
    assert "not the one that you were told" in cli.refused(*wrong, "ab" * 32)
    assert cli(*wrong, digest.upper()).code == 0
    assert "the store holds chain 31337 already" in cli.refused(*wrong, digest)

    mine = open_store(database, create=False)
    assert not differences(logical_dump(mine, without=COUNTS), logical_dump(theirs, without=COUNTS))
    chain = GeneratedChain(SHAPE)
    chain.reorg(2, seed=1)
    chain.mine(3)
    index_to(chain, mine, "latest")
    fresh = indexed_store(tmp_path, "fresh", chain, 41, "latest")
    assert not differences(logical_dump(mine, without=COUNTS), logical_dump(fresh, without=COUNTS))
    mine.close()
    fresh.close()


def test_what_is_not_verified_is_only_exported_where_that_is_said(
    tmp_path: Path,
) -> None:
    store = indexed_store(tmp_path, "doubtful", GeneratedChain(SHAPE), "latest")
    token = GeneratedChain(SHAPE).tokens[0]
    with store.transaction() as connection:
        mark = Unverified(token, 10, 12, "bloom", "a log is missing", 1)
        put_unverified(connection, SHAPE.chain_id, [mark])
    path = tmp_path / "doubtful.snapshot"
    with pytest.raises(CheckFailed, match=r"blocks 10 to 12 .* are not verified"):
        export_snapshot(store, path)
    assert not path.exists()
    assert export_snapshot(store, path, allow_unverified=True).unverified == 2
    mine = open_store(f"sqlite:///{tmp_path / 'mine.db'}", create=True)
    assert import_snapshot(mine, path).complete is False
    kept = logical_dump(mine)["unverified_ranges"]
    assert [row[:5] for row in kept] == [(SHAPE.chain_id, token, 10, "bloom", 12)]
    mine.close()
    store.close()


def test_a_node_is_asked_about_its_blocks(sent: Path) -> None:
    def compared(chain: GeneratedChain, most: int = SAMPLE) -> int:
        async def go(url: str) -> int:
            reader = RpcChainReader(url)
            try:
                return await compare_with_node(sent, reader, most)
            finally:
                await reader.aclose()

        with serve(chain) as url:
            return asyncio.run(go(url))

    chain = GeneratedChain(SHAPE)
    assert compared(chain) > 20
    assert compared(chain, most=0) == 1
    chain.reorg(1, seed=1)
    with pytest.raises(SnapshotRefused, match=r"block 80 is 0x.* in it, and 0x.* at the node"):
        compared(chain, most=0)  # the last block is always among those that are asked for


def is_empty(store: Store) -> bool:
    return not any(logical_dump(store).values())


def refused(store: Store, path: Path) -> str:
    """Why a file is refused; nothing of it may be stored."""
    with pytest.raises(UsageError) as caught:
        import_snapshot(store, path)
    assert is_empty(store)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def digest_of(path: Path) -> str | None:
    """What a file says of itself, all of which was checked; None where it is refused."""
    try:
        with opened_snapshot(path, MEMBERS) as file:
            file.check()
            return file.digest
    except UsageError:
        return None


def test_a_damaged_file_is_refused_wherever_it_is_damaged(
    sent: Path, ours: Store, tmp_path: Path
) -> None:
    """But for bytes that say nothing, such as the version of ZIP that wrote it."""
    whole, digest = sent.read_bytes(), digest_of(sent)
    path = tmp_path / "damaged.snapshot"
    found = []
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        found.append(digest_of(path))
    assert {*found} == {None, digest}
    assert found.count(digest) < len(found) / 10
    path.write_bytes(whole[: len(whole) // 3] + b"\0" + whole[len(whole) // 3 + 1 :])
    assert "the file is damaged" in refused(ours, path)
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert "snapshot" in refused(ours, path)


def test_a_member_that_was_exchanged_for_another_is_refused(
    sent: Path, ours: Store, tmp_path: Path
) -> None:
    """As long as the one before, and packed properly: only its digest tells."""
    path = tmp_path / "exchanged.snapshot"
    with zipfile.ZipFile(sent) as whole, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as other:
        for entry in whole.infolist():
            content = whole.read(entry)
            if entry.filename == LOGS:
                content = content[:-5] + bytes([content[-5] ^ 1]) + content[-4:]
            other.writestr(entry.filename, content)
    assert digest_of(path) is None
    assert f"{LOGS} is not what its digest says" in refused(ours, path)


LOGS, BLOCKS, DEPLOYMENTS = "raw_logs.jsonl", "blocks.jsonl", "deployments.jsonl"
CALLS, RANGES, EVENTS = "raw_calls.jsonl", "verified_ranges.jsonl", "asked_events.jsonl"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (setting(LOGS, 0, 0, "1"), "block is no number"),
        (setting(LOGS, 0, 0, 1.0), "block is no number"),
        (setting(LOGS, 0, 0, True), "block is no number"),
        (setting(LOGS, 0, 0, -1), "block is no number"),
        (setting(BLOCKS, 0, 3, 2**256), "time is no number"),
        (setting(BLOCKS, 0, 3, 2**63), "time is no number"),
        (setting(LOGS, 0, 1, 2**31), "log index is no small number"),
        (setting(LOGS, 0, 2, "0x" + "AB" * 32), "transaction is no hash"),
        (setting(LOGS, 0, 3, "0x" + "ab" * 21), "contract is no address"),
        (setting(LOGS, 0, 4, "ab" * 33), "broken topics"),
        (setting(LOGS, 0, 4, "ab" * 32 * 5), "broken topics"),
        (setting(LOGS, 0, 5, "a b"), "data is"),
        (setting(LOGS, 0, 5, None), "data is no bytes"),
        (lambda rows: rows[BLOCKS].pop(0), "a log is of block 1, which is not in it"),
        (setting(CALLS, 0, 3, 1), "ok is neither true nor false"),
        (setting(BLOCKS, -1, 1, "0x" + "ab" * 32), "its last block is not the one"),
        (setting(BLOCKS, -1, 3, 5), "older than the one before"),
        (setting(RANGES, 0, 2, 81), "a verified range that cannot be"),
        (setting(EVENTS, 0, 1, "ab" * 31), "events is no topics"),
        (setting(DEPLOYMENTS, 0, 0, "../../etc/passwd"), "name is no name"),
        (setting(DEPLOYMENTS, 0, 0, "a\u202eb"), "name is no name"),
        (setting(DEPLOYMENTS, 0, 1, "aave-v9"), "unknown protocol 'aave-v9'"),
        (setting(DEPLOYMENTS, 0, 3, ["x"]), "contracts is no table"),
        (setting(DEPLOYMENTS, 0, 3, {"vault": "0x12"}), "must be an address"),
        (doubling(LOGS), "comes twice, or out of order"),
        (doubling(BLOCKS), "comes twice, or out of order"),
        (doubling(DEPLOYMENTS), "comes twice"),
        (lambda rows: rows[LOGS][0].append(1), "7 values where there are 6"),
        (lambda rows: rows[LOGS].insert(0, {}), "is no row"),
        (lambda rows: rows[BLOCKS].clear(), "its last block is not the one"),
        (lambda rows: rows[DEPLOYMENTS].clear(), "it has no deployments"),
    ],
)
def test_what_cannot_be_is_refused_though_its_digest_is_right(
    change: Any, says: str, sent: Path, ours: Store, tmp_path: Path
) -> None:
    assert says in refused(ours, forged(sent, tmp_path / "forged", change))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"chain_id": 0}, "chain 0 is none"),
        ({"chain_id": "1"}, "lacks what a chain is known by"),
        ({"block": 80}, "lacks what a chain is known by"),
        ({"format": "another"}, "this is no snapshot of defirisk"),
        ({"format_version": 2}, "another version of defirisk"),
        ({"members": {}}, "does not describe"),
    ],
)
def test_a_manifest_that_cannot_be_is_refused(
    change: dict[str, Any], says: str, sent: Path, ours: Store, tmp_path: Path
) -> None:
    path = forged(sent, tmp_path / "forged", unchanged, lambda facts: facts.update(change))
    assert says in refused(ours, path)


def test_archives_that_are_no_snapshots_are_refused(
    sent: Path, ours: Store, tmp_path: Path
) -> None:
    path = tmp_path / "a.snapshot"
    forged(sent, path, unchanged)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../evil", b"")
    assert "it has other members" in refused(ours, path)
    assert not (tmp_path.parent.parent / "evil").exists()

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in (*MEMBERS, MANIFEST):
            archive.writestr(name, b"0" * (20 << 20 if name == LOGS else 1))
    assert "would unpack to 20,971,520 bytes" in refused(ours, path)

    path.write_text("no archive")
    assert "is no snapshot of defirisk" in refused(ours, path)
    assert "cannot be read" in refused(ours, tmp_path / "missing")


def test_logs_that_no_contract_emits_are_refused_while_rows_are_made(
    sent: Path, ours: Store, tmp_path: Path
) -> None:
    """As if the token were the pool of an Aave, and had said something that no pool says."""
    aave = adapters()["aave-v3"]

    def change(rows: dict[str, Rows]) -> None:
        token = rows[LOGS][0][3]
        roles = dict.fromkeys(aave.required_contracts, token)
        rows[DEPLOYMENTS].append(["zz", "aave-v3", 0, roles, {}])
        pool = Contract(address=token, role="pool", first_block=0)
        rows[LOGS][-1][4:] = [Codecs(aave).topics([pool])[0].hex(), ""]

    said = refused(ours, forged(sent, tmp_path / "forged", change))
    assert "its logs make no sense" in said
    assert f"of {GeneratedChain(SHAPE).tokens[0]} in block" in said


def test_a_name_that_is_taken_is_refused(theirs: Store, sent: Path, tmp_path: Path) -> None:
    taken = forged(sent, tmp_path / "taken", unchanged, lambda facts: facts.update(chain_id=5))
    before = logical_dump(theirs)
    with pytest.raises(StoreError, match="another deployment called"):
        import_snapshot(theirs, taken)
    assert not differences(logical_dump(theirs), before)
