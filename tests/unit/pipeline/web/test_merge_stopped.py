"""A merge, or taking one back, that was killed at any of its steps: its page offers the same button, which goes on."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from galloway.curation.faceset.merging.merge import apply_merge, undo_merge
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.asking.overrule import overrule_each
from galloway.pipeline.stages.merge import plan
from galloway.pipeline.web.opened import last_workspace
from galloway.pipeline.workspace.acts import acts
from galloway.pipeline.workspace.approved import facesets

from tests.support.acting import job_state

KEPT, GONE = 4, 2


class Killed(BaseException):
    """The process ended."""


@dataclass
class Until:
    """A checkpoint: the process ends before step `at`."""

    at: int
    step: int = 0

    def __call__(self, _step: str) -> None:
        self.step += 1
        if self.step > self.at:
            raise Killed


@pytest.fixture
def app(site: Flask) -> App:
    """Six faces of side A, two of them rejected."""
    with site.app_context():
        app = last_workspace()
    faces = [face.face_id for face in app.store.faces(Side.A)]
    overrule_each(app, [(face, "keep", "") for face in faces[:KEPT]], name="Ann", note="it is she")
    overrule_each(app, [(face, "reject", "not_a_face") for face in faces[KEPT:]], name="Ann", note="a wall")
    return app


def killed(work: Callable[[Until], object], at: int) -> bool:
    """Whether `work` was killed before step `at`; else it came to its end."""
    try:
        work(Until(at))
    except Killed:
        return True
    return False


def side_a(page: str) -> str:
    return page[page.index('id="side-a"') : page.index('id="side-b"')]


def stands(app: App) -> list[str]:
    return [item.id for item in facesets(app.workspace, Side.A) if item.undone_at is None]


def counted(app: App, kind: str) -> int:
    return sum(act.kind == kind for act in acts(app.workspace))


def press_undo(client: FlaskClient) -> None:
    shown = re.search(r'name="faceset" value="([^"]+)"', side_a(client.get("/merge").text))
    assert shown
    client.post("/merge/undo", data={"side": "a", "faceset": shown[1]})


def test_the_same_buttons_go_on_from_every_step(app: App, client: FlaskClient, site: Flask) -> None:
    paths, at, going = app.faceset_paths(Side.A), 0, True
    while going:
        planned = plan(app, Side.A)
        going = killed(lambda until, planned=planned: apply_merge(planned, checkpoint=until), at)  # type: ignore[misc]
        assert "Merge side A" in side_a(client.get("/merge").text), at
        client.post("/merge", data={"side": "a"})
        state, said = job_state(site)
        assert (state, said.partition(". ")[0]) == (
            "done",
            f"Side A: {KEPT} faces approved; rejected: {GONE} not a face",
        ), at
        assert len(stands(app)) == 1, at
        merge_id = stands(app)[0].removeprefix("a-")
        backing = killed(lambda until, name=merge_id: undo_merge(paths, name, checkpoint=until), at)  # type: ignore[misc]
        going = going or backing
        press_undo(client)
        assert job_state(site)[0] == "done", (at, job_state(site))
        assert not stands(app), at
        at += 1
    assert at > 20, "so many steps were killed"
    assert counted(app, "merge") == counted(app, "undo") == at, "each once in the log"


def test_an_undo_that_was_stopped_takes_no_other_merge_back(app: App, client: FlaskClient, site: Flask) -> None:
    client.post("/merge", data={"side": "a"})
    assert job_state(site)[0] == "done"
    first = stands(app)
    face = next(face.face_id for face in app.store.faces(Side.A))
    overrule_each(app, [(face, "reject", "not_a_face")], name="Ann", note="no")
    client.post("/merge", data={"side": "a"})
    assert job_state(site)[0] == "done"
    newest = stands(app)[0]
    assert newest not in first
    name = newest.removeprefix("a-")
    assert killed(lambda until: undo_merge(app.faceset_paths(Side.A), name, checkpoint=until), 4)
    page = side_a(client.get("/merge").text)
    assert "was stopped half way" in page
    assert "Merge side A" not in page, "what was begun is ended first"
    press_undo(client)
    assert job_state(site) == ("done", f"{newest} is taken back: 1 faces are in the folder again.")
    assert stands(app) == first
    client.post("/merge/undo", data={"side": "a", "faceset": newest})
    assert job_state(site)[0] == "failed", "somebody else took it back in the meantime"
    assert stands(app) == first
