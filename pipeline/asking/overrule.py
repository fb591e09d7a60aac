"""A person's decision: a vote of its own kind with a name and a reason, never an overwrite."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from functools import partial

from ...curation.decide import KEPT_ON_A
from ...curation.types import AssignmentId, Decision, Face, FaceId, Question, Side, Vote, VoterKind, WorkerId
from ..app import App
from ..errors import NothingToDo, StageError
from ..privacy.gone import erased_faces
from ..wording import counted
from ..workspace.acts import note_act
from ..workspace.steps import add_step, faces_of, find_step, mark_undone
from .decide import asked_questions, restore, take_in

__all__ = ["find_face", "find_faces", "kept_anyway", "new_step", "overrule", "overrule_each", "undo"]

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


def overrule_each(
    app: App, choices: Sequence[tuple[str, str, str | None]], *, name: str, note: str, step: str = ""
) -> list[Decision]:
    """As `overrule` for several (face, label, reason); all are recorded, or none. What the same person said last
    of a face, in the same words, is not recorded again: a command that was killed may be run again.

    They are one step, which `undo` takes back; `step` is its id where more of the same step follows or came before.
    """
    if not name.strip() or not note.strip():
        raise StageError("A decision needs the name of who decides and why; both stand in the report.")
    step = step or new_step()
    faces = find_faces(app, [face for face, _, _ in choices])
    gone = erased_faces(app, [face.face_id for face in faces])
    votes: list[Vote] = []
    for face, (_, label, reason) in zip(faces, choices, strict=True):
        if day := gone.get(face.face_id):
            raise StageError(
                f"The picture of {face.name} went on {day}, as [privacy] says; what was decided of it stands. To "
                "have it again, extract anew: galloway extract --again"
            )
        votes += _votes(app, face, label, reason, name, note, step)
    touched = {face.face_id for face in faces}
    if new := _new(app, votes):
        said = choices[0] if len({choice[1:] for choice in choices}) == 1 else ("", "several", None)
        before = _standing(app, {vote.face_id for vote in new})
        written = partial(
            add_step, step_id=step, person=name.strip(), label=said[1], reason=said[2], note=note.strip(), before=before
        )
        app.store.add_votes(new, beside=written)
        answers = ", ".join(f"{count} {label}" for label, count in Counter(choice[1] for choice in choices).items())
        note_act(app.workspace, "decide", answers, counted(len(choices), "face"))
    decided = take_in(app, touched)
    return [decided[face.face_id] for face in faces]


def new_step() -> str:
    """The id of a step that begins: nobody else has it."""
    return f"person-{uuid.uuid4().hex}"


def undo(app: App, step_id: str, *, name: str = "") -> int:
    """Take back what was decided in a step: its votes go, and its faces stand as before, or as somebody decided since;
    how many faces. With `name` only a step of that person.

    Raises NothingToDo where there is no such step, or it was taken back before.
    """
    step = find_step(app.workspace, step_id)
    if step is None or (name and step.person != name):
        raise NothingToDo("There is no such step of yours. See them: the page Decisions, or galloway decisions")
    if step.undone_at is not None:
        raise NothingToDo(f"That was taken back on {step.undone_at:%d %B %Y, %H:%M} UTC.")
    faces = faces_of(app.workspace, step_id)
    app.store.retract(AssignmentId(step_id))
    mark_undone(app.workspace, step_id)
    restore(app, faces)
    note_act(app.workspace, "decide", "a step taken back", counted(len(faces), "face"))
    return len(faces)


def _standing(app: App, faces: Collection[FaceId]) -> dict[FaceId, list[Decision]]:
    """What stands of each of these faces, per question and as a whole."""
    found: dict[FaceId, list[Decision]] = {face: [] for face in faces}
    for item in app.store.decisions(faces=list(faces)):
        found[item.face_id].append(item)
    return found


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


def _votes(app: App, face: Face, label: str, reason: str | None, name: str, note: str, step: str) -> list[Vote]:
    if label not in _QUESTION:
        raise StageError(f"{label!r} is no decision. Choose keep, reject, same or different.")
    if label == "reject" and reason is None:
        raise StageError("A rejection needs a reason: not_a_face, another_person, blurred, covered or bad_crop.")
    told = label == "reject" or (label == "keep" and face.side is Side.A and reason == "covered")
    votes = [_vote(face, _QUESTION[label], label, reason if told else None, name, note, step)]
    if label in ("keep", "same"):
        other, good = (Question.IDENTITY, "same") if label == "keep" else (Question.USABLE, "keep")
        if other in asked_questions(app)[face.side]:
            votes.append(_vote(face, other, good, None, name, note, step))
    return votes


def find_faces(app: App, texts: Sequence[str]) -> list[Face]:
    """As `find_face` for several, whole ids in one look. Raises StageError."""
    known = {str(face.face_id): face for face in app.store.faces(rejected=True, among=[FaceId(text) for text in texts])}
    return [known.get(text) or find_face(app, text) for text in texts]


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


def _vote(face: Face, question: Question, label: str, reason: str | None, name: str, note: str, step: str) -> Vote:
    return Vote(
        face_id=face.face_id,
        question=question,
        label=label,
        reason=reason,
        worker_id=WorkerId(f"person:{name.strip()}"),
        assignment_id=AssignmentId(step),
        round=0,
        submitted_at=datetime.now(UTC),
        kind=VoterKind.PERSON,
        note=note.strip(),
    )
