"""Bring a database to the newest schema, through Alembic."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from mturk.marketplace.errors import OperatorError

__all__ = ["migrate"]


def migrate(engine: sa.Engine) -> None:
    """Make or upgrade the tables. Does nothing where they are the newest; safe with several starting processes.

    Raises OperatorError for a database of a newer Galloway.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    from mturk.marketplace.store.database import writing

    options = Config()
    options.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    known = {step.revision for step in ScriptDirectory.from_config(options).walk_revisions()}
    with writing(engine) as connection:
        for version in _versions(connection) - known:
            raise OperatorError(
                f"The marketplace's database is of a newer Galloway: its tables have version {version}, which this one "
                "does not know. Nothing was touched. Upgrade Galloway."
            )
        options.attributes["connection"] = connection
        command.upgrade(options, "head")


def _versions(connection: sa.Connection) -> set[str]:
    if not sa.inspect(connection).has_table("marketplace_version"):
        return set()
    return set(connection.execute(sa.text("select version_num from marketplace_version")).scalars())
