"""Known faces: which they are, in what order they come, and that an answer to one is no vote on it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from galloway.curation.types import FaceId, Question, Side, VoterKind
from galloway.pipeline.asking.layout import Layout, lay_out
from galloway.pipeline.asking.needs import Need
from galloway.pipeline.checking.gold import KNOWN, as_known, in_turn, known_labels
from galloway.pipeline.workspace.settings import AskSettings
from hypothesis import given
from hypothesis import strategies as st

from tests.support.faces import make_face
from tests.support.votes import vote

FACES = [make_face(number) for number in range(60)]
FACE = FACES[0].face_id
ASKED = Question.USABLE


def said(*labels: str, face: FaceId = FACE, **more: object) -> list[object]:
    return [vote(face, f"w{number}", label, **more) for number, label in enumerate(labels)]


@pytest.mark.parametrize(
    ("labels", "known"),
    [
        (("keep",) * 3, "keep"),
        (("reject",) * 4, "reject"),
        (("keep",) * 2, None),
        (("keep", "keep", "keep", "reject"), None),
    ],
)
def test_known_is_what_three_agree_on(labels: tuple[str, ...], known: str | None) -> None:
    assert known_labels(FACES, said(*labels), "agreed").get((FACE, ASKED)) == known
    assert known_labels(FACES, said(*labels), "persons") == {}


def test_a_persons_word_is_known_whatever_workers_said() -> None:
    cast = [*said("keep", "keep", "keep"), vote(FACE, "person:Ann", "reject", kind=VoterKind.PERSON)]
    assert known_labels(FACES, cast, "persons") == {(FACE, ASKED): "reject"}
    assert known_labels(FACES, cast, "agreed") == {(FACE, ASKED): "reject"}


def test_on_side_a_a_blurred_face_is_known_as_kept_and_nobody_cannot_tell() -> None:
    assert known_labels(FACES, said("reject", "reject", "reject", reason="blurred"), "agreed") == {
        (FACE, ASKED): "keep"
    }
    unsure = said("unsure", "unsure", "unsure", question=Question.IDENTITY)
    assert known_labels(FACES, unsure, "agreed") == {}


@given(st.integers(1, 30), st.integers(0, 30))
def test_both_kinds_come_by_turns_and_no_rare_one_too_often(good: int, bad: int) -> None:
    known = {(face.face_id, ASKED): "keep" for face in FACES[:good]}
    known |= {(face.face_id, ASKED): "reject" for face in FACES[30 : 30 + bad]}
    order = in_turn(FACES, known)[Side.A, ASKED]
    times = Counter(order)
    assert set(times) == {face for face, _ in known}
    assert max(times.values()) <= 4
    if bad and 4 * bad >= good and 4 * good >= bad:
        kinds = [known[face, ASKED] for face in order[: 2 * (len(order) // 2)]]
        assert abs(kinds.count("keep") - kinds.count("reject")) <= max(good, bad)
        assert len(set(kinds[:4])) == 2 or len(kinds) < 4


def test_an_answer_to_a_known_face_is_no_vote_on_it_and_counts_once() -> None:
    cast = said("keep", "keep", "keep")
    known = known_labels(FACES, cast, "agreed")
    answers = [vote(FACE, "new", "reject"), vote(FACE, "new", "keep", minutes=9), vote(FACE, "w1", "keep")]
    told = as_known(answers, known, cast)
    assert [(item.worker_id, item.label, item.kind) for item in told] == [
        ("new", "reject", VoterKind.WORKER),
        ("", "keep", VoterKind.GOLD),
    ], "neither a second answer counts, nor one of a worker who made it known"
    assert {item.face_id for item in told} == {KNOWN + FACE}


def test_what_is_not_known_any_more_says_nothing_of_anybody() -> None:
    assert as_known([vote(FACE, "new", "reject")], {}, []) == []


def test_known_faces_of_the_other_side_stay_away_and_their_share_holds_in_all() -> None:
    faces = [make_face(number) for number in range(480)]
    other = replace(FACES[1], side=Side.B)
    gold = {(Side.A, ASKED): [make_face(900 + n).face_id for n in range(40)], (Side.B, ASKED): [other.face_id]}
    asked = dict.fromkeys(Side, (ASKED,))
    made = Layout(AskSettings(faces_per_hit=24), asked, frozenset(), gold=gold, gold_share=0.05)
    (plan,) = lay_out(Need(Side.A, ASKED, 1, 3, frozenset(), tuple(faces)), made)
    mixed = [face for page in plan.pages for face in page.gold]
    assert other.face_id not in mixed
    assert len(mixed) / len(faces) == pytest.approx(1 / 23, rel=0.1)
    places = Counter(page.faces.index(face) for page in plan.pages for face in page.gold)
    assert len(places) > 8, "they stand anywhere on a page"
    small = [lay_out(Need(Side.A, ASKED, 2, 1, frozenset(), (face,)), made)[0].pages[0] for face in faces]
    assert sum(len(page.gold) for page in small) / len(faces) == pytest.approx(1 / 23, rel=0.5), "small pages too"
