"""A person's decision: written at once, only what it touches, by several people at a time."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from galloway.curation.types import Side, Status
from galloway.pipeline.app import App
from galloway.pipeline.asking import decide as deciding
from galloway.pipeline.asking.decide import decide, face_decisions, infer, record, take_in
from galloway.pipeline.asking.overrule import overrule
from galloway.pipeline.workspace.folder import Workspace

from tests.support.patience import PATIENCE
from tests.support.web import full_workspace

pytestmark = pytest.mark.both_databases


@pytest.fixture
def app(tmp_path: Path) -> App:
    app = App(full_workspace(tmp_path / "ws", faces=20))
    decide(app)
    return app


CHOICES = [("keep", None), ("reject", "not_a_face"), ("reject", "blurred"), ("same", None), ("different", None)]


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(("label", "reason"), CHOICES)
def test_what_is_written_is_what_a_whole_computation_says_of_the_face(
    app: App, side: Side, label: str, reason: str | None
) -> None:
    face = app.store.faces(side)[1].face_id
    others = {item for item in app.store.decisions() if item.face_id != face}
    told = overrule(app, face, label, reason=reason, name="Ann", note="seen")
    written = app.store.decisions(faces=[face])
    assert {item for item in app.store.decisions() if item.face_id != face} == others
    assert told == face_decisions(written)[face]
    whole = [item for item in infer(app).decisions if item.face_id == face]
    assert {(item.question, item.status, item.label, item.reason, item.decided_by) for item in written} == {
        (item.question, item.status, item.label, item.reason, item.decided_by) for item in whole
    }


def test_the_same_decision_again_is_the_same_decision(app: App) -> None:
    """A command that was killed after it had written is run again."""
    face = app.store.faces(Side.B)[0].face_id
    before = app.store.count_votes()
    told = [overrule(app, face, "reject", reason="covered", name="Ann", note="a hand") for _ in range(3)]
    assert app.store.count_votes() == before + 1 and told[0] == told[2]
    overrule(app, face, "reject", reason="covered", name="Ben", note="a hand")
    overrule(app, face, "reject", reason="covered", name="Ann", note="a hand")
    assert app.store.count_votes() == before + 3, "after somebody else's word it is a new one"


def test_it_needs_no_lock_and_waits_for_nobody(app: App) -> None:
    face = app.store.faces(Side.B)[0].face_id
    with app.workspace.lock("collecting"):
        told = overrule(app, face, "reject", reason="covered", name="Ann", note="a hand")
    assert told.status is Status.REJECTED


def test_five_people_at_once_lose_nothing(app: App) -> None:
    faces = [face.face_id for face in app.store.faces(Side.B)]
    failed: list[BaseException] = []

    def person(number: int) -> None:
        mine = App(Workspace.open(app.workspace.root))
        try:
            for step, face in enumerate(faces):
                label, reason = ("keep", None) if (step + number) % 2 else ("reject", "covered")
                overrule(mine, face, label, reason=reason, name=f"person {number}", note="seen")
        except BaseException as error:  # told by the test, not swallowed
            failed.append(error)
        finally:
            mine.workspace.db.dispose()

    threads = [threading.Thread(target=person, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE)
    assert not failed
    assert sum(vote.worker_id.startswith("person:person") for vote in app.store.votes()) >= 5 * len(faces)
    stored, whole = face_decisions(app.store.decisions()), face_decisions(infer(app).decisions)
    assert {face: stored[face].status for face in faces} == {face: whole[face].status for face in faces}


def test_what_somebody_decides_while_another_run_is_computed_stands_in_it(app: App) -> None:
    known = infer(app)
    face = app.store.faces(Side.B)[0].face_id
    overrule(app, face, "reject", reason="covered", name="Ann", note="a hand")
    record(app, replace(known, decisions=[replace(item, votes=9) for item in known.decisions]))  # a new run, too late
    found = face_decisions(app.store.decisions())
    assert found[face].status is Status.REJECTED
    assert all(item.votes == 9 for key, item in found.items() if key != face)


def test_the_run_that_a_round_started_from_stays_as_it_was(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    run = app.store.last_run()
    assert run is not None
    monkeypatch.setattr(deciding, "last_published", lambda _workspace: datetime.now(UTC))
    before = app.store.decisions(run.id)
    face = app.store.faces(Side.B)[0].face_id
    overrule(app, face, "reject", reason="covered", name="Ann", note="a hand")
    newest = app.store.last_run()
    assert newest is not None and newest.id > run.id
    assert app.store.decisions(run.id) == before
    assert len(app.store.decisions()) >= len(before)


def test_without_a_run_there_is_a_first_whole_one(tmp_path: Path) -> None:
    app = App(full_workspace(tmp_path / "ws", faces=20))
    with app.workspace.db.begin() as db:
        db.exec_driver_sql("DELETE FROM decision")
        db.exec_driver_sql("DELETE FROM decision_run")
    face = app.store.faces(Side.A)[0].face_id
    assert set(take_in(app, {face})) == {face}
    assert len(face_decisions(app.store.decisions())) == len(app.store.faces(rejected=True))
