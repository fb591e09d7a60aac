"""A side that is taught: asked in steps, decided by people and model, audited blind, told in words."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from galloway.curation.faceset.cards.card import card_from_json
from galloway.curation.faceset.cards.page import card_html
from galloway.curation.faceset.merging.merge import manifests
from galloway.curation.learn.bound import Proof
from galloway.curation.learn.estimate import forecast
from galloway.curation.learn.features import Features
from galloway.curation.learn.pull import Pull
from galloway.curation.learn.verdicts import teach
from galloway.curation.types import DecidedBy, FaceId, PageKind, Question, Side, Status, Vote, VoterKind
from galloway.curation.votes import Cast, Votes
from galloway.pipeline.app import App
from galloway.pipeline.asking import kept
from galloway.pipeline.asking.advice import vote_price
from galloway.pipeline.asking.audits import audits
from galloway.pipeline.asking.choosing import (
    _unfit,
    advise_lessons,
    first_count,
    in_doubt_together,
    looked_at_once,
    next_count,
)
from galloway.pipeline.asking.decide import face_decisions, infer, truth_by_question
from galloway.pipeline.asking.needs import Advice
from galloway.pipeline.asking.pulls import drawn_now
from galloway.pipeline.asking.sample import in_sample
from galloway.pipeline.asking.screening import forget_embeddings
from galloway.pipeline.asking.sight import Sight
from galloway.pipeline.asking.taught import in_words, lessons, verdicts
from galloway.pipeline.errors import SafetyStop
from galloway.pipeline.stages.cards import make_card
from galloway.pipeline.stages.merge import merge, models_word
from galloway.pipeline.workspace.folder import Workspace

from tests.support.faces import make_face, make_vote
from tests.support.screen import workspace_with_faces


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    """A side of 120 faces of which every third is the person's, told apart by two of their numbers."""
    monkeypatch.setenv("GALLOWAY_ASK__METHOD", "auto")
    monkeypatch.setenv("GALLOWAY_MARKET__FEE_PERCENT", "20")
    monkeypatch.setenv("GALLOWAY_SIDE_B__QUESTIONS", '["usable"]')
    app = workspace_with_faces(tmp_path / "w", {Side.B: 120})
    faces = [face.face_id for face in app.store.faces(Side.B)]
    rng = np.random.default_rng(1)
    good = np.arange(120) % 3 == 0
    matrix = rng.normal(0, 1, (120, 12)) + np.where(good, 3.0, -3.0)[:, None] * (np.arange(12) < 2)
    features = Features(matrix, rng.normal(0, 1, (120, 8)), 1 - matrix[:, 0], np.arange(120))
    sight = Sight(tuple(faces), features)
    monkeypatch.setattr("galloway.pipeline.asking.taught.seen", lambda _app, side: sight if side is Side.B else None)
    return app


def answered(app: App, places: range, voters: int = 2, minute: int = 0, *, wrong: int = -1) -> list[Vote]:
    votes = []
    for place, face in enumerate(app.store.faces(Side.B)):
        if place not in places:
            continue
        good = (place % 3 == 0) is not (place == wrong)
        for worker in range(voters):
            reason = None if good else "another_person"
            label = "keep" if good else "reject"
            votes.append(make_vote(face, label, f"A{worker}", reason=reason, round_=place // 12 + 1, minute=minute))
    app.store.add_votes(votes)
    return votes


def test_the_first_faces_are_seen_by_one_and_nothing_is_decided_before(app: App) -> None:
    known = infer(app)
    assert {item.status for item in face_decisions(known.decisions).values()} == {Status.UNDECIDED}
    told = advise_lessons(app, known, price=Decimal("0.01"), budget=None, waiting=frozenset(), audited=frozenset())
    assert (len(told.ask), told.first_votes) == (first_count(120), 1)
    assert "Until all is decided and audited: about" in told.lines[-1]
    poor = advise_lessons(
        app, known, price=Decimal("0.01"), budget=Decimal("0.05"), waiting=frozenset(), audited=frozenset()
    )
    assert len(poor.ask) == 5


def test_a_round_asks_about_half_as_many_as_were_asked_before() -> None:
    """A model that was taught by 32 faces does not know yet where among 700 it is in doubt."""
    assert [next_count(700, asked) for asked in (10, 32, 48, 72, 500)] == [12, 16, 24, 36, 84]
    assert next_count(10_000, 5_000) == 96
    assert next_count(100, 90) == 12


@pytest.mark.parametrize(
    ("doubt", "asked", "looked_at"), [(0.02, 0, True), (0.02, 1, True), (0.02, 2, False), (0.005, 0, False)]
)
def test_a_track_that_may_be_wrong_as_a_whole_is_looked_at(doubt: float, asked: int, looked_at: bool) -> None:
    """Fifty faces that are 98 % sure each are one face too much to be wrong, and they are right or wrong together."""
    faces = [FaceId(f"f{number}") for number in range(52)]
    votes = np.array([int(number < asked) for number in range(52)])
    lesson: Any = SimpleNamespace(
        sight=SimpleNamespace(faces=faces),
        place=lambda: {face: number for number, face in enumerate(faces)},
        taught=SimpleNamespace(doubt=np.where(np.arange(52) == 40, doubt + 0.001, doubt), votes=votes),
        asked=votes > 0,
    )
    tracks = dict.fromkeys(faces[:50], faces[0])
    assert in_doubt_together(lesson, faces, tracks) == ([faces[40]] if looked_at else [])


@pytest.mark.parametrize("compared", [2000, 7])
def test_answers_on_some_faces_decide_the_others_and_an_audit_follows(
    app: App, monkeypatch: pytest.MonkeyPatch, compared: int
) -> None:
    """However many rejected faces a reason is looked for among."""
    monkeypatch.setattr("galloway.pipeline.asking.taught._COMPARED", compared)
    answered(app, range(45), 3)
    known = infer(app)
    found = face_decisions(known.decisions)
    faces = app.store.faces(Side.B)
    by_model = [place for place, face in enumerate(faces) if found[face.face_id].decided_by is DecidedBy.MODEL]
    assert len(by_model) > 40 and min(by_model) >= 45
    for place in by_model:
        assert found[faces[place].face_id].status is (Status.APPROVED if place % 3 == 0 else Status.REJECTED)
        assert found[faces[place].face_id].reason == (None if place % 3 == 0 else "another_person")
    words = in_words(known.lessons, known.decisions, Side.B)
    assert words[0].startswith(f"{len(by_model)} of 120 faces of side b are decided by the model")
    answered(app, range(45, 120), 3, 5)
    told = advise_lessons(app, infer(app), price=Decimal("0.01"), budget=None, waiting=frozenset(), audited=frozenset())
    assert not told.ask
    assert 0 < len(told.audit) < 20


@pytest.mark.parametrize(("said", "stands"), [(-1.0, False), (-2.0, True), (-4.0, True)])
def test_one_worker_and_a_model_that_only_leans_are_no_two_opinions(app: App, said: float, stands: bool) -> None:
    """A careful worker erred on a wanted face, the model leant that way, and the face was lost."""
    answered(app, range(1, 2), voters=1)
    face = app.store.faces(Side.B)[1]
    (lesson,) = infer(app).lessons.values()
    row = lesson.place()[face.face_id]
    leaning, sure = lesson.taught.said.copy(), lesson.weighed.odds.copy()
    leaning[row], sure[row] = said, -4.0
    lesson = replace(lesson, taught=replace(lesson.taught, said=leaning), weighed=replace(lesson.weighed, odds=sure))
    votes = {(face.face_id, Question.USABLE): app.store.votes()}
    found = verdicts(lesson, [face], votes, "auto")[face.face_id, Question.USABLE]
    assert found.status is (Status.REJECTED if stands else Status.UNDECIDED)


def test_of_a_large_set_no_more_are_audited_than_prove_what_is_needed_unless_a_share_was_chosen(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(app, range(120), voters=3)

    def audited() -> int:
        known = infer(app)
        told = advise_lessons(app, known, price=Decimal("0.01"), budget=None, waiting=frozenset(), audited=frozenset())
        return len(told.audit)

    shares: list[float] = []

    def noted(_app: App, _what: str, _face: FaceId, share: float) -> bool:
        shares.append(share)
        return True

    monkeypatch.setattr("galloway.pipeline.asking.choosing.in_sample", noted)
    assert audited() == 120
    assert set(shares) == {0.05}, "120 faces: the usual share"
    shares.clear()
    monkeypatch.setattr("galloway.pipeline.asking.choosing._ENOUGH_AUDITED", 3)
    audited()
    assert set(shares) == {3 / 120}
    shares.clear()
    monkeypatch.setenv("GALLOWAY_ASK__AUDIT_SHARE", "0.05")
    app = App(Workspace.open(app.workspace.root))
    audited()
    assert set(shares) == {0.05}


def test_a_page_for_which_nobody_is_left_holds_up_nothing(app: App) -> None:
    answered(app, range(45), 3)
    known = infer(app)
    pairs = [(face.face_id, Question.USABLE) for face in app.store.faces(Side.B)]
    settled = {item.face_id for item in known.decisions if item.status in (Status.APPROVED, Status.REJECTED)}
    undecided = [pair for pair in pairs if pair[0] not in settled]
    assert len(undecided) > 3

    def told(*waiting: tuple[FaceId, Question]) -> Advice:
        known = infer(app)
        price = Decimal("0.01")
        return advise_lessons(app, known, price=price, budget=None, waiting=frozenset(waiting), audited=frozenset())

    some = told(*undecided[:2]).ask
    assert some and not some & set(undecided[:2])
    assert not told(*pairs[:12]).ask
    answered(app, range(45, 120), 3, 5)
    assert told(*pairs[:4]).audit
    assert not told(*pairs[:12]).audit


def test_looking_again_teaches_nothing_anew_and_an_answer_does(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    taught = []
    monkeypatch.setattr(kept, "teach", lambda *given: taught.append(given) or teach(*given))
    answered(app, range(45), 3)
    first = infer(app)
    again = infer(App(app.workspace))
    assert len(taught) == 1
    assert again.decisions == first.decisions
    (before,), (after,) = first.lessons.values(), again.lessons.values()
    assert np.array_equal(before.odds, after.odds)
    scores = np.linspace(-5, 5, 11)
    assert np.array_equal(before.taught.record.odds(scores), after.taught.record.odds(scores))
    assert before.taught.record.counts == after.taught.record.counts
    answered(app, range(45, 48), 3)
    infer(app)
    assert len(taught) == 2
    assert forget_embeddings(app)
    infer(app)
    assert len(taught) == 3


@pytest.mark.parametrize("look", ["cluster:1", "both:rest"])
def test_what_was_answered_at_once_is_one_look(app: App, look: str) -> None:
    """A group, and all that were left unmarked, are one dependent look each, however unlike its faces are."""
    faces = app.store.faces(Side.B)
    by_itself = [make_vote(face, "keep", "A1") for face in faces[:12]]
    at_once = [replace(vote, look=look) for vote in by_itself]
    (apart,) = lessons(app, faces, by_itself).values()
    (together,) = lessons(app, faces, at_once).values()
    assert apart.heard.weights.sum() > 6
    assert together.heard.weights.sum() < 1.2
    assert np.array_equal(apart.taught.votes, together.taught.votes)


def test_a_merge_keeps_the_promise_or_is_told_to_go_on(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    answered(app, range(45), 3)
    word = models_word(app, Side.B)
    assert "are decided by the model" in word.lines[0]
    assert word.missing is None, "without a promise it is said in words"
    monkeypatch.setenv("GALLOWAY_ASK__PROMISE", "0.1")
    app = App(Workspace.open(app.workspace.root))
    with pytest.raises(
        SafetyStop, match=r"promise is 10.0%, and the audit of usable \(0 of .* proves 100.0%. Missing is"
    ):
        merge(app, Side.B, open_faces="keep")
    assert "audit_share = 0." in (models_word(app, Side.B).missing or "")
    monkeypatch.setenv("GALLOWAY_ASK__PROMISE", "0.01")
    assert "So few faces cannot prove it" in (
        models_word(App(Workspace.open(app.workspace.root)), Side.B).missing or ""
    )
    done = merge(app, Side.B, open_faces="keep", accept_unproved=True)
    assert "are decided by the model" in " ".join(done.notes)


def test_manifest_and_card_say_which_faces_stand_on_the_models_word_and_what_is_proved_of_it(app: App) -> None:
    answered(app, range(45), 3)
    found = face_decisions(infer(app).decisions)
    by_model = {face for face, item in found.items() if item.decided_by is DecidedBy.MODEL}
    kept = {face for face in by_model if found[face].status is Status.APPROVED}
    merge(app, Side.B, open_faces="keep")
    (manifest,) = manifests(app.faceset_paths(Side.B))
    assert set(manifest["by_model"]) == kept
    assert {row["face_id"] for row in manifest["removals"] if row["decided_by"] == "model"} == by_model - kept
    card = make_card(app, Side.B)
    assert card_from_json(json.loads(card.to_json())) == card
    told = f"{len(kept)} faces are in it, and {len(by_model - kept)} were left out, on the model's word."
    assert told in card.gaps()
    assert any(text.startswith("Audit, usable: no decided face was asked once more yet") for text in card.gaps())
    assert "the model that answers taught" in card_html(card)


def test_an_audit_says_what_a_tighter_bound_costs(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    answered(app, range(45), 3)
    faces = app.store.faces(Side.B)
    since = datetime(2026, 5, 4, 12, 5, tzinfo=UTC)
    audited = {(face.face_id, Question.USABLE): since for face in faces[60:90]}
    monkeypatch.setattr("galloway.pipeline.asking.taught.audit_times", lambda _workspace: audited)
    monkeypatch.setattr("galloway.pipeline.asking.audits.audited_by_screening", lambda _app, _side: {faces[0]: 0.5})
    answered(app, range(60, 90), 1, 9)
    audit = audits(app)["side b, usable"]
    assert isinstance(audit, Proof)
    each = vote_price(app.settings.ask, app.settings.ask.reward / 5)
    assert audit.price(1000) == f"${each * 1000:.2f}"
    assert "more faces asked (about $" in audit.text()


@pytest.fixture
def in_groups(app: App, monkeypatch: pytest.MonkeyPatch) -> App:
    """The faces in twenty groups of six of which a part was drawn to be shown mixed; all but those are confirmed at
    once, whatever they show, and of the mixed ones every other face is rejected."""
    monkeypatch.setenv("GALLOWAY_ASK__MIXED_SHARE", "0.4")
    app = App(Workspace.open(app.workspace.root))
    faces = app.store.faces(Side.B)
    groups = {face.face_id: faces[place // 6 * 6].face_id for place, face in enumerate(faces)}
    alone = {(face.face_id, Question.USABLE): "batch" for face in faces}
    monkeypatch.setattr("galloway.pipeline.asking.pulls.stand_together", lambda *_given: groups)
    monkeypatch.setattr("galloway.pipeline.asking.pulls.first_alone", lambda _workspace: alone)
    monkeypatch.setattr("galloway.pipeline.asking.audits._audit_batches", lambda _app: {})
    cluster = SimpleNamespace(page=PageKind.CLUSTER, audit=False)
    monkeypatch.setattr("galloway.pipeline.asking.audits.frozen_batches", lambda _workspace: [cluster])
    drawn = {leader for leader in set(groups.values()) if in_sample(app, "mixed", leader, 0.4)}
    for place, face in enumerate(faces):
        mixed = groups[face.face_id] in drawn
        label = "reject" if mixed and place % 2 else "keep"
        reason = "blurred" if label == "reject" else None
        look = "both:face" if mixed else "cluster:1"
        app.store.add_votes([replace(make_vote(face, label, "A1", reason=reason), look=look)])
    return app


def test_groups_are_compared_with_those_shown_mixed(in_groups: App) -> None:
    pull = audits(in_groups)["groups, usable"]
    assert isinstance(pull, Pull)
    assert pull.groups + pull.mixed_groups == 20
    assert (pull.rejected, pull.rejected_mixed) == (0.0, 0.5)
    assert f"{pull.drawn:.0%} of the answers on groups, or more, keep whatever the face shows" in pull.text()


def test_what_is_asked_singly_for_another_reason_is_not_compared(
    in_groups: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An audited face, or the doubtful one of a track, is rejected oftener or less than its like: it is no group that
    was shown mixed."""
    monkeypatch.setattr("galloway.pipeline.asking.pulls.first_alone", lambda _workspace: {})
    assert "groups, usable" not in audits(in_groups)


def test_an_answer_that_agrees_with_what_stood_together_says_less(in_groups: App) -> None:
    faces, votes = in_groups.store.faces(Side.B), in_groups.store.votes().counted()
    (taken,) = lessons(in_groups, faces, votes).values()
    (left,) = lessons(in_groups, faces, votes, drawn={}).values()
    place = taken.place()
    at_once = [place[vote.face_id] for vote in votes if vote.look == "cluster:1"]
    assert (taken.heard.odds[at_once] > 0).all()
    assert (taken.heard.odds[at_once] < 0.8 * left.heard.odds[at_once]).all()
    assert taken.heard.weights.sum() < left.heard.weights.sum()
    face = next(vote.face_id for vote in votes if vote.look == "cluster:1")
    sure = []
    for drawn in (None, {}):
        truth = truth_by_question(in_groups, faces, votes, "dawid-skene", (), drawn)[Question.USABLE]
        sure.append(truth.confidence[truth.votes.task_names.index(face)])
    assert sure[0] < sure[1]


def test_three_who_agree_settle_a_face_however_likely_they_were_drawn(in_groups: App) -> None:
    face = in_groups.store.faces(Side.B)[0]
    votes = [replace(make_vote(face, "keep", f"B{n}"), look="cluster:1") for n in range(3)]
    in_groups.store.add_votes(votes)
    assert drawn_now(in_groups, in_groups.store.faces(Side.B), in_groups.store.votes().counted())
    assert face_decisions(infer(in_groups).decisions)[face.face_id].status is Status.APPROVED


def test_audit_votes_teach_nothing_and_count_wrong_decisions(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    answered(app, range(45), 3)
    faces = app.store.faces(Side.B)
    since = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=1000)
    audited = {(face.face_id, Question.USABLE): since for face in faces[60:90]}
    monkeypatch.setattr("galloway.pipeline.asking.taught.audit_times", lambda _workspace: audited)
    (before,) = lessons(app, faces, app.store.votes().counted()).values()
    decided = np.flatnonzero(before.taught.doubt[60:90] <= 0.03) + 60
    late = answered(app, range(60, 90), 2, 9, wrong=int(decided[0]))
    start = min(vote.submitted_at for vote in late)
    audited.update(dict.fromkeys(audited, start))
    (after,) = lessons(app, faces, app.store.votes().counted()).values()
    assert np.allclose(before.taught.posterior, after.taught.posterior)
    proof = after.proof()
    assert 10 < proof.asked <= 30
    assert proof.wrong == 1
    assert f"of {proof.asked} decided faces, drawn at random and asked once more, 1 was wrong: at most" in proof.text()
    turned = face_decisions(infer(app).decisions)[faces[decided[0]].face_id]
    assert turned.status is (Status.REJECTED if decided[0] % 3 == 0 else Status.APPROVED)
    assert turned.decided_by is DecidedBy.CROWD


def test_known_faces_of_one_side_tell_of_workers_before_the_other_has_an_answer(app: App) -> None:
    elsewhere = make_face(500, side=Side.A)
    known = [make_vote(elsewhere, "keep", "gold", kind=VoterKind.GOLD), make_vote(elsewhere, "keep", "A1")]
    (lesson,) = lessons(app, app.store.faces(Side.B), [], known).values()
    assert not lesson.asked.any()


def test_an_auditors_vote_against_a_decision_is_settled_by_others_and_not_by_who_says_the_same_of_all(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = app.store.faces(Side.B)
    answered(app, range(60), 3)
    answered(app, range(90, 120), 3)
    app.store.add_votes([make_vote(face, "keep", "A9", minute=1) for face in faces[:50]])
    start = datetime(2026, 5, 4, 12, 5, tzinfo=UTC)
    audited = {(face.face_id, Question.USABLE): start for face in faces[60:90]}
    monkeypatch.setattr("galloway.pipeline.asking.taught.audit_times", lambda _workspace: audited)
    (before,) = lessons(app, faces, app.store.votes().counted()).values()
    stood = [number for number in range(60, 90) if before.stood[number]]
    doubted, proved = [faces[number] for number in stood if number % 3][:2]
    unproved = next(faces[number] for number in stood if number % 3 == 0)
    app.store.add_votes([make_vote(doubted, "keep", "A0", minute=9)])
    app.store.add_votes([make_vote(proved, "reject", "A0", reason="blurred", minute=9)])
    app.store.add_votes([make_vote(unproved, "keep", "A9", minute=9)])
    known = infer(app)
    (lesson,) = known.lessons.values()
    assert lesson.unfit == {"A9"}
    assert (lesson.proof().wrong, lesson.proof().unsettled) == (0, 2), "one vote against it is no error yet"
    told = advise_lessons(
        app, known, price=Decimal("0.01"), budget=None, waiting=frozenset(), audited=frozenset(audited)
    )
    again = {doubted.face_id, unproved.face_id}
    assert {face for face, _ in told.ask} >= again
    assert proved.face_id not in {face for face, _ in told.ask}
    assert {told.unfit[face, Question.USABLE] for face in again} == {frozenset({"A9"})}
    assert "2 audited faces shown to others" in " ".join(told.lines)


@pytest.mark.parametrize(("share", "sought"), [(2 / 3, True), (0.9, False)])
def test_where_most_of_the_decided_faces_are_bad_an_audit_has_the_good_ones_marked(
    app: App, monkeypatch: pytest.MonkeyPatch, share: float, sought: bool
) -> None:
    """Two in three are bad here; on all pages of the audit or on none, which would say how a face was decided."""
    monkeypatch.setattr("galloway.pipeline.asking.taught._MOSTLY", share)
    answered(app, range(120), 3)
    told = advise_lessons(app, infer(app), price=Decimal("0.01"), budget=None, waiting=frozenset(), audited=frozenset())
    assert told.audit
    assert told.sought == (told.audit if sought else frozenset())


def test_whom_an_audit_shuts_out_leaves_as_many_as_it_asks_at_once() -> None:
    """A page for two workers of whom only one was left stayed open, and its face unsettled."""
    faces = [FaceId("f1"), FaceId("f2")]
    votes = [make_vote(make_face(1), "keep", f"A{worker}") for worker in range(4)]
    known: Any = SimpleNamespace(votes=Votes.of(votes), said=Cast(votes))
    lesson: Any = SimpleNamespace(
        question=Question.USABLE, unfit=frozenset({"A0"}), overlooking=frozenset({"A0", "A1", "A2"})
    )
    pairs = frozenset((face, Question.USABLE) for face in faces)
    one, two = (faces[0], Question.USABLE), (faces[1], Question.USABLE)
    assert _unfit(known, lesson, pairs, pairs, frozenset({two})) == {one: frozenset({"A0", "A1", "A2"}), two: {"A0"}}
    assert _unfit(known, lesson, pairs, frozenset()) == {one: {"A0"}, two: {"A0"}}


def test_a_forecast_is_a_range_that_hardly_grows_but_for_the_audit() -> None:
    small, large = forecast(first=64, open_faces=230, audit=11), forecast(first=64, open_faces=10_000, audit=500)
    assert small.low < small.high < 2 * 230
    assert large.high < 0.25 * 10_000
    assert forecast(first=0, open_faces=0, audit=0).high == 0


def test_what_one_worker_said_of_a_whole_group_is_shown_to_others_until_two_agree(app: App) -> None:
    """The worker who answered at random rejected at once all wanted faces of the first round, and for 150 votes the
    model knew no good face."""
    faces = app.store.faces(Side.B)
    group = [face.face_id for face in faces[:6]]
    tracks = dict.fromkeys(group, group[0])

    def shown(*looks: tuple[str, str, list[FaceId]]) -> list[FaceId]:
        votes = [
            replace(make_vote(face, label, worker), look="cluster:1" if len(of) > 1 else "both:face")
            for worker, label, of in looks
            for face in faces
            if face.face_id in of
        ]
        ((_, lesson),) = lessons(app, faces, votes).items()
        return looked_at_once(lesson, votes, group, tracks)

    once = ("A1", "reject", group)
    (second,) = shown(once)
    assert second in group
    assert shown(once, ("A2", "keep", [second])) == group, "looks differ, so all of it is"
    assert not shown(once, ("A2", "reject", [second]))
    assert not shown(once, ("A2", "keep", [second]), ("A3", "keep", group), ("A4", "keep", group))
    assert not shown(*(("A1", "reject", [face]) for face in group)), "each was looked at by itself"


def test_a_model_that_has_earned_both_verdicts_finds_such_a_look_out_itself(app: App) -> None:
    faces = app.store.faces(Side.B)
    votes = [replace(make_vote(face, "reject", "A1"), look="cluster:1") for face in faces[:6]]
    (lesson,) = lessons(app, faces, votes).values()
    group = [face.face_id for face in faces[:6]]
    assert looked_at_once(lesson, votes, group, {})
    for said, found in ((np.r_[3.5, np.full(119, -3.5)], 0), (np.full(120, -3.5), 6)):
        taught = replace(lesson, taught=replace(lesson.taught, said=said))
        assert len(looked_at_once(taught, votes, group, {})) == found
