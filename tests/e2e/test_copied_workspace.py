"""A copied workspace, the original's market running beside it: nobody is asked twice, no answer is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

from galloway.pipeline.app import App
from galloway.pipeline.market.local import running_market, serve_market
from galloway.pipeline.workspace.folder import Workspace

from tests.support.workspace import answer_everything, built_app, galloway


def test_a_copy_does_not_talk_to_the_originals_running_market(tmp_path: Path) -> None:
    original = built_app(tmp_path / "original", faces=3)
    with serve_market(original.workspace):
        copy = App(Workspace.open(Path(shutil.copytree(original.workspace.root, tmp_path / "copy"))))
        assert (copy.workspace.root / "market" / "running.json").exists()
        assert running_market(copy.workspace) is None
        said = galloway(copy, "publish", "--yes")
        assert said.returncode == 1 and "galloway claim copy" in said.stderr
        assert not copy.ledger.batches()
        assert running_market(original.workspace) is not None


def test_a_claimed_copy_publishes_under_its_own_name_and_nothing_is_done_twice(tmp_path: Path) -> None:
    original = built_app(tmp_path / "original", faces=3)
    copy = App(Workspace.open(Path(shutil.copytree(original.workspace.root, tmp_path / "copy"))))
    assert galloway(copy, "claim", "copy").returncode == 0
    copy = App(Workspace.open(copy.workspace.root))
    assert copy.settings.id != original.settings.id
    for app in (original, copy):
        assert galloway(app, "publish", "--yes").returncode == 0
    (theirs,), (ours,) = original.ledger.batches()[:1], copy.ledger.batches()[:1]
    assert theirs["batch_key"].split("-")[0] == original.settings.id
    assert ours["batch_key"].split("-")[0] == copy.settings.id
    answer_everything(copy)
    assert galloway(copy, "collect").returncode == 0
    assert copy.store.votes() and not original.store.votes()


def test_hits_of_another_market_stay_with_the_original(tmp_path: Path) -> None:
    original = built_app(tmp_path / "original", faces=3)
    assert galloway(original, "publish", "--yes").returncode == 0
    with original.workspace.db.begin() as db:  # as if they had been published elsewhere
        db.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        for table in ("batch", "hit"):
            db.exec_driver_sql(f"UPDATE {table} SET state_key = 'url:https://market.example'")
    original.workspace.db.dispose()
    copy = App(Workspace.open(Path(shutil.copytree(original.workspace.root, tmp_path / "copy"))))
    said = galloway(copy, "claim", "copy")
    assert said.returncode == 0 and "stay with the original" in said.stderr
    assert {row["status"] for row in copy.ledger.hits("url:https://market.example")} == {"disposed"}
    assert {row["status"] for row in original.ledger.hits("url:https://market.example")} == {"published"}
