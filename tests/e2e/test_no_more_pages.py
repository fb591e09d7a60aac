"""No more pages for a worker: told why, paid for all, may answer, is let in again; and the score on known faces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from galloway.curation.store import vote_table
from galloway.mturk.marketplace.app import open_store
from galloway.mturk.marketplace.desk.work import Work
from galloway.mturk.marketplace.store.tables import worker as worker_table
from galloway.pipeline.app import App
from galloway.pipeline.demo.crowd import Profile, SampleTruth, TrueFace, run_crowd
from galloway.pipeline.market.local import local_config, serve_market
from galloway.pipeline.market.pictures import face_file, worker_jpeg
from galloway.pipeline.web import create_web_app
from galloway.pipeline.web.opened import jobs

from tests.support.patience import PATIENCE
from tests.support.workspace import answer_everything, built_app, galloway

SETTINGS = """
[ask]
learn = false
votes = 3
faces_per_hit = 6
audit_share = 0.0

[gold]
share = 0.5
{more}

[side_a]
questions = ["usable"]

[side_b]
questions = ["usable"]
"""


def forget_half(app: App) -> None:
    """Half of the faces as if nobody had been asked about them."""
    with app.workspace.db.begin() as db:
        fresh = [face.face_id for face in app.store.faces()[:12]]
        db.execute(vote_table.delete().where(vote_table.c.face_id.in_(fresh)))


def publish(app: App) -> None:
    done = galloway(app, "publish", "--side", "a", "--yes")
    assert done.returncode == 0, done.stderr


def work_as(app: App, name: str) -> int:
    """How many pages this one worker, who joins if need be, finds and answers."""
    entries = []
    for number, face in enumerate(app.store.faces(rejected=True)):
        path = face_file(app.workspace, app.store, face.face_id)
        assert path is not None
        bad = number % 4 == 3
        entries.append(
            (worker_jpeg(path), TrueFace("reject" if bad else "keep", "not_a_face" if bad else None, "same"))
        )
    with serve_market(app.workspace) as running:
        site = running.addresses.worker
        return run_crowd(
            site, SampleTruth.of(entries), [Profile(name)], invite=lambda: running.invite("t", 1)
        ).submitted


def listed(app: App, *command: str) -> list[dict[str, object]]:
    done = galloway(app, "worker", *command, "--json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


@pytest.fixture
def app(tmp_path: Path) -> App:
    made = built_app(tmp_path / "ws", faces=24, settings=SETTINGS.format(more=""))
    publish(made)
    assert work_as(made, "ann") == 4
    assert galloway(made, "collect").returncode == 0
    return made


@contextmanager
def desk(app: App) -> Iterator[tuple[Work, str]]:
    """What the one worker can do, and who it is."""
    with serve_market(app.workspace):
        store = open_store(local_config(app.workspace))
        try:
            with store.read() as tx:
                (worker,) = tx.conn.execute(sa.select(worker_table.c.id)).scalars()
            yield Work(store), worker
        finally:
            store.close()


def test_a_stopped_worker_is_paid_reads_why_and_finds_no_page_until_let_in(app: App) -> None:
    (line,) = listed(app, "list")
    name = str(line["worker"])
    assert (line["next"], line["signs"]) == ("look at", ["instant"]), "a program that does not say that it is one"
    said = galloway(app, "worker", "stop", name)
    assert said.returncode == 0, said.stderr
    assert "faster than each face can be looked at" in said.stderr + said.stdout
    assert galloway(app, "worker", "stop", name, "--reason", "again").returncode == 3
    assert listed(app, "stopped") == [name]
    paid = app.ledger.payments("local")
    assert len(paid) == 4 and all(row["kind"] == "approve" and row["status"] == "done" for row in paid)
    forget_half(app)
    assert galloway(app, "publish", "--side", "b", "--yes").returncode == 0
    assert work_as(app, "ann") == 0, "neither a new page nor one that was open already"
    assert galloway(app, "worker", "again", name).returncode == 0
    assert work_as(app, "ann") == 4
    assert galloway(app, "worker", "again", name).returncode == 3


def test_a_stopped_worker_answers_and_a_person_decides(app: App) -> None:
    name = str(listed(app, "list")[0]["worker"])
    assert galloway(app, "worker", "stop", name, "--reason", "Too fast to be true.").returncode == 0
    with desk(app) as (work, worker):
        (message,) = work.messages(worker)
        assert "Too fast to be true." in message.text and "All that you handed in is paid" in message.text
        (again,) = [item for item in work.qualifications(worker) if item.name == "Galloway: let me in again"]
        paper = work.begin_test(worker, again.qualification_type_id)
        work.submit_test(worker, paper.request_id, [("said", "I know these faces by heart.")])
    (appeal,) = listed(app, "appeals")
    assert (appeal["worker"], appeal["text"]) == (name, "I know these faces by heart.")
    site = create_web_app(app.workspace)
    client = site.test_client()
    assert "Nobody asked the market yet" in client.get("/workers/appeals").text
    client.post("/workers/appeals/ask")
    jobs(site).wait(PATIENCE)
    assert "I know these faces by heart." in client.get("/workers/appeals").text
    assert "Too fast" not in client.get("/workers").text
    answered = ("worker", "answer", name, "--again", "--answer", "You are right.")
    assert galloway(app, *answered).returncode == 0
    assert (listed(app, "appeals"), listed(app, "stopped")) == ([], [])
    assert galloway(app, *answered).returncode == 1, "once"
    with desk(app) as (work, worker):
        assert "You are right." in {item.text for item in work.messages(worker)}
    assert galloway(app, "worker", "stop", name, "--reason", "Again.").returncode == 0
    with desk(app) as (work, worker):
        (again,) = [item for item in work.qualifications(worker) if item.name == "Galloway: let me in again"]
        assert again.can_request, "who was let in once may ask again"


def test_the_score_on_known_faces_is_a_qualification_that_pages_may_ask_for(tmp_path: Path) -> None:
    app = built_app(tmp_path / "ws", faces=48, settings=SETTINGS.format(more="require = 0"))
    publish(app)
    answer_everything(app, 3)
    assert galloway(app, "collect").returncode == 0
    forget_half(app)
    publish(app)
    assert work_as(app, "new") == 4
    assert galloway(app, "collect").returncode == 0
    (line,) = [line for line in listed(app, "list") if line["known"]]
    assert (line["known_right"], line["known"]) == (12, 12)
    toml = app.workspace.root / "galloway.toml"
    toml.write_text(toml.read_text().replace("require = 0", "require = 80"))
    asking = App(type(app.workspace).open(app.workspace.root))
    assert galloway(asking, "publish", "--side", "b", "--yes").returncode == 0
    assert work_as(asking, "new") == 8, "eighty in a hundred and more"
    assert work_as(asking, "nobody-knows-me") == 4, "only pages that were published before"
