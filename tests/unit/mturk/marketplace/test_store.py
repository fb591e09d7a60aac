"""The store: migrations, secrets, one writer at a time, and many workers at once."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from botocore.exceptions import ClientError
from galloway.mturk.marketplace import store
from galloway.mturk.marketplace.desk.signing import check_password, hash_password, open_link, sign_link
from galloway.mturk.marketplace.errors import OperatorError, WorkError
from galloway.mturk.marketplace.store import tables
from galloway.mturk.marketplace.store.columns import metadata
from galloway.mturk.marketplace.store.database import make_engine
from galloway.mturk.marketplace.store.migrate import migrate
from galloway.mturk.marketplace.store.sealed import PREFIX, Unsealable, seal, unseal
from hypothesis import given
from hypothesis import strategies as st

from tests.support.marketplace import mturk_client, start_bench

KEY = bytes(range(32))


def test_migrations_make_exactly_the_tables(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'market.db'}")
    migrate(engine, KEY)
    migrate(engine, KEY)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "marketplace_version"})
        assert compare_metadata(context, metadata) == []
        steps = ScriptDirectory(str(Path(store.__file__).parent / "migrations"))
        (newest,) = context.get_current_heads()
        assert newest == steps.get_current_head() == max(path.name[1:5] for path in Path(steps.versions).glob("v0*.py"))
    engine.dispose()


def test_a_marketplace_of_the_release_before_gets_its_groups_counted(tmp_path: Path) -> None:
    bench = start_bench(tmp_path)
    made = [bench.hit(Title=title, MaxAssignments=1)["HITId"] for title in ("A", "A", "B", "ÄRGER")]
    held = bench.work.accept(bench.worker(), hit_id=made[0])
    bench.clock.forward(seconds=90)
    bench.work.submit(held.assignment_id, [("q", "1")])
    bench.client.update_expiration_for_hit(HITId=made[2], ExpireAt=0)
    bench.market.close()
    engine = make_engine(f"sqlite:///{tmp_path / 'market.db'}")
    # The latest end is the latest that was ever set; of a HIT that was ended early only its end is known later.
    columns = [column for column in tables.hit_type.c if column.name != "last_at"]
    rows = sa.select(*columns).order_by(tables.hit_type.c.seq)
    with engine.connect() as connection:
        before = connection.execute(rows).mappings().all()
    assert [(row["open_hits"], row["median_ms"]) for row in before] == [(1, 90_000), (0, None), (1, None)]
    options = Config()
    options.set_main_option("script_location", str(Path(store.__file__).parent / "migrations"))
    with engine.begin() as connection:
        options.attributes["connection"], options.attributes["key"] = connection, bench.market.store.key
        command.downgrade(options, "0001")
    migrate(engine, bench.market.store.key)
    with engine.connect() as connection:
        assert connection.execute(rows).mappings().all() == before
    engine.dispose()


def test_a_marketplace_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'market.db'}")
    migrate(engine, KEY)
    with engine.begin() as connection:
        connection.execute(sa.text("update marketplace_version set version_num = '0099'"))
    with pytest.raises(OperatorError, match="newer Galloway: its tables have version 0099"):
        migrate(engine, KEY)
    engine.dispose()


def test_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    first, again = (start_bench(tmp_path, requester=name) for name in ("Ada", "Bob"))
    assert first.market.store.key == again.market.store.key
    assert first.market.operator.token == again.market.operator.token
    for name in ("market.key", "operator.token"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert first.market.operator.admits(first.market.operator.token) and not first.market.operator.admits("")
    for bench in (first, again):
        bench.market.close()


def _everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_who_has_the_database_alone_cannot_sign(tmp_path: Path) -> None:
    bench = start_bench(tmp_path)
    bench.client.get_account_balance()
    assert bench.secret.encode() not in _everything(tmp_path)
    bench.market.close()
    assert bench.secret.encode() not in _everything(tmp_path)


def test_the_open_secrets_of_the_release_before_are_sealed_and_their_bytes_gone(tmp_path: Path) -> None:
    bench = start_bench(tmp_path)
    key = bench.market.store.key
    bench.market.close()
    engine = make_engine(f"sqlite:///{tmp_path / 'market.db'}")
    options = Config()
    options.set_main_option("script_location", str(Path(store.__file__).parent / "migrations"))
    with engine.begin() as connection:
        options.attributes["connection"], options.attributes["key"] = connection, key
        command.downgrade(options, "0003")
    engine.dispose()
    assert bench.secret.encode() in _everything(tmp_path)
    again = start_bench(tmp_path, requester="")
    client = mturk_client(again.market.api_wsgi, bench.key, bench.secret)
    assert client.get_account_balance()["AvailableBalance"] == "10000.00"
    assert bench.secret.encode() not in _everything(tmp_path), "neither in a freed page nor in the log"
    again.market.close()


def test_a_key_of_another_marketplace_is_told_from_a_wrong_signature(tmp_path: Path) -> None:
    bench = start_bench(tmp_path)
    bench.market.close()
    (tmp_path / "market.key").unlink()
    again = start_bench(tmp_path, requester="")
    client = mturk_client(again.market.api_wsgi, bench.key, bench.secret)
    with pytest.raises(ClientError, match=r"not sealed with this marketplace's market\.key.*bring that file back"):
        client.get_account_balance()
    again.market.close()


@given(key=st.binary(min_size=32, max_size=32), name=st.text(max_size=20), secret=st.text(max_size=16))
def test_what_was_sealed_opens_with_its_key_and_name_only(key: bytes, name: str, secret: str) -> None:
    stored = seal(key, name, secret)
    assert unseal(key, name, stored) == secret
    assert stored != seal(key, name, secret), "the same secret never looks the same"
    middle = len(stored) // 2
    for wrong in ((key[::-1] + b"x", name, stored), (key, name + "x", stored), (key, name, stored[len(PREFIX) :]),
                  (key, name, stored[:middle]), (key, name, "sealed:é"), (key, name, secret)):  # fmt: skip
        with pytest.raises(Unsealable):
            unseal(*wrong)


def test_no_place_is_given_twice(tmp_path: Path) -> None:
    """Twenty workers at the same moment for five HITs with two places each."""
    bench = start_bench(tmp_path)
    hits = [bench.hit(MaxAssignments=2)["HITId"] for _ in range(5)]
    workers = [bench.worker(f"w{number}") for number in range(20)]
    accepted: list[str] = []
    start = threading.Barrier(len(workers))

    def work(worker: str) -> None:
        start.wait()
        for name in hits:
            try:
                held = bench.work.accept(worker, hit_id=name)
                bench.work.submit(held.assignment_id, [("q", "1")])
                accepted.append(held.assignment_id)
            except WorkError:
                continue

    threads = [threading.Thread(target=work, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(accepted) == len(set(accepted)) == 10
    assert {bench.status(name) for name in hits} == {("Reviewable", 0, 0, 0)}
    bench.market.close()


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    bench = start_bench(tmp_path)
    try:
        with bench.market.store.write() as tx:
            tx.conn.execute(sa.text("DELETE FROM requester"))
            raise KeyError("stop")
    except KeyError:
        pass
    assert bench.client.get_account_balance()["AvailableBalance"] == "10000.00"
    bench.market.close()


def test_passwords_and_links() -> None:
    stored = hash_password("correct horse")
    assert check_password("correct horse", stored)
    assert not check_password("wrong", stored) and not check_password("correct horse", "")
    link = sign_link(b"key", "a", "3ASSIGNMENT", "A1", 1000)
    assert open_link(b"key", link, 999) == ("a", "3ASSIGNMENT", "A1")
    assert open_link(b"key", link, 1000) is None
    assert open_link(b"other", link, 0) is None
    assert open_link(b"key", link.replace("A1", "A2"), 0) is None
