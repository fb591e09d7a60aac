"""One file that holds a workspace or a marketplace, taken while people work, and the way back.

A zip of stored files: `manifest.json` names every one with its SHA-256. SQLite's databases are copied through SQLite,
each as it stood at one instant; the ledger before the market, so that what the market has beyond it is found again by
its annotation, and nothing is in the ledger that the market lacks. A market on PostgreSQL is asked through `pg_dump`; a
workspace's rows there are copied into a `galloway.db`, compared, and come back as one.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import sqlalchemy as sa

from ...curation.files import fsync_folder, is_temporary, put_in_place
from ...mturk.postgresql import bare_address
from ..errors import StageError
from .bucket.record import kept
from .database.engine import connect_to_read
from .database.home import NOTE, SQLITE
from .database.moving import copy_to_sqlite, forget_setting
from .database.tables import IN_SCHEMA
from .folder import CONFIG_NAME
from .held import LOCKS, held
from .place import folder_mark
from .state import json_object

__all__ = ["Backup", "Restored", "back_up", "restore"]

_MANIFEST = "manifest.json"
_DUMP = "market.pgdump"
_DATABASES = ("galloway.db", "market/market.db", "market.db")
"""In the order in which they are copied."""
_LIVING = ("running.json", "ports.json", NOTE, *LOCKS, *(f"{name.removesuffix('.db')}.json" for name in LOCKS))
"""What tells of a process, not of the work."""
_MADE_AGAIN = ("sources", "models", "runs", "results")
_RECORD = ".source.json"
"""Who is in footage, and on what basis: no footage, and nothing makes it again."""
_DRAFT = "backup.zip"
_MOST_FILES = 20_000_000
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Backup:
    """A file that was written: how many files are in it, how many bytes it has, what was left out."""

    path: Path
    files: int
    size: int
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Restored:
    """A folder that was brought back, and when it was backed up."""

    folder: Path
    files: int
    made_at: str
    from_postgresql: bool
    rows_were: str = ""
    """The PostgreSQL database that had the workspace's rows."""
    without: tuple[str, ...] = ()
    """The folders that were left out because they can be made again."""


def back_up(
    root: Path,
    target: Path,
    *,
    postgresql: str = "",
    rows: sa.Engine | None = None,
    footage: bool = True,
    identity: str = "",
) -> Backup:
    """Write all of `root` into the zip `target`, or into a folder under a name with the time. `postgresql` is the URL
    of a marketplace's database elsewhere, `rows` where the workspace's own rows are, if that is not in its folder: they
    come back in the folder. Without `footage` what is large and can be made again stays out. What earlier backups of
    this workspace, of that `identity`, left beside the target when they were killed goes first.

    Raises StageError where the target lies inside, or where PostgreSQL's program fails, WorkspaceBusy while another
    backup of it into the same folder is at work.
    """
    if target.is_dir():
        target = target / f"{root.name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.zip"
    if target.resolve().is_relative_to(root.resolve()):
        raise StageError(f"{target} lies inside of what is backed up. Name a file elsewhere, best on another disk.")
    if not target.parent.is_dir():
        raise StageError(f"{target.parent} is no folder. Make it, or mount its disk.")
    if (agreed := kept(root)) is not None and agreed.released:
        raise StageError(
            f"The faces were released: {agreed.place} alone has them, and the backup would lack them. Fetch them "
            "first: galloway bucket pull"
        )
    digests: dict[str, str] = {}
    with _draft_folder(target.parent, f".backup-{_mark(root, identity)}", "backup") as folder:
        draft = folder / _DRAFT
        draft.touch(mode=0o600)
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            for name, path in _snapshots(root, folder, postgresql, rows):
                digests[name] = _add(archive, name, path)
                path.unlink()
            left = _add_files(archive, root, digests, footage=footage)
            were = "" if rows is None else bare_address(rows.url)
            about = {
                "format": 1,
                "rows_were": were,
                "made_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
                "without": [] if footage else [name for name in _MADE_AGAIN if (root / name).is_dir()],
                "files": digests,
            }
            archive.writestr(_MANIFEST, json.dumps(about))
        put_in_place(draft, target)
    return Backup(target, len(digests), target.stat().st_size, tuple(left))


@contextmanager
def _draft_folder(parent: Path, name: str, doing: str) -> Iterator[Path]:
    """A private folder in `parent` for what is not whole yet, gone afterwards; those of that `name` that were left by
    commands that were killed go first. Raises WorkspaceBusy while another command has one of that name."""
    folder = parent / f"{name}-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700)
    try:
        with held(parent, f"{name}.db", doing, 0):
            for left in parent.glob(f"{glob.escape(name)}-*"):
                if left != folder:
                    shutil.rmtree(left, ignore_errors=True)
            try:
                yield folder
            finally:
                with suppress(OSError):  # a system may keep what is open
                    (parent / f"{name}.db").unlink()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _mark(root: Path, identity: str) -> str:
    """Tells the drafts of one workspace from those of others that are backed up into the same folder."""
    return hashlib.sha256(f"{identity} {root.resolve()} {folder_mark(root)}".encode()).hexdigest()[:12]


def _snapshots(root: Path, folder: Path, postgresql: str, rows: sa.Engine | None) -> Iterator[tuple[str, Path]]:
    """(name, copy) of every database, each as it stood at one instant."""
    if rows is not None:
        copy_to_sqlite(rows, folder / SQLITE)
        yield SQLITE, folder / SQLITE
    for name in _DATABASES:
        if (root / name).is_file() and not (rows is not None and name == SQLITE):
            copy = folder / PurePosixPath(name).name
            with closing(connect_to_read(root / name)) as now, closing(sqlite3.connect(copy)) as into:
                now.backup(into)
            yield name, copy
    if postgresql:
        # The workspace's rows, if they are in the same database, are in the folder's part.
        options = ("--format=custom", f"--exclude-schema={IN_SCHEMA}", f"--file={folder / _DUMP}")
        _run_postgresql("pg_dump", postgresql, *options)
        yield _DUMP, folder / _DUMP


def _add_files(archive: zipfile.ZipFile, root: Path, digests: dict[str, str], *, footage: bool) -> list[str]:
    """Put everything else in; what is no plain file is said."""
    left = []
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        if here == root and not footage:
            left += [f"{name}/ (--no-footage)" for name in folders if name in _MADE_AGAIN]
            folders[:] = [name for name in folders if name not in _MADE_AGAIN or name == "sources"]
        records_only = not footage and here.is_relative_to(root / "sources")
        for name in sorted(names):
            path = here / name
            stored = path.relative_to(root).as_posix()
            if records_only and not name.endswith(_RECORD):
                continue
            if name in _LIVING or is_temporary(name) or stored.removesuffix("-wal").removesuffix("-shm") in _DATABASES:
                continue
            if path.is_symlink() or not path.is_file() or not _writable(stored):
                left.append(stored)
                continue
            try:
                digests[stored] = _add(archive, stored, path)
            except FileNotFoundError:  # a command that went on meanwhile took it away
                continue
    return left


def _writable(name: str) -> bool:
    """Whether a zip can hold the name: text, as far as it goes."""
    try:
        return len(name.encode("utf-8")) < 65_000
    except UnicodeEncodeError:
        return False


def _add(archive: zipfile.ZipFile, name: str, path: Path) -> str:
    digest = hashlib.sha256()
    about = zipfile.ZipInfo.from_file(path, name, strict_timestamps=False)
    with path.open("rb") as source, archive.open(about, "w", force_zip64=True) as into:
        while piece := source.read(_PIECE):
            digest.update(piece)
            into.write(piece)
    return digest.hexdigest()


def restore(source: Path, folder: Path, *, postgresql: str = "") -> Restored:
    """Bring a backup back into a `folder` that is not there yet, and PostgreSQL's part into an empty database.

    All or nothing: every file is checked against the manifest before the folder gets its name. Raises StageError.
    """
    if folder.exists() and any(folder.iterdir()):
        raise StageError(f"{folder} is there and holds something. Name a new folder; nothing was written over.")
    try:
        with zipfile.ZipFile(source) as archive:
            about = _manifest(archive, source)
            folder.parent.mkdir(parents=True, exist_ok=True)
            with _draft_folder(folder.parent, f".{folder.name}.restoring", "restore") as draft:
                for name, digest in about["files"].items():
                    _take_out(archive, name, digest, draft, source)
                from_postgresql = _made_ready(draft, postgresql)
                if folder.exists():
                    folder.rmdir()
                draft.rename(folder)
                fsync_folder(folder.parent)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError) as error:
        raise StageError(f"{source} is no whole backup ({error}). Take another one; nothing was written.") from error
    without = tuple(name for name in about.get("without") or () if name in _MADE_AGAIN)
    return Restored(
        folder, len(about["files"]), str(about["made_at"]), from_postgresql, str(about.get("rows_were", "")), without
    )


def _made_ready(draft: Path, postgresql: str) -> bool:
    """Bring PostgreSQL's part into its database, whether there is one, and have the rows be where they are now."""
    dump = draft / _DUMP
    from_postgresql = dump.exists()
    if from_postgresql:
        _bring_back(dump, postgresql)
        dump.unlink()
        for place in (draft / "database", draft / "market" / "database"):
            place.unlink(missing_ok=True)  # which database it is from now on is noted at the next start
    if (draft / CONFIG_NAME).is_file():
        forget_setting(draft / CONFIG_NAME)  # its rows are in the folder, wherever they were
    return from_postgresql


def _manifest(archive: zipfile.ZipFile, source: Path) -> dict[str, Any]:
    names = archive.namelist()
    packed = archive.getinfo(_MANIFEST).compress_type != zipfile.ZIP_STORED  # unpacked it might be of any size
    about = None if packed or len(names) > _MOST_FILES else json_object(archive.read(_MANIFEST))
    if about is None or not isinstance(about.get("files"), dict) or about.get("format") != 1:
        raise StageError(f"{source} was made by another Galloway, or is no backup. Nothing was written.")
    if sorted(names) != sorted([*about["files"], _MANIFEST]):
        raise StageError(f"{source} holds other files than its manifest names. Do not use it. Nothing was written.")
    return about


def _take_out(archive: zipfile.ZipFile, name: str, digest: str, into: Path, source: Path) -> None:
    if not _stays_inside(name):
        raise StageError(
            f"{source} names a file outside of its folder, {name[:80]!r}. Nothing was written. Do not use it."
        )
    about = archive.getinfo(name)
    if about.compress_type != zipfile.ZIP_STORED:
        raise StageError(f"{source} has {name!r} packed, as no backup has. Do not use it. Nothing was written.")
    path = into / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = hashlib.sha256()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with archive.open(about) as packed, os.fdopen(handle, "wb") as file:
        while piece := packed.read(_PIECE):
            found.update(piece)
            file.write(piece)
        os.fsync(file.fileno())
    if found.hexdigest() != digest:
        raise StageError(f"{name} in {source} is damaged. Take another backup; nothing was written.")
    path.chmod(0o600 | ((about.external_attr >> 16) & 0o055))


def _stays_inside(name: str) -> bool:
    """Whether the name leads to a file in the folder. Odd ones are fine: all comes back as it was called."""
    plain = PurePosixPath(name)
    strange = plain.is_absolute() or ".." in plain.parts or "\0" in name or plain.as_posix() != name or name == "."
    return not strange and not (os.name == "nt" and ("\\" in name or PureWindowsPath(name).drive))


def _bring_back(dump: Path, url: str) -> None:
    if not url:
        raise StageError(
            "This marketplace was on PostgreSQL. Make an empty database and name it: "
            "galloway restore … --database postgresql://USER:PASSWORD@HOST:5432/NAME"
        )
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
    try:
        with engine.connect() as connection:
            if sa.inspect(connection).get_table_names():
                raise StageError("The database is not empty. Name a new one; nothing was written over.")
    finally:
        engine.dispose()
    _run_postgresql("pg_restore", url, "--no-owner", "--exit-on-error", "--single-transaction", str(dump))


def _run_postgresql(program: str, url: str, *options: str) -> None:
    """Run one of PostgreSQL's own programs; who signs in goes by the environment, which other users cannot list."""
    parts = sa.make_url(url)
    named = {
        "PGHOST": parts.host, "PGPORT": parts.port, "PGUSER": parts.username, "PGPASSWORD": parts.password,
        "PGDATABASE": parts.database,
    }  # fmt: skip
    environment = {**os.environ, **{name: str(value) for name, value in named.items() if value is not None}}
    target = ["--dbname", str(parts.database)] if program == "pg_restore" else []
    try:
        done = subprocess.run(
            [program, *target, *options], env=environment, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise StageError(f"{program} is not here. Install PostgreSQL's client programs (postgresql-client).") from None
    if done.returncode:
        raise StageError(f"{program} failed: {done.stderr.strip()[-400:]}")
