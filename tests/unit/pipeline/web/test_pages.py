"""Every page, empty and full: it answers, leaks no worker id, and keeps to its own policy."""

from __future__ import annotations

import csv
import hashlib
import html
import io
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.asking.overrule import overrule
from galloway.pipeline.stages.report import write_report
from galloway.pipeline.web import create_web_app, pages
from galloway.pipeline.web.faces import grid
from galloway.pipeline.workspace.folder import Workspace

from tests.support.databases import DATABASE
from tests.support.web import empty_workspace, face_id

RUN = "train-20261122-090500-000000"
BATCH = "abc123-a-usable-r1-0001"
PAGES = ["/", "/batches", "/faces", "/faces?status=all", "/report", "/workers", "/facesets", "/training", "/results"]
FULL_ONLY = [
    f"/batches/{BATCH}",
    f"/training/{RUN}",
    f"/faces/{face_id(Side.A, 0)}",
    f"/faces/{face_id(Side.B, 1)}",
    "/faces?side=b&status=rejected",
    "/faces?status=all&order=film&pose=front",
    f"/faces/{face_id(Side.B, 2)}?part=1",
    "/faces/map?side=b",
    "/faces/decisions",
]
DATA = ["/api/status", "/api/batches", "/api/faces", f"/api/training/{RUN}"]
VOID = {"meta", "link", "img", "input", "br", "hr"}


@pytest.fixture(scope="module")
def full(built: Workspace) -> FlaskClient:
    return create_web_app(built).test_client()


@pytest.fixture
def empty(tmp_path: Path) -> FlaskClient:
    return create_web_app(empty_workspace(tmp_path / "ws")).test_client()


class Checker(HTMLParser):
    """Collects what a page must not have: unbalanced tags, inline code or style, foreign addresses, twice-used ids."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.ids: set[str] = set()
        self.labelled: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        for name, value in values.items():
            if name == "style" or name.startswith("on"):
                self.faults.append(f"{tag} has {name}")
            if name in ("src", "href", "action") and not value.startswith(("/", "#")):
                self.faults.append(f"{tag} leads to {value}")
        if tag == "img" and "alt" not in values:
            self.faults.append("img without alt")
        if tag == "script" and "src" not in values and values.get("type") != "application/json":
            self.faults.append("inline script")
        if "id" in values:
            if values["id"] in self.ids:
                self.faults.append(f"id {values['id']} twice")
            self.ids.add(values["id"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")


def faults(text: str) -> list[str]:
    checker = Checker()
    checker.feed(text)
    checker.close()
    return checker.faults + [f"<{tag}> stays open" for tag in checker.open]


@pytest.mark.parametrize("path", PAGES)
def test_pages_of_an_empty_workspace(empty: FlaskClient, path: str) -> None:
    answer = empty.get(path)
    assert answer.status_code == 200
    assert faults(answer.text) == []


@pytest.mark.parametrize("path", PAGES + FULL_ONLY)
def test_pages_in_the_middle_of_the_work(full: FlaskClient, path: str) -> None:
    answer = full.get(path)
    assert answer.status_code == 200
    assert faults(answer.text) == []
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.postgresql
def test_every_page_says_the_same_where_the_rows_are_on_postgresql(
    full: FlaskClient, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DATABASE, request.getfixturevalue("database"))
    workspace: Workspace = request.getfixturevalue("workspace")
    there = create_web_app(workspace).test_client()
    for path in (*PAGES, *FULL_ONLY, *DATA):
        here, answer = full.get(path), there.get(path)
        assert answer.status_code == 200, (path, answer.text)
        told = answer.text.replace(workspace.rows.place, "")
        assert _plain(told) == _plain(here.text), path


def _plain(text: str) -> list[str]:
    """A page's words, sorted, without what is another one in each workspace: its folder, and names of workers, by which
    some tables are sorted; and how old what stands there is."""
    return sorted(re.sub(r"/tmp/[^\s\"<]+|\d+ (seconds?|minutes?) ago|W-[A-Z0-9]{8}", "", text).split())


@pytest.mark.parametrize("path", [*PAGES, *FULL_ONLY, *DATA, "/report/document"])
def test_worker_ids_stay_in_the_ledger(full: FlaskClient, path: str) -> None:
    text = full.get(path).text
    assert not re.search(r"\b(AANN|ABEN|ACARA)\b", text)


def test_overview_begins_with_what_is_done_doubtful_spent_and_next(full: FlaskClient) -> None:
    page = full.get("/").text
    words = ("<dt>Done</dt>", "<dt>Doubtful</dt>", "<dt>Cost</dt>", "<p>Next: ", 'class="flow"')
    places = [page.index(word) for word in words]
    assert places == sorted(places)
    assert page.count("<dt>Cost</dt>") == 1 and "status=disputed" in page
    assert "undecided</small>" in page and "without an answer" not in page


def test_overview_counts(full: FlaskClient) -> None:
    text = re.sub(r"\s+", " ", full.get("/").text)
    assert '<b>40</b> <span class="about">found' in text
    assert "of 6 assignments" in text
    assert text.count("$0.45") == 2, "committed and paid: nobody can answer the second HIT any more"
    assert "Eileen" in text
    assert "public-domain" in text


def test_batch_figures(full: FlaskClient) -> None:
    (row,) = full.get("/api/batches").json
    assert (row["collected"], row["assignments"], row["state"]) == (3, 6, "open")
    assert (row["price"], row["paid"], row["fees"]) == ("0.90", "0.45", "0.00")
    assert "$13.17" in full.get("/batches").text


def test_simulated_workers_are_marked(full: FlaskClient) -> None:
    text = full.get("/workers").text
    assert "1 of 3 workers are programs" in text
    assert text.count('<span class="tag sim">simulated</span></span></td>') == 2


def test_what_is_open_comes_first_and_a_face_shows_who_said_what(full: FlaskClient) -> None:
    text = full.get("/faces").text
    assert re.findall(r'<li class="tile (\w+)', text)[:10] == ["disputed"] * 10 or "undecided" in text
    assert full.get("/faces?status=disputed").text.count('<li class="tile disputed"') == 10
    assert "not a face" in full.get(f"/faces/{face_id(Side.A, 0)}").text
    assert "No face is disputed." in full.get("/faces?status=disputed&size=large&side=a").text


def test_faces_page_by_page_without_script_are_all_of_them_once(
    built: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grid, "_PER_PAGE", 7)
    client = create_web_app(built).test_client()
    for address in ("/faces", "/faces?order=film&side=b", "/faces?order=size&back=1&status=all"):
        found, path = [], address
        while path:
            text = client.get(path).text
            found += re.findall(r'name="face" value="(\w+)"', text)
            path = html.unescape(next(iter(re.findall(r'rel="next" href="([^"]+)"', text)), ""))
        assert len(found) == len(set(found)) == (20 if "side=b" in address else 40)


def test_the_grid_is_filled_in_parts(full: FlaskClient) -> None:
    whole = full.get("/faces/tiles?order=film&count=1").json
    assert (whole["total"], len(whole["faces"])) == (40, 40)
    first = full.get("/faces/tiles?order=film&most=15").json
    rest = full.get("/faces/tiles", query_string={"order": "film", "after": first["next"]}).json
    assert first["faces"] + rest["faces"] == whole["faces"]
    assert full.get("/faces/tiles?order=film&skip=38").json["faces"] == whole["faces"][38:]
    assert full.get("/faces/tiles?after=x").status_code == 400


def test_faces_of_some_frames_and_their_list_as_a_table(full: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    found = full.get("/faces/tiles?side=a&order=film&frames=3-5&count=1").json
    assert found["total"] == 3 and [row[1] for row in found["faces"]] == [f"clip_{n:06d}_0.png" for n in (3, 4, 5)]
    assert full.get("/faces/tiles?side=a&frames=7&count=1").json["total"] == 1
    for wrong in ("x", "3-", "-3", "1-2-3", "٣"):
        assert full.get("/faces", query_string={"frames": wrong}).status_code == 400, wrong
    monkeypatch.setattr(grid, "_LINES", 7)
    assert 'href="/faces/list.csv?side=a&amp;order=film"' in full.get("/faces?side=a&order=film").text
    for asked in ("side=a&order=film", f"like={face_id(Side.A, 3)}", "status=disputed"):
        answer = full.get(f"/faces/list.csv?{asked}")
        assert answer.headers["Content-Disposition"] == "attachment; filename=faces.csv"
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        shown = full.get(f"/faces/tiles?{asked}").json["faces"]
        assert [(row["face_id"], row["name"], row["side"], row["status"]) for row in rows] == [
            tuple(row[:4]) for row in shown
        ]
    assert (rows[0]["width"], rows[0]["source"], int(rows[0]["frame"]) > 0) == ("60", "clip", True)


def test_the_api_gives_faces_in_parts(full: FlaskClient) -> None:
    first = full.get("/api/faces?order=film&most=30").json
    rest = full.get("/api/faces", query_string={"order": "film", "most": 30, "after": first["next"]}).json
    assert (first["total"], len(first["faces"]), len(rest["faces"]), rest["next"]) == (40, 30, 10, None)
    assert {vote["label"] for face in first["faces"] for vote in face["votes"]} >= {"keep", "reject"}


def test_the_map_lists_what_lies_inside_a_line(full: FlaskClient) -> None:
    cells = full.get("/faces/map/cells?side=a").json
    assert sum(count for *_, count in cells["faces"]) == 20
    around, beside = "400,400,600,400,600,600,400,600", "0,0,100,0,100,100"
    assert full.get(f"/faces/tiles?side=a&count=1&lasso={around}").json["total"] == 20
    assert full.get(f"/faces/tiles?side=a&count=1&lasso={beside}").json["total"] == 0


def test_pictures_follow_a_face_that_a_merge_moved(full: FlaskClient) -> None:
    moved = full.get(f"/pictures/{face_id(Side.B, 1)}?size=small")
    assert (moved.status_code, moved.mimetype) == (200, "image/jpeg")
    assert "moved away by a merge" in full.get(f"/faces/{face_id(Side.B, 1)}").text
    assert full.get("/references/a/person.jpg").mimetype == "image/jpeg"


def test_a_run_on_the_best_faces_shows_their_map(workspace: Workspace) -> None:
    folder = workspace.root / "runs" / RUN
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    record["picked"] = {"faces": 500, "of": 1200, "lacking": 3}
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    client = create_web_app(workspace).test_client()
    assert client.get(f"/training/{RUN}/picked.svg").status_code == 404
    (folder / "picked.svg").write_text("<svg/>", encoding="utf-8")
    text = client.get(f"/training/{RUN}").text
    assert "500 of 1,200" in text
    assert "3 kinds lack" in text
    assert client.get(f"/training/{RUN}/picked.svg", buffered=True).mimetype == "image/svg+xml"


def test_training_page(full: FlaskClient) -> None:
    text = full.get(f"/training/{RUN}").text
    assert text.count("<polyline") == 2
    assert "model of 6.5 M parameters" in text
    assert text.count("<figure>") == 1
    assert full.get(f"/training/{RUN}/preview/0", buffered=True).mimetype == "image/png"
    assert full.get(f"/api/training/{RUN}").json["iteration"] == 600


def test_videos_are_sent_in_ranges(full: FlaskClient) -> None:
    text = full.get("/results").text
    assert text.count("<video") == 2
    part = full.get("/results/clip-swapped.mp4", headers={"Range": "bytes=256-259"}, buffered=True)
    assert (part.status_code, part.data) == (206, bytes(range(4)))


def test_what_all_pages_share_is_asked_for_once(full: FlaskClient) -> None:
    page = full.get("/").text
    shared = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page))
    assert len(shared) == 4, shared
    for address in shared:
        answer = full.get(address, buffered=True)
        assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable", address
        plain, _, version = address.partition("?v=")
        assert hashlib.sha256(answer.data).hexdigest().startswith(version) and len(version) == 12
        for other in (plain, f"{plain}?v=0123456789ab"):
            assert "max-age=3" not in full.get(other, buffered=True).headers["Cache-Control"]
    assert full.get("/static/none.css?v=0123456789ab").status_code == 404


def test_report_document_keeps_to_a_sandbox(full: FlaskClient) -> None:
    answer = full.get("/report/document")
    assert answer.status_code == 200
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert "attachment" in full.get("/report/document?save=1").headers["Content-Disposition"]


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/batches/none",
        "/faces/0a",
        f"/faces/{'f' * 32}",
        f"/pictures/{'f' * 32}",
        "/pictures/..%2Fgalloway.db",
        f"/pictures/{'0' * 32}?size=huge",
        "/results/clip-swapped.json",
        "/results/..%2Fgalloway.toml",
        "/results/.mp4",
        "/references/a/..%2Fx.jpg",
        f"/training/{RUN}/preview/1",
        "/training/none",
        "/training/none/preview/0",
        "/recruits/none/people",
    ],
)
def test_what_is_not_there(full: FlaskClient, path: str) -> None:
    answer = full.get(path)
    assert answer.status_code == 404
    assert faults(answer.text) == []


@pytest.mark.parametrize(
    "path",
    [
        "/faces?side=c",
        "/faces?status=odd",
        "/faces?order=odd",
        "/faces?worker=odd",
        "/faces?lasso=1,2,3",
        "/faces?person=-1",
        "/references/c/person.jpg",
        "/api/faces?status=x",
    ],
)
def test_what_cannot_be_asked(full: FlaskClient, path: str) -> None:
    assert full.get(path).status_code == 400


def test_a_run_names_what_it_was_made_with_and_why_it_failed(workspace: Workspace) -> None:
    client = create_web_app(workspace).test_client()
    page = client.get(f"/training/{RUN}").text
    for told in ("learning_rate = 2e-5", "keras <b>3.9</b>", "embedded train model=original"):
        assert told in page
    path = workspace.root / "runs" / RUN / "run.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    del record["result"]
    path.write_text(json.dumps({**record, "failed": "faceswap train stopped: the disk is full."}), encoding="utf-8")
    page = client.get(f"/training/{RUN}").text
    assert "the disk is full." in page
    assert 'class="tag failed"' in page
    assert "data-live" not in page


def test_errors_have_one_json_shape(full: FlaskClient, empty: FlaskClient) -> None:
    accept = {"Accept": "application/json"}
    for client, path, status in ((full, "/api/none", 404), (full, "/none", 404), (empty, "/report/document", 400)):
        answer = client.get(path, headers=accept)
        assert answer.status_code == status
        assert set(answer.json["error"]) == {"status", "name", "message"}
        assert answer.json["error"]["status"] == status
    assert "galloway publish" in empty.get("/report/document", headers=accept).json["error"]["message"]


def test_a_page_that_breaks_shows_no_traceback(workspace: Workspace) -> None:
    app = create_web_app(workspace)

    def broken(run_id: str) -> str:
        raise ZeroDivisionError(run_id)

    app.view_functions["training.run"] = broken
    answer = app.test_client().get(f"/training/{RUN}")
    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    assert "Something broke" in answer.text


def test_a_run_whose_record_is_broken_is_named(workspace: Workspace) -> None:
    (workspace.root / "runs" / RUN / "run.json").write_text("{}", encoding="utf-8")
    answer = create_web_app(workspace).test_client().get(f"/training/{RUN}")
    assert answer.status_code == 409 and "run.json" in answer.text


def test_every_link_leads_somewhere(full: FlaskClient) -> None:
    """All internal links and pictures of all pages answer."""
    seen: set[str] = set()
    find: Callable[[str], list[str]] = re.compile(r'(?:href|src)="(/[^"]*)"').findall
    for page in PAGES + FULL_ONLY:
        seen.update(link.replace("&amp;", "&") for link in find(full.get(page).text))
    seen -= {"/publish", "/workers/appeals"}  # these ask the market: in tests/e2e
    broken = [link for link in sorted(seen) if full.get(link, buffered=True).status_code != 200]
    assert broken == []
    assert len(seen) > 60


def test_simulated_workers_earn_no_hourly_wage(workspace: Workspace) -> None:
    workspace.path("market", "simulated.json").write_text('["AANN", "ABEN", "ACARA"]', encoding="utf-8")
    text = create_web_app(workspace).test_client().get("/batches").text
    assert "$13.17" not in text
    assert '<span class="tag sim">simulated</span>' in text


def test_every_page_of_the_way_says_what_comes_next_and_what_it_costs(full: FlaskClient, empty: FlaskClient) -> None:
    way = ("/footage", "/training", f"/training/{RUN}", "/results", "/jobs", "/batches", "/facesets", "/workers")
    looks = ("/faces", f"/faces/{face_id(Side.A, 0)}", "/faces/map?side=a", "/projects", "/recruits/", "/team")
    for path in (*way, *looks):
        text = full.get(path).text
        assert "<b>Next:</b>" in text, path
        assert "Costs what was announced when it was published." in text, path
    assert '<a href="/people">open the worker site, without which nobody can answer' in full.get("/footage").text
    assert '<a class="button main" href="/people">Open the worker site' in full.get("/").text
    assert '<b>Next:</b> add footage. <span class="soft">Costs nothing' in empty.get("/footage").text
    assert '<a href="/footage">add footage.</a>' in empty.get("/jobs").text
    assert "upnext" not in full.get("/none").text, "an error says only itself"
    assert "upnext" not in full.get("/settings").text, "how pages look is no work"
    refused = empty.get("/publish").text
    assert "There are no faces yet." in refused and '<a href="/footage">add footage.</a>' in refused, "and where to go"


def test_an_empty_project_offers_what_can_be_done(empty: FlaskClient) -> None:
    page = empty.get("/").text.partition("<main")[2]
    assert "Add footage" in page
    assert all(word not in page for word in ("Review alone", "Publish:", "Collect answers", "Merge:"))
    faces = empty.get("/faces").text
    assert "Nobody has looked" not in faces and '<a href="/footage">Footage: find the faces</a>' in faces


def test_a_finished_run_shows_no_empty_card(full: FlaskClient) -> None:
    page = full.get(f"/training/{RUN}").text
    assert "The film so far" not in page or "Swap this second" in page or "<video" in page


def test_a_report_of_many_votes_is_counted_by_a_job_and_says_of_when_it_is(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "REPORT_AT_ONCE", 10)
    client, app = create_web_app(workspace).test_client(), App(workspace)
    assert "Nobody counted the agreement" in client.get("/report").text
    assert client.get("/report/document").status_code == 404
    begun: list[str] = []
    monkeypatch.setattr(pages, "begin", lambda kind, _choices: begun.append(kind))
    assert client.post("/report/count").location == "/report" and begun == ["report"]
    write_report(app)
    page, counted = client.get("/report").text, client.get("/report/document", buffered=True).text
    assert "Counted at" in page and "<iframe" in page and "Count it now" not in page
    face = app.store.faces(Side.A)[0]
    overrule(app, face.face_id, "keep", name="Ann", note="seen")
    page = client.get("/report").text
    assert "As of" in page and "2 votes came or went since." in page and "Count it now" in page
    assert faults(page) == []
    assert client.get("/report/document", buffered=True).text == counted
