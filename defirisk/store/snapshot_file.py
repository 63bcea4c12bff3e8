"""The file of a snapshot: a ZIP of JSON lines with a manifest of counts and SHA-256 digests.

The same store always gives the same bytes. A file that is read may come from anybody: nothing in it
is unpacked to disk, its members have fixed names, and what it says of itself is checked before any
of it is believed.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from defirisk.core.errors import UsageError

FORMAT = "defirisk snapshot"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
_LONGEST_MANIFEST = 1 << 20
_LONGEST_LINE = 1 << 24
_MOST_TIMES = 300
"""How much longer content may be than its compressed form, beyond the first ten megabytes."""
_SMALL = 10 << 20
_PIECE = 1 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP can say: when it was written is not told


class SnapshotRefused(UsageError):
    """A file that is no snapshot, is damaged, or says what cannot be."""


@dataclass(frozen=True, slots=True)
class Member:
    """What the manifest says of one member."""

    rows: int
    size: int
    sha256: str


def write_snapshot(
    path: Path, facts: Mapping[str, Any], members: Mapping[str, Iterable[Sequence[Any]]]
) -> str:
    """Writes a snapshot; returns the SHA-256 digest of its manifest, and so of all of it.

    Rows are lists of numbers, texts, booleans and None. The file is there whole, or not at all.
    """
    part = path.with_name(path.name + ".part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            written = {name: _write_member(archive, name, members[name]) for name in members}
            stated = {
                name: {"rows": one.rows, "bytes": one.size, "sha256": one.sha256}
                for name, one in written.items()
            }
            whole = {"format": FORMAT, "format_version": FORMAT_VERSION, **facts, "members": stated}
            manifest = orjson.dumps(whole, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)
            archive.writestr(_entry(MANIFEST), manifest)
        os.replace(part, path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return hashlib.sha256(manifest).hexdigest()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    return entry


def _write_member(archive: zipfile.ZipFile, name: str, rows: Iterable[Sequence[Any]]) -> Member:
    digest, size, count = hashlib.sha256(), 0, 0
    with archive.open(_entry(name), "w", force_zip64=True) as file:
        for row in rows:
            line = orjson.dumps(row) + b"\n"
            file.write(line)
            digest.update(line)
            size += len(line)
            count += 1
    return Member(count, size, digest.hexdigest())


class SnapshotFile:
    """A snapshot that is read. Use `opened_snapshot`."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, names: Sequence[str]) -> None:
        self._path = path
        self._archive = archive
        self._refuse_entries(names)
        raw = b"".join(self._pieces(MANIFEST, _LONGEST_MANIFEST))
        self.digest = hashlib.sha256(raw).hexdigest()
        self.facts = self._manifest(raw)
        self._members = {name: self._member(name) for name in names}

    def refused(self, why: str) -> SnapshotRefused:
        """The error that says why this file cannot be used."""
        return SnapshotRefused(f"{self._path}: {why}; nothing was imported, ask for the file again")

    def count(self, name: str) -> int:
        """How many rows a member states."""
        return self._members[name].rows

    def check(self) -> None:
        """Reads all of it once. Errors: `SnapshotRefused` where a digest or count differs."""
        for name, stated in self._members.items():
            digest, size, rows = hashlib.sha256(), 0, 0
            for piece in self._pieces(name, stated.size):
                digest.update(piece)
                size += len(piece)
                rows += piece.count(b"\n")
            if (digest.hexdigest(), size, rows) != (stated.sha256, stated.size, stated.rows):
                raise self.refused(f"{name} is not what its digest says, the file is damaged")

    def rows(self, name: str) -> Iterator[list[Any]]:
        """The rows of a member. Errors: `SnapshotRefused` where a line is none."""
        stated = self._members[name]
        digest, number = hashlib.sha256(), 0
        with self._guarded(name), self._archive.open(name) as file:
            while line := file.readline(_LONGEST_LINE):
                number += 1
                digest.update(line)
                try:
                    row = orjson.loads(line) if line.endswith(b"\n") else None
                except orjson.JSONDecodeError:
                    row = None
                if not isinstance(row, list):
                    raise self.refused(f"line {number} of {name} is no row")
                yield row
        # It was checked before, but that file might have been another one.
        if (digest.hexdigest(), number) != (stated.sha256, stated.rows):
            raise self.refused(f"{name} was changed while it was read")

    def _pieces(self, name: str, most: int) -> Iterator[bytes]:
        size = 0
        with self._guarded(name), self._archive.open(name) as file:
            while piece := file.read(_PIECE):
                size += len(piece)
                if size > most:
                    raise self.refused(f"{name} is longer than it says")
                yield piece

    @contextmanager
    def _guarded(self, name: str) -> Iterator[None]:
        try:
            yield
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
            raise self.refused(f"{name} cannot be unpacked, the file is damaged") from error

    def _refuse_entries(self, names: Sequence[str]) -> None:
        entries = self._archive.infolist()
        if sorted(entry.filename for entry in entries) != sorted([*names, MANIFEST]):
            raise self.refused("this is no snapshot of defirisk: it has other members")
        for entry in entries:
            if entry.flag_bits & 1 or entry.compress_type != zipfile.ZIP_DEFLATED:
                raise self.refused(f"{entry.filename} is packed in another way than a snapshot's")
            if entry.file_size > _SMALL + _MOST_TIMES * entry.compress_size:
                raise self.refused(f"{entry.filename} would unpack to {entry.file_size:,} bytes")

    def _manifest(self, raw: bytes) -> dict[str, Any]:
        try:
            facts = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise self.refused(f"{MANIFEST} is no JSON, the file is damaged") from error
        if not isinstance(facts, dict) or facts.get("format") != FORMAT:
            raise self.refused("this is no snapshot of defirisk")
        if facts.get("format_version") != FORMAT_VERSION:
            raise self.refused("it was written by another version of defirisk: update this one")
        return facts

    def _member(self, name: str) -> Member:
        members = self.facts.get("members")
        stated = members.get(name) if isinstance(members, dict) else None
        found = stated if isinstance(stated, dict) else {}
        rows, size, digest = found.get("rows"), found.get("bytes"), found.get("sha256")
        if type(rows) is not int or type(size) is not int or not isinstance(digest, str):
            raise self.refused(f"{MANIFEST} does not describe {name}")
        if size != self._archive.getinfo(name).file_size:
            raise self.refused(f"{name} is not as long as {MANIFEST} says, the file is damaged")
        return Member(rows, size, digest)


@contextmanager
def opened_snapshot(path: Path, names: Sequence[str]) -> Iterator[SnapshotFile]:
    """A snapshot with these members. Errors: `SnapshotRefused`, `UsageError`."""
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise SnapshotRefused(
            f"{path} is no snapshot of defirisk, or was cut off: ask for the file again"
        ) from error
    with archive:
        yield SnapshotFile(path, archive, names)
