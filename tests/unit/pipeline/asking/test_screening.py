"""Screening in a workspace, and its command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from galloway.curation.types import DecidedBy, Decision, FaceId, Side, Status
from galloway.pipeline.app import App
from galloway.pipeline.asking.screening import (
    draw_sheet,
    forget_embeddings,
    grid_order,
    proposed_rejections,
    report_path,
    screen_side,
    twin_leaders,
    with_screened,
)
from galloway.pipeline.cli.main import cli
from galloway.pipeline.errors import NothingToDo, WorkspaceError
from PIL import Image

from tests.support.screen import answer, workspace_with_faces


@pytest.fixture
def app(tmp_path: Path) -> App:
    return workspace_with_faces(tmp_path / "w", {Side.B: 4})


def _priors(app: App) -> list[dict[str, object]]:
    faces: list[dict[str, object]] = json.loads(report_path(app, Side.B).read_text(encoding="utf-8"))["faces"]
    return faces


def test_priors_are_kept_and_read_again(app: App) -> None:
    assert dict(grid_order(app)) == {}
    screen_side(app, Side.B, identity=False)
    faces = {face.face_id for face in app.store.faces(Side.B)}
    assert set(grid_order(app)) == faces
    assert twin_leaders(app, Side.B) == {}
    assert proposed_rejections(app, Side.B) == []


def test_screening_twice_says_the_same_and_touches_no_face(app: App) -> None:
    folder = app.workspace.faces_dir(Side.B)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    screen_side(app, Side.B, identity=False)
    first = _priors(app)
    screen_side(app, Side.B, identity=False)
    assert _priors(app) == first
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert app.store.decisions() == []


def test_identity_is_cached_and_can_be_forgotten(app: App) -> None:
    screened = screen_side(app, Side.B, confidence=0.9, audit=0.5)
    assert screened.screening.identity in ("main group", "ambiguous")
    assert all(prior.p_same is not None for prior in screened.screening.priors)
    proposed = proposed_rejections(app, Side.B)
    assert screened.proposal is not None
    assert [item.face_id for item in proposed] == [item.face_id for item in screened.proposal.decisions]
    assert "vector" not in report_path(app, Side.B).read_text(encoding="utf-8")
    assert forget_embeddings(app)
    assert not forget_embeddings(app)


def test_proposals_stand_in_only_where_nobody_voted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("galloway.pipeline.asking.screening._shown_right", lambda *_: True)
    app = workspace_with_faces(tmp_path / "w", {Side.B: 4})
    screen_side(app, Side.B, identity=False)
    path = report_path(app, Side.B)
    data = json.loads(path.read_text(encoding="utf-8"))
    faces = [FaceId(row["face_id"]) for row in data["faces"]]
    row = {"reason": "another_person", "posterior": 0.995, "decided_by": "screen", "method": "screen"}
    data["proposed"] = [{"face_id": face, **row} for face in faces[:2]]
    path.write_text(json.dumps(data), encoding="utf-8")
    asked = Decision(faces[0], None, Status.APPROVED, "keep", None, 0.9, 3, DecidedBy.CROWD, "majority")
    unasked = [Decision(face, None, Status.UNDECIDED, None, None, None, 0, DecidedBy.CROWD, "") for face in faces[1:]]
    found = with_screened(app, [asked, *unasked])
    assert [(item.status, item.decided_by) for item in found] == [
        (Status.APPROVED, DecidedBy.CROWD),
        (Status.REJECTED, DecidedBy.SCREEN),
        (Status.UNDECIDED, DecidedBy.CROWD),
        (Status.UNDECIDED, DecidedBy.CROWD),
    ]
    screen_side(app, Side.B, identity=False)
    assert with_screened(app, [asked, *unasked]) == [asked, *unasked]


def test_the_sheet_is_a_picture(app: App) -> None:
    path = draw_sheet(app, screen_side(app, Side.B, identity=False))
    with Image.open(path) as image:
        assert image.width > 1000


def test_answers_calibrate_once_there_are_enough(tmp_path: Path) -> None:
    app = workspace_with_faces(tmp_path / "w", {Side.B: 30})
    from galloway.pipeline.asking.decide import decide

    answer(app, Side.B, rejected=range(15))
    decide(app)
    assert screen_side(app, Side.B, identity=False).calibrated_with == 30


def test_no_faces_and_missing_faces_are_named(app: App) -> None:
    with pytest.raises(NothingToDo, match="galloway extract"):
        screen_side(app, Side.A)
    next(app.workspace.faces_dir(Side.B).glob("*.png")).unlink()
    with pytest.raises(WorkspaceError, match="galloway faceset verify"):
        screen_side(app, Side.B, identity=False)


def test_a_damaged_report_says_how_to_make_it_anew(app: App) -> None:
    report_path(app, Side.B).write_text("{", encoding="utf-8")
    with pytest.raises(WorkspaceError, match="galloway screen --side b"):
        grid_order(app)


def test_the_command_gives_json_and_talks_on_stderr(app: App) -> None:
    done = CliRunner().invoke(cli, ["-w", str(app.workspace.root), "screen", "--no-identity", "--json"])
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    assert data["b"]["counts"]["faces"] == 4
    assert data["b"]["pictures"] == ["reports/screen-b.png"]
    assert "galloway publish" in done.stderr


def test_a_reference_needs_a_side(app: App) -> None:
    photograph = app.workspace.root / "x.png"
    Image.new("RGB", (40, 40)).save(photograph)
    done = CliRunner().invoke(cli, ["-w", str(app.workspace.root), "screen", "--reference", str(photograph)])
    assert done.exit_code == 2
    assert "--side" in done.stderr
