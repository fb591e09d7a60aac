"""`galloway decisions`: what the page Decisions lists and takes back, on a terminal."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from galloway.curation.types import Side, Status
from galloway.pipeline.app import App
from galloway.pipeline.asking.overrule import overrule_each
from galloway.pipeline.cli.main import cli

from tests.support.workspace import built_app


@pytest.fixture
def app(tmp_path: Path) -> App:
    app = built_app(tmp_path / "ws", faces=4)
    faces = [face.face_id for face in app.store.faces(Side.A)]
    overrule_each(app, [(face, "reject", "covered") for face in faces[:2]], name="Ann", note="a hand")
    overrule_each(app, [(faces[2], "keep", None)], name="Bob", note="it is she")
    return app


def told(app: App, *words: str) -> list[dict[str, Any]]:
    done = CliRunner().invoke(cli, ["-w", str(app.workspace.root), "decisions", "--json", *words])
    assert done.exit_code == 0, done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_a_step_is_listed_and_taken_back_once(app: App) -> None:
    assert [(row["person"], row["label"], row["faces"]) for row in told(app)] == [
        ("Bob", "keep", 1), ("Ann", "reject", 2),
    ]  # fmt: skip
    (ann,) = told(app, "--by", "Ann")
    start = ["-w", str(app.workspace.root), "decisions", "--undo", ann["id"]]
    refused = CliRunner().invoke(cli, [*start, "--by", "Bob"], standalone_mode=False)
    assert refused.exception is not None and "no such step of yours" in str(refused.exception)
    done = CliRunner().invoke(cli, start)
    assert done.exit_code == 0 and "Taken back: 2 faces." in done.stderr
    when = f"{datetime.fromisoformat(ann['decided_at']).astimezone():%Y-%m-%d %H:%M}"
    assert f"{when}  Ann: reject covered on 2 faces, a hand (taken back)" in done.stdout
    assert {item.status for item in app.store.decisions() if item.question is None} <= {
        Status.APPROVED,
        Status.UNDECIDED,
    }
    again = CliRunner().invoke(cli, start, standalone_mode=False)
    assert again.exception is not None and "That was taken back on" in str(again.exception)
