"""Footage and faces that are not in the folder any more are named, by status and by doctor."""

from __future__ import annotations

from pathlib import Path

import pytest
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.stages.missing import missing
from galloway.pipeline.workspace.records import sources

from tests.support.workspace import built_app, galloway


@pytest.fixture
def app(tmp_path: Path) -> App:
    return built_app(tmp_path / "ws", faces=4)


def test_nothing_is_missing_of_a_whole_workspace(app: App) -> None:
    assert missing(app) == ()


def test_status_and_doctor_name_footage_and_faces_that_are_gone(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("galloway.pipeline.stages.doctor._market", lambda _: [])  # it would listen on a port
    (clip,) = sources(app.workspace, Side.A)
    clip.path.unlink()
    first = next(app.workspace.faces_dir(Side.B).glob("*.png"))
    first.unlink()
    lines = galloway(app, "status").stdout
    assert "the footage sources/a/clipa.mp4 is missing" in lines
    assert "galloway ingest --side a VIDEO" in lines
    assert "side b: 1 of 4 face pictures is missing in facesets/b/faces/" in lines
    done = galloway(app, "doctor")
    assert done.returncode == 1 or app.workspace.rows.place
    assert "sources/a/clipa.mp4 is missing" in done.stdout and "side b: 1 of 4 face pictures" in done.stdout


def test_faces_that_lie_in_a_bucket_are_not_missing(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in app.workspace.faces_dir(Side.B).glob("*.png"):
        path.unlink()
    monkeypatch.setenv("GALLOWAY_FACES__S3_BUCKET", "faces")
    assert missing(App(type(app.workspace).open(app.workspace.root))) == ()
