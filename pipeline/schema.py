"""The workspace's own tables, and the migration of the whole database.

One SQLite file holds three sets of tables: the ledger's (`mturk.ledger`), the label side's (`curation.store`) and
these, which tie the two together: which face stood behind which tile of which HIT.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

__all__ = ["SCHEMA_VERSION", "all_metadata", "metadata", "migrate"]

SCHEMA_VERSION = 1
"""Written to SQLite's user_version, so that an up-to-date database is recognised without importing Alembic."""

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
    sa.Column("question", sa.String(16), nullable=False),
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


def all_metadata() -> list[sa.MetaData]:
    """Every set of tables in a workspace's database."""
    from curation.store import metadata as curation_metadata
    from mturk.ledger import metadata as ledger_metadata

    return [ledger_metadata, curation_metadata, metadata]


def migrate(engine: sa.Engine) -> None:
    """Bring the database to SCHEMA_VERSION. Running it on an up-to-date database costs one read."""
    with engine.connect() as db:
        if db.exec_driver_sql("PRAGMA user_version").scalar_one() == SCHEMA_VERSION:
            return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["engine"] = engine
    command.upgrade(config, "head")
    with engine.begin() as db:
        db.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")
