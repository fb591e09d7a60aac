"""Footage that was removed with what people said of it: collecting goes on without a word about its old pages."""

from __future__ import annotations

from pathlib import Path

from galloway.curation.types import Side
from galloway.pipeline.workspace.records import drop_tiles

from tests.support.workspace import answer_everything, built_app, galloway


def test_answers_on_faces_that_were_removed_are_no_unreadable_answers(tmp_path: Path) -> None:
    app = built_app(tmp_path / "ws", faces=6)
    assert galloway(app, "publish", "--yes").returncode == 0
    answer_everything(app)
    assert galloway(app, "collect", "--yes").returncode == 0
    removed = galloway(app, "source", "remove", "--side", "b", "clipb", "--with-votes", "--yes")
    assert removed.returncode == 0, removed.stderr
    votes = app.store.count_votes()
    drop_tiles(app.workspace, [app.store.faces(Side.A)[3].face_id])  # as the removal of one picture leaves its page
    again = galloway(app, "collect", "--yes")
    assert (again.returncode, "Unreadable answer" in again.stderr) == (0, False), again.stderr
    assert app.store.count_votes() == votes
