"""A workspace's faces in an S3 bucket: sent once, fetched where they lack, gone where they are gone."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from galloway.curation.types import Side
from galloway.mturk.requester.bucket import Bucket
from galloway.pipeline.app import App
from galloway.pipeline.errors import WorkspaceError
from galloway.pipeline.workspace.bucket.mirror import Mirror, agreed
from galloway.pipeline.workspace.bucket.objects import Objects
from galloway.pipeline.workspace.database.home import NOTE
from galloway.pipeline.workspace.folder import Workspace
from moto import mock_aws

from tests.support.databases import DATABASE
from tests.support.workspace import built_app, galloway

SETTINGS = """
[faces]
s3_bucket = "faces"
s3_access_key = "key"
s3_secret_key = "secret"

[ask]
learn = false

[side_a]
questions = ["usable"]

[side_b]
questions = ["usable"]
"""
LIST = "workspace/facesets.json.gz"


@dataclass
class Store:
    """The bucket as its owner sees it."""

    s3: Any

    def names(self) -> set[str]:
        return {item["Key"] for item in self.s3.list_objects_v2(Bucket="faces").get("Contents", ())}

    def listed(self) -> dict[str, list[object]]:
        body = self.s3.get_object(Bucket="faces", Key=LIST)["Body"].read()
        found: dict[str, list[object]] = json.loads(gzip.decompress(body))["files"]
        return found

    def whole(self) -> bool:
        """Nothing lies there but what the list names, and all of that."""
        return self.names() == {LIST} | {f"workspace/objects/{digest}" for digest, _ in self.listed().values()}


@pytest.fixture
def store() -> Iterator[Store]:
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        s3.create_bucket(Bucket="faces")
        yield Store(s3)


@pytest.fixture
def app(tmp_path: Path, store: Store) -> App:
    return built_app(tmp_path / "ws", faces=4, settings=SETTINGS)


def run(app: App, *args: str) -> str:
    done = galloway(app, *args)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def files(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted((root / "facesets").rglob("*"))
        if path.is_file()
    }


def second(app: App, folder: Path) -> App:
    """Another machine's folder of the same workspace: its settings, which rows are its, and nothing else."""
    folder.mkdir()
    for name in ("galloway.toml", NOTE):
        if (app.workspace.root / name).exists():
            (folder / name).write_bytes((app.workspace.root / name).read_bytes())
    return App(Workspace.open(folder))


def face(app: App, side: Side, place: int = 0) -> Path:
    return sorted(app.workspace.faces_dir(side).iterdir())[place]


def test_what_was_sent_comes_back_byte_for_byte_and_is_sent_once(app: App, store: Store, tmp_path: Path) -> None:
    before = files(app.workspace.root)
    assert json.loads(galloway(app, "bucket", "status", "--json").stdout)["begun"] is False
    assert f"Sent {len(before)} files" in run(app, "bucket", "push")
    assert store.whole() and set(store.listed()) == set(before)
    assert "Sent 0 files" in run(app, "bucket", "push")
    other = second(app, tmp_path / "other")
    assert f"Fetched {len(before)} files" in run(other, "bucket", "pull")
    assert files(other.workspace.root) == before
    assert "Both agree." in run(other, "bucket", "status")


def test_commands_that_change_faces_bring_them_there_and_others_fetch_first(
    app: App, store: Store, tmp_path: Path
) -> None:
    run(app, "bucket", "push")
    other = second(app, tmp_path / "other")
    run(other, "bucket", "pull")
    with app.workspace.lock("testing", faces=True):
        face(app, Side.A).unlink()
        face(app, Side.B).write_bytes(b"another picture")
    assert store.whole() and store.listed().keys() == files(app.workspace.root).keys()
    with other.workspace.reading_faces("training"):
        assert files(other.workspace.root) == files(app.workspace.root)


def test_released_faces_come_back_when_a_command_needs_them(app: App, store: Store) -> None:
    run(app, "bucket", "push")
    before = files(app.workspace.root)
    run(app, "bucket", "release", "--yes")
    assert files(app.workspace.root) == {} and store.whole() and set(store.listed()) == set(before)
    assert "galloway bucket pull" in galloway(app, "bucket", "push").stderr
    assert "galloway bucket pull" in galloway(app, "backup", str(app.workspace.root.with_name("all.zip"))).stderr
    with app.workspace.reading_faces("training"):
        assert files(app.workspace.root) == before


def test_where_both_changed_the_person_says_whose_stands(app: App, store: Store, tmp_path: Path) -> None:
    run(app, "bucket", "push")
    other = second(app, tmp_path / "other")
    run(other, "bucket", "pull")
    face(app, Side.A).write_bytes(b"theirs")
    run(app, "bucket", "push")
    face(other, Side.A).write_bytes(b"ours")
    for command in ("pull", "push"):
        refused = galloway(other, "bucket", command)
        assert refused.returncode != 0 and "--theirs" in refused.stderr and "--ours" in refused.stderr
    with pytest.raises(WorkspaceError, match="changed here and in"), other.workspace.lock("merging", faces=True):
        pass
    run(other, "bucket", "pull", "--theirs")
    assert face(other, Side.A).read_bytes() == b"theirs"
    (aside,) = (other.workspace.root / "backups").rglob(face(other, Side.A).name)
    assert aside.read_bytes() == b"ours"
    face(other, Side.A).write_bytes(b"ours again")
    run(app, "bucket", "push", "--ours")
    run(other, "bucket", "push", "--ours")
    assert store.whole()


def test_stopped_anywhere_the_same_command_goes_on(
    app: App, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut after each of the calls that a push and a pull make, one after the other."""
    calls, last = 0, 0
    plain = Bucket._ask

    def cut(self: Bucket, operation: str, absent: bool, **rest: Any) -> Any:
        nonlocal calls
        calls += 1
        found = plain(self, operation, absent, **rest)
        if calls == last:
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(Bucket, "_ask", cut)
    other = second(app, tmp_path / "other")
    for command, who in (("push", app), ("pull", other)):
        for _ in range(200):
            calls, last = 0, last + 1
            if galloway(who, "bucket", command).returncode == 0:
                break
        else:
            pytest.fail(f"{command} never ended")
        last = 0
        face(app, Side.B).write_bytes(command.encode())
        run(app, "bucket", "push")
    run(other, "bucket", "pull")
    assert files(other.workspace.root) == files(app.workspace.root)
    run(app, "bucket", "push", "--ours")
    assert store.whole()


def test_what_is_erased_is_erased_there(app: App, store: Store) -> None:
    run(app, "bucket", "push")
    b = {path for path in store.listed() if path.startswith("facesets/b/")}
    run(app, "source", "remove", "--side", "a", "clipa", "--yes")
    left = set(store.listed())
    assert store.whole() and b <= left and not any(path.endswith(".png") for path in left - b)
    store.s3.put_bucket_versioning(Bucket="faces", VersioningConfiguration={"Status": "Enabled"})
    assert "keeps versions" in run(app, "person", "erase", "nobody", "--yes")
    assert not any(path.endswith(".png") for path in store.listed()) and store.whole()


def test_rejected_pictures_that_expire_expire_there(app: App, store: Store) -> None:
    run(app, "bucket", "push")
    for side in Side:
        names = [item.face_id for item in app.store.faces(side)]
        run(app, "decide", names[0], "reject", "--reason", "blurred", "--note", "moved", "--by", "Ann")
        for name in names[1:]:
            run(app, "decide", name, "keep", "--note", "good", "--by", "Ann")
    run(app, "merge")
    assert store.whole() and any("/rejected/" in path and path.endswith(".png") for path in store.listed())
    run(app, "privacy", "apply", "--early", "--yes")
    assert store.whole() and not any("/rejected/" in path and path.endswith(".png") for path in store.listed())


def test_a_folder_whose_faces_all_lack_deletes_nothing_there(app: App, store: Store) -> None:
    run(app, "bucket", "push")
    before = set(store.listed())
    (app.workspace.root / "facesets").rename(app.workspace.root / "elsewhere")
    with pytest.raises(WorkspaceError, match="pull --theirs"), app.workspace.lock("merging", faces=True):
        pass
    assert set(store.listed()) == before
    run(app, "bucket", "pull", "--theirs")
    assert set(files(app.workspace.root)) == before


def test_strange_buckets_are_refused_in_words(app: App, store: Store, tmp_path: Path) -> None:
    objects = Objects(app.settings.faces)
    inside = {"facesets/../../x.png": ("0" * 64, 1)}
    objects.write(app.settings.id, inside)
    objects.upload("0" * 64, b"x")
    refused = galloway(app, "bucket", "pull", "--theirs")
    assert refused.returncode != 0 and "outside of the workspace" in refused.stderr
    assert not (tmp_path / "x.png").exists()
    objects.write("another", {})
    assert "another workspace" in galloway(app, "bucket", "pull").stderr
    store.s3.put_object(Bucket="faces", Key=LIST, Body=b"no list")
    assert "is damaged" in galloway(app, "bucket", "status").stderr
    run(app, "bucket", "push", "--ours")
    digest = next(iter(store.listed().values()))[0]
    store.s3.put_object(Bucket="faces", Key=f"workspace/objects/{digest}", Body=b"changed")
    other = second(app, tmp_path / "other")
    assert "something else than was put there" in galloway(other, "bucket", "pull").stderr


@pytest.mark.postgresql
def test_another_machine_is_told_what_it_lacks_and_then_has_rows_and_faces(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    monkeypatch.setenv(DATABASE, database)
    app = built_app(tmp_path / "ws", faces=4, settings=SETTINGS)
    run(app, "bucket", "push")
    other = second(app, tmp_path / "other")
    (other.workspace.root / NOTE).unlink()
    refused = galloway(App(Workspace.open(other.workspace.root)), "bucket", "pull")
    assert refused.returncode != 0 and f"bring that folder's {NOTE} here" in refused.stderr
    shutil.copy(app.workspace.root / NOTE, other.workspace.root)
    there = App(Workspace.open(other.workspace.root))
    run(there, "bucket", "pull")
    assert there.store.faces() == app.store.faces() and files(there.workspace.root) == files(app.workspace.root)


def test_without_a_bucket_nothing_is_asked_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Mirror, "__init__", lambda *_: pytest.fail("there is no bucket"))
    app = built_app(tmp_path / "ws", faces=2)
    assert agreed(app.workspace.root, app.settings) is None
    assert "s3_bucket" in galloway(app, "bucket", "status").stderr
