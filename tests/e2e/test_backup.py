"""A backup that is taken while people work comes back whole: nothing half, nothing lost that was there before."""

from __future__ import annotations

import json
import shutil
import stat
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from galloway.curation.types import Side
from galloway.mturk.marketplace.app import MarketConfig, Marketplace, add_requester
from galloway.mturk.marketplace.errors import NothingAvailable
from galloway.mturk.marketplace.store import tables as t
from galloway.pipeline.app import App
from galloway.pipeline.cli.main import cli
from galloway.pipeline.errors import StageError
from galloway.pipeline.workspace.backup import back_up, restore
from galloway.pipeline.workspace.folder import Workspace

from tests.support.marketplace import html_question, mturk_client
from tests.support.postgres import Postgres
from tests.support.workspace import answer_everything, built_app, galloway


def test_a_workspace_comes_back_and_its_round_goes_on(tmp_path: Path) -> None:
    app = built_app(tmp_path / "shop", faces=4)
    assert galloway(app, "publish", "--yes").returncode == 0
    target = tmp_path / "shop.zip"
    done = galloway(app, "backup", str(target))
    assert done.returncode == 0 and done.stdout.strip() == str(target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600, "it holds faces and keys"
    shutil.rmtree(app.workspace.root)
    assert CliRunner().invoke(cli, ["restore", str(target), str(tmp_path / "shop")]).exit_code == 0
    again = App(Workspace.open(tmp_path / "shop"))
    assert galloway(again, "claim", "moved").returncode == 0
    answer_everything(again)
    assert galloway(again, "collect").returncode == 0
    assert again.store.votes()
    assert not (again.workspace.root / "market" / "running.json").exists()


def test_only_what_cannot_be_made_again(tmp_path: Path) -> None:
    app = built_app(tmp_path / "shop", faces=3)
    record = app.workspace.source_record(Side.A, "clipa")
    record.write_text(json.dumps({"person": "nobody", "basis": "own"}), encoding="utf-8")
    done = galloway(app, "backup", "--no-footage", str(tmp_path))
    assert done.returncode == 0 and "sources/ (--no-footage)" in done.stderr
    with zipfile.ZipFile(done.stdout.strip()) as archive:
        names = archive.namelist()
    kept = [name for name in names if name.startswith("sources/")]
    assert kept == ["sources/a/clipa.source.json"], "who is in it is no footage, and nothing makes it again"
    assert "galloway.db" in names and [name for name in names if name.endswith(".png")]
    back = CliRunner().invoke(cli, ["restore", done.stdout.strip(), str(tmp_path / "again")])
    assert "made without sources/: give the same files again, galloway ingest --side a|b FILES" in back.output
    restored = App(Workspace.open(tmp_path / "again"))
    assert "the footage sources/a/clipa.mp4 is missing" in galloway(restored, "status").stdout


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Postgres | None]:
    if request.param == "sqlite":
        yield None
        return
    server = Postgres(tmp_path)
    server.start()
    yield server
    server.stop()
    server.remove()


def test_a_market_is_backed_up_while_six_people_work(tmp_path: Path, database: Postgres | None) -> None:
    url = database.url if database else ""
    config = MarketConfig(state_dir=tmp_path / "market", database_url=url)
    market = Marketplace(config)
    key, secret = add_requester(market.store, "Ada")
    client = mturk_client(market.api_wsgi, key, secret)
    for _ in range(40):
        group = client.create_hit(
            Title="t", Description="d", Reward="0.05", LifetimeInSeconds=3600, AssignmentDurationInSeconds=600,
            MaxAssignments=6, Question=html_question(),
        )["HIT"]["HITGroupId"]  # fmt: skip
    desk, sent, go_on = market.work, list[str](), threading.Event()
    workers = [
        desk.join(desk.invite().token, name=f"w{number}", password="correct horse").worker.worker_id
        for number in range(6)
    ]

    def labour(worker: str) -> None:
        while not go_on.is_set():
            try:
                taken = desk.accept(worker, group_id=group)
            except NothingAvailable:
                return
            desk.submit(taken.assignment_id, [("q", taken.assignment_id)])
            sent.append(taken.assignment_id)

    threads = [threading.Thread(target=labour, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    while len(sent) < 30:
        threads[0].join(0.01)
    before = list(sent)
    done = back_up(config.state_dir, tmp_path / "market.zip", postgresql=url)
    go_on.set()
    for thread in threads:
        thread.join()
    market.close()
    empty = _another_database(url) if url else ""
    restore(done.path, tmp_path / "again", postgresql=empty)
    again = Marketplace(MarketConfig(state_dir=tmp_path / "again", database_url=empty))
    with again.store.read() as tx:
        there = {row["id"]: row for row in tx.conn.execute(sa.select(t.assignment)).mappings()}
        for hit in tx.conn.execute(sa.select(t.hit)).mappings():
            states = [row["state"] for row in there.values() if row["hit_id"] == hit["id"]]
            assert (hit["held"], hit["submitted"]) == (states.count("Accepted"), states.count("Submitted"))
    for name in before:
        assert there[name]["state"] == "Submitted" and name in there[name]["answer"]
    assert mturk_client(again.api_wsgi, key, secret).get_account_balance()["AvailableBalance"] == "10000.00"
    again.close()


def _another_database(url: str) -> str:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE again")
    engine.dispose()
    return url.rpartition("/")[0] + "/again"


def test_odd_names_come_back_as_they_were_and_what_cannot_is_said(tmp_path: Path) -> None:
    (tmp_path / "state" / "a:b").mkdir(parents=True)
    odd = ["C:x", "line\nFORGED", "a\\b", " ", "con.txt", "ünïcode 👤", "a:b/in it"]
    for name in odd:
        (tmp_path / "state" / name).write_text(name)
    (tmp_path / "state" / "link").symlink_to(tmp_path / "elsewhere")
    done = back_up(tmp_path / "state", tmp_path / "b.zip")
    assert done.left_out == ("link",) and done.files == len(odd)
    restore(done.path, tmp_path / "again")
    assert {name: (tmp_path / "again" / name).read_text() for name in odd} == {name: name for name in odd}


def test_what_is_damaged_or_strange_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "market.key").write_bytes(b"k" * 32)
    good = back_up(tmp_path / "state", tmp_path / "good.zip").path
    into = tmp_path / "into"
    flipped = tmp_path / "flipped.zip"
    flipped.write_bytes(good.read_bytes().replace(b"k" * 32, b"j" * 32))
    outside = tmp_path / "outside.zip"
    for name in ("../evil", "/evil", "a/../../evil", "./evil", "a//evil"):
        with zipfile.ZipFile(outside, "w") as archive:
            archive.writestr(name, b"x")
            archive.writestr("manifest.json", json.dumps({"format": 1, "made_at": "", "files": {name: "0"}}))
        with pytest.raises(StageError, match="outside of its folder"):
            restore(outside, into)
        assert not into.exists() and not (tmp_path / "evil").exists()
    with zipfile.ZipFile(outside, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", json.dumps({"format": 1, "made_at": "", "files": {}}) + " " * 10_000_000)
    with pytest.raises(StageError, match="another Galloway, or is no backup"):
        restore(outside, into)
    (tmp_path / "no.zip").write_bytes(b"no zip")
    for strange in (flipped, tmp_path / "no.zip"):
        with pytest.raises(StageError, match=r"no whole backup|damaged"):
            restore(strange, into)
        assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []
    into.mkdir()
    (into / "mine").touch()
    with pytest.raises(StageError, match="holds something"):
        restore(good, into)
    with pytest.raises(StageError, match="inside of what is backed up"):
        back_up(tmp_path / "state", tmp_path / "state" / "b.zip")
