"""Footage through the browser: pieces, whole files, paths; what lacks is said, and nothing starts."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from galloway.pipeline.jobs.kept import all_jobs
from galloway.pipeline.jobs.uploads import uploads
from galloway.pipeline.web.opened import jobs, open_workspace
from galloway.pipeline.workspace.folder import Workspace

from tests.support.acting import acting_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Flask]:
    with acting_site(tmp_path / "ws") as made:
        yield made


@pytest.fixture
def client(site: Flask) -> FlaskClient:
    return site.test_client()


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
    assert client.post(f"/footage/uploads/{found.id}/drop").status_code == 303
    assert uploads(workspace) == []


def test_without_a_script_files_come_whole(client: FlaskClient, workspace: Workspace) -> None:
    files = [(io.BytesIO(name.encode()), name) for name in ("a.mp4", "b.jpg")]
    assert client.post("/footage/uploads/whole", data={"files": files}).status_code == 303
    assert sorted(item.name for item in uploads(workspace)) == ["a.mp4", "b.jpg"]
    assert client.post("/footage/uploads/whole", data={}).status_code == 400


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
