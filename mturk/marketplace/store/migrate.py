"""Bring a database to the newest schema, through Alembic."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

__all__ = ["migrate"]


def migrate(engine: sa.Engine) -> None:
    """Make or upgrade the tables. Does nothing where they are the newest; safe with several starting processes."""
    from alembic import command
    from alembic.config import Config

    from mturk.marketplace.store.database import writing

    options = Config()
    options.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with writing(engine) as connection:
        options.attributes["connection"] = connection
        command.upgrade(options, "head")
