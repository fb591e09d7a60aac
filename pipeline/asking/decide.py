"""Decide: votes → truth inference per question → decisions per face. Decisions are derived; votes are facts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ...curation.decide import all_as_asked, as_asked, by_person, combine, question_decision
from ...curation.learn.pull import Drawn, weight_of_drawn
from ...curation.truth import TaskStatus, Truth, VotesTable, aggregate
from ...curation.truth.shared import aggregate_questions
from ...curation.types import ABSTENTIONS, DecidedBy, Decision, Face, FaceId, Question, Side, Status, Vote, VoterKind
from ...curation.votes import Cast, Votes
from ..app import App
from ..privacy.gone import embeddings_gone, erased_faces
from ..workspace.figures import keep_figure
from ..workspace.records import last_published
from ..workspace.steps import formers
from .heeded import heeded, heeded_state, heeded_votes
from .pulls import drawn_answer, drawn_now
from .risk import note_risks
from .taught import Lesson, both_at_once, by_the_same_look, in_words, lessons, unproved, verdicts

__all__ = [
    "Inference",
    "as_asked",
    "asked_questions",
    "decide",
    "decisions_before_round",
    "face_decisions",
    "infer",
    "record",
    "restore",
    "standing_faces",
    "take_in",
    "truth_by_question",
]


def asked_questions(app: App) -> dict[Side, tuple[Question, ...]]:
    """What each side is asked, in order."""
    return {Side.A: app.settings.side_a.questions, Side.B: app.settings.side_b.questions}


def truth_by_question(
    app: App,
    faces: Sequence[Face],
    votes: Sequence[Vote],
    method: str,
    known: Sequence[Vote] = (),
    drawn: Mapping[Question, Drawn] | None = None,
) -> dict[Question, Truth]:
    """Truth inference on each question that has votes.

    What persons said is gold, clamped; so are the answers to `known` faces, tasks of their own that tell how good a
    worker is. With `auto`, the questions share what is known of their workers. No screening
    has a voice here: one that votes on every face would teach the inference which worker is right.
    An answer that was likely `drawn` to what stood together (measured here where it is not given) counts for less.
    """
    cast = Votes.of(votes)
    drawn = drawn_now(app, faces, cast) if drawn is None else drawn
    side = {face.face_id: face.side for face in faces}
    on, by_worker = cast.columns["face_id"], cast.where(kind=VoterKind.WORKER)
    there, asked = on.where(side.__contains__), all_as_asked(cast, on.where(lambda face: side.get(face) is Side.A))
    tables, gold = {}, {}
    for question in Question:
        told = [vote for vote in known if vote.question is question]
        here = there & cast.where(question=question)
        if (here & by_worker).any():
            workers = asked.at(here & by_worker).joined(vote for vote in told if vote.kind is VoterKind.WORKER)
            tables[question.value] = VotesTable.from_votes(workers, question, _weights(workers, drawn.get(question)))
            gold[question.value] = {
                str(vote.face_id): vote.label
                for vote in [*cast.at(here & ~by_worker), *told]
                if vote.kind is not VoterKind.WORKER and vote.label not in ABSTENTIONS[question]
            }
    if method == "auto":
        found = aggregate_questions(tables, gold=gold, single_votes_decide=True)
    else:
        found = {
            name: aggregate(tables[name], method=method, gold=gold[name], single_votes_decide=True) for name in tables
        }
    return {Question(name): truth for name, truth in found.items()}


def _weights(votes: Sequence[Vote], drawn: Drawn | None) -> list[float] | None:
    """How much each vote counts beside one that nothing drew; None where all count alike."""
    return None if drawn is None else [weight_of_drawn(drawn_answer(vote, drawn)) for vote in votes]


def decide(app: App, *, method: str | None = None) -> list[Decision]:
    """Recompute all decisions from all votes and record them as a run; returns those per question and per face."""
    known = infer(app, method=method)
    record(app, known)
    return known.decisions


def record(app: App, known: Inference) -> None:
    """Make what was inferred the newest run. What persons decided since its votes were read is taken in after it."""
    app.store.add_decisions(known.decisions, method=known.method, made_at=datetime.now(UTC))
    app.store.forget_runs(last_published(app.workspace))
    note_risks(app, known.decisions)
    _keep_words(app, known)
    if meanwhile := app.store.decided_since(known.newest_vote):
        take_in(app, meanwhile)


def _keep_words(app: App, known: Inference) -> None:
    """Keep what a merge of each side would take on the model's word: the pages tell it without teaching anything."""
    for side in Side:
        lines = in_words(known.lessons, known.decisions, side)
        missing = unproved(known.lessons, known.decisions, side, app.settings.ask.promise)
        keep_figure(app.workspace, f"word {side.value}", known.state, {"lines": lines, "missing": missing})


def take_in(app: App, touched: Collection[FaceId]) -> dict[FaceId, Decision]:
    """Write what persons said of these faces into the newest run, and only that: their new decisions.

    It takes no lock and the same time in a workspace of any size, so that several people decide at once. What
    the new answers teach about others is computed with the next round, look for answers, report or merge, which all
    begin from the votes. Without a run yet there is a first, whole one.
    """
    if app.store.last_run() is None:
        return {face: item for face, item in face_decisions(decide(app)).items() if face in touched}
    return _change(app, touched, {})


def restore(app: App, touched: Collection[FaceId]) -> None:
    """Write anew what stands of these faces, from which a person's word was taken back: what other persons say of them,
    else what stood before anybody did. The rest is computed with the next round, as in `take_in`."""
    if app.store.last_run() is not None:
        _change(app, touched, formers(app.workspace, list(touched)))


def _change(
    app: App, touched: Collection[FaceId], before: Mapping[tuple[FaceId, Question], Decision]
) -> dict[FaceId, Decision]:
    while True:
        newest = app.store.vote_state()[1]
        changed = _with_spoken(app, touched, before)
        app.store.change_decisions(changed, now=datetime.now(UTC), since=last_published(app.workspace))
        if not app.store.decided_since(newest) & set(touched):  # somebody else decided on the same face just now
            return {face: item for face, item in face_decisions(changed).items() if face in touched}


def _with_spoken(
    app: App, touched: Collection[FaceId], before: Mapping[tuple[FaceId, Question], Decision]
) -> list[Decision]:
    """The newest run's decisions on these faces, with what persons said of them. `before` stands in the place of a
    person's word that was taken back."""
    faces = app.store.faces(rejected=True, among=list(touched))
    known = {(item.face_id, item.question): item for item in app.store.decisions(faces=list(touched))}
    asked = asked_questions(app)
    spoken = _spoken(app, faces, heeded_votes(app, faces=list(touched)).counted(), asked)
    per_question: dict[tuple[FaceId, Question], Decision] = {}
    for face in faces:
        for question in asked[face.side]:
            key = (face.face_id, question)
            stood = known.get(key)
            if key in spoken:
                per_question[key] = spoken[key]
            elif stood is not None and stood.decided_by is not DecidedBy.PERSON:
                per_question[key] = stood
            elif key in before:
                per_question[key] = before[key]
    return [*per_question.values(), *combine(faces, per_question, asked)]


def _spoken(
    app: App, faces: Sequence[Face], votes: Sequence[Vote], asked: Mapping[Side, Sequence[Question]]
) -> dict[tuple[FaceId, Question], Decision]:
    """The decisions on the questions that a person answered."""
    found = {}
    said = Cast(votes)
    for face in faces:
        for question in asked[face.side]:
            cast = said.of(face.face_id, question)
            if by_person(cast) is not None:
                found[face.face_id, question] = question_decision(
                    face, question, cast, label=None, settled=None, posterior=None, method=app.settings.ask.method
                )
    return found


@dataclass(frozen=True, slots=True)
class Inference:
    """Decisions with what they rest on: the faces, the votes that count, all and by face (`said`), the truth inference
    per question, and what a model was taught by them per side and question."""

    faces: list[Face]
    votes: Votes
    said: Cast
    truths: dict[Question, Truth]
    decisions: list[Decision]
    method: str
    lessons: Mapping[tuple[Side, Question], Lesson] = field(default_factory=dict)
    newest_vote: int = 0
    """The number of the newest vote that was known."""
    state: str = ""
    """`heeded_state` when the votes were read."""

    @property
    def by_people(self) -> set[tuple[FaceId, Question]]:
        """What persons, or known truth, decided."""
        return {(vote.face_id, vote.question) for vote in self.votes.at(~self.votes.where(kind=VoterKind.WORKER))}


def infer(app: App, *, method: str | None = None, votes: Sequence[Vote] | None = None) -> Inference:
    """The decisions of this moment with what they rest on; nothing is recorded. `votes`: all of them, if at hand;
    those of rejected answers decide nothing."""
    from ..checking.pages import known_votes
    from .left_out import with_left_out
    from .screening import with_screened

    method = method or app.settings.ask.method
    state, newest = heeded_state(app), app.store.vote_state()[1]
    faces = app.store.faces(rejected=True)
    cast = (heeded_votes(app) if votes is None else heeded(app, votes)).counted()
    known = known_votes(app, faces, cast)
    drawn = drawn_now(app, faces, cast)
    truths = truth_by_question(app, faces, cast, method, known, drawn)
    said = Cast(cast)
    asked = asked_questions(app)
    learnt = lessons(app, faces, cast, known, drawn) if method == app.settings.ask.method else {}
    past = _stands(app, {side for side, _ in learnt})
    per_question = _by_votes(faces, said, truths, asked, learnt, method)
    for lesson in learnt.values():
        per_question |= verdicts(lesson, faces, said, method)
        if lesson.question is Question.USABLE and both_at_once(app, lesson.side, asked[lesson.side]):
            mine = [face for face in faces if face.side is lesson.side]
            alone = _alone(truths.get(Question.IDENTITY))
            per_question |= by_the_same_look(mine, per_question, said, alone, lesson.unfit)
    decisions = [*per_question.values(), *combine(faces, per_question, asked)]
    del per_question  # two million keys at a million faces
    decisions = with_left_out(app, with_screened(app, decisions), faces)
    over = {item.face_id for item in past}
    decisions = [*(item for item in decisions if item.face_id not in over), *past]
    return Inference(faces, cast, said, truths, decisions, method, learnt, newest, state)


def standing_faces(app: App, known: Inference) -> list[Face]:
    """The faces of an inference that stand: the same objects, for a second set of a million takes half a gigabyte."""
    there = app.store.face_ids()
    return [face for face in known.faces if face.face_id in there]


def _stands(app: App, taught: Collection[Side]) -> list[Decision]:
    """What was decided of faces whose picture went since, and by models whose embeddings went: it cannot be decided
    anew, and stands."""
    gone, blind = erased_faces(app), embeddings_gone(app)
    if not gone and not blind:
        return []
    last = app.store.decisions()
    held = set(gone)
    if blind:
        open_ = {face for side in Side if side not in taught for face in app.store.face_ids(side, rejected=True)}
        held |= {item.face_id for item in last if item.decided_by is DecidedBy.MODEL and item.face_id in open_}
    return [item for item in last if item.face_id in held]


def _by_votes(
    faces: Sequence[Face],
    said: Mapping[tuple[FaceId, Question], Sequence[Vote]],
    truths: Mapping[Question, Truth],
    asked: Mapping[Side, Sequence[Question]],
    learnt: Collection[tuple[Side, Question]],
    method: str,
) -> dict[tuple[FaceId, Question], Decision]:
    """What truth inference says of the faces that were voted on, on the sides where no model is taught."""
    taught = {side for side, _ in learnt}
    left = [face for face in faces if face.side not in taught]
    found = {question: dict(_labels(truth)) for question, truth in truths.items() if left}
    per_question = {}
    for face in left:
        for question in asked[face.side]:
            cast = said.get((face.face_id, question))
            if cast:
                label, settled, posterior = found.get(question, {}).get(face.face_id, (None, Status.UNDECIDED, None))
                per_question[face.face_id, question] = question_decision(
                    face, question, cast, label=label, settled=settled, posterior=posterior, method=method
                )
    return per_question


def _alone(truth: Truth | None) -> dict[FaceId, str | None]:
    """The labels that votes settle by themselves."""
    if truth is None:
        return {}
    return {FaceId(name): label for name, (label, settled, _) in _labels(truth) if settled is None}


def decisions_before_round(app: App) -> list[Decision]:
    """The decisions from which the newest round started; none before the first."""
    since = last_published(app.workspace)
    earlier = [run for run in app.store.runs() if since is not None and run.made_at <= since]
    return app.store.decisions(earlier[-1].id) if earlier else []


def _labels(truth: Truth) -> Iterator[tuple[str, tuple[str | None, Status | None, float | None]]]:
    """Each face with its label, the status where it is not decided, and the posterior of the label."""
    names = (*truth.votes.label_names, None)  # a tie has the code -1
    open_ones = {TaskStatus.DISPUTED: Status.DISPUTED, TaskStatus.UNDECIDED: Status.UNDECIDED}
    columns = zip(truth.label.tolist(), truth.status_codes.tolist(), truth.confidence.tolist(), strict=True)
    for task, (code, status, posterior) in zip(truth.votes.task_names, columns, strict=True):
        yield task, (names[code], open_ones.get(status), posterior)


def face_decisions(decisions: Sequence[Decision]) -> dict[FaceId, Decision]:
    """The decisions on faces as a whole."""
    return {item.face_id: item for item in decisions if item.question is None}
