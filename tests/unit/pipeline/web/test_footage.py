"""Footage through the browser: pieces, whole files, paths; what lacks is said, and nothing starts."""

from __future__ import annotations

import io
import json
import re
import time
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from galloway.curation.types import Side
from galloway.pipeline.jobs import progress
from galloway.pipeline.jobs.kept import Job, all_jobs, last_lines
from galloway.pipeline.jobs.kinds import command
from galloway.pipeline.jobs.uploads import uploads
from galloway.pipeline.web.opened import jobs, open_workspace
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.held import LOCK, held
from galloway.pipeline.workspace.records import sources
from galloway.pipeline.workspace.schema import source_table
from PIL import Image


@pytest.fixture
def workspace(site: Flask) -> Workspace:
    with site.app_context():
        return open_workspace().workspace


def test_a_film_comes_in_pieces(client: FlaskClient, workspace: Workspace) -> None:
    first = client.post("/footage/uploads?name=clip.mp4&size=6", data=b"abc").get_json()
    assert (first["have"], first["size"]) == (3, 6)
    assert "3 of" not in client.get("/footage").text or "choose the same file again" in client.get("/footage").text
    gap = client.post(f"/footage/uploads?id={first['id']}&at=4", data=b"ef", headers={"Accept": "application/json"})
    assert "3 bytes are here" in gap.get_json()["error"]["message"]
    assert client.post(f"/footage/uploads?id={first['id']}&at=3", data=b"def").get_json()["have"] == 6
    (found,) = uploads(workspace)
    assert found.path.read_bytes() == b"abcdef"
    too_large = client.post("/footage/uploads?name=x.mp4&size=99999999", data=b"x" * ((8 << 20) + 1))
    assert too_large.status_code == 413
    assert client.post(f"/footage/uploads/{found.id}/drop").status_code == 400, "it asks first"
    assert client.post(f"/footage/uploads/{found.id}/drop", data={"yes": "yes"}).status_code == 303
    assert uploads(workspace) == []


def test_without_a_script_files_come_whole(client: FlaskClient, workspace: Workspace) -> None:
    files = [(io.BytesIO(name.encode()), name) for name in ("a.mp4", "b.jpg")]
    answer = client.post("/footage/uploads/whole", data={"files": files})
    assert answer.status_code == 303
    assert sorted(item.name for item in uploads(workspace)) == ["a.mp4", "b.jpg"]
    assert client.post("/footage/uploads/whole", data={}).status_code == 400
    client.post("/footage/uploads/whole", data={"files": [(io.BytesIO(b"c"), "c.mp4")]})
    ids = {item.name: item.id for item in uploads(workspace)}
    assert ticked(client, answer.location) == {ids["a.mp4"], ids["b.jpg"]}, "what is left from another time is not"
    assert ticked(client, "/footage") == set()


def ticked(client: FlaskClient, address: str) -> set[str]:
    """The uploads that the page chooses by itself."""
    return set(re.findall(r'name="upload" value="(\w+)" checked', client.get(address).text))


def ended(workspace: Workspace) -> Job:
    """The newest job, when it does not run any more."""
    for _ in range(600):
        if not (job := all_jobs(workspace)[0]).running:
            return job
        time.sleep(0.1)
    raise AssertionError("it runs still")


@pytest.mark.parametrize("kind", ["footage", "reference"])
def test_each_upload_leaves_the_list_as_its_file_comes_in(client: FlaskClient, workspace: Workspace, kind: str) -> None:
    files = []
    for name, colour in {"P1.png": (200, 10, 10), "P2.png": (10, 200, 10)}.items():
        Image.new("RGB", (64, 64), colour).save(picture := io.BytesIO(), "PNG")
        files.append((io.BytesIO(picture.getvalue()), name))
    files.insert(1, (io.BytesIO(b"no picture, no film"), "bad.mp4" if kind == "footage" else "bad.png"))
    client.post("/footage/uploads/whole", data={"files": files})
    given = [item.id for item in uploads(workspace)]
    client.post("/footage/take", data={"upload": given, "side": "b", "basis": "own", "person": "Ann", "as": kind})
    job = ended(workspace)
    assert job.state == "failed" and "1 of " in "".join(last_lines(job)), last_lines(job)
    assert [item.path.stem for item in uploads(workspace)] == ["bad"]


def test_photographs_that_are_chosen_together_come_in_as_one_source(
    client: FlaskClient, workspace: Workspace, site: Flask
) -> None:
    colours = {"P1.png": (200, 10, 10), "P2.png": (10, 200, 10)}
    files = []
    for name, colour in colours.items():
        Image.new("RGB", (64, 64), colour).save(picture := io.BytesIO(), "PNG")
        files.append((io.BytesIO(picture.getvalue()), name))
    files.append((io.BytesIO(b"file,licence\nP1.png,CC0\nP2.png,CC-BY\n"), "urls.csv"))
    client.post("/footage/uploads/whole", data={"files": files})
    form = {"upload": [item.id for item in uploads(workspace)], "side": "b", "basis": "licence", "person": "Ann"}
    answer = client.post("/footage/take", data=form)
    assert answer.status_code == 303
    (job,) = all_jobs(workspace)
    words = command(job.kind, job.choices, job.files)
    assert words[: words.index("--")].count("--together") == 1
    job = ended(workspace)
    assert job.state == "done", last_lines(job)
    (source,) = [item for item in sources(workspace, Side.B) if item.kind == "photos"]
    assert sorted(path.name for path in source.path.iterdir()) == ["photographs_P1.png", "photographs_P2.png"]
    record = json.loads(workspace.source_record(Side.B, source.name).read_text())
    assert [(row["file"], row["licence"]) for row in record["pictures"]] == [("P1.png", "CC0"), ("P2.png", "CC-BY")]
    assert uploads(workspace) == [], "the table goes with them"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"side": "a", "basis": "own"}, "Choose what is taken in"),
        ({"side": "a", "basis": "own", "path": "/no/such.mp4"}, "is not on the machine"),
        ({"side": "a", "path": "/"}, "on what basis"),
        ({"side": "c", "basis": "own", "path": "/"}, "does not fit side"),
        ({"side": "a", "basis": "own", "path": "/", "person": "--faces"}, "does not fit person"),
        ({"side": "a", "basis": "own", "upload": "0" * 16}, "not whole yet, or gone"),
    ],
)
def test_what_lacks_is_said_and_nothing_starts(
    client: FlaskClient, workspace: Workspace, site: Flask, form: dict[str, str], said: str
) -> None:
    answer = client.post("/footage/take", data=form)
    assert (answer.status_code, said in answer.text) == (400, True), answer.text[-600:]
    assert all_jobs(workspace) == []
    assert jobs(site).last is None


def test_a_job_that_there_is_not_starts_nothing(client: FlaskClient, workspace: Workspace) -> None:
    for path in ("/jobs/start/publish", "/jobs/start/ingest", "/jobs/20260102-030405-abcdef/stop"):
        assert client.post(path).status_code == 404, path
    assert client.get("/jobs/..").status_code == 404
    assert client.post("/jobs/start/train", data={"minutes": "-1"}).status_code == 400
    assert all_jobs(workspace) == []


def test_a_job_that_a_cluster_works_for_links_to_its_dashboard(client: FlaskClient, workspace: Workspace) -> None:
    folder = workspace.root / "jobs" / "20260102-030405-abcdef"
    folder.mkdir(parents=True)
    asked = {"kind": "extract", "choices": {}, "files": [], "by": "", "started_at": "2026-01-02T03:04:05+00:00"}
    (folder / "job.json").write_text(json.dumps(asked))
    told = {"what": "extract clip.mp4", "done": 3, "total": 9, "pace": ""}
    with held(folder, LOCK, "running a job", 0):
        for address, linked in (("http://10.0.0.5:8787/status", True), ("javascript:alert(1)", False)):
            (folder / "progress.json").write_text(json.dumps(told | {"dashboard": address}))
            page = client.get(f"/jobs/{folder.name}").text
            assert (f'href="{address}"' in page) == linked


def test_a_command_tells_its_job_where_the_dashboard_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_to", [])
    monkeypatch.setattr(progress, "_dashboards", [])
    progress.tell_to(tmp_path / "progress.json")
    progress.told_dashboard("http://10.0.0.5:8787/status")
    progress.told("extract", 9, 9, "")
    assert json.loads((tmp_path / "progress.json").read_text())["dashboard"] == "http://10.0.0.5:8787/status"


def test_what_is_at_work_is_not_what_comes_next(client: FlaskClient, workspace: Workspace) -> None:
    with workspace.db.begin() as db:
        db.execute(source_table.update().values(faces=None))
    folder = workspace.root / "jobs" / "20260102-030405-abcdef"
    folder.mkdir(parents=True)
    asked = {"kind": "extract", "choices": {}, "files": [], "by": "", "started_at": "2026-01-02T03:04:05+00:00"}
    (folder / "job.json").write_text(json.dumps(asked))
    for page in ("/", "/footage"):
        assert "find the faces in the footage." in client.get(page).text
    with held(folder, LOCK, "running a job", 0):
        for page in ("/", "/footage"):
            text = client.get(page).text
            assert "“Find faces” is at work" in text and "find the faces in the footage." not in text
