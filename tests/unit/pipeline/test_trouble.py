"""Damaged workspaces and full disks: every command ends in a sentence with what to do, and no SQL in it."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from galloway.pipeline.app import App
from galloway.pipeline.errors import WorkspaceBusy, WorkspaceError
from galloway.pipeline.trouble import sentence
from galloway.pipeline.web import create_web_app
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.place import record_place
from galloway.pipeline.workspace.settings import load_settings

from tests.support.workspace import built_app, galloway

pytestmark = pytest.mark.in_a_file("the workspace of all tests of this module, made before any of them")
COMMANDS = (
    ["status"], ["source", "list"], ["person", "list"], ["report"], ["merge", "--side", "a", "--dry-run"],
    ["batch", "list"],
    ["convert"], ["team", "list"], ["faceset", "card", "--side", "a"],
    ["publish", "--dry-run"], ["screen", "--side", "a", "--no-identity"], ["person", "erase", "nobody", "--yes"],
)  # fmt: skip
"""Erasing comes last: the footage is nobody's, and nothing of it is left for another command to trip over."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    app = built_app(tmp_path_factory.mktemp("trouble") / "ws", faces=3)
    app.workspace.db.dispose()
    return app.workspace.root


@pytest.fixture
def root(whole: Path, tmp_path: Path) -> Path:
    copy = Path(shutil.copytree(whole, tmp_path / "ws"))
    record_place(copy)
    return copy


def every_command_says_it(root: Path, *words: str) -> None:
    """None ends in a traceback (`galloway` would raise it) and one at least says what is wrong."""
    said = ""
    for command in COMMANDS:
        done = galloway(App(Workspace(root, load_settings(None))), *command)
        assert done.returncode in (0, 1, 3, 4), command
        assert "sqlite3" not in done.stderr and "[SQL" not in done.stderr and "Traceback" not in done.stderr, (
            done.stderr
        )
        said += done.stderr
    for word in words:
        assert word in said, said


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        (
            "galloway.db",
            b"this is no database, but text" * 40,
            "should be a database is none",
        ),
        ("galloway.db", b"", "Next:"),
        ("galloway.toml", b'name = "\xff\xfe"', "is not UTF-8 text"),
        ("galloway.toml", b"a = " + b"[" * 5000 + b"]" * 5000, "valid TOML"),
        ("galloway.toml", b"engine = 3", "engine"),
        ("galloway.toml", b"[ask]\nreward = -1", "ask.reward"),
        ("galloway.toml", b"[ask]\nreward = 0", "ask.reward"),
        ("galloway.toml", b"[ask]\nreward = nan", "ask.reward"),
        ("galloway.toml", b"[market]\nfee_percent = -50", "market.fee_percent"),
        ("galloway.toml", b"[market]\nport = 70000", "market.port"),
        ("galloway.toml", b"[ask]\nlifetime_hours = 999999999999", "ask.lifetime_hours"),
        ("galloway.toml", b"[ask]\nauto_approve_hours = -3", "ask.auto_approve_hours"),
        ("galloway.toml", b"[ask]\nbudget = 1e400", "ask.budget"),
        ("team.json", b"[1]", "team.json is damaged"),
        (".lock.db", b"x" * 4096, "should be a database is none"),
        ("reports/screen-a.json", b"[]", "Next:"),
        ("market/images.key", b"[]", "images.key is damaged"),
        ("market/running.json", b"[]", "Next:"),
        ("market/ports.json", b"{}", "Next:"),
        ("market/simulated.json", b"[[]]", "Next:"),
        ("sources/a/clipa.source.json", b"[]", "Next:"),
        ("runs/train-1/run.json", b"[]", "run.json is damaged"),
        ("runs/train-1/run.json", b"{}", "it has no engine"),
        ("facesets/a/merges/20260101-000000.json", b"[]", "Next:"),
        ("facesets/a/merges/index.json", b"[[[[", "Next:"),
        ("references/a/person.jpg", b"%!PS", "Next:"),
    ],
)
def test_a_damaged_file_is_named_or_does_without(root: Path, name: str, content: bytes, word: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    for beside in (f"{name}-wal", f"{name}-shm"):
        (root / beside).unlink(missing_ok=True)
    path.write_bytes(content)
    every_command_says_it(root, word)


@pytest.mark.parametrize("seed", range(6))
def test_a_database_with_broken_pages_is_a_sentence(root: Path, seed: int) -> None:
    path = root / "galloway.db"
    data = bytearray(path.read_bytes())
    for place in range(100 + seed * 37, len(data), 211):
        data[place] ^= 0xFF
    path.write_bytes(data)
    every_command_says_it(root)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (sqlite3.OperationalError("database or disk is full"), "The disk is full"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "may only be read"),
        (sqlite3.OperationalError("database is locked"), "Another process"),
        (sqlite3.OperationalError("disk I/O error"), "The disk is full, or it failed"),
        (sqlite3.DatabaseError("database disk image is malformed"), "damaged"),
        (sa.exc.OperationalError("SELECT secret", {}, sqlite3.OperationalError("database or disk is full")), "is full"),
        (OSError(errno.ENOSPC, "No space left on device", "x.png"), "The disk is full (x.png)"),
        (OSError(errno.EROFS, "Read-only file system", "x"), "mounted read-only (x)"),
        (OSError(errno.EACCES, "Permission denied", "x"), "does not allow it (x)"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "is not UTF-8"),
        (MemoryError(), "memory is full"),
    ],
)
def test_what_is_outside_of_us_is_a_sentence(error: Exception, words: str) -> None:
    said = sentence(error)
    assert said is not None and words in said
    assert "SELECT" not in said and said.endswith(".")


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    assert sentence(KeyError("x")) is None
    assert sentence(AssertionError()) is None


@pytest.mark.parametrize(
    ("text", "kind"), [("database is locked", WorkspaceBusy), ("database or disk is full", WorkspaceError)]
)
def test_a_full_disk_is_not_another_command(
    root: Path, monkeypatch: pytest.MonkeyPatch, text: str, kind: type[Exception]
) -> None:
    class Full:
        def execute(self, _sql: str) -> None:
            raise sqlite3.OperationalError(text)

        def close(self) -> None:
            pass

    monkeypatch.setattr("galloway.pipeline.workspace.held.sqlite3.connect", lambda *_args, **_kw: Full())
    with pytest.raises(kind) as refused, Workspace.open(root).lock("merging"):
        raise AssertionError("it was locked")
    assert type(refused.value) is kind
    assert ("disk is full" in str(refused.value).lower()) == (kind is WorkspaceError)


def test_a_page_says_it_too(root: Path) -> None:
    client = create_web_app(Workspace.open(root)).test_client()
    assert client.get("/api/status").status_code == 200
    for beside in ("", "-wal", "-shm"):
        (root / f"galloway.db{beside}").unlink(missing_ok=True)
    (root / "galloway.db").write_bytes(b"rubbish" * 1000)
    answer = create_web_app(Workspace.open(root)).test_client().get("/api/status")
    assert answer.status_code == 503
    assert "Bring a copy back" in answer.get_json()["error"]["message"]
