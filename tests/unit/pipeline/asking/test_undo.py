"""A person's decisions are steps; any of them can be taken back, in any order, and nothing else changes."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from galloway.curation.types import Decision, FaceId, Side, Status, VoterKind
from galloway.pipeline.app import App
from galloway.pipeline.asking.decide import decide, face_decisions, infer
from galloway.pipeline.asking.overrule import new_step, overrule, overrule_each, undo
from galloway.pipeline.errors import NothingToDo
from galloway.pipeline.workspace.steps import rewrite_steps, steps

from tests.support.web import full_workspace

pytestmark = pytest.mark.both_databases


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(full_workspace(tmp_path / "ws", faces=12))


def standing(app: App) -> set[Decision]:
    return set(app.store.decisions())


def faces_of(app: App, side: Side = Side.B) -> list[FaceId]:
    return [face.face_id for face in app.store.faces(side)]


def test_a_step_on_many_faces_is_taken_back_whole(app: App) -> None:
    before, votes = standing(app), app.store.count_votes()
    some = faces_of(app)[:7]
    overrule_each(app, [(face, "reject", "covered") for face in some], name="Ann", note="hands")
    (step,) = steps(app.workspace)
    assert (step.person, step.label, step.reason, step.note, step.faces) == ("Ann", "reject", "covered", "hands", 7)
    assert {face_decisions(app.store.decisions())[face].status for face in some} == {Status.REJECTED}
    assert undo(app, step.id, name="Ann") == 7
    assert (standing(app), app.store.count_votes()) == (before, votes)
    assert steps(app.workspace)[0].undone_at is not None
    with pytest.raises(NothingToDo, match="was taken back on"):
        undo(app, step.id)


def test_a_decision_cut_off_before_its_votes_leaves_no_step(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    before, votes, face = standing(app), app.store.count_votes(), faces_of(app)[0]

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("galloway.curation.store.insert_new", cut)
    with pytest.raises(KeyboardInterrupt):
        overrule(app, face, "keep", name="Ann", note="seen")
    assert (standing(app), app.store.count_votes(), steps(app.workspace)) == (before, votes, [])
    monkeypatch.undo()
    overrule(app, face, "keep", name="Ann", note="seen")
    assert len(steps(app.workspace)) == 1


def test_only_who_decided_takes_it_back_unless_nobody_is_asked(app: App) -> None:
    overrule(app, faces_of(app)[0], "keep", name="Ann", note="seen")
    (step,) = steps(app.workspace)
    with pytest.raises(NothingToDo, match="no such step of yours"):
        undo(app, step.id, name="Ben")
    assert undo(app, step.id) == 1


def test_two_people_on_one_face_and_the_first_takes_back(app: App) -> None:
    face, before = faces_of(app)[1], standing(app)
    overrule(app, face, "keep", name="Ann", note="it is her")
    overrule(app, face, "reject", reason="blurred", name="Ben", note="blurred")
    second, first = steps(app.workspace)
    undo(app, first.id)
    assert face_decisions(app.store.decisions())[face].status is Status.REJECTED, "Ben's word stands"
    undo(app, second.id)
    assert standing(app) == before


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_taken_back_in_whatever_order_the_rest_stands(app: App, seed: int) -> None:
    """What stands afterwards is what a whole computation of the votes that are left says."""
    chance, faces = random.Random(seed), faces_of(app)[:5]
    for number in range(8):
        label, reason = chance.choice([("keep", None), ("reject", "covered"), ("different", None), ("same", None)])
        some = chance.sample(faces, chance.randint(1, 4))
        who = chance.choice(["Ann", "Ben"])
        overrule_each(app, [(face, label, reason) for face in some], name=who, note=f"step {number}")
        if chance.random() < 0.5:
            undo(app, chance.choice([step for step in steps(app.workspace) if step.undone_at is None]).id)
    stands = {(i.face_id, i.question, i.status, i.label, i.reason, i.decided_by) for i in app.store.decisions()}
    whole = infer(app).decisions
    assert stands == {(i.face_id, i.question, i.status, i.label, i.reason, i.decided_by) for i in whole}


def test_a_whole_run_in_between_changes_nothing_of_that(app: App) -> None:
    face, before = faces_of(app)[2], standing(app)
    overrule(app, face, "keep", name="Ann", note="one")
    decide(app)
    overrule(app, face, "reject", reason="blurred", name="Ann", note="two")
    for step in steps(app.workspace):
        undo(app, step.id)
    assert {(i.face_id, i.question, i.status) for i in standing(app)} == {
        (i.face_id, i.question, i.status) for i in before
    }


def test_a_step_may_come_in_parts_and_a_part_twice(app: App) -> None:
    step, some, before = new_step(), faces_of(app)[:6], app.store.count_votes()
    for part in (some[:3], some[3:], some[3:]):
        overrule_each(app, [(face, "reject", "covered") for face in part], name="Ann", note="hands", step=step)
    assert app.store.count_votes() == before + 6
    assert [(item.id, item.faces) for item in steps(app.workspace)] == [(step, 6)]
    assert undo(app, step) == 6
    assert not [vote for vote in app.store.votes() if vote.kind is VoterKind.PERSON]


def test_an_erased_name_goes_from_the_steps(app: App) -> None:
    overrule(app, faces_of(app)[0], "keep", name="Eileen", note="Eileen herself")
    rewrite_steps(app.workspace, re.compile("Eileen"), "erased")
    (step,) = steps(app.workspace)
    assert (step.person, step.note) == ("erased", "erased herself")
