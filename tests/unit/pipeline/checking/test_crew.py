"""The page of workers: the report's figures, counted without reading what they do not need, under pseudonyms."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from galloway.curation.report.advice import Next
from galloway.curation.types import Side, VoterKind
from galloway.mturk.requester.ledger_tables import payment
from galloway.pipeline.app import App
from galloway.pipeline.asking.decide import decide
from galloway.pipeline.asking.overrule import overrule
from galloway.pipeline.checking.crew import again, lines, workers
from galloway.pipeline.checking.kept import crew_page, keep_crew
from galloway.pipeline.stages.report import build_report
from galloway.pipeline.web import create_web_app

from tests.support.faces import make_face
from tests.support.votes import face_crowd, vote
from tests.support.web import empty_workspace, face_id, full_workspace


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> App:
    """A mixed crowd, one of which copies another, a second vote on the same face, and gold."""
    votes, truth = face_crowd(faces=600, workers=16, per_face=5, seed=3)
    gold = [vote(face, "gold", label, kind=VoterKind.GOLD) for face, label in list(truth.items())[::5]]
    again = replace(votes[0], label="reject", assignment_id=gold[0].assignment_id)
    app = App(empty_workspace(tmp_path_factory.mktemp("crowd") / "ws"))
    app.store.add_faces([replace(make_face(place, side=Side.A), face_id=face) for place, face in enumerate(truth)])
    app.store.add_votes([*votes, again, *gold])
    return app


def test_the_page_of_workers_says_what_the_report_says(app: App) -> None:
    (group,) = workers(app)
    (question,) = build_report(app).questions
    told = {one.name: one for one in question.workers}
    assert group.question == question.name
    assert [row.votes for row in group.rows] == sorted((one.votes for one in question.workers), reverse=True)
    assert len(told) == len(group.rows) == group.simulated == 16
    for row in group.rows:
        same = told[row.name]
        assert (row.votes, row.agreement, row.gold) == (same.votes, same.agreement, same.gold)
        assert row.seconds == same.median_seconds
        assert [count for _, count in row.answers] == same.answers.tolist()
        assert row.flags == tuple(flag.evidence for flag in same.flags)
    assert sum(bool(row.flags) for row in group.rows) >= 4


def test_no_worker_id_is_shown_not_even_that_of_whom_somebody_copies(app: App) -> None:
    page = create_web_app(app.workspace).test_client().get("/workers").text
    assert "answers that differ from the crowd&#39;s with W-" in page
    assert "worker-0" not in page


def test_many_votes_are_shown_as_they_were_computed_last(tmp_path: Path) -> None:
    app = App(full_workspace(tmp_path / "ws", faces=12))
    now = crew_page(app)
    assert now is not None and now.as_of is None and crew_page(app, at_once=0) is None
    keep_crew(app, at_once=0)
    assert crew_page(app, at_once=0) == now, "what is kept is what is computed"
    overrule(app, app.store.faces(Side.A)[0].face_id, "keep", name="Ann", note="seen")
    (before, later) = crew_page(app, at_once=0), crew_page(app)
    assert before is not None and later is not None and before.as_of is not None
    assert (before.groups, before.since) == (now.groups, 2 if len(app.settings.side_a.questions) == 2 else 1)
    with app.workspace.db.begin() as db:
        db.execute(payment.update().values(amount=Decimal("1.00")))
    paid = crew_page(app, at_once=0)
    assert paid is not None and sum(line.earned for line in paid.lines) > sum(line.earned for line in now.lines)
    keep_crew(app, at_once=0)
    assert crew_page(app, at_once=0) == crew_page(app)


def test_new_votes_and_new_pay_show_at_once(tmp_path: Path) -> None:
    app = App(full_workspace(tmp_path / "ws"))
    (before,) = [group for group in workers(app) if group.question == "usable"]
    assert [row.earned for row in before.rows] == [Decimal("0.15")] * 3
    app.store.add_votes([vote(face_id(Side.A, 7), "ADAN", "keep")])
    with app.workspace.db.begin() as db:
        db.execute(payment.update().values(amount=Decimal("0.20")))
    (now,) = [group for group in workers(app) if group.question == "usable"]
    assert len(now.rows) == 4
    assert sorted(row.earned for row in now.rows) == [Decimal("0.00"), *[Decimal("0.20")] * 3]


def test_nobody_is_listed_where_only_a_person_decided(tmp_path: Path) -> None:
    app = App(empty_workspace(tmp_path / "ws"))
    face = make_face(1)
    app.store.add_faces([face])
    app.store.add_votes([vote(face.face_id, "person:Ann", "keep", kind=VoterKind.PERSON)])
    assert workers(app) == []


def test_each_worker_has_one_line_with_the_evidence_the_sternest_first(app: App) -> None:
    groups = workers(app)
    told = lines(groups)
    assert sorted(line.name for line in told) == sorted(row.name for row in groups[0].rows)
    order = [line.advice.next for line in told]
    assert order == sorted(order, key=[Next.STOP, Next.LOOK, Next.PAY].index)
    assert Next.PAY in order and order[0] is not Next.PAY
    assert all(line.advice.why for line in told)
    page = create_web_app(app.workspace).test_client().get("/workers").text
    assert page.count('<b class="tag">') == 16
    assert "Work that was handed in is paid" in page


def test_a_worker_of_both_questions_has_one_line(tmp_path: Path) -> None:
    app = App(full_workspace(tmp_path / "ws"))
    groups = workers(app)
    assert len(groups) == 2
    assert len(lines(groups)) == 3


def test_faces_worth_another_vote_are_shown(tmp_path: Path) -> None:
    app = App(full_workspace(tmp_path / "ws"))
    decide(app)
    found = {part.question: part for part in again(app)}
    assert set(found) == {"usable", "identity"}
    statuses = [status for _, status, _ in found["usable"].faces]
    assert statuses[0] in ("disputed", "undecided")
    assert found["usable"].total == len(statuses)
    page = create_web_app(app.workspace).test_client().get("/workers").text
    assert "Worth another vote: keep or reject" in page
