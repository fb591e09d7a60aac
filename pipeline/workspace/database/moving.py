"""Moving a workspace's rows: from galloway.db to PostgreSQL, from there to another one, and back.

Nobody writes where the rows are while they are copied. What was copied is counted and compared by digests, then what
was there refuses every write, then the folder notes the new place, in one step: killed before it, the rows are where
they were (the same command goes on); killed after it, they are where they went. A program that still has the old place
open, such as `galloway serve`, is refused by it in words, and nothing that it says is lost unseen.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from ....curation.files import fsync_folder, replacing
from ....mturk.overwrite import keep_private
from ....mturk.postgresql import bare_address
from ...errors import NothingToDo, WorkspaceError
from ..config_file import write_values
from ..folder import CONFIG_NAME, Workspace
from ..held import LOCK, held
from ..schema import all_metadata, migrate
from ..settings import WorkspaceSettings
from .alone import alone
from .copying import TableSum, copy_rows, sums
from .engine import address, make_engine
from .home import NOTE, SQLITE, begin_home, noted_home, refuse_anothers, settle
from .reached import reached
from .tables import IN_SCHEMA, home_table

__all__ = [
    "Moved",
    "as_noted",
    "begin_at",
    "check_target",
    "copy_to_sqlite",
    "forget_setting",
    "move_to_postgresql",
    "move_to_sqlite",
    "row_counts",
    "take_back",
]


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved: from where to where, how many rows by table, and the copy of galloway.db that was kept."""

    before: str
    now: str
    rows: dict[str, int]
    kept: Path | None = None


def tables() -> list[sa.Table]:
    """All that is moved, in an order in which keys exist before they are pointed at; not what the database keeps by
    itself from other rows."""
    there = [table for metadata in all_metadata() for table in metadata.sorted_tables]
    return [table for table in there if not table.info.get("kept")]


def row_counts(workspace: Workspace) -> dict[str, int]:
    """How many rows each table has."""
    with workspace.db.connect() as db:
        return {
            table.name: int(db.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
            for table in tables()
        }


def check_target(workspace: Workspace, text: str) -> str:
    """Which database the address names, where rows could go. Raises WorkspaceError as the move would."""
    url = address(text)
    engine = make_engine(url)
    try:
        with reached(url), engine.connect() as db:
            if sa.inspect(db).has_table(home_table.name):
                refuse_anothers(db, workspace.root, workspace.settings, bare_address(url))
    finally:
        engine.dispose()
    return bare_address(url)


def as_noted(workspace: Workspace, to: str) -> Workspace:
    """The workspace with its rows where its folder notes them, whatever the settings name. `to` is the address for
    which the command was called."""
    noted, named = noted_home(workspace.root), workspace.settings.workspace.database
    if noted is None:
        named = ""
    elif to and bare_address(address(to)) == noted.database:
        named = to
    settings = workspace.settings.model_copy(update={"workspace": WorkspaceSettings(database=named)})
    return replace(workspace, settings=settings)


def take_back(workspace: Workspace) -> None:
    """Take back a move that was cut off before the folder noted it: the rows are where they were, and may change."""
    root, noted, named = workspace.root, noted_home(workspace.root), workspace.settings.workspace.database
    with held(root, LOCK, "moving the rows", workspace.patience):
        if noted is None and (root / SQLITE).exists():
            with alone(sa.make_url(f"sqlite:///{root / SQLITE}")) as db:
                for name, _ in _triggers():
                    db.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
        elif noted is not None and named:
            with reached(address(named)), alone(address(named)) as db:
                mine = home_table.c.token == noted.token
                db.execute(home_table.update().where(mine).values(state="here"))


def begin_at(workspace: Workspace, text: str) -> Workspace:
    """A new workspace, whose rows will be in the PostgreSQL database at this address; its settings name it."""
    _write_setting(workspace.root / CONFIG_NAME, address(text))
    settings = workspace.settings.model_copy(update={"workspace": WorkspaceSettings(database=text)})
    return replace(workspace, settings=settings)


def move_to_postgresql(workspace: Workspace, text: str) -> Moved:
    """Move the rows into the empty PostgreSQL database at this address. The caller holds the workspace's lock.

    Raises NothingToDo where they are there, and WorkspaceError where the database is not empty, cannot be reached, or
    holds something else afterwards; then they stay where they are.
    """
    root, url = workspace.root, address(text)
    place, before = bare_address(url), workspace.rows.place or SQLITE
    if place == before:
        _write_setting(root / CONFIG_NAME, url)
        raise NothingToDo(f"The rows are in {place} already.")
    begin_home(root, workspace.settings, url)
    with alone(workspace.db.url) as source, reached(url):
        _empty(url)
        home = begin_home(root, workspace.settings, url)
        with alone(url) as target:
            copied = copy_rows(source, target, tables())
            _compare(copied, sums(target, tables()), place)
        kept = _keep(root) if before == SQLITE else None
        _refuse_writes(source, place)
    settle(root, workspace.settings, url, home)
    _write_setting(root / CONFIG_NAME, url)
    _forget_sqlite(root)
    return Moved(before, place, _rows(copied), kept)


def move_to_sqlite(workspace: Workspace) -> Moved:
    """Move the rows from PostgreSQL back into galloway.db. The caller holds the workspace's lock.

    Raises NothingToDo where they are there, and WorkspaceError where galloway.db would hold something else afterwards.
    """
    root, place = workspace.root, workspace.rows.place
    if not place:
        forget_setting(root / CONFIG_NAME)
        raise NothingToDo(f"The rows are in {SQLITE} already.")
    with replacing(root / SQLITE) as draft:
        with alone(workspace.db.url) as source:
            copied = _into_sqlite(source, draft)
            _refuse_writes(source, SQLITE)
        _forget_sqlite(root)
    (root / NOTE).unlink()
    fsync_folder(root)
    forget_setting(root / CONFIG_NAME)
    return Moved(place, SQLITE, _rows(copied))


def copy_to_sqlite(engine: sa.Engine, file: Path) -> None:
    """Copy all rows as they stand at one instant into a new SQLite file, and compare; nobody waits for it."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as source, source.begin():
        _into_sqlite(source, file)


def _into_sqlite(source: sa.Connection, file: Path) -> dict[str, TableSum]:
    keep_private(file)
    engine = make_engine(f"sqlite:///{file}")
    migrate(engine)
    engine.dispose()
    with alone(engine.url) as target:
        copied = copy_rows(source, target, tables())
        _compare(copied, sums(target, tables()), SQLITE)
    with closing(sqlite3.connect(file)) as done:
        done.execute("PRAGMA journal_mode=DELETE")  # all in one file, which can be renamed
    return copied


def _rows(copied: dict[str, TableSum]) -> dict[str, int]:
    return {name: found.rows for name, found in copied.items()}


def _compare(copied: dict[str, TableSum], there: dict[str, TableSum], place: str) -> None:
    for name, found in copied.items():
        if there[name] != found:
            raise WorkspaceError(
                f"{place} holds something else of the table {name} ({there[name].rows} rows) than was copied "
                f"({found.rows} rows). Nothing was moved. Please report this with the output of: galloway doctor"
            )


def _empty(url: sa.URL) -> None:
    """Take away what a move that was cut off had brought."""
    with alone(url) as db:
        db.exec_driver_sql(f"DROP SCHEMA {IN_SCHEMA} CASCADE")


def _keep(root: Path) -> Path:
    """A copy of galloway.db as it was."""
    target = root / "backups" / f"galloway-moved-{datetime.now(UTC):%Y%m%d-%H%M%S}.db"
    target.parent.mkdir(exist_ok=True)
    with (
        replacing(target) as partial,
        closing(sqlite3.connect(root / SQLITE)) as source,
        closing(sqlite3.connect(partial)) as copy,
    ):
        source.backup(copy)
    return target


def _triggers() -> Iterator[tuple[str, str]]:
    for table in tables():
        for change in ("INSERT", "UPDATE", "DELETE"):
            yield f"moved_{table.name}_{change.lower()}", f'BEFORE {change} ON "{table.name}"'


def _refuse_writes(source: sa.Connection, place: str) -> None:
    """From the end of the transaction on, nothing is written here any more, whoever has it open."""
    if source.dialect.name == "postgresql":
        source.execute(home_table.update().values(state="left", since=datetime.now(UTC).isoformat()))
        return
    said = (
        f"the rows of this workspace move to {place}. End this program and start it again. If that does not help, the "
        "move was cut off: galloway workspace move --to …"
    ).replace("'", "''")
    for name, before in _triggers():
        source.exec_driver_sql(f"CREATE TRIGGER {name} {before} BEGIN SELECT RAISE(ABORT, '{said}'); END")


def _forget_sqlite(root: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        (root / f"{SQLITE}{ending}").unlink(missing_ok=True)


def _write_setting(config: Path, url: sa.URL) -> None:
    """Name the database in galloway.toml, without its password."""
    named = url.set(drivername="postgresql", password=None).render_as_string()
    write_values(config, {("workspace", "database"): named})


def forget_setting(config: Path) -> None:
    """Name no database in galloway.toml: the rows are in galloway.db."""
    write_values(config, {("workspace", "database"): None})
