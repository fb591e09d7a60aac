"""What pages start: one job at a time, what was shown is what is sent, and only where that is allowed."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from galloway.curation.types import Progress
from galloway.pipeline.app import App
from galloway.pipeline.errors import NothingToDo, SafetyStop, WorkspaceBusy
from galloway.pipeline.web import create_web_app
from galloway.pipeline.web.jobs import Jobs
from galloway.pipeline.web.opened import jobs
from galloway.pipeline.workspace.folder import Workspace

from tests.support.acting import job_state
from tests.support.patience import PATIENCE

POSTS = (
    "/publish",
    "/publish/look",
    "/publish/leave-out",
    "/collect",
    "/merge",
    "/merge/undo",
    "/batches/x/cancel",
    "/batches/x/work",
    "/workers/W-AAAAAAAA/block",
    "/workers/W-AAAAAAAA/stop",
    "/workers/W-AAAAAAAA/again",
    "/workers/W-AAAAAAAA/answer",
    "/people/open",
    "/people/invite",
    "/footage/take",
    "/footage/uploads?name=x.mp4&size=1",
    "/jobs/start/extract",
    "/jobs/20260102-030405-abcdef/stop",
)
YES = {"yes": "yes", "pay": "yes", "side": "a", "uses": "1", "assignment": "3X", "decision": "approve"}


@pytest.mark.parametrize("path", POSTS)
def test_another_site_starts_nothing(client: FlaskClient, site: Flask, path: str) -> None:
    assert client.post(path, data=YES, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert jobs(site).last is None


@pytest.mark.parametrize("path", POSTS)
def test_a_server_that_is_open_to_others_starts_nothing(workspace: Workspace, path: str) -> None:
    site = create_web_app(workspace, actions=False)
    client = site.test_client()
    assert client.post(path, data=YES).status_code == 403
    assert jobs(site).last is None
    assert "Collect answers" not in client.get("/").text
    assert client.get("/publish").status_code == 403


def test_open_faces_stop_a_merge_until_somebody_says_what_becomes_of_them(client: FlaskClient, site: Flask) -> None:
    assert "6 faces are not decided" in client.get("/merge").text
    client.post("/merge", data={"side": "a"})
    assert job_state(site)[0] == "failed"
    assert client.post("/merge", data={"side": "a", "open": "perhaps"}).status_code == 400
    assert client.post("/merge", data={"side": "c"}).status_code == 400
    client.post("/merge", data={"side": "a", "open": "keep"})
    assert job_state(site) == ("done", "Side A: 6 faces approved; rejected: none.")
    assert "6 faces are approved" in client.get("/merge").text
    client.post("/merge/undo", data={"side": "a"})
    assert "taken back" in job_state(site)[1]
    client.post("/merge/undo", data={"side": "a"})
    assert job_state(site)[0] == "nothing"


def test_a_rejection_on_the_page_needs_its_reason(client: FlaskClient) -> None:
    chosen = {"assignment": "3X", "decision": "reject"}
    assert client.post("/batches/x/work", data=chosen).status_code == 400
    assert client.post("/batches/x/work", data={"decision": "approve"}).status_code == 400
    assert client.post("/batches/x/cancel", data={}).status_code == 400


def test_work_that_was_submitted_is_listed_with_its_forms(workspace: Workspace) -> None:
    address = "/batches/abc123-a-usable-r1-0001"
    page = create_web_app(workspace).test_client().get(address).text
    assert 'name="assignment"' not in page, "all of it is approved"
    assert "Take it back" in page, "the second HIT has places left"
    with workspace.db.begin() as db:
        db.execute(sa.text("update assignment set status = 'Submitted' where worker_id = 'ABEN'"))
    assert create_web_app(workspace).test_client().get(address).text.count('name="assignment"') == 3
    plain = create_web_app(workspace, actions=False).test_client().get(address).text
    assert 'name="assignment"' not in plain
    assert "W-" in plain
    assert "Take it back" not in plain


# The runner


def test_one_job_at_a_time_and_its_progress_is_seen(workspace: Workspace) -> None:
    runner, gate, begun = Jobs(workspace), threading.Event(), threading.Event()

    def work(_app: App, progress: Progress) -> str:
        progress("counting", 2, 5)
        begun.set()
        gate.wait(PATIENCE)
        return "five"

    runner.start("Count", App(workspace), work)
    assert begun.wait(PATIENCE)
    seen = runner.last
    assert seen is not None
    assert (seen.running, seen.text, seen.done, seen.total) == (True, "counting", 2, 5)
    with pytest.raises(WorkspaceBusy, match="Count"):
        runner.start("Again", App(workspace), work)
    gate.set()
    runner.wait(PATIENCE)
    assert runner.last is not None
    assert (runner.last.state, runner.last.text) == ("done", "five")
    runner.close()


@pytest.mark.parametrize(
    ("error", "state"), [(NothingToDo("none"), "nothing"), (SafetyStop("wall"), "failed"), (OSError("disk"), "failed")]
)
def test_a_job_that_stops_says_why(workspace: Workspace, error: Exception, state: str) -> None:
    runner = Jobs(workspace)

    def work(_app: App, _progress: Progress) -> str:
        raise error

    runner.start("Try", App(workspace), work)
    runner.wait(PATIENCE)
    assert runner.last is not None
    assert runner.last.state == state
    assert runner.last.text.startswith(str(error))  # a disk's words get the remedy behind them


def test_a_job_shows_while_it_runs(workspace: Workspace) -> None:
    site, gate = create_web_app(workspace), threading.Event()

    def work(_app: App, progress: Progress) -> str:
        progress("sending", 3, 9)
        gate.wait(PATIENCE)
        return "sent"

    jobs(site).start("Publish", App(workspace), work)
    page = site.test_client().get("/batches").text
    assert "<b>Publish</b>" in page
    assert 'http-equiv="refresh"' in page
    assert site.test_client().post("/collect").status_code == 409
    gate.set()
    jobs(site).wait(PATIENCE)
    assert "sent" in site.test_client().get("/").text


def test_settings_that_are_edited_hold_from_the_next_page_on(workspace: Workspace) -> None:
    site = create_web_app(workspace)
    client, config = site.test_client(), workspace.root / "galloway.toml"
    assert "$0.45" in client.get("/").text
    before = config.read_text(encoding="utf-8")
    edit(config, f'{before}budget = "12.00"\n[market]\ncurrency = "EUR"\n')
    assert "of 12.00 EUR" in client.get("/").text
    edit(config, "budget = = 1")
    broken = client.get("/")
    assert (broken.status_code, "is not valid TOML" in broken.text) == (409, True)
    edit(config, before)
    assert "$0.45" in client.get("/").text


def edit(config: Path, text: str) -> None:
    """Write the file so that its time changes, however coarse the file system's clock is."""
    last = config.stat().st_mtime_ns
    config.write_text(text, encoding="utf-8")
    os.utime(config, ns=(last + 1_000_000_000, last + 1_000_000_000))
