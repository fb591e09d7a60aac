"""Who is asked what: rounds, exclusions, open pages, pages and pay."""

from __future__ import annotations

from collections.abc import Sequence

from galloway.curation.types import Decision, Face, FaceId, PageKind, Question, Side, Status, Vote, VoterKind
from galloway.curation.votes import Cast
from galloway.pipeline.asking.needs import NO_ADVICE, Advice, Need, find_needs
from galloway.pipeline.asking.tasks import meanings
from galloway.pipeline.workspace.settings import AskSettings

from tests.support.faces import make_decision, make_face, make_vote

BOTH = {Side.A: (Question.USABLE, Question.IDENTITY), Side.B: (Question.USABLE,)}
ASK = AskSettings(votes=3, max_votes=7, faces_per_hit=10)


def needs(
    faces: Sequence[Face],
    votes: Sequence[Vote] = (),
    decisions: Sequence[Decision] = (),
    waiting: set[tuple[FaceId, Question]] | None = None,
    advice: Advice = NO_ADVICE,
) -> tuple[list[Need], list[tuple[FaceId, Question]]]:
    return find_needs(faces, Cast(votes), decisions, asked=BOTH, waiting=waiting or set(), settings=ASK, advice=advice)


def test_new_faces_are_asked_the_first_question_of_their_side() -> None:
    faces = [make_face(1), make_face(2), make_face(1, side=Side.B)]
    found, stuck = needs(faces)
    assert [(need.side, need.question, need.round, need.votes, len(need.faces)) for need in found] == [
        (Side.A, Question.USABLE, 1, 3, 2),
        (Side.B, Question.USABLE, 1, 3, 1),
    ]
    assert not stuck


def test_identity_is_asked_only_of_faces_that_usable_approved() -> None:
    kept, rejected, disputed = make_face(1), make_face(2), make_face(3)
    decisions = [
        make_decision(kept, Status.APPROVED, question=Question.USABLE),
        make_decision(rejected, Status.REJECTED, question=Question.USABLE),
        make_decision(disputed, Status.DISPUTED, question=Question.USABLE),
    ]
    votes = [make_vote(face, "keep", worker) for face in (kept, rejected, disputed) for worker in ("A1", "A2", "A3")]
    found, _ = needs([kept, rejected, disputed], votes, decisions)
    assert [(need.question, need.round, need.faces) for need in found] == [
        (Question.USABLE, 2, (disputed,)),
        (Question.IDENTITY, 1, (kept,)),
    ]


def test_a_suspicion_is_settled_by_two_at_once_and_by_nobody_whose_word_tells_nothing() -> None:
    face = make_face(1)
    pair = (face.face_id, Question.USABLE)
    advice = Advice(ask=frozenset({pair}), by_two=frozenset({pair}), unfit={pair: frozenset({"A9"})})
    votes = [make_vote(face, "keep", worker) for worker in ("A1", "A2")]
    found, _ = needs([face], votes, [make_decision(face, Status.REJECTED, question=Question.USABLE)], advice=advice)
    assert [(need.votes, need.excluded) for need in found] == [(2, frozenset({"A1", "A2", "A9"}))]


def test_a_later_round_asks_other_workers_and_faces_with_the_same_voters_go_together() -> None:
    faces = [make_face(number) for number in (1, 2, 3)]
    votes = [make_vote(face, "keep", worker) for face in faces[:2] for worker in ("A1", "A2", "A3")]
    votes += [make_vote(faces[2], "keep", worker) for worker in ("A1", "A4", "A5")]
    disputed = [make_decision(face, Status.DISPUTED, question=Question.USABLE) for face in faces]
    found, _ = needs(faces, votes, disputed)
    assert [(need.excluded, len(need.faces), need.votes) for need in found] == [
        (frozenset({"A1", "A2", "A3"}), 2, 2),
        (frozenset({"A1", "A4", "A5"}), 1, 2),
    ]


def test_a_face_that_nobody_can_tell_is_asked_for_the_person_alone_and_not_for_ever() -> None:
    """All who saw it on a page for both questions could not tell: its use is settled, who it is goes to others."""
    face = make_face()
    pages = [
        make_vote(face, meaning.label, f"A{worker}", question=meaning.question)
        for worker in range(3)
        for meaning in meanings(PageKind.BOTH, "cannot_tell")
    ]
    verdicts = [
        make_decision(face, Status.APPROVED, question=Question.USABLE),
        make_decision(face, Status.DISPUTED, question=Question.IDENTITY),
    ]
    (need,) = needs([face], pages, verdicts)[0]
    assert (need.question, need.round, need.excluded) == (Question.IDENTITY, 2, frozenset({"A0", "A1", "A2"}))


def test_a_face_on_an_open_page_waits() -> None:
    face = make_face()
    found, _ = needs([face], waiting={(face.face_id, Question.USABLE)})
    assert found == []


def test_after_max_votes_a_person_decides_and_what_a_person_decided_is_not_asked() -> None:
    face, decided = make_face(1), make_face(2)
    votes = [make_vote(face, "keep", f"A{number}") for number in range(7)]
    votes.append(make_vote(decided, "keep", "person:Ann", kind=VoterKind.PERSON))
    verdicts = [make_decision(face, Status.DISPUTED, question=Question.USABLE)]
    found, stuck = needs([face, decided], votes, verdicts)
    assert found == []
    assert stuck == [(face.face_id, Question.USABLE)]


def test_settled_faces_are_asked_again_only_where_that_pays() -> None:
    face = make_face(1, side=Side.B)
    pair = (face.face_id, Question.USABLE)
    votes = [make_vote(face, "keep", worker) for worker in ("A1", "A2", "A3")]
    verdicts = [make_decision(face, Status.APPROVED, question=Question.USABLE)]
    assert needs([face], votes, verdicts)[0] == []
    (need,) = needs([face], votes, verdicts, advice=Advice(ask=frozenset({pair})))[0]
    assert (need.votes, need.round, need.audit) == (1, 2, False)
    (need,) = needs([face], votes, verdicts, advice=Advice(audit=frozenset({pair})))[0]
    assert (need.votes, need.audit) == (1, True)


def test_a_face_that_the_budget_does_not_reach_waits() -> None:
    face = make_face(1, side=Side.B)
    votes = [make_vote(face, "keep", "A1"), make_vote(face, "reject", "A2", reason="blurred")]
    verdicts = [make_decision(face, Status.DISPUTED, question=Question.USABLE)]
    deferred = Advice(deferred=frozenset({(face.face_id, Question.USABLE)}))
    assert needs([face], votes, verdicts, advice=deferred) == ([], [])
