"""Who did what, when: from pages and commands, never changed, and without a name of what was looked at."""

from __future__ import annotations

import json
import threading
from contextvars import copy_context
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.asking.overrule import overrule
from galloway.pipeline.cli.main import cli
from galloway.pipeline.projects.project import change_project, make_project, read_terms
from galloway.pipeline.projects.template import gallery_page
from galloway.pipeline.stages.ingest import add_references
from galloway.pipeline.stages.masking import clear_regions, set_regions
from galloway.pipeline.web import Door, create_web_app
from galloway.pipeline.web.opened import jobs
from galloway.pipeline.web.studio import Studio
from galloway.pipeline.workspace.acts import KINDS, Actor, act_as, acting, acts, note_act, people_who_acted
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.records import sources
from galloway.pipeline.workspace.team import Role, add_member
from PIL import Image

from tests.support.web import NOW, empty_workspace, face_id, full_workspace

pytestmark = pytest.mark.both_databases

FACE = face_id(Side.A, 0)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return full_workspace(tmp_path / "ws")


def as_somebody(name: str, workspace: Workspace, kind: str, what: str) -> None:
    def run() -> None:
        act_as(name, "page")
        note_act(workspace, kind, what)

    copy_context().run(run)


def test_rows_are_added_newest_first_and_never_changed(tmp_path: Path) -> None:
    workspace = empty_workspace(tmp_path / "ws")
    as_somebody("Ann", workspace, "publish", "24 faces on 1 pages")
    as_somebody("Ben", workspace, "merge", "side a")
    note_act(workspace, "pay", "a bonus", Decimal("0.30"))
    assert [(item.who, item.kind) for item in acts(workspace)][1:] == [("Ben", "merge"), ("Ann", "publish")]
    assert acts(workspace)[0].figure == "$0.30"
    assert [item.kind for item in acts(workspace, who="Ann")] == ["publish"]
    assert [item.kind for item in acts(workspace, kind="merge", before=3, most=1)] == ["merge"]
    assert set(people_who_acted(workspace)) >= {"Ann", "Ben"}
    for change in ("UPDATE team_act SET who = 'Eve'", "DELETE FROM team_act"):
        with pytest.raises(sa.exc.IntegrityError, match="stays as it was written"), workspace.db.begin() as db:
            db.execute(sa.text(change))
    assert len(acts(workspace)) == 3


def test_a_command_is_the_accounts_and_names_no_face(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "reetu")
    face = App(workspace).store.face(FACE)
    assert face is not None
    words = ["decide", FACE, "keep", "--by", "Eileen", "--note", f"{face.name} is Eileen"]
    done = CliRunner().invoke(cli, ["-w", str(workspace.root), *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    log = ["-w", str(workspace.root), "team", "log", "--kind", "decide", "--json"]
    [row] = json.loads(CliRunner().invoke(cli, log, catch_exceptions=False).stdout)
    assert (row["who"], row["through"], row["what"], row["figure"]) == ("reetu", "command", "1 keep", "1 face")
    text = json.dumps(row)
    assert not any(name in text for name in (FACE, face.name, face.source, "Eileen"))
    said = CliRunner().invoke(cli, log[:-1], catch_exceptions=False).output
    assert "reetu decided on faces: 1 keep, 1 face" in said
    assert CliRunner().invoke(cli, [*log, "--kind", "gossip"]).exit_code == 2


def test_said_twice_is_one_act(workspace: Workspace) -> None:
    for _ in range(2):
        overrule(App(workspace), FACE, "keep", name="Ann", note="it is her")
    assert len(acts(workspace, kind="decide")) == 1


def test_on_pages_it_is_who_signed_in_also_in_jobs(workspace: Workspace) -> None:
    site = create_web_app(workspace, door=Door(workspace.root, token="the-printed-token", printed_at=NOW))
    add_member(workspace.root, "Ann", Role.SPEND, "ann's long password")
    ann, owner = site.test_client(), site.test_client()
    ann.post("/sign-in", data={"name": "Ann", "password": "ann's long password"})
    owner.get("/?token=the-printed-token")
    assert ann.post(f"/faces/{FACE}", data={"answer": "keep", "note": "it is her"}).status_code == 303
    assert owner.post(f"/faces/{FACE}", data={"answer": "same", "by": "Zoe", "note": "yes"}).status_code == 303
    assert [item.who for item in acts(workspace, kind="decide")] == ["the link of 22 Nov 2026, 09:00", "Ann"]
    seen: list[Actor] = []
    with site.test_request_context("/"):
        act_as("Ann", "page")
        jobs(site).start("Look", App(workspace), lambda app, progress: seen.append(acting()) or "done")
        jobs(site).wait(10)
    assert seen == [Actor("Ann", "page")]
    page = ann.get("/team/log?who=Ann").text
    assert "decided on faces" in page and page.count("<tr>") == 2
    assert "Nothing was done yet that fits" in ann.get("/team/log?kind=merge").text


def test_what_wrote_no_row_once_writes_one(workspace: Workspace, tmp_path: Path) -> None:
    app = App(workspace)
    photograph = tmp_path / "Eileen.png"
    Image.new("RGB", (64, 64), (120, 90, 60)).save(photograph)
    add_references(app, Side.A, [photograph, photograph])
    source = sources(workspace, Side.A)[0]
    workspace.path("sources", "a", "x")
    set_regions(app, source, '{"regions": []}', "The regions")
    clear_regions(app, source)
    terms = read_terms({"title": "Birds", "description": "Which bird?", "reward": "0.05"}, "The form")
    made = make_project(workspace, "birds", terms, gallery_page("yes-no"))
    change_project(workspace, made, terms, made.template)
    told = [(item.kind, item.what, item.figure) for item in acts(workspace)][::-1]
    assert told == [
        ("photograph", "side a", "2 photographs"),
        ("mask", "side a", "0 faces"),
        ("mask", "side a: nothing any more", ""),
        ("project", "made birds", ""),
        ("project", "changed birds", ""),
    ]


def test_a_project_of_the_studio_begins_with_who_made_it(tmp_path: Path) -> None:
    made_here = Studio(tmp_path / "shelf").make("Second swap")
    (first,) = acts(Workspace.open(tmp_path / "shelf" / made_here))
    assert (first.kind, first.what) == ("project", "made the workspace")


def test_who_acts_is_the_threads_own() -> None:
    seen: list[Actor] = []
    copy_context().run(act_as, "Ann", "page")
    thread = threading.Thread(target=lambda: seen.append(acting()))
    thread.start()
    thread.join()
    assert seen[0].through == "command" and set(KINDS) >= {"publish", "pay", "erase", "train", "convert", "invite"}
