"""One marketplace, one database: typing errors are sentences, and two that differ are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from galloway.mturk.marketplace.app import open_store
from galloway.mturk.marketplace.config import MarketConfig
from galloway.mturk.marketplace.errors import OperatorError
from galloway.mturk.marketplace.store.home import check_database, database_url
from galloway.pipeline.cli.main import cli
from galloway.pipeline.stages.setup import make_workspace

SERVER = "postgresql://ann:hidden@db.example/market"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("postgres://ann:hidden@db.example/market", "postgres://"),
        ("postgresql//ann:hidden@db.example", "cannot be read"),
        ("postgresql://ann:hidden@db.example:port/market", "cannot be read"),
        ("mysql://ann:hidden@db.example/market", "mysql"),
        ("postgresql+asyncpg://ann:hidden@db.example/market", "asyncpg"),
        ("postgresql://ann:hidden@db.example", "names no database"),
        ("market.db", "cannot be read"),
    ],
)
def test_a_wrong_address_is_a_sentence_without_the_password(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(OperatorError, match=words) as told:
        open_store(MarketConfig(state_dir=tmp_path, database_url=text))
    assert "hidden" not in str(told.value) and "postgresql://USER:PASSWORD@HOST" in str(told.value)


def test_postgresql_gets_its_driver() -> None:
    assert database_url(SERVER).drivername == "postgresql+psycopg"


def test_the_first_database_is_noted_and_another_one_refused(tmp_path: Path) -> None:
    check_database(tmp_path, SERVER)
    check_database(tmp_path, "postgresql+psycopg://bob:other@db.example:5432/market")
    with pytest.raises(OperatorError, match=r"works with postgresql://db\.example:5432/market") as told:
        check_database(tmp_path, "postgresql://ann:hidden@db.example/other")
    assert "hidden" not in str(told.value) and "hidden" not in (tmp_path / "database").read_text()
    with pytest.raises(OperatorError, match="SQLite was named"):
        open_store(MarketConfig(state_dir=tmp_path))
    assert not (tmp_path / "market.db").exists()


def test_a_database_that_is_gone_is_not_silently_made_anew(tmp_path: Path) -> None:
    open_store(MarketConfig(state_dir=tmp_path)).close()
    (tmp_path / "market.db").unlink()
    with pytest.raises(OperatorError, match=r"market\.db is gone.*galloway restore"):
        open_store(MarketConfig(state_dir=tmp_path))
    assert not (tmp_path / "market.db").exists()
    (tmp_path / "database").unlink()  # as it says
    open_store(MarketConfig(state_dir=tmp_path)).close()


def test_killed_between_its_first_two_files_a_marketplace_begins_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("galloway.mturk.marketplace.store.transactions.database.make_engine", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            open_store(MarketConfig(state_dir=tmp_path))
    open_store(MarketConfig(state_dir=tmp_path)).close()


def test_a_marketplace_from_before_the_note_is_known_by_its_file(tmp_path: Path) -> None:
    open_store(MarketConfig(state_dir=tmp_path)).close()
    (tmp_path / "database").unlink()
    with pytest.raises(OperatorError, match="works with SQLite"):
        check_database(tmp_path, SERVER)


def test_in_a_workspace_every_command_reads_the_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_workspace(tmp_path / "shop")[0].root
    refused = CliRunner().invoke(cli, ["-w", str(root), "market", "--database", SERVER, "worker", "invite"])
    assert refused.exit_code == 2 and "GALLOWAY_MARKET__DATABASE" in refused.output
    assert not (root / "market" / "market.db").exists()
    monkeypatch.setenv("GALLOWAY_MARKET__DATABASE", f"sqlite:///{root / 'other.db'}")
    assert CliRunner().invoke(cli, ["-w", str(root), "market", "requester", "add", "Ann"]).exit_code == 0
    assert (root / "other.db").exists() and not (root / "market" / "market.db").exists()
    monkeypatch.delenv("GALLOWAY_MARKET__DATABASE")
    with pytest.raises(OperatorError, match=r"other\.db"):
        CliRunner().invoke(cli, ["-w", str(root), "market", "requester", "list"], catch_exceptions=False)
