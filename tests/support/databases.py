"""Tests that run with a workspace's rows in SQLite and on PostgreSQL.

A module, class or test marked `both_databases` runs on both. Any tests run on PostgreSQL alone with
`python -m pytest --rows postgresql PATHS`, but for two kinds: one marked `postgresql` begins in a file all the same,
for it makes its databases itself; one marked `in_a_file("reason")` is about files and is skipped, with the reason.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from galloway.curation.tables import metadata
from galloway.pipeline.workspace.database.engine import make_engine

if TYPE_CHECKING:
    from tests.support.postgres import Databases

__all__ = ["DATABASE", "tables_in"]

DATABASE = "GALLOWAY_WORKSPACE__DATABASE"


def pytest_addoption(parser: pytest.Parser) -> None:
    choices = ["sqlite", "postgresql"]
    parser.addoption("--rows", choices=choices, default="sqlite", help="where the workspaces of all tests have rows")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    item, asked = metafunc.definition, metafunc.config.option.rows
    file = item.get_closest_marker("in_a_file")
    both = item.get_closest_marker("both_databases") and not file
    if item.get_closest_marker("postgresql"):
        return
    kinds: list[object] = ["sqlite"] if both or asked == "sqlite" else []
    if both or asked == "postgresql":
        marks = [pytest.mark.postgresql, *([pytest.mark.skip(reason=file.args[0])] if file else [])]
        kinds.append(pytest.param("postgresql", marks=marks))
    if kinds != ["sqlite"]:
        metafunc.parametrize("rows_in", kinds, indirect=True)


def tables_in(kind: str) -> sa.Engine:
    """An engine on the tables of faces and votes, in memory or in the test's PostgreSQL database."""
    if kind == "postgresql":
        return make_engine(os.environ[DATABASE])
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine)
    return engine


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Makes PostgreSQL databases with a workspace's empty tables."""
    from tests.support.postgres import Databases, postgres_url

    for url in postgres_url(tmp_path_factory.mktemp("workspaces")):
        made = Databases(url)
        yield made
        made.close()


@pytest.fixture
def database(databases: Databases) -> Iterator[str]:
    """The URL of a PostgreSQL database of the test's own."""
    url = databases.make()
    yield url
    databases.drop(url)


@pytest.fixture
def begin_elsewhere(rows_in: str, request: pytest.FixtureRequest) -> Iterator[Callable[[], None]]:
    """To be called before a test makes another workspace: one PostgreSQL database has the rows of one only. A workspace
    that was made before goes on as it is, as long as it is not opened anew."""
    made = list[str]()

    def begin() -> None:
        if rows_in == "postgresql":
            made.append(request.getfixturevalue("databases").make())
            os.environ[DATABASE] = made[-1]

    yield begin
    for url in made:
        request.getfixturevalue("databases").drop(url)


@pytest.fixture(autouse=True)
def rows_in(request: pytest.FixtureRequest) -> Iterator[str]:
    """Which kind of database has the rows of the test's workspace."""
    kind = getattr(request, "param", "sqlite")
    if kind == "postgresql":
        os.environ[DATABASE] = request.getfixturevalue("database")
    yield kind
    os.environ.pop(DATABASE, None)
