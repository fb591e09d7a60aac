"""What a requester reads in the first hour: what comes next is right, and nothing that is well is called an error."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from galloway.pipeline.app import App
from galloway.pipeline.market.local import serve_market
from PIL import Image

from tests.support.workspace import answer_everything, built_app, galloway

_TWO_QUESTIONS = """
[ask]
learn = false
votes = 2
faces_per_hit = 6
method = "majority"
audit_share = 0

[side_a]
questions = ["usable", "identity"]

[side_b]
questions = ["usable"]
"""


def test_each_step_says_what_comes_next(tmp_path: Path) -> None:
    app = built_app(tmp_path / "ws", faces=4, settings=_TWO_QUESTIONS)
    status = galloway(app, "status").stdout
    assert "side a: 1 source, 1 reference photograph, 4 faces" in status
    assert "0 batches: 0 of 0 assignments collected, 0 votes" in status
    with serve_market(app.workspace):
        first = galloway(app, "publish", "--yes")
        assert "a-both-r1-0001: 1 HIT, " in first.stdout
        assert first.stderr.endswith("Next: galloway collect --wait\n"), "the worker site is running"
    again = galloway(app, "publish", "--yes")
    assert (again.returncode, again.stderr.startswith("Every face that needs an answer is on an open page.")) == (
        3,
        True,
    )
    dry = galloway(app, "merge", "--dry-run")
    assert "8 open faces stop the merge, unless it says what becomes of them: --open keep (or reject)" in dry.stderr
    assert dry.stderr.endswith("Next: galloway collect\n")
    assert galloway(app, "merge", "--dry-run", "--open", "keep").stderr.endswith("Next: galloway merge --open keep\n")
    answer_everything(app)
    assert "6 approved, 2 rejected." in galloway(app, "collect").stdout
    assert galloway(app, "merge", "--dry-run").stderr.endswith("Next: galloway merge\n")
    exported_votes_can_be_aggregated(app)


def exported_votes_can_be_aggregated(app: App) -> None:
    """The votes on one question at a time: a table of several would take `keep` and `same` for a contradiction."""
    assert galloway(app, "report").returncode == 0
    reports, out = app.workspace.root / "reports", app.workspace.root / "decisions.csv"
    mixed = galloway(
        app, "votes", "aggregate", str(reports / "agreement-votes.csv"), "--task-column", "face", "--out", str(out)
    )
    assert mixed.returncode == 1
    assert "several questions about the same face" in mixed.stderr
    assert "reports/votes-QUESTION.csv" in mixed.stderr
    for question, tasks in (("usable", 8), ("identity", 3)):
        done = galloway(app, "votes", "aggregate", str(reports / f"votes-{question}.csv"), "--out", str(out))
        assert done.returncode == 0, done.stderr
        assert f"{tasks} tasks, {2 * tasks} votes by 2 workers" in done.stdout
        assert f"decided {tasks}, disputed 0" in done.stdout
    other = app.workspace.root / "other.csv"
    other.write_text("worker,item,label\nann,1,cat\nbob,1,cat\n", encoding="utf-8")
    renamed = galloway(app, "votes", "aggregate", str(other), "--task-column", "item", "--out", str(out))
    assert f"Next: galloway votes report {other} --task-column item --out report.html" in renamed.stdout


def test_waiting_says_the_same_thing_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = built_app(tmp_path / "ws", faces=4)
    assert galloway(app, "publish", "--yes").returncode == 0
    looks, sleep = [], time.sleep

    def soon(seconds: float) -> None:
        if seconds != 7.25:
            sleep(seconds)
            return
        looks.append(seconds)
        if len(looks) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", soon)
    done = galloway(app, "collect", "--wait", "--poll", "7.25")
    assert (done.returncode, len(looks)) == (130, 3)
    assert done.stderr.count("0 assignments so far; 8 faces wait for answers.") == 1


def test_footage_that_comes_in_on_both_sides_is_noticed(tmp_path: Path) -> None:
    app = built_app(tmp_path / "ws", faces=4)
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("RGB", (32, 24), (90, 9, 10)).save(photos / "one.png")
    first = galloway(app, "ingest", "--side", "a", str(photos), "--basis", "own")
    assert (first.returncode, "too. If that was not meant" in first.stderr) == (0, False), first.stderr
    second = galloway(app, "ingest", "--side", "b", str(photos), "--basis", "own")
    assert "The same footage is on side a, too. If that was not meant" in second.stderr
    assert "galloway source remove --side b photos" in second.stderr
