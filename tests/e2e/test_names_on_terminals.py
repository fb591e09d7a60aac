"""Files, people, tasks and requesters named with line ends, escapes and turned directions: none is printed raw."""

from __future__ import annotations

import io
import json
import logging
import shutil
from contextlib import redirect_stderr

import pytest
from galloway.pipeline.app import App
from galloway.pipeline.cli.console import log_in_lines
from galloway.pipeline.cli.main import cli
from PIL import Image

from tests.support.faceset import build_faceset
from tests.support.workspace import built_app, galloway

EVIL = "x\nFORGED: 3 approved\x1b[2J\x9b1A\r\u202egpj\u2028FORGED"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> App:
    return built_app(tmp_path_factory.mktemp("named") / "ws", faces=4)


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Files of every kind that commands take, each named with what a terminal would obey."""
    root = tmp_path_factory.mktemp("given") / EVIL
    photos, broken, plain = root / "photos", root / "broken", root / "plain"
    for folder in (photos, broken, plain):
        folder.mkdir(parents=True)
    Image.new("RGB", (48, 48), (9, 99, 200)).save(photos / f"{EVIL}.png")
    for name in (f"{EVIL}.jpg", f"2{EVIL}.png"):
        (broken / name).write_bytes(b"%!PS { } loop")
    shutil.copy(broken / f"{EVIL}.jpg", photos / f"broken{EVIL}.jpg")
    faces = build_faceset(root / "set", {"clip": {1: 1, 2: 2, 3: 1}}, size=16)
    first = next(iter(sorted(faces.faces.iterdir())))
    first.rename(first.with_name(f"{EVIL}_1.png"))
    (faces.faces / f"odd{EVIL}.png").write_bytes((photos / f"{EVIL}.png").read_bytes())
    Image.new("RGB", (48, 48)).save(plain / f"{EVIL}.png")
    (root / f"{EVIL}.mp4").write_bytes(b"no video at all")
    (root / f"{EVIL}.fsa").write_bytes(b"no alignments")
    cell = '"' + EVIL + '"'
    rows = "".join(f"w{number},{cell},keep\nw{number},t2,reject\n" for number in range(3))
    (root / f"{EVIL}.csv").write_text(f"worker,task,label\n{rows}w9,t3,{cell}\n", encoding="utf-8", newline="")
    (root / f"2{EVIL}.csv").write_text(f"{cell},x\n1,2\n", encoding="utf-8", newline="")
    return {
        "photos": str(photos), "broken": str(broken), "plain": str(plain), "faces": str(faces.faces),
        "alignments": str(faces.alignments), "video": str(root / f"{EVIL}.mp4"), "fsa": str(root / f"{EVIL}.fsa"),
        "votes": str(root / f"{EVIL}.csv"), "odd": str(root / f"2{EVIL}.csv"), "out": str(root / f"out{EVIL}"),
        "nowhere": str(root / f"nowhere{EVIL}"),
    }  # fmt: skip


COMMANDS = [
    ["ingest", "--side", "b", "--basis", "own", "--person", EVIL, "{photos}"],
    ["ingest", "--side", "b", "--basis", "own", "{broken}"],
    ["ingest", "--side", "a", "--basis", "own", "{video}", "{broken}"],
    ["ingest", "--side", "a", "--basis", "own", "{nowhere}"],
    ["ingest", "--side", "a", "--reference", "{broken}"],
    ["ingest", "--side", "a", "--basis", "own", "--faces", "{faces}"],
    ["ingest", "--side", "b", "--basis", "own", "--faces", "{faces}", "--alignments", "{fsa}"],
    ["extract"], ["source", "list"], ["person", "list"], ["person", "erase", EVIL, "--dry-run"],
    ["source", "remove", "--side", "b", EVIL, "--yes"], ["extract", "--detector", EVIL], ["status"], ["report"],
    ["report", "--out", "{nowhere}/x.html"], ["doctor"], ["screen", "--no-identity", "--no-sheet"],
    ["decide", EVIL, "reject", "--by", EVIL, "--note", EVIL],
    ["merge", "--dry-run"], ["publish", "--dry-run"], ["batch", "work", EVIL],
    ["batch", "list"], ["train", "-o", EVIL], ["convert", "--output", "{nowhere}/x.mp4"],
    ["faceset", "verify", "--faces", "{faces}", "--alignments", "{alignments}"],
    ["faceset", "verify", "--faces", "{faces}", "--alignments", "{fsa}"],
    ["faceset", "verify", "--faces", "{plain}", "--alignments", "{alignments}"],
    ["faceset", "import", "{plain}", "--output", "{out}"], ["faceset", "import", "{faces}", "--output", "{out}"],
    ["faceset", "import", "{broken}", "--output", "{out}"], ["faceset", "diff", "{faces}", "{plain}"],
    ["faceset", "missing-alignments", "--alignments", "{alignments}", "--frames", "{photos}"],
    ["faceset", "missing-frames", "--alignments", "{alignments}", "--frames", "{photos}"],
    ["faceset", "leftover-faces", "--faces", "{faces}", "--alignments", "{alignments}"],
    ["faceset", "odd-sizes", "--faces", "{faces}", "--alignments", "{alignments}"],
    ["faceset", "merges", "--faces", "{faces}"],
    ["votes", "aggregate", "{votes}", "--out", "{out}.csv"], ["votes", "report", "{votes}", "--out", "{out}.html"],
    ["votes", "aggregate", "{odd}", "--out", "{out}.csv"], ["votes", "report", "{fsa}", "--out", "{out}.html"],
    ["votes", "report", "{votes}", "--gold", "{odd}", "--out", "{out}.html"],
    ["video", "check", "{video}"], ["video", "check", "{nowhere}"], ["video", "fix", "{video}", "-o", "{out}.mp4"],
    ["verify", "{video}"], ["verify", "{votes}"], ["claim", "moved"], ["recruit", "list"], ["recruit", "new", EVIL],
    ["project", "new", EVIL, "--gallery", "yes-no"], ["project", "new", "p", "--template", "{fsa}"],
    ["project", "preview", EVIL, "{votes}"], ["project", "list"],
    ["market", "requester", "add", EVIL], ["market", "requester", "list"], ["market", "requester", "revoke", EVIL],
    ["market", "worker", "erase", EVIL, "--yes"], ["market", "worker", "invite", "--note", EVIL],
    ["team", "add", EVIL], ["team", "remove", EVIL], ["faceswap", "check"],
    [EVIL], ["status", f"--{EVIL}"], ["status", EVIL], ["merge", "--side", EVIL], ["ingest", "{nowhere}"],
]  # fmt: skip


def test_no_command_prints_a_name_raw(app: App, given: dict[str, str]) -> None:
    told, used = "", set()
    for command in COMMANDS:
        line = [part.format(**given) if part.startswith("{") else part for part in command]
        done = galloway(app, *line)
        assert done.returncode in (0, 1, 2, 3, 4), (command, done.stderr)
        said = done.stdout + done.stderr
        raw = [letter for letter in said if not letter.isprintable() and letter not in "\n\t"]
        assert not raw, (command, raw, said)
        assert not any(row.lstrip(" -~!✗").startswith("FORGED") for row in said.splitlines()), (command, said)
        told, used = told + said, used | {command[0]}
    assert told.count("\\nFORGED: 3 approved\\u001b") > 60, "and names are said, not swallowed"
    assert not used - set(cli.list_commands(None)) - {EVIL}  # type: ignore[arg-type]


def test_a_warning_in_the_log_is_one_line() -> None:
    out = io.StringIO()
    log_in_lines()
    handler = logging.lastResort
    assert handler is not None
    record = logging.LogRecord("x", logging.WARNING, "", 0, "odd picture %s", (EVIL,), None)
    with redirect_stderr(out):
        handler.handle(record)
    assert out.getvalue().count("\n") == 1 and "\x1b" not in out.getvalue()


def test_a_log_for_programs_is_one_object_a_line() -> None:
    log_in_lines("json")
    handler = logging.lastResort
    assert handler is not None
    try:
        record = logging.makeLogRecord(
            {"name": "galloway.x", "levelname": "WARNING", "msg": "two\nlines %s", "args": (1,)}
        )
        record.event_doc_id = "3DOC"
        told = handler.format(record)
        assert "\n" not in told
        found = json.loads(told)
        assert (found["message"], found["level"], found["event_doc_id"]) == ("two\nlines 1", "warning", "3DOC")
        assert set(found) == {"at", "level", "logger", "message", "event_doc_id"}
    finally:
        log_in_lines()
