"""Publishing through the command line: price first, budget walls, later rounds to other workers, people overrule."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from galloway.curation.types import Question, Side
from galloway.pipeline.app import App
from galloway.pipeline.asking.collect import Collected, collect_until_answered

from tests.support.workspace import answer_everything, built_app, galloway

_DISPUTED = """
[ask]
learn = false
votes = 2
max_votes = 4
faces_per_hit = 6
method = "majority"

[side_a]
questions = ["usable", "identity"]

[side_b]
questions = ["usable"]
"""


def faces_of(app: App, **wanted: object) -> list[str]:
    return [
        item.face_id
        for item in app.store.decisions()
        if all(getattr(item, key) == value for key, value in wanted.items())
    ]


def step_1_the_price_comes_first_and_nothing_is_sent_without_a_yes(app: App) -> None:
    dry = galloway(app, "publish", "--dry-run", "--json")
    assert dry.returncode == 0, dry.stderr
    planned = json.loads(dry.stdout)
    assert planned["faces"] == 24
    assert sum(item["hits"] for item in planned["batches"]) == 4
    refused = galloway(app, "publish")
    assert refused.returncode == 4
    assert "--yes" in refused.stderr
    assert app.ledger.batches() == []


def step_2_the_budget_is_a_wall(app: App) -> None:
    config = app.workspace.root / "galloway.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("votes = 2", 'budget = "0.10"\nvotes = 2', 1), encoding="utf-8")
    dry = galloway(app, "publish", "--dry-run", "--json")
    assert (dry.returncode, "budget is $0.10" in dry.stderr) == (4, True)
    assert json.loads(dry.stdout)["faces"] == 24, "the plan is shown all the same"
    walled = galloway(app, "publish", "--yes")
    assert walled.returncode == 4
    assert "budget is $0.10" in walled.stderr
    assert app.ledger.batches() == []
    config.write_text(text, encoding="utf-8")


def step_3_a_round_is_answered_in_one_look_and_collected(app: App) -> None:
    assert galloway(app, "publish", "--yes").returncode == 0
    waiting = galloway(app, "publish", "--yes")
    assert waiting.returncode == 3
    assert "collect" in waiting.stderr
    answer_everything(app)
    got = galloway(app, "collect", "--json")
    assert got.returncode == 0, got.stderr
    assert json.loads(got.stdout)["new_votes"] == 48 + 2 * 9, "who keeps a face of side A says that it is the person"
    assert galloway(app, "publish", "--yes", "--question", "identity").returncode == 3
    asked = {vote.face_id for vote in app.store.votes(Question.IDENTITY)}
    kept = {vote.face_id for vote in app.store.votes(Question.USABLE) if vote.label == "keep"}
    assert asked == {face.face_id for face in app.store.faces(Side.A)} & kept


def step_4_a_disputed_face_goes_to_other_workers_and_never_twice_to_the_same(app: App) -> None:
    disputed = app.store.faces(Side.B)[0]
    votes = [vote for vote in app.store.votes() if vote.face_id == disputed.face_id]
    # The two agreed; let one of them have said the opposite.
    with app.workspace.db.begin() as db:
        db.exec_driver_sql(
            "UPDATE vote SET label = 'reject', reason = 'blurred' WHERE face_id = ? AND worker_id = ?",
            (disputed.face_id, votes[0].worker_id),
        )
    again = galloway(app, "publish", "--yes", "--json")
    assert again.returncode == 0, again.stderr
    (batch,) = json.loads(again.stdout)
    assert "-b-usable-r2-" in batch["batch"]
    assert answer_everything(app, workers=2) == 0, "the same two workers must not see it"
    assert answer_everything(app, workers=4) == 1, "one more vote breaks a tie of two"
    assert galloway(app, "collect").returncode == 0
    cast = Counter(vote.worker_id for vote in app.store.votes() if vote.face_id == disputed.face_id)
    assert len(cast) == 3
    assert set(cast.values()) == {1}
    assert not faces_of(app, question=None, status="disputed")


def step_5_a_person_overrules_by_name_and_the_votes_stay(app: App) -> None:
    face = app.store.faces(Side.B)[1]
    before = len(app.store.votes())
    nameless = galloway(app, "decide", face.face_id[:10], "reject", "--by", "Ann", "--note", "hand")
    assert nameless.returncode == 1
    assert "needs a reason" in nameless.stderr
    done = galloway(
        app, "decide", face.face_id[:10], "reject", "--reason", "covered", "--by", "Ann", "--note", "hand over mouth"
    )
    assert done.returncode == 0, done.stderr
    (decision,) = [item for item in app.store.decisions() if item.face_id == face.face_id and item.question is None]
    assert (decision.status.value, decision.reason, decision.decided_by.value) == ("rejected", "covered", "person")
    assert len(app.store.votes()) == before + 1


def step_6_the_report_says_that_workers_are_simulated_only_where_they_are(app: App) -> None:
    done = galloway(app, "report")
    assert done.returncode == 0, done.stderr
    assert "SIMULATED" not in done.stdout
    html = (app.workspace.root / "reports" / "agreement.html").read_text(encoding="utf-8")
    assert "Ann" in html
    workers = {vote.worker_id for vote in app.store.votes() if vote.kind.value == "worker"}
    assert not any(worker in html for worker in workers), "reports carry pseudonyms"


def test_rounds_from_the_first_price_to_the_report(tmp_path: Path) -> None:
    app = built_app(tmp_path / "swap", faces=12, settings=_DISPUTED)
    step_1_the_price_comes_first_and_nothing_is_sent_without_a_yes(app)
    step_2_the_budget_is_a_wall(app)
    step_3_a_round_is_answered_in_one_look_and_collected(app)
    step_4_a_disputed_face_goes_to_other_workers_and_never_twice_to_the_same(app)
    step_5_a_person_overrules_by_name_and_the_votes_stay(app)
    step_6_the_report_says_that_workers_are_simulated_only_where_they_are(app)


def test_waiting_for_answers_lets_others_work_between_the_looks(tmp_path: Path) -> None:
    """The workspace is free while `collect --wait` waits, and a look that finds it taken is made up for later."""
    app = built_app(tmp_path / "ws", faces=6)
    assert galloway(app, "collect").returncode == 3, "nothing was published yet"
    assert galloway(app, "publish", "--yes").returncode == 0
    held, waits = ExitStack(), []

    def pause(_got: Collected, waiting: int) -> bool:
        waits.append(waiting)
        if len(waits) == 1:
            held.enter_context(app.workspace.lock("deciding"))
        if len(waits) == 2:
            held.close()
            answer_everything(app)
        return len(waits) < 5

    with app.market() as session:
        got, left = collect_until_answered(app, session, pause=pause)
    assert (got.new_votes, left, waits) == (24, 0, [12, 12])
