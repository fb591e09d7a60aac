"""Footage in which no face was found: no step sends the person in a circle."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.cli.main import cli
from galloway.pipeline.stages.ingest import ingest
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.stages.status import read_status
from galloway.pipeline.workspace.schema import source_table


@pytest.fixture
def app(tmp_path: Path) -> App:
    found = App(make_workspace(tmp_path / "ws")[0])
    for side in Side:
        clip = tmp_path / f"grey-{side.value}.mp4"
        clip.write_bytes(side.value.encode())
        ingest(found, clip, side, person="", basis="own")
    return found


def test_other_footage_is_asked_for(app: App) -> None:
    assert read_status(app).next_command == "galloway extract"
    with app.workspace.db.begin() as db:
        db.execute(source_table.update().values(faces=0, frames=25))
    assert read_status(app).next_command.startswith("galloway ingest --side a VIDEO")
    done = CliRunner().invoke(cli, ["-w", str(app.workspace.root), "extract"])
    assert "--again" in str(done.exception), "what was extracted is not extracted twice unasked"
