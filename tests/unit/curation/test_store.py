"""The store: votes are appended once, decisions are kept per run, faces keep their ids through merges."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest
from galloway.curation.store import Store
from galloway.curation.types import AssignmentId, FaceId, Question, Side, Status, VoterKind

from tests.support.databases import tables_in
from tests.support.faces import NOON, make_decision, make_face, make_vote

pytestmark = pytest.mark.both_databases


@pytest.fixture
def store(rows_in: str) -> Store:
    return Store(tables_in(rows_in))


def test_faces_come_back_as_they_went_in_and_in_frame_order(store: Store) -> None:
    faces = [make_face(3), make_face(1), make_face(2, side=Side.B)]
    assert store.add_faces(faces) == 3
    assert store.faces(Side.A) == [faces[1], faces[0]]
    assert store.faces(Side.B) == [faces[2]]


def test_adding_known_faces_again_changes_nothing(store: Store) -> None:
    store.add_faces([make_face(1)])
    assert store.add_faces([make_face(1), make_face(2)]) == 1
    assert len(store.faces()) == 2


def test_a_face_is_found_by_a_prefix_of_its_id_that_names_only_it(store: Store) -> None:
    face = make_face(1)
    store.add_faces([face])
    assert store.face(face.face_id[:8]) == face  # type: ignore[arg-type]
    assert store.face(face.face_id[:7]) is None  # type: ignore[arg-type]
    assert store.face("%" * 8) is None  # type: ignore[arg-type]


def test_the_same_assignment_votes_once_on_a_face(store: Store) -> None:
    face = make_face(1)
    store.add_faces([face])
    vote = make_vote(face, "keep")
    assert store.add_votes([vote]) == 1
    assert store.add_votes([vote, make_vote(face, "reject", "A2", reason="blurred")]) == 1
    assert [item.label for item in store.votes()] == ["keep", "reject"]
    assert store.votes()[0] == vote


def test_other_votes_in_the_place_of_those_taken_back_are_another_state(store: Store) -> None:
    face, other = make_face(0), make_face(1)
    store.add_faces([face, other])
    store.add_votes([make_vote(face, "keep", "person:Ann", kind=VoterKind.PERSON)])
    told = make_vote(other, "keep", "person:Ann", kind=VoterKind.PERSON)
    store.add_votes([replace(told, assignment_id=AssignmentId("step-1"))])
    states = [store.vote_state()]
    store.retract(AssignmentId("step-1"))
    states.append(store.vote_state())
    store.add_votes([replace(told, label="reject", reason="blurred", assignment_id=AssignmentId("step-2"))])
    states.append(store.vote_state())
    assert len(set(states)) == 3


def test_the_share_of_a_reason_leaves_out_what_is_to_be_left_out(store: Store) -> None:
    face = make_face(0)
    store.add_faces([face])
    covered, kept = make_vote(face, "reject", "A1", reason="covered"), make_vote(face, "keep", "A2")
    store.add_votes([covered, kept])
    assert store.share_of_reason("covered") == {face.face_id: 0.5}
    assert store.share_of_reason("covered", without={kept.assignment_id}) == {face.face_id: 1.0}
    assert store.share_of_reason("covered", without={covered.assignment_id}) == {}


def test_votes_are_kept_with_every_field(store: Store) -> None:
    face = make_face(1)
    store.add_faces([face])
    vote = make_vote(face, "reject", "person:Ann", reason="covered", kind=VoterKind.PERSON)
    store.add_votes([vote])
    assert store.votes(Question.USABLE) == [vote]
    assert store.votes(Question.IDENTITY) == []


def test_decisions_are_kept_per_run_and_an_equal_run_is_not_recorded_again(store: Store) -> None:
    face = make_face(1)
    store.add_faces([face])
    first = [make_decision(face, Status.DISPUTED), make_decision(face, Status.DISPUTED, question=Question.USABLE)]
    one = store.add_decisions(first, method="majority", made_at=NOON)
    assert store.add_decisions(list(reversed(first)), method="majority", made_at=NOON) == one
    second = [make_decision(face, Status.APPROVED, label="keep")]
    two = store.add_decisions(second, method="majority", made_at=NOON)
    assert two != one
    assert store.decisions() == second
    assert {item.question for item in store.decisions(one)} == {None, Question.USABLE}
    assert [run.id for run in store.runs()] == [one, two]


def test_runs_of_one_round_leave_the_last_one_and_that_before_the_round(store: Store) -> None:
    face = make_face(1)
    store.add_faces([face])
    made = [
        store.add_decisions([make_decision(face, Status.APPROVED, votes=votes)], method="majority", made_at=at)
        for votes, at in enumerate(NOON + timedelta(minutes=minute) for minute in (0, 10, 20, 30))
    ]
    store.forget_runs(NOON + timedelta(minutes=10))
    assert [run.id for run in store.runs()] == [made[0], made[1], made[3]]
    assert store.decisions(made[2]) == []
    assert [item.votes for item in store.decisions()] == [3]
    store.forget_runs(None)
    assert [run.id for run in store.runs()] == [made[3]]


def test_a_rejected_face_leaves_the_standing_ones_and_comes_back_with_undo(store: Store) -> None:
    faces = [make_face(1), make_face(1, index=1)]
    store.add_faces(faces)
    store.place_faces(
        Side.A,
        {faces[1].face_id: ("clip_000001_0.png", 0)},
        {faces[0].face_id: "facesets/a/rejected/m1/clip_000001_0.png"},
    )
    (standing,) = store.faces(Side.A)
    assert (standing.face_id, standing.name, standing.face_index) == (faces[1].face_id, "clip_000001_0.png", 0)
    assert len(store.faces(Side.A, rejected=True)) == 2
    assert store.rejected_in() == {faces[0].face_id: "facesets/a/rejected/m1/clip_000001_0.png"}
    assert store.rejected_path(faces[0].face_id) == "facesets/a/rejected/m1/clip_000001_0.png"
    assert store.rejected_path(faces[1].face_id) is None
    store.place_faces(Side.A, {face.face_id: (face.name, face.face_index) for face in faces}, {})
    assert store.faces(Side.A) == faces


def test_any_number_of_faces_can_be_asked_for_at_once(store: Store) -> None:
    face = make_face(1)
    store.add_faces([face, make_face(2)])
    store.add_votes([make_vote(face, "keep")])
    store.add_decisions([make_decision(face, Status.APPROVED)], method="majority", made_at=NOON)
    many = [*(FaceId(f"{number:x}") for number in range(30_000)), face.face_id]
    many *= 1 if store._engine.dialect.name == "sqlite" else 3
    assert store.faces(among=many) == [face]
    assert len(store.votes(faces=many)) == 1 and len(store.decisions(faces=many)) == 1
    assert store.faces(among=[]) == []


def test_the_ids_of_a_side_are_hashed_anew_when_a_face_comes_or_goes(store: Store) -> None:
    def hashed(ids: list[str]) -> str:
        return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()

    assert store.ids_hashed(Side.A) is None
    faces = [make_face(number, source=f"film{number % 2}") for number in range(4)]
    for count in (2, 4):
        store.add_faces(faces[:count])
        found = store.ids_hashed(Side.A)
        assert found is not None and found.hexdigest() == hashed([face.face_id for face in faces[:count]])
        found.update(b"more")  # what is done with it is nobody else's
    some = store.ids_hashed(Side.A, without=[faces[0].face_id])
    assert some is not None and some.hexdigest() == hashed([face.face_id for face in faces[1:]])
    store.forget_source(Side.A, "film1")
    left = store.ids_hashed(Side.A)
    assert left is not None and left.hexdigest() == hashed([faces[0].face_id, faces[2].face_id])
