"""A person who was erased is gone: no byte of the workspace holds the name, a face's pixels or an embedding."""

from __future__ import annotations

import base64
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from galloway.curation.screen.cache import EmbeddingCache
from galloway.curation.screen.embed import Embedded
from galloway.curation.types import AssignmentId, Question, Side, Vote, VoterKind, WorkerId
from galloway.pipeline.app import App
from galloway.pipeline.asking.decide import decide
from galloway.pipeline.asking.screening import CACHE_NAME
from galloway.pipeline.errors import StageError
from galloway.pipeline.stages.erase import erase_person, persons, plan_erasure
from galloway.pipeline.workspace.records import sources
from galloway.pipeline.workspace.schema import source_table
from galloway.pipeline.workspace.traces import name_pattern
from PIL import Image

from tests.support.workspace import built_app, galloway

NAME = "Ann-Lou Élise Lee"


def face_bytes(folder: Path) -> list[bytes]:
    """Bytes out of the encoded pixels of every picture there, and as a page or a JSON file would hold them."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".png", ".jpg"):
            data = path.read_bytes()
            start = data.index(b"IDAT") + 40 if path.suffix == ".png" else len(data) - 400
            middle = data[start : start + 48]
            found += [middle, base64.b64encode(data)[200:260]]
    return found


def holders(root: Path, needles: list[bytes]) -> Iterator[str]:
    for path in root.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            for needle in needles:
                if needle in data or needle.lower() in data.lower():
                    yield f"{path.relative_to(root)} holds {needle[:24]!r}"


@pytest.fixture
def app(tmp_path: Path) -> App:
    """Side B is the person's alone: voted on, merged, reported, embedded, trained, converted, backed up."""
    app = built_app(tmp_path / "ws", faces=6)
    root = app.workspace.root
    with app.workspace.db.begin() as db:
        db.execute(source_table.update().where(source_table.c.side == "b").values(person=NAME, note=f"{NAME} agreed"))
    noise = np.random.default_rng(3).integers(0, 255, (96, 96, 3), np.uint8)
    Image.fromarray(noise).save(root / "references" / "b" / "person.jpg")
    (root / "references" / "b" / "originals").mkdir()  # as they came, before they were cut to the face
    Image.fromarray(noise[::-1].copy()).save(root / "references" / "b" / "originals" / "person.png")
    record = {"person": NAME, "basis": "consent"}
    (root / "sources" / "b" / "clipb.source.json").write_text(json.dumps(record), encoding="utf-8")
    config = root / "galloway.toml"
    text = config.read_text(encoding="utf-8").replace("[side_b]", f'[side_b]\nperson = "{NAME}"')
    config.write_text(text, encoding="utf-8")
    now = datetime.now(UTC)
    for number, face in enumerate(app.store.faces()):
        label = "reject" if number % 3 == 2 else "keep"
        reason = "blurred" if label == "reject" else None
        app.store.add_votes(
            [
                Vote(
                    face.face_id, Question.USABLE, label, WorkerId("person:Bo"), AssignmentId(f"p{number}"), 1, now,
                    kind=VoterKind.PERSON, note=f"is it {NAME.lower()}?", reason=reason,
                )
            ]
        )  # fmt: skip
    decide(app)
    for side in "ab":
        done = galloway(app, "merge", "--side", side)
        assert done.returncode == 0, done.stderr
    assert galloway(app, "report").returncode == 0
    return App(type(app.workspace).open(root))


def plant(app: App) -> list[bytes]:
    """What training, converting and screening leave, made of the person's pictures; the needles."""
    root = app.workspace.root
    needles = face_bytes(root / "facesets" / "b") + face_bytes(root / "references" / "b")
    assert len(needles) > 10
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(6, 128)).astype(np.float32)
    with EmbeddingCache(root / "reports" / CACHE_NAME, "dlib") as cache:
        cache.put_all((f"k{i}", Embedded(v, np.zeros((68, 2), np.float32), 0.1)) for i, v in enumerate(vectors))
    needles += [vector.astype("<f4").tobytes()[64:128] for vector in vectors]
    face = next(iter((root / "facesets" / "b" / "faces").glob("*.png"))).read_bytes()
    for name in (
        "runs/train-1/preview-0001.jpg", "runs/train-1/timelapse/0001.png", "models/m/m.h5",
        "results/clipa-swapped.mp4", "results/clipa-swapped.mp4-preview.png", "reports/screen-b.png",
        "runs/convert-clipa/stage/out/1.png", "reports/persons-b.png",
    ):  # fmt: skip
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"made of " + face + NAME.encode())
    app.workspace.db.dispose()
    with closing(sqlite3.connect(root / "galloway.db")) as db:
        db.execute("PRAGMA secure_delete=OFF")
        db.execute("CREATE TABLE of_old (note TEXT)")
        db.executemany("INSERT INTO of_old VALUES (?)", [(f"{NAME} {'x' * 900}",)] * 40)
        db.commit()
        db.execute("DROP TABLE of_old")  # as an earlier version would have left it in free pages
        db.commit()
    return needles


def test_no_byte_of_the_workspace_holds_an_erased_person(app: App, rows_in: str) -> None:
    root = app.workspace.root
    needles = [*plant(app), NAME.encode(), json.dumps(NAME)[1:-1].encode()]
    other = face_bytes(root / "facesets" / "a")
    assert len(list(holders(root, needles))) > 20
    done = galloway(app, "person", "erase", "ann-lou  élise lee", "--yes")
    assert done.returncode == 0, done.stderr
    assert list(holders(root, needles)) == []
    left = [line for line in done.stdout.splitlines() if line.startswith("left: ")]
    if rows_in == "sqlite":
        assert not left and "Nothing in" in done.stderr
    else:
        (told,) = left
        assert "postgresql" in told, "a server's own files are not the workspace's to overwrite"
    assert len({found.split(" holds")[0] for found in holders(root, other)}) >= 6, "the other side stands"
    assert [item.name for item in sources(app.workspace)] == ["clipa"]
    assert galloway(app, "status").returncode == 0
    assert galloway(app, "report").returncode == 0


def test_a_picture_that_cannot_be_deleted_is_an_error_and_a_rerun_goes_on(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = app.workspace.faces_dir(Side.B)
    stays = next(faces.glob("*.png")).name
    unlink = os.unlink

    def refuse(path: str | os.PathLike[str], **given: int | None) -> None:
        if os.fspath(path).endswith(stays):
            raise PermissionError(1, "Operation not permitted", os.fspath(path))
        unlink(path, **given)

    with monkeypatch.context() as patch:
        patch.setattr("os.unlink", refuse)
        done = galloway(app, "person", "erase", NAME, "--yes")
    assert done.returncode == 1
    assert f"{stays} in {faces.parent} cannot be deleted: Operation not permitted" in done.stderr
    assert sources(app.workspace, Side.B) and app.store.faces(Side.B, rejected=True), "the rows know what is left"
    done = galloway(app, "person", "erase", NAME, "--yes")
    assert done.returncode == 0, done.stderr
    assert not faces.exists() and not sources(app.workspace, Side.B)


def test_a_dry_run_erases_nothing_and_a_question_is_asked(app: App) -> None:
    needles = plant(app)
    before = sorted(holders(app.workspace.root, needles))
    done = galloway(app, "person", "erase", NAME, "--dry-run")
    assert "runs/train-1" in done.stderr and "6 faces" in done.stderr
    assert galloway(app, "person", "erase", NAME).returncode == 4
    assert sorted(holders(app.workspace.root, needles)) == before


def test_what_is_left_is_named_with_what_to_do(app: App) -> None:
    root = app.workspace.root
    for name in ("backups/galloway-version-1-x.db", "notes/ann-lou_elise.txt", f"notes/{NAME}.txt", "team.json"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(json.dumps([{"name": NAME}]), encoding="utf-8")
    left = {item.path: item.why for item in erase_person(app, plan_erasure(app, NAME))}
    assert "--backups deletes it" in left["backups/galloway-version-1-x.db"]
    assert "galloway team remove" in left["team.json"]
    assert "delete it by hand" in left[f"notes/{NAME}.txt"]
    left = {item.path: item.why for item in erase_person(app, plan_erasure(app, NAME), backups=True)}
    assert "backups/galloway-version-1-x.db" not in left


@pytest.mark.in_a_file("a reader of SQLite's file")
def test_a_database_that_is_being_read_is_left_and_said_so(app: App) -> None:
    root = app.workspace.root
    with closing(sqlite3.connect(root / "galloway.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM face").fetchone()
        left = {item.path: item.why for item in erase_person(app, plan_erasure(app, NAME))}
        assert "run this again" in left["galloway.db"]
    again = erase_person(app, plan_erasure(app, NAME))
    assert again == ()


def test_beside_other_people_the_merge_is_taken_back_first(app: App) -> None:
    with app.workspace.db.begin() as db:
        db.execute(source_table.update().where(source_table.c.side == "a").values(person=NAME))
        db.execute(
            source_table.insert().values(
                side="a", name="other", kind="video", path="sources/a/other.mp4", sha256="x", person="Bo", basis="own",
                note="", ingested_at="2026-01-01T00:00:00+00:00",
            )
        )  # fmt: skip
    assert persons(app) == {NAME: ["side a, clipa", "side b, clipb"], "Bo": ["side a, other"]}
    with pytest.raises(StageError, match="galloway merge undo --side a"):
        plan_erasure(app, NAME)


def test_a_source_goes_with_what_was_made_of_it_and_the_rest_is_listed(app: App) -> None:
    needles = plant(app)
    root = app.workspace.root
    assert galloway(app, "merge", "undo", "--side", "b").returncode == 0
    done = galloway(app, "source", "remove", "--side", "b", "clipb", "--with-votes", "--references", "--yes")
    assert done.returncode == 0, done.stderr
    left = {line.split(": ")[1] for line in done.stdout.splitlines() if line.startswith("left: ")}
    still = {found.split(" holds")[0] for found in holders(root, needles)}
    assert {path.split("/")[0] for path in still} == {"models", "runs", "results"}
    assert all(any(path == item or path.startswith(f"{item}/") for item in left) for path in still)
    assert not (root / "reports" / CACHE_NAME).exists()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ann Lee", True), ("ANN  LEE", True), ("ann-lee_000001.png", True), ("annlee.mp4", True), ("Ann%20Lee", True),
        ("Ann", False), ("Joann Lee", False), ("Ann Leeds", False),
    ],
)  # fmt: skip
def test_a_name_is_known_in_its_spellings(text: str, found: bool) -> None:
    assert bool(name_pattern("Ann Lee").search(text.encode())) is found


def test_two_workspaces_are_two(app: App, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(app.workspace.root, tmp_path / "copy"))
    erase_person(app, plan_erasure(app, NAME))
    assert list(holders(copy, [NAME.encode()]))
