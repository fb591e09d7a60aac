"""Taking a source out of a workspace: everything of it goes, nothing of the others."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from galloway.curation.types import AssignmentId, Question, Side, Vote, WorkerId
from galloway.pipeline.app import App
from galloway.pipeline.asking.decide import decide
from galloway.pipeline.errors import SafetyStop, StageError
from galloway.pipeline.stages.here_already import write_record
from galloway.pipeline.stages.merge import merge
from galloway.pipeline.stages.sources import plan_removal, remove_source
from galloway.pipeline.workspace.records import sources

from tests.support.workspace import built_app


@pytest.fixture
def app(tmp_path: Path) -> App:
    return built_app(tmp_path / "ws", faces=6)


def files(app: App, side: Side) -> list[str]:
    root = app.workspace.root
    below = [root / "sources" / side.value, root / "facesets" / side.value]
    return sorted(path.name for folder in below for path in folder.rglob("*") if path.is_file())


def vote_on_everything(app: App) -> None:
    now = datetime.now(UTC)
    app.store.add_votes(
        [
            Vote(face.face_id, Question.USABLE, "keep", WorkerId("AANN"), AssignmentId(f"3{face.face_id}"), 1, now)
            for face in app.store.faces()
        ]
    )
    decide(app)


def test_a_source_goes_with_its_faces_and_the_other_side_stays(app: App) -> None:
    before = files(app, Side.B)
    planned = plan_removal(app, Side.A, "clipa")
    assert (len(planned.faces), planned.votes) == (6, 0)
    remove_source(app, planned)
    assert files(app, Side.A) == []
    assert files(app, Side.B) == before
    assert app.store.faces(Side.A) == []
    assert len(app.store.faces(Side.B)) == 6
    assert [item.name for item in sources(app.workspace)] == ["clipb"]


def test_votes_go_only_where_that_is_said(app: App) -> None:
    vote_on_everything(app)
    planned = plan_removal(app, Side.A, "clipa")
    assert planned.votes == 6
    with pytest.raises(SafetyStop, match="6 votes on faces of clipa"):
        remove_source(app, planned)
    assert len(app.store.faces(Side.A)) == 6
    remove_source(app, planned, with_votes=True)
    assert {vote.face_id for vote in app.store.votes()} == {face.face_id for face in app.store.faces(Side.B)}
    assert {item.face_id for item in app.store.decisions()} <= {face.face_id for face in app.store.faces(Side.B)}


def test_killed_between_files_and_rows_the_same_call_finishes(app: App) -> None:
    planned = plan_removal(app, Side.A, "clipa")
    for path in list(app.workspace.faces_dir(Side.A).iterdir())[:3]:
        path.unlink()
    planned.source.path.unlink()
    remove_source(app, plan_removal(app, Side.A, "clipa"))
    assert files(app, Side.A) == []
    assert [item.name for item in sources(app.workspace)] == ["clipb"]


@pytest.mark.parametrize("step", ["drop_tiles", "drop_source"])
def test_killed_between_the_tables_the_same_call_finishes(app: App, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(Exception):
        pass

    def killed(*_args: object) -> None:
        raise Killed

    vote_on_everything(app)
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(f"galloway.pipeline.stages.sources.{step}", killed)
        remove_source(app, plan_removal(app, Side.A, "clipa"), with_votes=True)
    remove_source(app, plan_removal(app, Side.A, "clipa"), with_votes=True)
    assert [item.name for item in sources(app.workspace)] == ["clipb"]
    assert app.store.faces(Side.A) == []
    assert {vote.face_id for vote in app.store.votes()} == {face.face_id for face in app.store.faces(Side.B)}


def test_what_cannot_be_taken_out_says_why(app: App) -> None:
    with pytest.raises(StageError, match="There are: clipa"):
        plan_removal(app, Side.A, "clip")
    merge(app, Side.A, open_faces="keep")
    with pytest.raises(StageError, match="galloway merge undo --side a"):
        plan_removal(app, Side.A, "clipa")


def test_the_mended_copy_goes_too(app: App) -> None:
    mended = app.workspace.path("sources", "mended", "5a", "clipa.mp4")
    mended.write_bytes(b"mended")
    kept = app.workspace.path("sources", "mended", "other.mp4")
    for path, given in ((mended, "5a"), (kept, "5b")):
        record = {"before": {"sha256": given}}
        path.with_name(f"{path.name}.fix.json").write_text(json.dumps(record), encoding="utf-8")
    write_record(app, Side.A, "clipa", person="", basis="own", note="", digest="clipa", mended_from="5a")
    remove_source(app, plan_removal(app, Side.A, "clipa"))
    left = [path.relative_to(app.workspace.root).as_posix() for path in kept.parent.rglob("*")]
    assert left == ["sources/mended/other.mp4.fix.json"]
