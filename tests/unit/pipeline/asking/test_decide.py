"""Decisions over the life of a workspace: which runs are kept, and what a round started from."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from galloway.curation.types import Face, Question, Side, Status, VoterKind
from galloway.pipeline.app import App
from galloway.pipeline.asking.decide import decide, decisions_before_round, face_decisions
from galloway.pipeline.workspace.schema import batch_table

from tests.support.faces import make_vote
from tests.support.workspace import built_app


def freeze(app: App, name: str) -> None:
    """A round is frozen now."""
    row: dict[str, object] = {column.name: "" for column in batch_table.columns if not column.nullable}
    row |= {"batch_key": name, "votes": 2, "round": 1, "seconds": 60, "audit": False}
    row |= {"excluded": "[]", "planned_at": datetime.now(UTC).isoformat()}
    with app.workspace.db.begin() as db:
        db.execute(batch_table.insert().values(row))


def vote(app: App, face: Face, label: str, worker: str, round_: int = 1) -> None:
    app.store.add_votes(
        [make_vote(face, label, worker, reason="not_a_face" if label == "reject" else None, round_=round_)]
    )


def test_polling_for_answers_keeps_one_run_a_round_and_changes_count_from_its_beginning(tmp_path: Path) -> None:
    app = built_app(tmp_path / "shop", faces=3)
    face = app.store.faces(Side.A)[0]
    assert decisions_before_round(app) == []
    decide(app, method="majority")
    freeze(app, "first")
    for worker, label in (("A1", "keep"), ("A2", "keep"), ("A3", "reject")):
        vote(app, face, label, worker)
        decide(app, method="majority")
    assert len(app.store.runs()) == 2
    assert {item.status for item in decisions_before_round(app)} == {Status.UNDECIDED}
    freeze(app, "second")
    for worker in ("A4", "A5", "A6"):
        vote(app, face, "reject", worker, round_=2)
        decide(app, method="majority")
    assert len(app.store.runs()) == 3
    assert face_decisions(decisions_before_round(app))[face.face_id].status is Status.APPROVED
    assert face_decisions(app.store.decisions())[face.face_id].status is Status.REJECTED


def test_who_cannot_tell_abstains_be_it_a_worker_or_a_person(tmp_path: Path) -> None:
    asked = '[ask]\nvotes = 2\nfaces_per_hit = 5\n[side_a]\nquestions = ["identity"]\n'
    app = built_app(tmp_path / "shop", faces=3, settings=asked)
    first, second, third = app.store.faces(Side.A)[:3]
    said = {first: ("same", "cannot_tell", "same"), second: ("cannot_tell",) * 3, third: ("same", "same", "different")}
    for face, labels in said.items():
        votes = [make_vote(face, label, f"A{n}", question=Question.IDENTITY) for n, label in enumerate(labels)]
        app.store.add_votes(votes)
    person = make_vote(third, "cannot_tell", "person:me", question=Question.IDENTITY, kind=VoterKind.PERSON)
    app.store.add_votes([person])
    found = {item.face_id: item for item in decide(app) if item.question is Question.IDENTITY}
    assert [found[face.face_id].label for face in (first, second, third)] == ["same", None, "cannot_tell"]
    assert found[first.face_id].status is Status.APPROVED
    assert {found[face.face_id].status for face in (second, third)} == {Status.DISPUTED}
