"""Which database a workspace's rows are in: named by its settings, noted in its folder, and in the database itself.

Without a note they are in `galloway.db`. `database.json` names a PostgreSQL database and a token that stands in the
database, too: a command that was started without the setting does not begin a second set of rows, and a copied folder
or a strange database is told apart. The note decides; it is written when the rows are whole, in one step.
"""

from __future__ import annotations

import json
import platform
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from ....curation.files import write_atomic
from ....mturk.overwrite import keep_private
from ....mturk.postgresql import bare_address
from ...errors import UnclaimedWorkspace, WorkspaceError
from ..place import check_place
from ..schema import migrate
from ..settings import Settings
from ..state import read_state
from .engine import address, make_engine
from .fence import Fence
from .reached import reached
from .tables import home_table, lock_writers

__all__ = [
    "NOTE",
    "SQLITE",
    "Home",
    "Opened",
    "begin_home",
    "noted_home",
    "open_database",
    "refuse_anothers",
    "settle",
    "shares_rows",
    "take_home",
]

NOTE = "database.json"
SQLITE = "galloway.db"


@dataclass(frozen=True, slots=True)
class Home:
    """What a folder notes of its PostgreSQL database: which it is, and the token that stands in it."""

    database: str
    token: str

    def note(self, root: Path) -> None:
        """From here on the rows are there."""
        write_atomic(root / NOTE, json.dumps(asdict(self)) + "\n", private=True)


class Opened(NamedTuple):
    """A workspace's rows: the engine; on PostgreSQL which database it is, and what is looked at before writing."""

    engine: sa.Engine
    place: str = ""
    fence: Fence | None = None


def noted_home(root: Path) -> Home | None:
    """The PostgreSQL database that the folder belongs to; None where its rows are in galloway.db. Raises
    WorkspaceError for a broken note."""
    if not (root / NOTE).exists():
        return None
    remedy = "Delete it, and say that this folder is the workspace: galloway claim moved"
    values = read_state(root / NOTE, remedy, needs=("database", "token"))
    return Home(str(values["database"]), str(values["token"]))


def open_database(root: Path, settings: Settings) -> Opened:
    """The workspace's rows, with tables of the newest schema. Raises WorkspaceError where they are elsewhere, belong to
    another workspace, or cannot be reached."""
    named, noted = settings.workspace.database, noted_home(root)
    if not named:
        if noted is not None:
            raise _elsewhere(root, noted.database, "no database was named")
        _refuse_lost(root)
        keep_private(root / SQLITE)
        engine = make_engine(f"sqlite:///{root / SQLITE}")
        migrate(engine)
        _watch(engine, root, None)
        return Opened(engine)
    url = address(named)
    place = bare_address(url)
    if noted is None and (root / SQLITE).exists():
        raise WorkspaceError(
            f"The rows of this workspace are in {root / SQLITE}, and {place} was named. Bring them there: galloway "
            "workspace move --to postgresql://…   or name no database: [workspace] of galloway.toml, "
            "GALLOWAY_WORKSPACE__DATABASE"
        )
    if noted is not None and noted.database != place:
        raise _elsewhere(root, noted.database, f"{place} was named")
    _check_folder(root, place)
    noted = noted or settle(root, settings, url)
    fence = Fence(noted.token, place)
    engine = make_engine(url, fence)
    with reached(url):
        migrate(engine, backups=root / "backups")
        _check_home(engine, noted)
    _watch(engine, root, noted)
    return Opened(engine, place, fence)


def _refuse_lost(root: Path) -> None:
    """Raise WorkspaceError where the rows are gone and the record of footage is there, which came in with a row: an
    empty database in their place would know nothing of it."""
    if not (root / SQLITE).exists() and any(root.glob("sources/?/*.source.json")):
        raise WorkspaceError(
            f"{root / SQLITE} is gone, and footage that came in is there: faces, votes and decisions were in it. "
            "Bring it back, from the workspace's backups/ or from your own: galloway restore FILE FOLDER"
        )


def _watch(engine: sa.Engine, root: Path, noted: Home | None) -> None:
    """Have a program that opened the rows before they were moved told so, whatever it wants of them."""

    def look(*_: object) -> None:
        if (now := noted_home(root)) != noted:
            raise WorkspaceError(
                f"The rows of the workspace {root} are in {now.database if now else SQLITE} now. This program began "
                "before they were moved, or before another folder was said to be the workspace: start it again."
            )

    sa.event.listen(engine, "do_connect", look)
    sa.event.listen(engine, "checkout", look)


def _elsewhere(root: Path, where: str, but: str) -> WorkspaceError:
    return WorkspaceError(
        f"The rows of the workspace {root} are in {where}, and {but} here. Name the same everywhere: database under "
        "[workspace] of galloway.toml, or GALLOWAY_WORKSPACE__DATABASE with the password."
    )


_OF_A_BACKUP = (
    "Its rows are in {}, which one folder can have. A copy that is to go on by itself is made of a backup:  galloway "
    "backup FILE   in the original, and   galloway restore FILE FOLDER"
)


def _check_folder(root: Path, place: str) -> None:
    """Raise UnclaimedWorkspace where the folder is a copy: its rows belong to the other one."""
    try:
        check_place(root)
    except UnclaimedWorkspace as error:
        raise UnclaimedWorkspace(
            *error.lines,
            _OF_A_BACKUP.format(place),
        ) from None


def _check_home(engine: sa.Engine, noted: Home) -> None:
    with engine.connect() as db:
        row = db.execute(sa.select(home_table)).one_or_none()
    if row is None:
        raise WorkspaceError(
            f"{noted.database} holds nothing of this workspace any more. Bring a backup back: galloway restore FILE "
            "FOLDER"
        )
    if row.token != noted.token:
        raise _anothers(noted.database, row)
    if row.state == "left":
        raise WorkspaceError(f"The rows of this workspace left {noted.database} on {row.since[:10]}: {_MOVE_AGAIN}")


_MOVE_AGAIN = "the command that moved them was cut off. Run it again: galloway workspace move --to …"


def _anothers(place: str, row: sa.Row[tuple[object, ...]], settings: Settings | None = None) -> WorkspaceError:
    both = f", or, where both are used, with the faces in one bucket: bring that folder's {NOTE} here"
    return WorkspaceError(
        f"{place} holds the rows of another workspace or folder: {row.name!r}, {row.folder} on {row.machine}, since "
        f"{row.since[:10]}. One database holds one workspace: name an empty one (createdb NAME), or, where that folder "
        "is not used any more and this one is the workspace: galloway claim moved"
        + (both if settings is not None and row.workspace == settings.id else "")
    )


def begin_home(root: Path, settings: Settings, url: sa.URL) -> Home:
    """Take an empty database for the rows of this workspace, or the one in which that was begun before; what the folder
    will note. Raises WorkspaceError for one that holds another's."""
    engine = make_engine(url)
    home = Home(bare_address(url), secrets.token_hex(16))
    try:
        with reached(url):
            migrate(engine)
            with engine.begin() as db:
                lock_writers(db)
                refuse_anothers(db, root, settings, home.database)
                _put_home(db, root, settings, home.token, "begun")
    finally:
        engine.dispose()
    return home


def refuse_anothers(db: sa.Connection, root: Path, settings: Settings, place: str) -> None:
    """Raise WorkspaceError where the database holds rows that count, or was begun by anyone but this folder."""
    row = db.execute(sa.select(home_table)).one_or_none()
    ours = (settings.id, str(root), platform.node())  # a restored workspace has the same id elsewhere
    if row is not None and (row.state == "here" or (row.workspace, row.folder, row.machine) != ours):
        raise _anothers(place, row, settings)


def _put_home(db: sa.Connection, root: Path, settings: Settings, token: str, state: str) -> None:
    values = {
        "only": 1, "token": token, "workspace": settings.id, "name": settings.name, "folder": str(root),
        "machine": platform.node(), "state": state, "since": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    db.execute(home_table.delete())
    db.execute(home_table.insert().values(values))


def settle(root: Path, settings: Settings, url: sa.URL, home: Home | None = None) -> Home:
    """Make the database the workspace's: the folder notes it, then the database says so, too. Without a `home` that
    was begun, an empty database is taken for a workspace that has no rows yet."""
    home = home or begin_home(root, settings, url)
    home.note(root)
    engine = make_engine(url)
    try:
        with reached(url), engine.begin() as db:
            db.execute(home_table.update().where(home_table.c.token == home.token).values(state="here"))
    finally:
        engine.dispose()
    return home


def shares_rows(root: Path) -> None:
    """Raise UnclaimedWorkspace where a copied folder cannot go on by itself, for its rows are the original's."""
    if (noted := noted_home(root)) is not None:
        raise UnclaimedWorkspace(_OF_A_BACKUP.format(noted.database))


def take_home(root: Path, settings: Settings) -> None:
    """Have the database be this folder's from now on; another folder that says the same of itself is refused. Nothing
    where the rows are in galloway.db. Raises WorkspaceError where it holds another workspace's."""
    if not settings.workspace.database or ((root / SQLITE).exists() and not (root / NOTE).exists()):
        return
    url = address(settings.workspace.database)
    home = Home(bare_address(url), secrets.token_hex(16))
    engine = make_engine(url)
    try:
        with reached(url), engine.begin() as db:
            lock_writers(db)
            row = db.execute(sa.select(home_table)).one_or_none()
            if row is None or row.workspace != settings.id:
                raise WorkspaceError(f"{home.database} does not hold the rows of this workspace. Nothing was changed.")
            _put_home(db, root, settings, home.token, "here")
    finally:
        engine.dispose()
    home.note(root)
