"""`as_good_as = 5`: one vote on every face, then more where they pay, in rounds, and an end that says why."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from galloway.pipeline.app import App

from tests.support.workspace import answer_everything, built_app, galloway

_SETTINGS = """
[ask]
as_good_as = 5
faces_per_hit = 6
audit_share = 0.0

[side_a]
questions = ["usable"]

[side_b]
questions = ["usable"]
"""


def votes_by_face(app: App) -> Counter[str]:
    return Counter(str(vote.face_id) for vote in app.store.votes())


def test_faces_get_one_vote_first_and_more_only_where_they_pay(tmp_path: Path) -> None:
    app = built_app(tmp_path / "swap", faces=12, settings=_SETTINGS)
    first = galloway(app, "publish", "--yes", "--json")
    assert first.returncode == 0, first.stderr
    rounds = 0
    while True:
        answer_everything(app, workers=6)
        assert galloway(app, "collect").returncode == 0
        report = galloway(app, "report")
        assert "a majority of 5 votes on every face would be right" in report.stdout, report.stderr
        done = galloway(app, "publish", "--yes")
        if done.returncode == 3:
            assert "publishing stops" in report.stdout
            assert "Next: galloway merge" in report.stderr or " a person" in done.stderr
            break
        assert "publishing goes on with another vote on" in report.stdout
        assert "Next: galloway publish" in report.stderr, "a face that has a label may be asked about all the same"
        assert "publishing waits for the answers on" in galloway(app, "report").stdout
        assert done.returncode == 0, done.stderr
        assert "A majority of 5 votes on every face would be right" in done.stderr
        rounds += 1
        assert rounds < 12
    assert rounds > 1
    assert "usable: enough is known." in done.stderr or " a person" in done.stderr
    cast = votes_by_face(app)
    assert len(cast) == 24
    assert min(cast.values()) < max(cast.values()) <= 5
    assert 0.44 <= sum(cast.values()) / (24 * 5) < 0.8
    seen = Counter((str(vote.face_id), str(vote.worker_id)) for vote in app.store.votes())
    assert set(seen.values()) == {1}, "nobody is asked about the same face twice"
    settled = [item for item in app.store.decisions() if item.question is None]
    assert {item.status.value for item in settled} <= {"approved", "rejected", "disputed"}
