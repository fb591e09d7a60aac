"""What only reads writes nothing and waits for nobody: commands and pages, with votes there that nobody decided on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from galloway.curation.types import Side, Status
from galloway.pipeline.app import App
from galloway.pipeline.asking import decide as deciding
from galloway.pipeline.asking import publish as publishing
from galloway.pipeline.asking.decide import decide, face_decisions
from galloway.pipeline.asking.overrule import overrule
from galloway.pipeline.asking.publish import plan_round, publish_round
from galloway.pipeline.market.pictures import hosting_secret
from galloway.pipeline.market.session import MarketSession
from galloway.pipeline.stages.report import write_report
from galloway.pipeline.web import create_web_app

from tests.support.faces import make_vote
from tests.support.workspace import built_app, galloway

COMMANDS = (
    ("report", "--out", "OUT"),
    ("publish", "--dry-run"),
    ("merge", "--dry-run", "--open", "keep"),
    ("status", "--json"),
    ("batch", "list"),
    ("source", "list"),
)
PAGES = ("/", "/report/document", "/publish", "/merge", "/batches", "/workers", "/facesets", "/faces", "/api/status")


@pytest.fixture
def app(tmp_path: Path) -> App:
    """Decided once; since then a face got votes that would decide it."""
    made = built_app(tmp_path / "shop", faces=4)
    hosting_secret(made.workspace.root)
    decide(made)
    face = made.store.faces(Side.A)[0]
    made.store.add_votes([make_vote(face, "keep", worker) for worker in ("A1", "A2", "A3")])
    return made


def state(app: App) -> tuple[list[str], dict[str, bytes]]:
    """Every row of the database, and every other file but the index of known files, which is a cache."""
    root = app.workspace.root
    with closing(sqlite3.connect(root / "galloway.db")) as db:
        rows = list(db.iterdump())

    files = (path for path in root.rglob("*") if path.is_file() and not path.name.startswith(("galloway.db", ".lock")))
    return rows, {app.workspace.relative(path): path.read_bytes() for path in files if path.name != ".index.json"}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_command_that_reads_writes_nothing_and_needs_no_lock(
    app: App, command: tuple[str, ...], tmp_path: Path
) -> None:
    before = state(app)
    with app.workspace.lock("the test"):
        done = galloway(app, *(str(tmp_path / "out") if word == "OUT" else word for word in command))
    assert done.returncode == 0, done.stderr
    assert state(app) == before


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_is_looked_at_writes_nothing_and_needs_no_lock(app: App, page: str) -> None:
    client = create_web_app(app.workspace).test_client()
    before = state(app)
    with app.workspace.lock("the test"):
        assert client.get(page).status_code == 200
    assert state(app) == before


def test_a_persons_decision_during_a_report_stands(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    face = app.store.faces(Side.A)[0]
    real = deciding.truth_by_question

    def slow(*args: object) -> object:
        """While the report is computed, a person decides."""
        monkeypatch.setattr(deciding, "truth_by_question", real)
        overrule(App(app.workspace), face.face_id, "reject", reason="not_a_face", name="Ann", note="a hand")
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(deciding, "truth_by_question", slow)
    write_report(app)
    assert face_decisions(app.store.decisions())[face.face_id].status is Status.REJECTED


def test_sending_a_round_records_what_it_was_planned_on(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    terms, before = app.terms(), app.store.runs()
    planned = plan_round(app, terms)
    assert app.store.runs() == before
    monkeypatch.setattr(publishing, "look_up", lambda *_args: None)
    session = MarketSession(terms.market, terms.hosted, client=None, addresses=None)  # type: ignore[arg-type]
    publish_round(app, session, replace(planned, specs=(), plans=(), quotes=()))
    face = app.store.faces(Side.A)[0]
    assert face_decisions(app.store.decisions())[face.face_id].status is Status.APPROVED


@pytest.mark.parametrize(
    ("side", "reason", "told"), [("a", "blurred", True), ("a", "bad_crop", False), ("b", "blurred", False)]
)
def test_a_rejection_that_side_a_keeps_says_the_rule_at_once(app: App, side: str, reason: str, told: bool) -> None:
    face = app.store.faces(Side(side))[0]
    done = galloway(app, "decide", face.face_id, "reject", "--reason", reason, "--by", "Ann", "--note", "soft")
    assert done.returncode == 0, done.stderr
    said = " ".join((done.stdout + done.stderr).split())
    assert ("Side A keeps faces that are only blurred or covered" in said) == told
    assert ("merge will leave it" in said) == told
