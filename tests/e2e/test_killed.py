"""SIGKILL during publish, collect, merge and undo, again and again: nothing doubled, nothing lost."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from galloway.curation.faceset.merging.merge import digest
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.workspace.records import tiles_of

from tests.support.workspace import answer_everything, built_app, galloway, kill_until_done

FACES = 20


def publish_sends_every_page_once(app: App) -> None:
    kills, _ = kill_until_done(app, "publish", "--yes")
    assert kills >= 3
    rows = app.ledger.hits("local")
    tiles = [tiles_of(app.workspace, key) for key in {row["batch_key"] for row in rows}]
    faces = Counter(tile.face_id for pages in tiles for page in pages.values() for tile in page.values())
    assert faces == Counter(face.face_id for face in app.store.faces())
    with app.market() as session:
        at_market = [hit.hit_id for hit in session.client.list_hits()]
    assert sorted(at_market) == sorted(row["hit_id"] for row in rows)
    assert len(at_market) == 2 * FACES // 5
    assert galloway(app, "publish", "--yes").returncode == 3


def collect_keeps_every_vote_once_and_pays_once(app: App) -> None:
    pages = answer_everything(app)
    assert pages == 2 * 2 * FACES // 5
    kills, _ = kill_until_done(app, "collect")
    assert kills >= 3
    again = galloway(app, "collect")
    assert again.returncode == 0, again.stderr
    votes = app.store.votes()
    assert len(votes) == 2 * 2 * FACES
    assert len({(vote.face_id, vote.worker_id) for vote in votes}) == len(votes)
    payments = app.ledger.payments("local")
    assert [row["status"] for row in payments] == ["done"] * pages
    with app.market() as session:
        for row in app.ledger.hits("local"):
            assert [item.status for item in session.client.list_assignments(row["hit_id"])] == ["Approved"] * 2


def merge_and_undo_leave_all_or_nothing(app: App) -> None:
    before = {side: digest(app.faceset_paths(side)) for side in Side}
    names = {side: sorted(path.name for path in app.workspace.faces_dir(side).iterdir()) for side in Side}
    kills, _ = kill_until_done(app, "merge")
    assert kills >= 3
    for side in Side:
        standing = app.standing_merge(side)
        assert standing is not None
        assert (standing.faces, standing.rejected) == (FACES - FACES // 4, FACES // 4)
        assert digest(app.faceset_paths(side)) == standing.digest
        assert len(list(app.workspace.faces_dir(side).glob("*.png"))) == standing.faces
        assert len(app.store.faces(side)) == standing.faces
    assert galloway(app, "merge").returncode == 3
    verify = galloway(app, "faceset", "verify", "--side", "a")
    assert verify.returncode == 0, verify.stdout + verify.stderr
    kill_until_done(app, "merge", "undo", "--side", "a")
    kill_until_done(app, "merge", "undo", "--side", "b")
    assert {side: digest(app.faceset_paths(side)) for side in Side} == before
    assert {side: sorted(path.name for path in app.workspace.faces_dir(side).iterdir()) for side in Side} == names
    assert len(app.store.faces()) == 2 * FACES


def a_moved_workspace_goes_on(app: App) -> None:
    app.workspace.db.dispose()
    moved = app.workspace.root.rename(app.workspace.root.with_name("elsewhere"))
    app = App(type(app.workspace).open(moved))
    status = galloway(app, "status", "--json")
    assert status.returncode == 0, status.stderr
    assert '"votes": 80' in status.stdout
    assert galloway(app, "report").returncode == 0


def test_a_workspace_that_is_killed_at_every_step(tmp_path: Path) -> None:
    app = built_app(tmp_path / "swap", faces=FACES)
    publish_sends_every_page_once(app)
    collect_keeps_every_vote_once_and_pays_once(app)
    merge_and_undo_leave_all_or_nothing(app)
    a_moved_workspace_goes_on(app)
