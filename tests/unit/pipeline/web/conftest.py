"""One workspace is built for all tests; those that change it work on copies."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from galloway.pipeline.workspace.database.moving import as_noted, move_to_postgresql
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.place import record_place

from tests.support.acting import acting_site
from tests.support.databases import DATABASE
from tests.support.web import full_workspace


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The workspace in the middle of the work: not to be changed. Its rows are in its folder."""
    there = os.environ.pop(DATABASE, "")
    workspace = full_workspace(tmp_path_factory.mktemp("built") / "ws", faces=20)
    workspace.db.dispose()
    if there:
        os.environ[DATABASE] = there
    return workspace


@pytest.fixture
def workspace(built: Workspace, tmp_path: Path) -> Workspace:
    """A copy of it."""
    copy = Path(shutil.copytree(built.root, tmp_path / "ws"))
    record_place(copy)
    if url := os.environ.get(DATABASE):
        here = as_noted(Workspace.open(copy), "")
        move_to_postgresql(here, url)
        here.db.dispose()
    return Workspace.open(copy)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Flask]:
    """The pages of a small workspace of its own, whose buttons work."""
    with acting_site(tmp_path / "ws") as made:
        yield made


@pytest.fixture
def client(site: Flask) -> FlaskClient:
    """A browser at them."""
    return site.test_client()
