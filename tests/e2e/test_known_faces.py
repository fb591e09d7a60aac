"""Known faces come back hidden in later pages; what is said of them counts for the worker and never for the face."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from galloway.curation.store import vote_table
from galloway.pipeline.app import App
from galloway.pipeline.asking.decide import infer
from galloway.pipeline.checking.crew import crew, workers
from galloway.pipeline.checking.pages import done_pages
from galloway.pipeline.workspace.records import frozen_batches, tiles_of

from tests.support.workspace import answer_everything, built_app, galloway

SETTINGS = """
[ask]
learn = false
votes = 3
faces_per_hit = 6
audit_share = 0.0

[gold]
share = 0.3

[side_a]
questions = ["usable"]

[side_b]
questions = ["usable"]
"""


def _known_on_pages(app: App) -> list[str]:
    batches = [batch.key for batch in frozen_batches(app.workspace)]
    return [
        tile.face_id
        for key in batches
        for page in tiles_of(app.workspace, key).values()
        for tile in page.values()
        if tile.gold
    ]


def _round(app: App, workers: int) -> None:
    assert galloway(app, "publish", "--side", "a", "--yes").returncode == 0
    answer_everything(app, workers)
    assert galloway(app, "collect").returncode == 0


def test_known_faces_come_hidden_and_their_answers_are_no_votes(tmp_path: Path) -> None:
    app = built_app(tmp_path / "ws", faces=24, settings=SETTINGS)
    _round(app, 3)
    assert _known_on_pages(app) == [], "nothing is known before anybody has answered"
    with app.workspace.db.begin() as db:  # half of the faces as if nobody had been asked about them
        fresh = [face.face_id for face in app.store.faces()[:12]]
        db.execute(vote_table.delete().where(vote_table.c.face_id.in_(fresh)))
    before = Counter(vote.face_id for vote in app.store.votes())
    labels = {item.face_id: item.label for item in infer(app).decisions if item.question is None}
    _round(app, 6)
    known = _known_on_pages(app)
    assert len(known) >= 3 and not set(known) & set(fresh)
    assert {labels[face] for face in map(type(app.store.faces()[0].face_id), known)} == {"keep", "reject"}
    after = Counter(vote.face_id for vote in app.store.votes())
    assert all(after[face] == before[face] for face in known), "no face gets a vote by being known"
    (group,) = workers(app)
    scored = {row.name: row.gold for row in group.rows if row.gold.total}
    assert scored and all(rate.hits == rate.total for rate in scored.values())
    answered = sum(len(page.known) for page in done_pages(app))
    assert sum(rate.total for rate in scored.values()) < answered, "who made a face known is not tested on it"
    assert {line.known for line in crew(app)} >= {(rate.hits, rate.total) for rate in scored.values()}


def test_known_faces_can_be_left_away(tmp_path: Path) -> None:
    app = built_app(tmp_path / "ws", faces=12, settings=SETTINGS.replace("0.3", "0.0"))
    _round(app, 3)
    with app.workspace.db.begin() as db:
        fresh = [face.face_id for face in app.store.faces()[:6]]
        db.execute(vote_table.delete().where(vote_table.c.face_id.in_(fresh)))
    _round(app, 6)
    assert _known_on_pages(app) == []
