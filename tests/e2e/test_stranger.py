"""A workspace from somebody else: every command opens it, nothing of it runs, nothing outside is read or changed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from galloway.curation.tables import face_table
from galloway.curation.types import FaceId, Side
from galloway.pipeline.app import App
from galloway.pipeline.cli.main import cli
from galloway.pipeline.engines.base import EngineError
from galloway.pipeline.engines.faceswap.home import find_home
from galloway.pipeline.errors import WorkspaceError
from galloway.pipeline.market.local import running_market
from galloway.pipeline.market.pictures import face_file
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.programs import check_allowed, not_allowed
from galloway.pipeline.workspace.schema import source_table

from tests.support.workspace import built_app, galloway


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own configuration, empty; commands with a place of their own to write beside write it there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "galloway"


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A program that leaves a trace, and the trace."""
    program = tmp_path / "evil"
    program.write_text(f"#!{sys.executable}\nopen({str(tmp_path / 'sang')!r}, 'a').write('x')\n")
    program.chmod(0o755)
    return tmp_path / "sang"


@pytest.fixture
def app(tmp_path: Path, canary: Path) -> App:
    """It names a program and a checkout of its own."""
    checkout = tmp_path / "ws" / "faceswap-checkout"
    app = built_app(tmp_path / "ws", faces=6)
    for name in ("faceswap.py", "scripts/fsmedia.py", "lib/cli/launcher.py", "venv/bin/python"):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tmp_path / "evil", checkout / name)
    engine = f'[engine]\nname = "faceswap"\nfaceswap_home = "{checkout}"\nfaceswap_python = "{tmp_path / "evil"}"\n'
    config = app.workspace.root / "galloway.toml"
    config.write_text(config.read_text(encoding="utf-8") + engine, encoding="utf-8")
    return App(Workspace.open(app.workspace.root))


def _git(folder: Path, *args: str) -> None:
    subprocess.run(["git", "-C", str(folder), *args], check=True, capture_output=True, env={**os.environ, **_WHO})


_WHO = {f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

COMMANDS = [
    ["status"], ["doctor"], ["source", "list"], ["person", "list"], ["batch", "list"], ["report"], ["train"],
    ["convert"], ["extract"], ["screen", "--no-identity"], ["merge", "--side", "a", "--dry-run"], ["faceset", "verify"],
    ["publish", "--dry-run"], ["collect"], ["team", "list"], ["team", "log"], ["market", "worker", "list"],
    ["train", "--engine", "faceswap"], ["convert", "--again", "1-2"], ["glimpse", "--at", "0"],
    ["merge", "--side", "a", "--open", "keep"], ["merge", "undo", "--side", "a"], ["faceset", "card", "--side", "a"],
    ["person", "erase", "nobody", "--dry-run"], ["source", "mask", "--side", "a", "clipa"],
    ["source", "photographs", "--side", "a"], ["source", "photographs", "--side", "a", "--remove", "person.jpg"],
    ["source", "remove", "--side", "a", "clipa", "--yes"],
]  # fmt: skip

OTHERS = [
    ["init", "NEW"], ["ingest", "--side", "b", "FILE", "--person", "Eve", "--basis", "own"],
    ["screen", "--side", "a", "--no-identity"], ["extract", "--engine", "faceswap"],
    ["convert", "--engine", "faceswap"], ["person", "show", "Ann"], ["person", "consent", "Ann", "--note", "x"],
    ["person", "receipt", "Ann", "--out", "NEW"], ["person", "revoke", "Ann", "--yes"], ["publish", "--yes"],
    ["results", "measure", "FILE"], ["verify", "FILE"], ["review-swap", "publish", "FILE", "--yes"],
    ["review-swap", "collect", "FILE"], ["review-swap", "show", "FILE"], ["review-swap", "report", "FILE"],
    ["review-swap", "masks", "FILE", "--out", "NEW"],
    ["paint", "publish", "--yes"], ["paint", "collect"], ["paint", "show"], ["decisions"], ["decisions", "--undo", "x"],
    ["decide", "clip_000001_0.png", "keep", "--by", "Eve", "--note", "x"], ["batch", "approve", "A1"],
    ["batch", "reject", "A1", "--reason", "x" * 120], ["batch", "bonus", "A1", "0.01", "--reason", "x"],
    ["batch", "block", "W1", "--reason", "x"], ["batch", "blocks"], ["batch", "cancel", "b1"], ["batch", "top-up"],
    ["batch", "work", "b1"], ["team", "add", "Eve"], ["team", "remove", "Eve"], ["market", "requester", "add", "Eve"],
    ["market", "requester", "fund", "Eve", "1"], ["market", "requester", "list"],
    ["market", "requester", "layout", "Eve", "t", "FILE"], ["market", "requester", "revoke", "Eve"],
    ["market", "worker", "appeals"], ["market", "worker", "decide", "A1", "--pay", "--by", "Eve"],
    ["market", "worker", "erase", "W1"], ["market", "worker", "export", "W1"], ["market", "worker", "invite"],
    ["market", "worker", "mark", "W1", "--masters"],
    ["recruit", "new", "study", "--batch", "b1", "--minutes", "5", "--title", "t"], ["recruit", "status"],
    ["recruit", "links", "study", "FILE"], ["recruit", "export", "study"], ["recruit", "paid", "study", "1"],
    ["recruit", "pause", "study"], ["recruit", "publish", "study"], ["recruit", "redeem", "study"],
    ["recruit", "reject", "study", "s1", "--reason", "x" * 120, "--category", "OTHER"],
    ["recruit", "remove", "study"], ["recruit", "settle", "study"], ["recruit", "start", "study"],
    ["recruit", "stop", "study"],
    ["project", "new", "eve"], ["project", "list"], ["project", "preview", "eve", "FILE"],
    ["project", "cancel", "eve"], ["project", "publish", "eve", "FILE", "--yes"],
    ["project", "export", "eve", "--out", "NEW"], ["project", "extend", "eve"],
    ["project", "reask", "eve", "--out", "NEW"], ["project", "results", "eve"], ["project", "settle", "eve", "FILE"],
    ["faceset", "recover", "--side", "a"], ["faceset", "merges", "--side", "a"],
    ["faceset", "no-faces", "--side", "a"], ["faceset", "missing-alignments", "--side", "a", "--frames", "FOLDER"],
    ["faceset", "multi-faces", "--side", "a"], ["faceset", "missing-frames", "--side", "a", "--frames", "FOLDER"],
    ["faceset", "leftover-faces", "--side", "a"], ["faceset", "odd-sizes", "--side", "a"],
    ["faceset", "remove-faces", "--side", "a"],
    ["faceset", "rename", "--side", "a"], ["faceset", "undo", "--side", "a"],
    ["faceset", "from-faces", "--side", "a"], ["faceset", "export", "--side", "a", "--to", "dfl"],
    ["faceset", "import", "FOLDER", "-o", "NEW"], ["faceset", "readiness", "--side", "a"],
    ["faceset", "pick", "FOLDER"], ["faceset", "diff", "FILE", "FILE"],
    ["faceset", "translate", "python tools.py alignments -j check"], ["votes", "aggregate", "FILE", "--out", "NEW"],
    ["votes", "report", "FILE", "--out", "NEW"], ["faceswap", "check"],
    ["faceswap", "translate", "python faceswap.py train"], ["video", "check", "FILE"], ["video", "fix", "FILE"],
    ["workspace", "where"], ["workspace", "move", "--to", "sqlite"],
    ["bucket", "status"], ["bucket", "push"], ["bucket", "pull"], ["bucket", "release", "--yes"],
    ["backup", "NEW"], ["restore", "FILE", "NEW"], ["market", "backup", "NEW"], ["market", "servers"],
    ["gate", "list"], ["gate", "say", "warn", "FILE"], ["gate", "say", "show", "--held"], ["privacy", "status"],
    ["privacy", "apply", "--early", "--yes"], ["worker", "list"], ["worker", "stop", "W1", "--reason", "x"],
    ["worker", "stopped"], ["worker", "appeals"], ["worker", "again", "W1", "--answer", "x"],
    ["worker", "answer", "W1", "--again", "--answer", "x"],
    ["bundle", "make", "NEW", "--engine", "embedded"], ["bundle", "run", "FOLDER"], ["bundle", "take", "FOLDER"],
    ["claim", "copy"], ["claim", "moved"], ["person", "erase", "Ann", "--yes"],
]  # fmt: skip
"""The rest; FILE, FOLDER and NEW are the stranger's file and folder, and a place that is free."""
RUN_UNTIL_STOPPED = {
    "serve",
    "studio",
    "review",
    "review-swap alone",
    "paint alone",
    "market serve",
    "recruit listen",
    "demo",
}
"""Servers, which other tests open; the demo makes a workspace of its own. `trust` is what allows a program: below."""


def _leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[str]:
    if not isinstance(command, click.Group):
        yield " ".join(path)
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from _leaves(found, (*path, name))
    if path and command.invoke_without_command:
        yield " ".join(path)


def test_the_commands_below_are_all_there_are() -> None:
    known = set(_leaves(cli)) - RUN_UNTIL_STOPPED - {"trust"}
    told = {leaf for line in (*COMMANDS, *OTHERS) for leaf in known if line[: len(leaf.split())] == leaf.split()}
    assert told == known


def test_no_command_runs_what_a_workspace_names(app: App, canary: Path, tmp_path: Path) -> None:
    folder = app.workspace.root / "theirs"
    folder.mkdir()
    file = folder / "file.mp4"
    file.write_text("worker,task,label\nw1,t1,keep\n")
    places = {"FILE": str(file), "FOLDER": str(folder)}
    for number, command in enumerate((*OTHERS[:-1], *COMMANDS, OTHERS[-1])):
        line = [places.get(word, str(tmp_path / f"new{number}") if word == "NEW" else word) for word in command]
        done = galloway(app, *line)
        assert done.returncode in (0, 1, 2, 3, 4), (line, done.stderr)
        assert "Traceback" not in done.stderr, line
    assert not canary.exists()


def test_what_it_names_is_said_and_allowed_once_by_path(app: App, canary: Path, tmp_path: Path, own: Path) -> None:
    refused = galloway(app, "train", "--engine", "faceswap")
    assert "evil" in galloway(app, "doctor").stdout
    assert refused.returncode in (1, 4)
    with pytest.raises(EngineError, match=r"evil to be run, and you did not.*galloway trust"):
        app.engine("faceswap")
    assert galloway(app, "trust").returncode == 4
    shown = galloway(app, "trust", "--yes")
    assert str(tmp_path / "evil") in shown.stdout
    assert oct((own / "programs.json").stat().st_mode)[-3:] == "600"
    assert galloway(app, "trust").returncode == 3
    check_allowed(app.settings.engine)
    assert not canary.exists()


def test_the_users_own_configuration_needs_no_question(
    app: App, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(not_allowed(app.settings.engine)) == 2
    own.mkdir(parents=True)
    mine = f'[engine]\nfaceswap_home = "{tmp_path}"\nfaceswap_python = "{sys.executable}"\n'
    (own / "config.toml").write_text(mine, encoding="utf-8")
    plain = built_app(tmp_path / "plain", faces=1)
    engine = App(Workspace.open(plain.workspace.root)).settings.engine
    assert (engine.faceswap_home, not_allowed(engine)) == (tmp_path, ())
    assert len(not_allowed(app.settings.engine)) == 2, "the workspace names others than the user"
    monkeypatch.setenv("GALLOWAY_FACESWAP_PYTHON", str(tmp_path / "other"))
    monkeypatch.setenv("GALLOWAY_ENGINE__FACESWAP_HOME", str(tmp_path / "home"))
    engine = Workspace.open(app.workspace.root).settings.engine
    assert (engine.faceswap_python, not_allowed(engine)) == (tmp_path / "other", ())


def test_a_checkouts_configuration_runs_nothing(tmp_path: Path, canary: Path) -> None:
    home = tmp_path / "checkout"
    for name in ("faceswap.py", "scripts/fsmedia.py", "lib/cli/launcher.py"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("x")
    _git(home, "init", "-q")
    _git(home, "add", "-A")
    _git(home, "commit", "-qm", "x")
    _git(home, "tag", "v2.3.0")
    evil = str(tmp_path / "evil")
    for key, value in (
        ("core.fsmonitor", evil), ("core.hooksPath", str(tmp_path)), ("filter.x.clean", evil), ("core.pager", evil),
        ("diff.external", evil), ("core.sshCommand", evil), ("credential.helper", evil), ("pager.describe", evil),
    ):  # fmt: skip
        _git(home, "config", key, value)
    (home / ".git" / "info" / "attributes").write_text("* filter=x\n")
    (home / "faceswap.py").write_text("changed")
    assert find_home(home).version == "v2.3.0"
    assert not canary.exists()


@pytest.mark.parametrize(
    "text", ["../outside.mp4", "/etc/passwd", "sources/../../x", "C:/x", "a\\..\\b", "x\0y", "", "."]
)
def test_a_row_that_leads_outside_is_refused(app: App, text: str) -> None:
    with pytest.raises(WorkspaceError, match="names a file outside of itself"):
        app.workspace.inside(text)


def test_a_link_that_leads_outside_is_refused(app: App, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (app.workspace.root / "sources" / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(WorkspaceError, match="outside of itself"):
        app.workspace.inside("sources/link/clip.mp4")
    assert app.workspace.inside("sources/a/clipa.mp4").is_file()


@pytest.mark.parametrize("column", ["path", "name"])
@pytest.mark.parametrize("kind", ["relative", "absolute"])
def test_no_command_reads_or_deletes_what_a_source_names_outside(
    app: App, tmp_path: Path, column: str, kind: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    kept = [outside / "clip.mp4", outside / "clip.mp4.source.json", outside / "clip.mp4_alignments.fsa"]
    for path in kept:
        path.write_text("{}")
    place = str(kept[0]) if kind == "absolute" else f"../../../outside/{kept[0].name}"
    with app.workspace.db.begin() as db:
        db.execute(source_table.update().where(source_table.c.side == "a").values({column: place}))
    more = [["source", "remove", "--side", "a", place, "--yes"], ["person", "erase", "nobody", "--yes"]]
    for command in (*COMMANDS, *more):
        done = galloway(app, *command)
        assert done.returncode in (0, 1, 2, 3, 4), command
        assert "Traceback" not in done.stderr
    assert all(path.read_text() == "{}" for path in kept)


@pytest.mark.parametrize("column", ["name", "rejected_in"])
def test_no_face_shows_a_picture_outside(app: App, tmp_path: Path, column: str) -> None:
    secret = tmp_path / "secret.png"
    shutil.copy(next(iter(app.workspace.faces_dir(Side.A).iterdir())), secret)
    face = app.store.faces(Side.A)[0].face_id
    for place in (str(secret), "../../../../secret.png", "../../secret.png"):
        with app.workspace.db.begin() as db:
            db.execute(face_table.update().where(face_table.c.face_id == face).values({column: place}))
        with pytest.raises(WorkspaceError, match="outside of itself"):
            face_file(app.workspace, app.store, FaceId(face))
        assert galloway(app, "report").returncode == 1
    galloway(app, "source", "remove", "--side", "a", "clipa", "--yes")
    assert secret.is_file()


@pytest.mark.parametrize(
    "record",
    [
        {"api": "http://evil.example:80", "worker": "http://evil.example", "frames": "http://evil.example:80"},
        {"api": "http://127.0.0.1:9", "worker": "http://evil.example", "frames": "http://203.0.113.9:80"},
        {"api": "http://127.0.0.1", "worker": "javascript:alert(1)", "frames": "http://127.0.0.1:9"},
        {"api": "file:///etc/passwd", "worker": "x", "frames": "file:///etc/passwd"},
        {"api": "http://127.0.0.1:99999", "worker": "http://x", "frames": "http://127.0.0.1:99999"},
        {"api": 1, "worker": None, "frames": []},
        [], None, "x",
    ],
)  # fmt: skip
def test_a_record_of_a_running_market_reaches_this_machine_only(
    app: App, record: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr("socket.create_connection", lambda address, *args, **kw: asked.append(address[0]) or 1 / 0)
    (app.workspace.root / "market").mkdir(exist_ok=True)
    (app.workspace.root / "market" / "running.json").write_text(json.dumps(record), encoding="utf-8")
    assert running_market(app.workspace) is None
    assert asked == []


@pytest.mark.parametrize(
    ("table", "column"),
    [("source", "side"), ("face", "side"), ("vote", "question"), ("vote", "kind"), ("shown_face", "status")],
)
def test_a_word_that_no_table_of_ours_holds_is_named(app: App, table: str, column: str) -> None:
    face = app.store.faces(Side.A)[0].face_id
    galloway(app, "decide", face, "keep", "--by", "Ann", "--note", "x")
    with app.workspace.db.begin() as db:
        changed = db.exec_driver_sql(f"UPDATE {table} SET {column} = 'zz'")
        assert changed.rowcount
    said = ""
    for command in (["source", "list"], ["status"], ["person", "list"], ["report"], ["merge", "--dry-run"]):
        done = galloway(app, *command)
        assert done.returncode in (0, 1, 3, 4) and "Traceback" not in done.stderr, (command, done.stderr)
        said += done.stderr
    assert "'zz' where one of" in said
