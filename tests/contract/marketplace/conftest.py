"""Every test of this folder runs on SQLite and, where PostgreSQL's programs are installed, on PostgreSQL as well."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.marketplace import Bench, start_bench
from tests.support.postgres import postgres_url

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty, migrated SQLite database to copy."""
    folder = tmp_path_factory.mktemp("template")
    start_bench(folder, requester="").market.close()
    return folder / "market.db"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL database: of GALLOWAY_TEST_POSTGRES, or of a server of our own in a temporary folder."""
    yield from postgres_url(tmp_path_factory.mktemp("postgres"))


class Starter:
    """Makes marketplaces with settings of a test's own, and closes them."""

    def __init__(self, folder: Path, database_url: str, template: Path) -> None:
        self.folder, self.database_url, self.template = folder, database_url, template
        self.made: list[Bench] = []

    def __call__(self, **settings: Any) -> Bench:
        folder = self.folder / f"market{len(self.made)}"
        folder.mkdir()
        if not self.database_url:
            shutil.copy(self.template, folder / "market.db")
        bench = start_bench(folder, database_url=self.database_url, **settings)
        self.made.append(bench)
        return bench


@pytest.fixture(params=DATABASES)
def start(request: pytest.FixtureRequest, tmp_path: Path, template: Path) -> Iterator[Starter]:
    """Call it for a marketplace with other settings."""
    url = request.getfixturevalue("postgres") if request.param == "postgresql" else ""
    starter = Starter(tmp_path, url, template)
    yield starter
    for bench in starter.made:
        bench.market.close()


@pytest.fixture
def bench(start: Starter) -> Bench:
    """A marketplace with default settings."""
    return start()
