"""People's word stands: no prior, screen or model turns a face against workers who agree on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from galloway.curation.decide import question_decision
from galloway.curation.types import DecidedBy, Question, Side, Status, Vote
from galloway.pipeline.app import App
from galloway.pipeline.asking.decide import decide, face_decisions
from galloway.pipeline.asking.screening import report_path

from tests.support.faces import make_face, make_vote
from tests.support.screen import workspace_with_faces

SETTINGS = [
    {},
    {"GALLOWAY_ASK__METHOD": "majority"},
    {"GALLOWAY_ASK__METHOD": "one-coin"},
    {"GALLOWAY_ASK__METHOD": "dawid-skene"},
    {"GALLOWAY_ASK__LEARN": "false"},
    {"GALLOWAY_ASK__VOTES": "2", "GALLOWAY_ASK__MAX_VOTES": "2"},
]


def _wrong_screen(app: App, wanted: list[str]) -> None:
    """A screening that is sure of every face, and wrong about the person's; it proposes to reject them all."""
    faces = app.store.faces(Side.B)
    rows = [
        {
            "face_id": face.face_id,
            "p_keep": 0.001 if face.face_id in wanted else 0.999,
            "p_same": 0.001 if face.face_id in wanted else 0.999,
            "order": number,
            "flags": [],
            "twin_of": None if number % 2 else faces[-1].face_id,
        }
        for number, face in enumerate(faces)
    ]
    proposed = [
        {"face_id": face, "reason": "another_person", "posterior": 0.999, "method": "screen"} for face in wanted
    ]
    path = report_path(app, Side.B)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"faces": rows, "proposed": proposed, "confidence": 0.99}), encoding="utf-8")


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda item: " ".join(item.values()) or "defaults")
@pytest.mark.parametrize("voters", [2, 3, 5])
def test_a_screen_that_is_wrong_about_every_face_of_the_person_loses_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], voters: int
) -> None:
    for name, value in ({"GALLOWAY_ASK__METHOD": "auto"} | settings).items():
        monkeypatch.setenv(name, value)
    app = workspace_with_faces(tmp_path / "w", {Side.B: 12})
    faces = app.store.faces(Side.B)
    wanted = [str(face.face_id) for face in faces[:6]]
    _wrong_screen(app, wanted)
    for face in faces:
        good = face.face_id in wanted
        for worker in range(voters):
            reason = None if good else "another_person"
            label, same = ("keep", "same") if good else ("reject", "different")
            app.store.add_votes(
                [
                    make_vote(face, label, f"A{worker}", reason=reason),
                    make_vote(face, same, f"A{worker}", question=Question.IDENTITY, minute=1),
                ]
            )
    found = face_decisions(decide(app))
    assert [found[face.face_id].status for face in faces] == [Status.APPROVED] * 6 + [Status.REJECTED] * 6


def test_what_screening_proposes_is_asked_until_people_have_shown_it_to_be_right(tmp_path: Path) -> None:
    app = workspace_with_faces(tmp_path / "w", {Side.B: 16})
    faces = app.store.faces(Side.B)
    _wrong_screen(app, [str(face.face_id) for face in faces])
    assert {item.status for item in face_decisions(decide(app)).values()} == {Status.UNDECIDED}
    for face in faces[:12]:
        app.store.add_votes([make_vote(face, "reject", f"A{n}", reason="another_person") for n in range(3)])
    shown = face_decisions(decide(app))
    assert {shown[face.face_id].decided_by for face in faces[12:]} == {DecidedBy.SCREEN}
    for face in faces[:1]:
        app.store.add_votes([make_vote(face, "keep", f"B{n}", minute=2) for n in range(9)])
        app.store.add_votes([make_vote(face, "same", f"B{n}", question=Question.IDENTITY) for n in range(3)])
    assert {face_decisions(decide(app))[face.face_id].status for face in faces[12:]} == {Status.UNDECIDED}


@pytest.mark.parametrize(("said", "model"), [("keep", "reject"), ("reject", "keep")])
@pytest.mark.parametrize("voters", [1, 2, 3, 6])
def test_agreement_is_never_overruled(said: str, model: str, voters: int) -> None:
    face = make_face(side=Side.B)
    reason = "blurred" if said == "reject" else None
    votes = [make_vote(face, said, f"A{n}", reason=reason) for n in range(voters)]
    found = question_decision(
        face,
        Question.USABLE,
        votes,
        label=model,
        settled=None,
        posterior=0.999,
        method="auto",
        alone=None,
        by=DecidedBy.MODEL,
        reason="another_person",
    )
    stands = Status.APPROVED if said == "keep" else Status.REJECTED
    assert found.status is (stands if voters >= 3 else Status.UNDECIDED)
    assert found.decided_by is DecidedBy.CROWD


@pytest.mark.parametrize("status", [None, Status.UNDECIDED])
def test_who_says_the_same_of_good_and_bad_faces_is_none_of_three_who_agree(
    status: Status | None,
) -> None:
    """Two usual workers and one who answers at random rejected a wanted face: a fourth is asked, and nothing decided
    against them."""
    face = make_face(side=Side.B)
    votes = [make_vote(face, "reject", f"A{n}", reason="blurred") for n in range(3)]

    def decided(blind: tuple[str, ...], cast: list[Vote]) -> Status:
        return question_decision(
            face,
            Question.USABLE,
            cast,
            label="keep",
            settled=status,
            posterior=0.99,
            method="auto",
            by=DecidedBy.MODEL,
            blind=blind,
        ).status

    assert decided((), votes) is Status.REJECTED
    assert decided(("A2",), votes) is Status.UNDECIDED
    fourth = make_vote(face, "reject", "A3", reason="blurred")
    assert decided(("A2",), [*votes, fourth]) is Status.REJECTED


def test_what_the_votes_settle_alone_is_disputed_and_not_decided_against() -> None:
    face = make_face(side=Side.B)
    votes = [
        make_vote(face, "keep", "A1"),
        make_vote(face, "keep", "A2"),
        make_vote(face, "reject", "A3", reason="blurred"),
    ]
    given: dict[str, Any] = {"settled": None, "posterior": 0.99, "method": "auto", "by": DecidedBy.MODEL}
    turned = question_decision(face, Question.USABLE, votes, label="reject", alone="keep", **given)
    assert (turned.status, turned.label) == (Status.DISPUTED, None)
    broken = question_decision(face, Question.USABLE, votes[1:], label="reject", alone=None, **given)
    assert (broken.status, broken.decided_by) == (Status.REJECTED, DecidedBy.MODEL)
