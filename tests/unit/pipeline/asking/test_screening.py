"""Screening in a workspace, and its command."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from galloway.curation.types import (
    AssignmentId,
    DecidedBy,
    Decision,
    Face,
    FaceId,
    Question,
    Side,
    Status,
    Vote,
    VoterKind,
    WorkerId,
)
from galloway.pipeline.app import App
from galloway.pipeline.asking.audits import audits
from galloway.pipeline.asking.decide import decide
from galloway.pipeline.asking.overrule import overrule
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
from tests.support.workspace import NOON


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


def _proposing(app: App, faces: Sequence[Face], proposed: Sequence[Face]) -> None:
    """What `screen --propose 0.99` leaves: it is sure of all `faces`, and rejects the `proposed` without asking."""
    sure = {"p_keep": 0.005, "order": 0, "twin_of": None}
    row = {"reason": "another_person", "posterior": 0.995, "decided_by": "screen", "method": "screen"}
    data = {
        "faces": [{"face_id": face.face_id, "name": face.name, **sure} for face in faces],
        "proposed": [{"face_id": face.face_id, **row} for face in proposed],
        "confidence": 0.99,
    }
    report_path(app, Side.B).write_text(json.dumps(data), encoding="utf-8")


@pytest.mark.parametrize("said", ["keep", "same"])
def test_what_a_person_decided_stands_over_a_proposal(tmp_path: Path, said: str) -> None:
    app = workspace_with_faces(tmp_path / "w", {Side.B: 30})
    faces = app.store.faces(Side.B)
    _proposing(app, faces, faces[28:])
    for face in faces[:28]:
        overrule(app, face.face_id, "reject", reason="another_person", name="Ann", note="look")
    kept, unasked = faces[29], faces[28]
    app.store.add_votes(_own(kept, said))
    decide(app)
    known = {item.face_id: item for item in app.store.decisions() if item.question is None}
    assert (known[unasked.face_id].status, known[unasked.face_id].decided_by) == (Status.REJECTED, DecidedBy.SCREEN)
    assert known[kept.face_id].status is (Status.APPROVED if said == "keep" else Status.UNDECIDED)
    done = CliRunner().invoke(cli, ["-w", str(app.workspace.root), "merge", "--side", "b", "--open", "keep", "--json"])
    assert done.exit_code == 0, done.output
    assert (app.workspace.faces_dir(Side.B) / kept.name).exists()
    assert not (app.workspace.faces_dir(Side.B) / unasked.name).exists()


def _own(face: Face, said: str) -> list[Vote]:
    """A person's word: `same` answers who it is alone."""
    labels = {Question.IDENTITY: "same"} | ({Question.USABLE: "keep"} if said == "keep" else {})
    return [
        Vote(
            face.face_id, question, label, WorkerId("person:Ann"), AssignmentId("step"), 0, NOON,
            kind=VoterKind.PERSON, note="it is him",
        )
        for question, label in labels.items()
    ]  # fmt: skip


def test_the_sheet_is_a_picture(app: App) -> None:
    path = draw_sheet(app, screen_side(app, Side.B, identity=False))
    with Image.open(path) as image:
        assert image.width > 1000


def test_answers_calibrate_once_there_are_enough(tmp_path: Path) -> None:
    app = workspace_with_faces(tmp_path / "w", {Side.B: 30})
    answer(app, Side.B, rejected=range(15))
    decide(app)
    assert screen_side(app, Side.B, identity=False).calibrated_with == 30


def test_what_a_model_decided_is_no_answer_of_people(tmp_path: Path) -> None:
    app = workspace_with_faces(tmp_path / "w", {Side.B: 30})
    by_model = [
        Decision(
            face.face_id, None, Status.REJECTED if place < 15 else Status.APPROVED, "keep", None, 0.9, 0,
            DecidedBy.MODEL, "auto",
        )
        for place, face in enumerate(app.store.faces(Side.B))
    ]  # fmt: skip
    app.store.add_decisions(by_model, method="auto", made_at=NOON)
    assert screen_side(app, Side.B, identity=False).calibrated_with == 0
    _proposing(app, app.store.faces(Side.B), ())
    data = json.loads(report_path(app, Side.B).read_text(encoding="utf-8"))
    data["audit"] = [item.face_id for item in by_model]
    report_path(app, Side.B).write_text(json.dumps(data), encoding="utf-8")
    assert audits(app) == {}


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
