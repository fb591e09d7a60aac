"""A person's decision: a vote of its own kind with a name and a reason, never an overwrite."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from ...curation.decide import KEPT_ON_A
from ...curation.types import AssignmentId, Decision, Face, FaceId, Question, Side, Vote, VoterKind, WorkerId
from ..app import App
from ..errors import StageError
from ..privacy.gone import erased_faces
from .decide import asked_questions, take_in

__all__ = ["find_face", "kept_anyway", "overrule", "overrule_each"]

_QUESTION = {
    "keep": Question.USABLE,
    "reject": Question.USABLE,
    "same": Question.IDENTITY,
    "different": Question.IDENTITY,
}


def overrule(app: App, face: str, label: str, *, reason: str | None = None, name: str, note: str) -> Decision:
    """Record a person's vote on a face; the face's new decision. Nothing waits for it, and it waits for nothing.

    `keep` speaks for the face as a whole: it also answers `same` where identity is asked and not settled otherwise.
    Raises StageError for an unknown face, a label of no question, a missing name, reason or note.
    """
    return overrule_each(app, [(face, label, reason)], name=name, note=note)[0]


def overrule_each(app: App, choices: Sequence[tuple[str, str, str | None]], *, name: str, note: str) -> list[Decision]:
    """As `overrule` for several (face, label, reason); all are recorded, or none. What the same person said last
    of a face, in the same words, is not recorded again: a command that was killed may be run again."""
    if not name.strip() or not note.strip():
        raise StageError("A decision needs the name of who decides and why; both stand in the report.")
    votes: list[Vote] = []
    faces = []
    for face, label, reason in choices:
        faces.append(find_face(app, face))
        if day := erased_faces(app).get(faces[-1].face_id):
            raise StageError(
                f"The picture of {faces[-1].name} went on {day}, as [privacy] says; what was decided of it stands. To "
                "have it again, extract anew: galloway extract --again"
            )
        votes += _votes(app, faces[-1], label, reason, name, note)
    app.store.add_votes(_new(app, votes))
    decided = take_in(app, {face.face_id for face in faces})
    return [decided[face.face_id] for face in faces]


def _new(app: App, votes: Sequence[Vote]) -> list[Vote]:
    """Those that do not stand already: the newest word of any person on face and question is not the same."""
    people = [vote for vote in app.store.votes(faces=[vote.face_id for vote in votes]) if vote.kind is VoterKind.PERSON]
    newest = {(vote.face_id, vote.question): vote for vote in people}
    return [vote for vote in votes if not _same(newest.get((vote.face_id, vote.question)), vote)]


def _same(one: Vote | None, other: Vote) -> bool:
    return one is not None and (one.label, one.reason, one.worker_id, one.note) == (
        other.label, other.reason, other.worker_id, other.note
    )  # fmt: skip


def kept_anyway(app: App, decided: Decision, label: str, reason: str | None) -> str:
    """The rule under which merge keeps a face that a person just rejected, in words; empty where it does as told."""
    face = app.store.face(decided.face_id)
    if face is None or face.side is not Side.A or label != "reject" or reason not in KEPT_ON_A:
        return ""
    return (
        "Side A keeps faces that are only blurred or covered, or their frames would not be swapped: merge will leave "
        "it. To have it out, give another reason: not_a_face, another_person or bad_crop."
    )


def _votes(app: App, face: Face, label: str, reason: str | None, name: str, note: str) -> list[Vote]:
    if label not in _QUESTION:
        raise StageError(f"{label!r} is no decision. Choose keep, reject, same or different.")
    if label == "reject" and reason is None:
        raise StageError("A rejection needs a reason: not_a_face, another_person, blurred, covered or bad_crop.")
    votes = [_vote(face, _QUESTION[label], label, reason if label == "reject" else None, name, note)]
    if label in ("keep", "same"):
        other, good = (Question.IDENTITY, "same") if label == "keep" else (Question.USABLE, "keep")
        if other in asked_questions(app)[face.side]:
            votes.append(_vote(face, other, good, None, name, note))
    return votes


def find_face(app: App, text: str) -> Face:
    """The face with this id (or at least 8 digits of it) or file name. Raises StageError where that is not one face."""
    face = app.store.face(FaceId(text.lower()))
    if face is not None:
        return face
    named = [item for item in app.store.faces(rejected=True) if item.name in (text, f"{text}.png")]
    if len(named) == 1:
        return named[0]
    if named:
        raise StageError(f"{text} is the name of {len(named)} faces; give the face id, as the report shows it.")
    raise StageError(f"There is no face {text!r}. Give a face id of at least 8 digits, or a file name of faces/.")


def _vote(face: Face, question: Question, label: str, reason: str | None, name: str, note: str) -> Vote:
    return Vote(
        face_id=face.face_id,
        question=question,
        label=label,
        reason=reason,
        worker_id=WorkerId(f"person:{name.strip()}"),
        assignment_id=AssignmentId(f"person-{uuid.uuid4().hex}"),
        round=0,
        submitted_at=datetime.now(UTC),
        kind=VoterKind.PERSON,
        note=note.strip(),
    )
