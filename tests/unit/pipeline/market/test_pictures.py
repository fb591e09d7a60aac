"""A side's reference photographs: everybody counts the same ones."""

from __future__ import annotations

from pathlib import Path

from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.stages.status import read_status
from PIL import Image

from tests.support.workspace import galloway

NAMES = ("one.png", "two.webp", "three.JPG")


def photographs(tmp_path: Path) -> App:
    workspace, _ = make_workspace(tmp_path / "w")
    folder = workspace.references_dir(Side.A)
    folder.mkdir(parents=True)
    for name in NAMES:
        Image.new("RGB", (64, 64), (120, 90, 60)).save(folder / name)
    (folder / "notes.txt").write_text("where they are from", encoding="utf-8")
    (folder / ".galloway-tmp-four.png").write_bytes(b"half")
    return App(workspace)


def test_status_counts_the_photographs_that_workers_see(tmp_path: Path) -> None:
    app = photographs(tmp_path)
    assert read_status(app).sides["a"].references == 3


def test_nobody_asks_for_a_photograph_that_is_there(tmp_path: Path) -> None:
    app = photographs(tmp_path)
    footage = tmp_path / "footage"
    footage.mkdir()
    for side, missing in (("a", False), ("b", True)):
        Image.new("RGB", (64, 64), (side == "a" and "red") or "blue").save(footage / "frame.png")
        done = galloway(app, "ingest", "--side", side, str(footage), "--basis", "own")
        assert done.returncode == 0, done.stderr
        assert ("no photograph of the person" in done.stderr) is missing
