"""Marketplaces of every schema that ever was become today's: nobody's work, money, key or password is lost."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from galloway.mturk.marketplace import store
from galloway.mturk.marketplace.store.columns import metadata
from galloway.mturk.marketplace.store.database import make_engine

from tests.support.marketplace import mturk_client, start_bench

DUMPS = sorted((Path(__file__).parent / "databases").glob("market-*.sql"))
STEPS = Path(store.__file__).parent / "migrations" / "versions"


def restored(folder: Path, dump: Path) -> tuple[str, str]:
    """A marketplace's folder as that version left it; the requester's access key and secret."""
    text = dump.read_text(encoding="utf-8")
    sealing, access = (line.split()[2:] for line in text.splitlines()[:2])
    (folder / "market.key").write_bytes(bytes.fromhex(sealing[-1]))
    with closing(sqlite3.connect(folder / "market.db")) as db:
        db.executescript(text)
    return access[-2], access[-1]


def counted(file: Path) -> dict[str, int]:
    """How many rows each table has."""
    with closing(sqlite3.connect(file)) as db:
        names = [name for (name,) in db.execute("select name from sqlite_master where type = 'table'")]
        return {name: db.execute(f"select count(*) from {name}").fetchone()[0] for name in names}


def test_there_is_a_dump_of_every_earlier_schema() -> None:
    assert len(DUMPS) == len(list(STEPS.glob("v0*.py"))) - 1, "a new migration needs a dump of the schema before it"


@pytest.mark.parametrize("dump", DUMPS, ids=lambda dump: dump.stem)
def test_a_marketplace_of_every_schema_becomes_todays(tmp_path: Path, dump: Path) -> None:
    key, secret = restored(tmp_path, dump)
    before = counted(tmp_path / "market.db")
    bench = start_bench(tmp_path, requester="")
    after = counted(tmp_path / "market.db")
    # A server writes a row of its own while it answers.
    assert {name: after[name] for name in before} == before | (
        {"server": after["server"]} if "server" in before else {}
    )
    bench.clock.forward(seconds=90)
    client = mturk_client(bench.market.api_wsgi, key, secret)
    first, waiting, free = client.list_hits()["HITs"][::-1]
    assert [hit["Title"] for hit in (first, waiting, free)] == ["Faces of A", "Faces of A", "Faces of B"]
    (paid,) = client.list_assignments_for_hit(HITId=first["HITId"])["Assignments"]
    assert paid["AssignmentStatus"] == "Approved"
    assert client.list_bonus_payments(HITId=first["HITId"])["BonusPayments"][0]["BonusAmount"] == "0.10"
    (open_one,) = client.list_assignments_for_hit(HITId=waiting["HITId"])["Assignments"]
    client.approve_assignment(AssignmentId=open_one["AssignmentId"])
    (kind,) = client.list_qualification_types(MustBeRequestable=False, MustBeOwnedByCaller=True)["QualificationTypes"]
    held = client.get_qualification_score(QualificationTypeId=kind["QualificationTypeId"], WorkerId=paid["WorkerId"])
    assert held["Qualification"]["IntegerValue"] == 7
    ann = bench.work.sign_in("ann", "correct horse", address="127.0.0.1").worker.worker_id
    assert ann == paid["WorkerId"]
    (left,) = bench.work.groups(ann).groups
    assert (left.title, left.available) == ("Faces of B", 1), "the other place of the first HIT is not for who had it"
    taken = bench.work.accept(ann, group_id=left.group_id)
    assert taken.hit_id == free["HITId"]
    bench.work.submit(taken.assignment_id, [("q", "3")])
    bench.market.close()
    engine = make_engine(f"sqlite:///{tmp_path / 'market.db'}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "marketplace_version"})
        assert compare_metadata(context, metadata) == []
    engine.dispose()
