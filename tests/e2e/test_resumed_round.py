"""A round that was killed before it was sent, and goes on days later: its pages show their pictures, its price says for
how many faces, and it can be taken back."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from galloway.mturk.requester import publish as sending
from galloway.mturk.requester.hosting import LocalHosting
from galloway.mturk.requester.ledger_tables import hit as hit_table
from galloway.pipeline.app import App
from galloway.pipeline.asking import publish as rounds
from galloway.pipeline.asking.pages import faces_spec
from galloway.pipeline.asking.progress import batches
from galloway.pipeline.market.pictures import hosting_secret
from galloway.pipeline.workspace.records import frozen_batch, tiles_of, unfinished_batches
from galloway.pipeline.workspace.schema import batch_table

from tests.support.workspace import built_app, galloway

LONG = timedelta(days=5)


def _killed(app: App, monkeypatch: pytest.MonkeyPatch, place: object, name: str, after: int = 0) -> str:
    """Publish side A and be killed at the call of `name`, once `after` of them are done; the batch's key."""
    real, done = getattr(place, name), []

    def die(*args: object, **more: object) -> object:
        if len(done) < after:
            done.append(1)
            return real(*args, **more)
        return _dead()

    with monkeypatch.context() as patch:
        patch.setattr(place, name, die)
        assert galloway(app, "publish", "--side", "a", "--yes").returncode == 137
    (key,) = unfinished_batches(app.workspace, "local")
    return key


def _dead() -> NoReturn:
    raise SystemExit(137)


def _days_pass(app: App, key: str) -> None:
    """As if all of it had been planned, and its pages made, days ago."""
    batch = frozen_batch(app.workspace, key)
    until = batch.links_until - LONG
    pages = faces_spec(app, app.terms(), replace(batch, links_until=until), tiles_of(app.workspace, key)).hits
    with app.workspace.db.begin() as db:
        planned = (batch.planned_at - LONG).isoformat()
        db.execute(batch_table.update().values(links_until=until.isoformat(), planned_at=planned))
        for page in pages:
            row = hit_table.update().where(hit_table.c.hit_key == page.key, hit_table.c.hit_id.is_(None))
            db.execute(row.values(question=page.question_xml))


@pytest.mark.parametrize("where", ["planned only", "in the ledger", "half sent"])
def test_pages_that_are_sent_days_later_show_their_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    app = built_app(tmp_path / "ws", faces=6)
    place, name = (rounds, "show_pictures") if where == "planned only" else (sending, "_send")
    key = _killed(app, monkeypatch, place, name, after=int(where == "half sent"))
    before = [(row["token"], row["annotation"], row["hit_id"]) for row in app.ledger.hits("local", [key])]
    _days_pass(app, key)
    shown = galloway(app, "publish", "--side", "a", "--dry-run")
    assert "goes on with one that was begun" in shown.stderr and "for 6 faces." in shown.stderr
    sent = galloway(app, "publish", "--side", "a", "--yes", "--json")
    assert sent.returncode == 0, sent.stderr
    rows = app.ledger.hits("local", [key], questions=True)
    if before:
        after = [(row["token"], row["annotation"]) for row in rows]
        assert after == [item[:2] for item in before], "they are the same HITs"
    hosting = LocalHosting(hosting_secret(app.workspace.root), "/images")
    for row in rows:
        links = set(re.findall(r"/images/([A-Za-z0-9_-]{36,})", row["question"]))
        assert links and all(hosting.resolve(link) is not None for link in links)
    now = datetime.now(UTC)
    assert frozen_batch(app.workspace, key).links_until > max(row["expires_at"] for row in rows) > now


def test_a_round_that_was_only_planned_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = built_app(tmp_path / "ws", faces=6)
    key = _killed(app, monkeypatch, rounds, "show_pictures")
    (row,) = batches(app)
    assert (row.key, row.state) == (key, "sending")
    gone = galloway(app, "batch", "cancel", key)
    assert (gone.returncode, "2 never sent" in gone.stdout) == (0, True), gone.stderr
    assert unfinished_batches(app.workspace, "local") == ()
    assert batches(app)[0].state == "cancelled"
    assert galloway(app, "batch", "cancel", key).returncode == 1, "there is nothing left of it"
    assert galloway(app, "publish", "--side", "a", "--yes").returncode == 0
    assert [row["batch_key"] for row in app.ledger.batches()] != [key]
    assert len(app.ledger.hits("local")) == 2, "its faces are asked on other pages"
