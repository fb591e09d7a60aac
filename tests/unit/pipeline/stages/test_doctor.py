"""The machine's doctor: a workspace that cannot be used is one failed check among the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from galloway.mturk.marketplace.errors import OperatorError
from galloway.pipeline.app import App
from galloway.pipeline.engines.base import Check
from galloway.pipeline.stages.doctor import examine

from tests.support.workspace import built_app

pytestmark = pytest.mark.in_a_file("galloway.db that is damaged, gone or read-only")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    app = built_app(tmp_path / "ws", faces=2)
    app.workspace.db.dispose()
    monkeypatch.setattr("galloway.pipeline.stages.doctor._market", lambda _: [])  # it would listen on a port
    monkeypatch.chdir(app.workspace.root)
    return app.workspace.root


def failed(start: str | None = None) -> dict[str, Check]:
    checks = examine(start)
    assert {"Python", "disk"} <= {check.name for _, check in checks}, "the machine is looked at all the same"
    return {check.name: check for area, check in checks if area == "workspace" and not check.ok}


def test_a_whole_workspace_is_well(root: Path) -> None:
    assert failed() == {} == failed(str(root))


def test_a_damaged_database_is_a_failed_check(root: Path) -> None:
    for log in root.glob("galloway.db-*"):
        log.unlink()
    (root / "galloway.db").write_bytes(b"this is no database, but text" * 40)
    assert "should be a database is none" in failed()["database"].detail


def test_a_database_that_may_not_be_opened_is_a_failed_check(root: Path) -> None:
    (root / "galloway.db").unlink()
    (root / "galloway.db").mkdir()
    assert "cannot be opened" in failed()["database"].detail


def test_rows_that_are_gone_are_not_silently_begun_anew(root: Path) -> None:
    (root / "sources" / "a" / "clipa.source.json").write_text("{}", encoding="utf-8")
    for file in root.glob("galloway.db*"):
        file.unlink()
    assert "galloway.db is gone" in failed()["database"].detail
    assert not (root / "galloway.db").exists()


def test_broken_settings_are_no_missing_workspace(root: Path) -> None:
    (root / "galloway.toml").write_text("[ask\n", encoding="utf-8")
    assert "not valid TOML" in failed()["workspace"].detail
    (root / "galloway.toml").write_bytes(b"\xff")
    assert "UTF-8" in failed()["workspace"].detail


def test_a_named_folder_without_a_workspace_is_a_failed_check(tmp_path: Path) -> None:
    assert failed(str(tmp_path))["workspace"].remedy == "galloway init NAME"


def test_none_in_the_current_folder_is_well_unless_the_environment_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert failed() == {}
    monkeypatch.setenv("GALLOWAY_ASK__MAX_VOTES", "abc")
    assert "GALLOWAY_ASK__MAX_VOTES" in failed()["workspace"].detail


def test_where_the_local_market_does_not_answer_it_is_not_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OperatorError("market.db is gone.")

    built_app(tmp_path / "ws", faces=2)
    monkeypatch.setattr(App, "market", refuse)
    (check,) = [check for area, check in examine(str(tmp_path / "ws")) if area == "market"]
    assert not check.ok and "is gone" in check.detail and "backup" in check.remedy
