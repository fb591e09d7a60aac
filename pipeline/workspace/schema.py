"""The workspace's own tables, and the migration of the whole database.

One SQLite file holds three sets of tables: the ledger's (`mturk.requester.ledger`), the label side's
(`curation.store`) and these, which tie the two together: which face stood behind which tile of which HIT.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ...curation.files import replacing
from ..errors import WorkspaceError
from .database.alone import alone, as_sqlite_has_them
from .database.copying import copy_as_it_is

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["SCHEMA_VERSION", "STEPS", "all_metadata", "metadata", "migrate"]

_log = logging.getLogger(__name__)
STEPS = Path(__file__).parent / "migrations"
"""Alembic's scripts, one for each version."""

SCHEMA_VERSION = 9
"""The newest version of the tables, which is also the number of Alembic's newest step. It stands in SQLite's
user_version, so that an up-to-date database is recognised without importing Alembic."""
_ALEMBIC = "alembic_version"

metadata = sa.MetaData()

source_table = sa.Table(
    "source",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("side", sa.String(1), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),  # video | photos | faces
    sa.Column("path", sa.Text, nullable=False),  # relative to the workspace
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("basis", sa.String(16), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("ingested_at", sa.String(40), nullable=False),
    sa.Column("frames", sa.Integer),
    sa.Column("faces", sa.Integer),
    sa.Column("engine", sa.String(32)),
    sa.Column("extracted_at", sa.String(40)),
    sa.UniqueConstraint("side", "name", name="source_name"),
)

batch_table = sa.Table(
    "batch_plan",
    metadata,
    # The frozen plan of a batch: written before anything is sent, never changed but for `published_at`.
    sa.Column("batch_key", sa.String(64), primary_key=True),
    sa.Column("market", sa.Text, nullable=False),  # the market's state key
    sa.Column("side", sa.String(1), nullable=False),
    sa.Column("question", sa.String(16), nullable=False),  # the one for whose sake it is asked
    sa.Column("page", sa.String(12), nullable=False, server_default="usable"),  # the kind of its pages
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("votes", sa.Integer, nullable=False),
    sa.Column("reward", sa.String(16), nullable=False),
    sa.Column("seconds", sa.Integer, nullable=False),  # expected working time of a page
    sa.Column("excluded", sa.Text, nullable=False),  # JSON list of worker ids that must not see it
    sa.Column("audit", sa.Boolean, nullable=False),  # asks settled faces once more, to test the posteriors
    sa.Column("links_until", sa.String(40), nullable=False),
    sa.Column("planned_at", sa.String(40), nullable=False),
    sa.Column("published_at", sa.String(40)),
)

tile_table = sa.Table(
    "hit_tile",
    metadata,
    sa.Column("batch_key", sa.String(64), sa.ForeignKey("batch_plan.batch_key"), primary_key=True),
    sa.Column("hit_key", sa.String(64), primary_key=True),
    sa.Column("tile_key", sa.String(32), primary_key=True),
    sa.Column("face_id", sa.String(32), nullable=False, index=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("gold", sa.Boolean, nullable=False),
    sa.Column("group_number", sa.Integer, nullable=False, server_default="0"),  # 0: not in a group
)

reviewed_table = sa.Table(
    "reviewed_page",
    metadata,
    # What one person answered without a market: a page once, with the fields as they were sent.
    sa.Column("hit_key", sa.String(64), primary_key=True),
    sa.Column("batch_key", sa.String(64), sa.ForeignKey("batch_plan.batch_key"), nullable=False),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("answers", sa.Text, nullable=False),  # JSON object
    sa.Column("seconds", sa.Float),
    sa.Column("submitted_at", sa.String(40), nullable=False),
)

faceset_table = sa.Table(
    "faceset",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("side", sa.String(1), nullable=False),
    sa.Column("merge_id", sa.String(64), nullable=False),
    sa.Column("parent", sa.String(64)),
    sa.Column("digest", sa.String(80), nullable=False),
    sa.Column("faces", sa.Integer, nullable=False),
    sa.Column("rejected", sa.Integer, nullable=False),
    sa.Column("approved_at", sa.String(40), nullable=False),
    sa.Column("undone_at", sa.String(40)),
)

moment_table = sa.Table(
    "swap_moment",
    metadata,
    # What a converted film was cut into when it was first asked about; never changed.
    sa.Column("film", sa.String(64), primary_key=True),  # SHA-256 of the film
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("first", sa.Integer, nullable=False),  # frames, counted from 1, both included
    sa.Column("last", sa.Integer, nullable=False),
    sa.Column("why", sa.String(24), nullable=False),  # the measure that made it suspicious; empty: calm
)

swap_batch_table = sa.Table(
    "swap_batch",
    metadata,
    sa.Column("batch_key", sa.String(64), primary_key=True),
    sa.Column("market", sa.Text, nullable=False),  # the market's state key
    sa.Column("film", sa.String(64), nullable=False),
    sa.Column("page", sa.String(12), nullable=False),  # compare | clip | scribble
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("votes", sa.Integer, nullable=False),
    sa.Column("reward", sa.String(16), nullable=False),
    sa.Column("seconds", sa.Integer, nullable=False),
    sa.Column("excluded", sa.Text, nullable=False),  # JSON list of worker ids that must not see it
    sa.Column("links_until", sa.String(40), nullable=False),
    sa.Column("planned_at", sa.String(40), nullable=False),
    sa.Column("published_at", sa.String(40)),
)

swap_tile_table = sa.Table(
    "swap_tile",
    metadata,
    sa.Column("batch_key", sa.String(64), sa.ForeignKey("swap_batch.batch_key"), primary_key=True),
    sa.Column("hit_key", sa.String(64), primary_key=True),
    sa.Column("tile_key", sa.String(32), primary_key=True),
    sa.Column("moment", sa.Integer, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("media", sa.Text, nullable=False),  # JSON list of hosting keys
)

swap_vote_table = sa.Table(
    "swap_vote",
    metadata,
    # What somebody said of a moment; appended, never edited.
    sa.Column("assignment_id", sa.String(64), primary_key=True),
    sa.Column("tile_key", sa.String(32), primary_key=True),
    sa.Column("hit_key", sa.String(64), nullable=False),
    sa.Column("film", sa.String(64), nullable=False, index=True),
    sa.Column("moment", sa.Integer, nullable=False),
    sa.Column("label", sa.String(16), nullable=False),  # a verdict, or "marked" with a mask
    sa.Column("mask", sa.Text, nullable=False),  # hexadecimal bits, rows from the top; empty: none
    sa.Column("worker_id", sa.String(64), nullable=False),
    sa.Column("submitted_at", sa.String(40), nullable=False),
    sa.Column("seconds", sa.Float),
    sa.Column("kind", sa.String(8), nullable=False),  # worker | person
    sa.Column("simulated", sa.Boolean, nullable=False),
)

picture_table = sa.Table(
    "gate_picture",
    metadata,
    # What is known of a picture before workers see it, by what it holds.
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(8), nullable=False),  # face: a close crop | picture: a whole one
    sa.Column("score", sa.Float),  # how likely it is sexual; null: no model looked at it
    sa.Column("word", sa.String(8), nullable=False),  # show | warn | keep-out; empty: nobody said
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("said_at", sa.String(40)),
)

step_table = sa.Table(
    "decided_step",
    metadata,
    # What one person decided at once, on one face or on many; its votes have its id as their assignment.
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("decided_at", sa.String(40), nullable=False),
    sa.Column("label", sa.String(32), nullable=False),
    sa.Column("reason", sa.String(32)),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("undone_at", sa.String(40)),
)

former_table = sa.Table(
    "decided_former",
    metadata,
    # What stood of each face of a step before it: what an undo brings back.
    sa.Column("step_id", sa.String(64), sa.ForeignKey("decided_step.id"), primary_key=True),
    sa.Column("face_id", sa.String(32), primary_key=True, index=True),
    sa.Column("former", sa.Text, nullable=False),  # JSON: the decisions per question
)

act_table = sa.Table(
    "team_act",
    metadata,
    # Who did what, when; appended only: triggers of the database refuse to change or to delete a row.
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.String(40), nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("through", sa.String(8), nullable=False),  # page | command
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("figure", sa.Text, nullable=False),
)

figure_table = sa.Table(
    "kept_figure",
    metadata,
    # What takes long to compute and is shown with the moment of which it is: derived, and made anew at will.
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("state", sa.String(80), nullable=False),  # of what it was computed
    sa.Column("made_at", sa.String(40), nullable=False),
    sa.Column("body", sa.Text, nullable=False),  # JSON
)


def all_metadata() -> list[sa.MetaData]:
    """Every set of tables in a workspace's database."""
    from ...curation.counts import metadata as curation_metadata  # the tables, with the counts of their rows
    from ...mturk.requester.ledger_tables import metadata as ledger_metadata

    return [ledger_metadata, curation_metadata, metadata]


def migrate(engine: sa.Engine, *, steps: Path = STEPS, backups: Path | None = None) -> None:
    """Bring the database to the newest version. Running it on an up-to-date database costs one read.

    `steps` is the folder of Alembic's scripts. An older database that holds something is copied to `backups/` beside
    it, or the folder of that name, first; the upgrade is one transaction, so that a kill leaves the old version. Raises
    WorkspaceError for a database of a newer Galloway.
    """
    found = _version(engine)
    if found == SCHEMA_VERSION and steps is STEPS:
        return
    if found > SCHEMA_VERSION and steps is STEPS:
        raise WorkspaceError(
            f"The workspace's database is of a newer Galloway: its tables have version {found}, this one knows "
            f"{SCHEMA_VERSION}. Nothing was touched. Upgrade Galloway, or bring a copy from the workspace's backups/ "
            "back as galloway.db."
        )
    if found:
        _back_up(engine, found, backups)
    _upgrade(engine, steps)


def _version(engine: sa.Engine) -> int:
    with engine.connect() as db:
        if db.dialect.name == "sqlite":
            return int(db.exec_driver_sql("PRAGMA user_version").scalar_one())
        if not sa.inspect(db).has_table(_ALEMBIC):
            return 0
        return int(db.exec_driver_sql(f"SELECT version_num FROM {_ALEMBIC}").scalar() or 0)


def _back_up(engine: sa.Engine, version: int, backups: Path | None) -> None:
    """A whole copy of the database as it is; it appears under its name only when it is complete."""
    file = Path("galloway.db" if backups else str(engine.url.database))
    folder = backups or file.parent / "backups"
    target = folder / f"{file.stem}-version-{version}-{datetime.now(UTC):%Y%m%d-%H%M%S}.db"
    folder.mkdir(exist_ok=True)
    with replacing(target) as partial:
        if engine.dialect.name == "sqlite":
            with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(partial)) as copy:
                source.backup(copy)
        else:
            copy_as_it_is(engine, partial, version)
    _log.warning("Tables of version %s are upgraded; a copy is kept in backups/%s.", version, target.name)


def _upgrade(engine: sa.Engine, steps: Path) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(steps))
    # Two commands that open the workspace at once: the second waits here, and finds nothing left to do.
    with alone(engine.url) as db:
        config.attributes["connection"] = db
        command.upgrade(config, "head")
        if db.dialect.name == "postgresql":
            as_sqlite_has_them(db)
            return
        broken = db.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise WorkspaceError(
                f"The upgrade of the workspace's tables would break a row of {broken[0]}; nothing was changed. "
                "Please report this with the output of: galloway doctor"
            )
        db.exec_driver_sql(f"PRAGMA user_version = {_newest(config)}")


def _newest(config: Config) -> int:
    from alembic.script import ScriptDirectory

    return int(ScriptDirectory.from_config(config).get_current_head() or 0)
