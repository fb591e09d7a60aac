"""From votes to decisions on faces: the rules of the sides, persons over crowds, ties that stay ties."""

from __future__ import annotations

import pytest
from galloway.curation.decide import by_person, combine, majority_reason, question_decision
from galloway.curation.types import DecidedBy, Decision, Face, Question, Side, Status, VoterKind
from galloway.curation.votes import Votes

from tests.support.faces import make_decision, make_face, make_vote

BOTH = {Side.A: (Question.USABLE, Question.IDENTITY), Side.B: (Question.USABLE, Question.IDENTITY)}


def one(face: Face, *answers: Decision) -> Decision:
    (decision,) = combine([face], {(face.face_id, item.question): item for item in answers if item.question}, BOTH)
    return decision


@pytest.mark.parametrize(
    ("side", "reason", "status"),
    [
        (Side.A, "blurred", Status.APPROVED),
        (Side.A, "covered", Status.APPROVED),
        (Side.A, "another_person", Status.REJECTED),
        (Side.B, "blurred", Status.REJECTED),
        (Side.B, "covered", Status.REJECTED),
    ],
)
def test_side_a_keeps_blurred_and_covered_faces_and_side_b_does_not(side: Side, reason: str, status: Status) -> None:
    face = make_face(side=side)
    votes = [make_vote(face, "reject", worker, reason=reason) for worker in ("A1", "A2")]
    found = question_decision(
        face, Question.USABLE, votes, label="reject", settled=None, posterior=0.9, method="majority"
    )
    assert (found.status, found.reason) == (status, reason)


def test_a_tie_is_disputed_and_has_no_label_made_up() -> None:
    face = make_face()
    votes = [make_vote(face, "keep", "A1"), make_vote(face, "reject", "A2", reason="blurred")]
    found = question_decision(
        face, Question.USABLE, votes, label=None, settled=Status.DISPUTED, posterior=0.5, method="majority"
    )
    assert (found.status, found.label) == (Status.DISPUTED, None)


def test_most_workers_who_cannot_tell_make_a_dispute() -> None:
    face = make_face()
    votes = [make_vote(face, "cannot_tell", worker, question=Question.IDENTITY) for worker in ("A1", "A2")]
    found = question_decision(
        face, Question.IDENTITY, votes, label="cannot_tell", settled=None, posterior=0.9, method="majority"
    )
    assert found.status is Status.DISPUTED


def test_a_person_overrules_and_the_crowd_is_still_counted() -> None:
    face = make_face(side=Side.B)
    votes = [
        make_vote(face, "keep", "A1"),
        make_vote(face, "keep", "A2"),
        make_vote(face, "reject", "person:Ann", reason="covered", kind=VoterKind.PERSON),
    ]
    found = question_decision(
        face, Question.USABLE, votes, label="keep", settled=None, posterior=0.9, method="majority"
    )
    assert (found.status, found.reason, found.decided_by, found.votes) == (
        Status.REJECTED,
        "covered",
        DecidedBy.PERSON,
        2,
    )


def test_a_workers_second_vote_is_no_second_opinion_but_a_person_may_change_their_mind() -> None:
    face = make_face()
    votes = [
        make_vote(face, "keep", "A1"),
        make_vote(face, "reject", "A1", reason="blurred", minute=1),
        make_vote(face, "keep", "person:Ann", kind=VoterKind.PERSON),
        make_vote(face, "reject", "person:Ann", reason="covered", kind=VoterKind.PERSON, minute=1),
    ]
    counted = Votes.of(votes).counted()
    assert [(vote.worker_id, vote.label) for vote in counted] == [("A1", "keep"), ("person:Ann", "reject")]


def test_who_changes_their_mind_after_somebody_else_spoke_has_the_last_word() -> None:
    face = make_face()
    said = [("keep", "person:Ann"), ("reject", "person:Ben"), ("keep", "person:Ann")]
    votes = [
        make_vote(face, label, who, kind=VoterKind.PERSON, minute=minute) for minute, (label, who) in enumerate(said)
    ]
    newest = by_person(Votes.of(votes).counted())
    assert newest is not None and (newest.worker_id, newest.label) == ("person:Ann", "keep")


def test_the_reason_is_the_one_most_rejecting_votes_give() -> None:
    face = make_face()
    votes = [
        make_vote(face, "reject", "A1", reason="blurred"),
        make_vote(face, "reject", "A2", reason="covered"),
        make_vote(face, "reject", "A3", reason="covered"),
        make_vote(face, "keep", "A4"),
    ]
    assert majority_reason(votes) == "covered"
    assert majority_reason([make_vote(face, "keep")]) is None


def test_one_rejection_rejects_and_all_approvals_are_needed() -> None:
    face = make_face()
    usable = make_decision(face, Status.APPROVED, question=Question.USABLE, label="keep", posterior=0.8)
    same = make_decision(face, Status.APPROVED, question=Question.IDENTITY, label="same", posterior=0.99)
    other = make_decision(face, Status.REJECTED, question=Question.IDENTITY, label="different", posterior=0.9)
    assert one(face, usable, same).status is Status.APPROVED
    assert one(face, usable, same).posterior == 0.8
    assert one(face, usable).status is Status.UNDECIDED
    rejected = one(face, usable, other)
    assert (rejected.status, rejected.reason) == (Status.REJECTED, "another_person")
    assert one(face).status is Status.UNDECIDED


def test_a_dispute_shows_before_a_question_that_nobody_answered() -> None:
    face = make_face()
    disputed = make_decision(face, Status.DISPUTED, question=Question.USABLE, posterior=0.5)
    assert one(face, disputed).status is Status.DISPUTED
