"""Small workspaces at every stage of the work, and what must be true of them once a command has come to its end."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from galloway.curation.faceset.merging.merge import digest
from galloway.curation.files import temporary_files
from galloway.curation.types import Side
from galloway.mturk.marketplace.app import open_store
from galloway.mturk.marketplace.desk.work import Work
from galloway.pipeline.app import App
from galloway.pipeline.market.local import local_config
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.records import sources, tiles_of
from galloway.pipeline.workspace.team import members
from PIL import Image

from tests.support.workspace import answer_everything, built_app

from .processes import command, forked

FACES = 5
PAGES = 2
"""One page of five faces a side, for two workers each."""
PERSON = "Zyxwv Canary"


@dataclass(frozen=True, slots=True)
class Act:
    """A command, from which stage it starts, which exit codes are its end, and what is then wrong with the workspace:
    lines that begin with "doubled", "lost" or "wrong"."""

    name: str
    stage: str
    line: tuple[str, ...]
    check: Callable[[Path], list[str]]
    done: tuple[int, ...] = (0, 3)


def build_stages(folder: Path) -> dict[str, Path]:
    """A workspace as built, with published pages, with answers, with votes, with a merge; each in a folder."""
    stages = {name: folder / name for name in ("built", "published", "answered", "collected", "merged")}
    log = folder / "building.log"
    app = built_app(stages["built"], faces=FACES)
    app.workspace.db.dispose()
    photos = stages["built"] / "given"
    photos.mkdir()
    for number in range(6):
        Image.new("RGB", (40, 40), (40 * number, 90, 200)).save(photos / f"photo{number}.png")
    before = stages["built"]
    for name, act in (
        ("published", lambda root: command(root, "publish", "--yes")()),
        ("answered", lambda root: answer_everything(App(Workspace.open(root)))),
        ("collected", lambda root: command(root, "collect")()),
        ("merged", lambda root: command(root, "merge")()),
    ):
        copied(before, stages[name])
        ended = forked(lambda act=act, name=name: act(stages[name]), log)  # type: ignore[misc]
        if ended.code:
            raise RuntimeError(f"{name}: {ended.said}")
        before = stages[name]
    return stages


def copied(stage: Path, root: Path) -> Path:
    """A copy of a workspace that takes itself for the only one."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(stage, root)
    (root / "place.json").unlink(missing_ok=True)
    return root


def line_of(act: Act, root: Path) -> tuple[str, ...]:
    """The command line; BATCH is what the workspace has published."""
    batch = rows(root / "galloway.db", "SELECT batch_key FROM batch_plan ORDER BY batch_key")
    named = {"BATCH": str(batch[0][0]) if batch else "", "given": str(root / "given")}
    return tuple(named.get(part, part) for part in act.line)


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    """What a database says; nothing where it is not there."""
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as db:
        return db.execute(query).fetchall()


def damaged(root: Path) -> list[str]:
    """Databases below `root` that SQLite itself finds damaged, and drafts of files that nobody will ever sweep."""
    found = []
    for path in (*root.rglob("*.db"), *root.rglob("*.sqlite")):
        try:
            said = rows(path, "PRAGMA integrity_check")
        except sqlite3.DatabaseError as error:
            said = [(str(error),)]
        if said != [("ok",)]:
            found.append(f"lost: {path.name}: {said}")
    return found


def _count(what: str, found: int, wanted: int) -> list[str]:
    if found == wanted:
        return []
    return [f"{'doubled' if found > wanted else 'lost'}: {what}: {found} of {wanted}"]


def check_published(root: Path) -> list[str]:
    """Every face stands on one page, and every page of the ledger once at the market."""
    app = App(Workspace.open(root))
    ledger = app.ledger.hits("local")
    pages = [tiles_of(app.workspace, key) for key in {row["batch_key"] for row in ledger}]
    shown = Counter(tile.face_id for batch in pages for page in batch.values() for tile in page.values())
    app.workspace.db.dispose()
    there = rows(root / "market" / "market.db", "SELECT id FROM hit WHERE status != 'Disposed'")
    return [
        *_count("HITs", len(there), PAGES),
        *_count("pages of the ledger", len([row for row in ledger if row["hit_id"]]), PAGES),
        *_count("faces asked about", sum(shown.values()), 2 * FACES),
        *(
            []
            if sorted(row["hit_id"] for row in ledger) == sorted(str(row[0]) for row in there)
            else ["lost: other HITs"]
        ),
    ]


def check_collected(root: Path) -> list[str]:
    """Every vote once, every page paid once, and the market says so, too."""
    app = App(Workspace.open(root))
    votes, payments = app.store.votes(), app.ledger.payments("local")
    app.workspace.db.dispose()
    approved = rows(root / "market" / "market.db", "SELECT id FROM assignment WHERE state = 'Approved'")
    return [
        *check_published(root),
        *_count("votes", len(votes), 2 * 2 * FACES),
        *_count("votes by different people", len({(vote.face_id, vote.worker_id) for vote in votes}), 2 * 2 * FACES),
        *_count("payments", len([row for row in payments if row["status"] == "done"]), 2 * PAGES),
        *_count("approved", len(approved), 2 * PAGES),
    ]


def check_decided(root: Path) -> list[str]:
    """What a person decided stands once, beside all that workers said."""
    decided = rows(root / "galloway.db", "SELECT id FROM vote WHERE kind = 'person'")
    return _count("decisions by a person", len(decided), 1)


def check_merged(root: Path) -> list[str]:
    """The folder, its headers and alignments are what the merge says, and no face is gone."""
    app, found = App(Workspace.open(root)), []
    for side in Side:
        standing = app.standing_merge(side)
        if standing is None or digest(app.faceset_paths(side)) != standing.digest:
            found.append(f"lost: the merge of side {side.value}")
        kept = len(list(app.workspace.faces_dir(side).glob("*.png")))
        out = len(list(app.workspace.rejected_dir(side).rglob("*.png")))
        found += _count(f"faces of side {side.value}", kept + out, FACES)
        found += _count(f"faces left in side {side.value}", kept, FACES - FACES // 4)
        found += [f"wrong: left behind: {path.name}" for path in temporary_files(app.workspace.faces_dir(side))]
    app.workspace.db.dispose()
    return found


def check_unmerged(root: Path) -> list[str]:
    """Side A is as it was before any merge."""
    app = App(Workspace.open(root))
    names = len(list(app.workspace.faces_dir(Side.A).glob("*.png")))
    standing = app.standing_merge(Side.A)
    listed = len(app.store.faces(Side.A))
    app.workspace.db.dispose()
    return [
        *_count("faces of side A", names, FACES),
        *_count("faces in the table", listed, FACES),
        *(["wrong: the merge stands"] if standing is not None else []),
    ]


def check_ingested(root: Path) -> list[str]:
    """The photographs came in once, all six of them."""
    app = App(Workspace.open(root))
    found = [item for item in sources(app.workspace, Side.B) if item.kind != "video"]
    app.workspace.db.dispose()
    there = [path for path in (root / "sources" / "b").rglob("*.png") if not path.name.startswith(".")]
    return [*_count("sources", len(found), 1), *_count("photographs", len(there), 6)]


def check_erased(root: Path) -> list[str]:
    """Nobody and nothing of the person is left on side A, and what is not theirs is."""
    app = App(Workspace.open(root))
    left = len(app.store.faces())
    app.workspace.db.dispose()
    return _count("faces", left, 0)


def check_screened(root: Path) -> list[str]:
    """Screening has a word on every face, once."""
    files = [json.loads((root / "reports" / f"screen-{side.value}.json").read_bytes()) for side in Side]
    return [line for found in files for line in _count("faces screened", len(found["faces"]), FACES)]


def check_requesters(root: Path) -> list[str]:
    """One requester of that name."""
    found = rows(root / "market" / "market.db", "SELECT id FROM requester WHERE name = 'Ada'")
    keys = rows(root / "market" / "market.db", "SELECT access_key FROM access_key")
    return [*_count("requesters", len(found), 1), *([] if keys else ["lost: keys"])]


def check_worker_erased(root: Path) -> list[str]:
    """The name is nowhere in the market's files; the answers are."""
    name = b"flawless-0"
    files = [path for path in (root / "market").glob("market.db*") if name in path.read_bytes()]
    done = rows(root / "market" / "market.db", "SELECT id FROM assignment WHERE state = 'Approved'")
    return [*(f"lost: the name is still in {path.name}" for path in files), *_count("answers", len(done), 2 * PAGES)]


def worker_called(root: Path, name: str) -> str:
    """The id of a worker of the market."""
    found = rows(root / "market" / "market.db", f"SELECT id FROM worker WHERE name LIKE '%{name}%'")
    return str(found[0][0])


def check_source_removed(root: Path) -> list[str]:
    """Nothing of the source is left on side A, and side B is whole."""
    app = App(Workspace.open(root))
    faces = {side: len(app.store.faces(side)) for side in Side}
    named = len(sources(app.workspace, Side.A))
    app.workspace.db.dispose()
    left = [path for path in root.rglob("clipa*") if "backups" not in path.parts]
    return [
        *_count("faces of side A", faces[Side.A], 0),
        *_count("faces of side B", faces[Side.B], FACES),
        *_count("sources", named, 0),
        *(f"lost: {path.relative_to(root)} is left" for path in left),
    ]


def check_cancelled(root: Path) -> list[str]:
    """Nobody can accept a page of the batch any more; the other batch stands."""
    there = rows(root / "market" / "market.db", "SELECT status FROM hit")
    return _count("HITs that can be accepted", sum(row[0] == "Assignable" for row in there), PAGES - 1)


def check_team(root: Path) -> list[str]:
    """One member of that name, whose entry is whole."""
    return _count("members", len(members(root)), 1)


def acts(stages: Mapping[str, Path]) -> list[Act]:
    """Every command that changes a workspace, with what holds afterwards."""
    app = App(Workspace.open(stages["collected"]))
    face = app.store.faces(Side.A)[0].face_id
    app.workspace.db.dispose()
    worker = worker_called(stages["collected"], "flawless-0")
    given = ("ingest", "--side", "b", "--basis", "own", "--person", PERSON, "given")
    return [
        Act("publish", "built", ("publish", "--yes"), check_published),
        Act("collect", "answered", ("collect",), check_collected),
        Act("decide", "collected", ("decide", face, "keep", "--by", "Ann", "--note", "x"), check_decided),
        Act("merge", "collected", ("merge",), check_merged),
        Act("merge undo", "merged", ("merge", "undo", "--side", "a"), check_unmerged),
        Act("screen", "built", ("screen", "--no-identity", "--no-sheet"), check_screened),
        Act("ingest", "built", given, check_ingested),
        Act("person erase", "collected", ("person", "erase", "nobody", "--yes"), check_erased),
        Act(
            "source remove",
            "built",
            ("source", "remove", "--side", "a", "clipa", "--yes"),
            check_source_removed,
            (0, 1),
        ),
        Act("report", "collected", ("report",), check_collected),
        Act("batch cancel", "published", ("batch", "cancel", "BATCH"), check_cancelled),
        Act("requester add", "built", ("market", "requester", "add", "Ada"), check_requesters, (0, 1, 3)),
        Act("worker erase", "collected", ("market", "worker", "erase", worker, "--yes"), check_worker_erased),
        Act("team add", "built", ("team", "add", "Ann"), check_team),
        Act("status", "collected", ("status",), check_collected),
    ]


def answer_open(root: Path, field: str, label: str, names: tuple[str, ...] = ("ann", "ben")) -> int:
    """Workers answer every open HIT of the workspace's market without a browser; how many answers."""
    store = open_store(local_config(Workspace.open(root)))
    desk, done = Work(store), 0
    invite = desk.invite(uses=len(names))
    for name in names:
        session = desk.join(invite.token, name=name, password="correct horse battery")
        person = desk.worker_of(session.token)
        assert person is not None
        for (hit,) in rows(root / "market" / "market.db", "SELECT id FROM hit WHERE status = 'Assignable'"):
            held = desk.accept(person.worker_id, hit_id=str(hit))
            desk.submit(held.assignment_id, [(field, label)])
            done += 1
    store.close()
    return done
