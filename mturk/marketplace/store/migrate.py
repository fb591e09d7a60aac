"""Bring a database to the newest schema, through Alembic."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from ..errors import OperatorError

__all__ = ["migrate"]

_STEPS = Path(__file__).parent / "migrations"


def migrate(engine: sa.Engine, key: bytes) -> bool:
    """Make or upgrade the tables; whether there was anything to do. Safe with several starting processes.

    `key` is the marketplace's own, which seals what older versions stored openly.

    Raises OperatorError for a database of a newer Galloway.
    """
    from .database import reading, writing

    with reading(engine) as connection:
        if _versions(connection) == {_newest()}:
            return False  # without Alembic, which takes longer to import than everything else to start
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    options = Config()
    options.set_main_option("script_location", str(_STEPS))
    known = {step.revision for step in ScriptDirectory.from_config(options).walk_revisions()}
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            # A large table takes the time that it takes; how long others wait for a lock stays as it is.
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        for version in _versions(connection) - known:
            raise OperatorError(
                f"The marketplace's database is of a newer Galloway: its tables have version {version}, which this one "
                "does not know. Nothing was touched. Upgrade Galloway."
            )
        options.attributes["connection"], options.attributes["key"] = connection, key
        command.upgrade(options, "head")
    return True


def _versions(connection: sa.Connection) -> set[str]:
    if not sa.inspect(connection).has_table("marketplace_version"):
        return set()
    return set(connection.execute(sa.text("select version_num from marketplace_version")).scalars())


def _newest() -> str:
    """The newest revision, from the scripts' names: v0001_….py is 0001."""
    return max(path.name[1:5] for path in (_STEPS / "versions").glob("v[0-9]*.py"))
