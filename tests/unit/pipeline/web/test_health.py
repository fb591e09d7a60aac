"""Who watches the requester's pages learns whether the database can be read, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.web.health import with_health

from tests.support.marketplace import call_wsgi


def inner(environ, start_response):  # type: ignore[no-untyped-def]
    start_response("200 OK", [])
    return [b"the site"]


@pytest.mark.both_databases
def test_health_reads_the_database(tmp_path: Path, rows_in: str) -> None:
    workspace = make_workspace(tmp_path / "shop")[0]
    app = with_health(inner, workspace)
    status, _, body = call_wsgi(app, "GET", "http://x.test/healthz", {}, b"")
    assert (status, json.loads(body)) == (200, {"status": "ok", "database": rows_in})
    for method, path in (("GET", "/"), ("POST", "/healthz"), ("GET", "/healthz/x")):
        assert call_wsgi(app, method, f"http://x.test{path}", {}, b"")[2] == b"the site"
    workspace.db.dispose()


@pytest.mark.in_a_file("one that is damaged")
def test_health_says_that_the_database_cannot_be_read(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "shop")[0]
    app = with_health(inner, workspace)
    workspace.db.dispose()
    for path in workspace.root.glob("galloway.db*"):
        path.write_bytes(b"no database at all, and longer than a header of one hundred bytes would be: " * 4)
    status, _, body = call_wsgi(app, "GET", "http://x.test/healthz", {}, b"")
    assert (status, json.loads(body)["status"]) == (503, "unavailable")
    assert b"shop" not in body
    workspace.db.dispose()
