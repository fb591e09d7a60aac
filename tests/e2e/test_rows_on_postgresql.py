"""A workspace's rows on PostgreSQL through faults: its connection ended at each step, a writer killed, the server
restarted in the middle. The same command goes on; nothing is lost and nothing doubled."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from galloway.curation.faceset.merging.merge import digest
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.asking.decide import face_decisions, infer
from galloway.pipeline.workspace.database.moving import row_counts
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.records import tiles_of

from tests.support.databases import DATABASE
from tests.support.postgres import Postgres
from tests.support.workspace import SETTINGS, answer_everything, built_app, galloway, kill_until_done

pytestmark = pytest.mark.postgresql

FACES = 6


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Postgres]:
    """A durable server, whose database the workspaces of the test have."""
    server = Postgres(tmp_path, durable=True)
    server.start()
    monkeypatch.setenv(DATABASE, server.url)
    yield server
    server.stop()
    server.remove()


@contextmanager
def cut_at(number: int, cut: Callable[[sa.Connection], None]) -> Iterator[list[int]]:
    """Do this to the connection before the statement or commit of that number that a workspace's engine sends; gives
    the count of them."""
    seen = [0]

    def step(connection: sa.Connection, *_: object) -> None:
        if connection.dialect.name != "postgresql":
            return
        seen[0] += 1
        if seen[0] == number:
            cut(connection)

    for event in ("before_cursor_execute", "commit"):
        sa.event.listen(sa.Engine, event, step)
    try:
        yield seen
    finally:
        for event in ("before_cursor_execute", "commit"):
            sa.event.remove(sa.Engine, event, step)


def ender(server: Postgres) -> Callable[[sa.Connection], None]:
    """Ends the backend of a connection from outside, as an administrator or a failing network would."""
    admin = sa.create_engine(server.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)

    def end(connection: sa.Connection) -> None:
        pid = connection.connection.dbapi_connection.info.backend_pid  # type: ignore[union-attr]
        with admin.connect() as db:
            db.exec_driver_sql(f"SELECT pg_terminate_backend({pid}, 5000)")

    return end


def cut_until_done(app: App, *args: str, server: Postgres, steps: Iterator[int] | range, done: tuple[int, ...]) -> int:
    """Run a command again and again, its connection ended at these steps one after the other, at last whole; how often
    it was cut."""
    cuts = 0
    for number in steps:
        with cut_at(number, ender(server)) as seen:
            said = galloway(app, *args)
        if seen[0] < number:
            assert said.returncode in done, said.stderr
            return cuts
        cuts += said.returncode not in done
        assert said.returncode in (1, *done) and "Traceback" not in said.stderr, said.stderr
    said = galloway(app, *args)
    assert said.returncode in done, said.stderr
    return cuts


def published_once(app: App) -> None:
    rows = app.ledger.hits("local")
    tiles = [tiles_of(app.workspace, key) for key in {row["batch_key"] for row in rows}]
    faces = Counter(tile.face_id for pages in tiles for page in pages.values() for tile in page.values())
    assert faces == Counter(face.face_id for face in app.store.faces())
    with app.market() as session:
        assert sorted(hit.hit_id for hit in session.client.list_hits()) == sorted(row["hit_id"] for row in rows)


def collected_once(app: App, pages: int) -> None:
    votes = app.store.votes()
    assert len(votes) == 2 * 2 * FACES == len({(vote.face_id, vote.worker_id) for vote in votes})
    assert [row["status"] for row in app.ledger.payments("local")] == ["done"] * pages
    assert len(app.ledger.assignments("local")) == pages


def merged_once(app: App) -> None:
    for side in Side:
        standing = app.standing_merge(side)
        assert standing is not None and digest(app.faceset_paths(side)) == standing.digest
        assert len(list(app.workspace.faces_dir(side).glob("*.png"))) == standing.faces == len(app.store.faces(side))


def test_connections_ended_at_every_kind_of_step(tmp_path: Path, server: Postgres) -> None:
    app = built_app(tmp_path / "swap", faces=FACES)
    steps = range(3, 110, 17)
    assert cut_until_done(app, "publish", "--yes", server=server, steps=steps, done=(0, 3)) >= 3
    published_once(app)
    pages = answer_everything(app)
    assert cut_until_done(app, "collect", server=server, steps=steps, done=(0, 3)) >= 3
    collected_once(app, pages)
    assert cut_until_done(app, "merge", server=server, steps=range(3, 60, 11), done=(0, 3)) >= 3
    merged_once(app)
    app.workspace.db.dispose()


def test_a_decision_is_there_once_wherever_its_connection_ended(tmp_path: Path, server: Postgres) -> None:
    app = built_app(tmp_path / "swap", faces=FACES)
    faces = [face.face_id for face in app.store.faces(Side.A)]
    assert galloway(app, "decide", faces[0], "keep", "--by", "Ann", "--note", "seen").returncode == 0
    before = row_counts(app.workspace)
    command = ["decide", faces[1], "reject", "--reason", "covered", "--by", "Ann", "--note", "a hand"]
    cuts = cut_until_done(app, *command, server=server, steps=range(1, 200), done=(0,))
    after = row_counts(app.workspace)
    assert cuts >= 10, "every statement and every commit was cut once"
    grown = {name: count - before[name] for name, count in after.items() if count != before[name]}
    assert grown["vote"] == 1, grown
    stored, whole = face_decisions(app.store.decisions()), face_decisions(infer(app).decisions)
    assert {face: stored[face].status for face in faces} == {face: whole[face].status for face in faces}
    app.workspace.db.dispose()


def test_a_killed_writer_lets_go_and_a_restart_is_survived(
    tmp_path: Path, server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DATABASE)
    app = built_app(tmp_path / "swap", faces=FACES)
    before = row_counts(app.workspace)
    app.workspace.db.dispose()
    kill_until_done(app, "workspace", "move", "--to", server.url)
    monkeypatch.setenv(DATABASE, server.url)
    app = App(Workspace.open(app.workspace.root))
    assert row_counts(app.workspace) == before and app.workspace.rows.place
    kills, _ = kill_until_done(app, "publish", "--yes")
    published_once(app)
    pages = answer_everything(app)

    def restart(_connection: sa.Connection) -> None:
        server.stop()
        server.start()

    with cut_at(40, restart) as seen:
        said = galloway(app, "collect")
    assert seen[0] >= 40 and said.returncode == 1 and "went away" in said.stderr, said.stderr
    assert galloway(app, "collect").returncode == 0
    collected_once(app, pages)
    assert kills >= 1
    app.workspace.db.dispose()


def test_five_people_and_a_collect_at_once_and_a_backup_of_all(tmp_path: Path, server: Postgres) -> None:
    """The market has the same database."""
    market = f'[market]\ndatabase = "{server.url}"\n'
    app = built_app(tmp_path / "swap", faces=FACES, settings=SETTINGS + market)
    assert galloway(app, "publish", "--yes").returncode == 0
    pages = answer_everything(app)
    faces = [face.face_id for face in app.store.faces(Side.B)]
    refused: list[str] = []

    def person(number: int) -> None:
        from galloway.pipeline.asking.overrule import overrule

        mine = App(Workspace.open(app.workspace.root))
        for turn, face in enumerate(faces):
            label, reason = ("keep", None) if (turn + number) % 2 else ("reject", "covered")
            try:
                overrule(mine, face, label, reason=reason, name=f"person {number}", note="seen")
            except Exception as error:  # told by the test
                refused.append(repr(error))
        mine.workspace.db.dispose()

    threads = [threading.Thread(target=person, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    said = galloway(app, "collect")
    for thread in threads:
        thread.join()
    assert not refused and said.returncode == 0, (refused, said.stderr)
    votes = Counter(vote.worker_id for vote in app.store.votes())
    assert [votes[f"person:person {number}"] for number in range(5)] == [FACES] * 5
    assert len(app.ledger.assignments("local")) == pages
    comes_back(app, server, tmp_path)
    app.workspace.db.dispose()


def comes_back(app: App, server: Postgres, folder: Path) -> None:
    """A backup of workspace and market, out of one database, goes on with another one."""
    assert galloway(app, "backup", str(folder / "b.zip")).returncode == 0
    with sa.create_engine(server.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool).connect() as db:
        db.exec_driver_sql("CREATE DATABASE again")
    url = server.url.rpartition("/")[0] + "/again"
    said = galloway(app, "restore", str(folder / "b.zip"), str(folder / "again"), "--database", url)
    assert said.returncode == 0 and "are in galloway.db now" in said.stderr, said.stderr
    config = folder / "again" / "galloway.toml"
    config.write_text(config.read_text().replace(server.url, url))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(DATABASE)
        again = App(Workspace.open(folder / "again"))
        assert row_counts(again.workspace) == row_counts(app.workspace)
        assert galloway(again, "claim", "moved").returncode == 0
        assert galloway(again, "workspace", "move", "--to", url).returncode == 0
        assert galloway(again, "collect").returncode in (0, 3)
        assert "rows in postgresql://" in galloway(again, "doctor").stdout
