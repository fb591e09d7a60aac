"""The blocks of README and docs: commands and Python that run as they stand, or a reason beside them why not.

A block is run in a folder that is a workspace with two extracted facesets and holds `votes.csv`, `gold.csv`, `faces/`,
`faces_a/`, `faces_b/` and a `clip.mp4` with a rotation. Python blocks of a page share their names, as a reader sees it.
Every `galloway` line, run or not, has to be one that the command line takes.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from galloway.curation.types import Side
from galloway.pipeline.cli.main import cli
from galloway.pipeline.workspace.place import record_place

from tests.support.videos import ffmpeg, sound_video
from tests.support.workspace import answer_everything, built_app, galloway

ROOT = Path(__file__).parents[2]
GENERATED = {"cli.md", "api.md"}
"""Written from the code, and compared with it in `make check`; the examples of api.md have a test of their own."""
_BLOCK = re.compile(r"(?:<!-- not run: (?P<reason>[^>]+) -->\n\n)?^```(?P<kind>\w*)\n(?P<body>.*?)^```$", re.M | re.S)
_SHELL = ("", "console", "sh")
_ENDS = {"galloway publish --dry-run": (0, 3), "galloway publish --yes": (0, 3), "galloway video check": (0, 1)}
"""Exit codes besides 0: nothing may be left to ask, and the film may need mending."""


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    kind: str
    body: str
    reason: str | None

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """Its lines without comments; of a console only what is typed."""
        lines = self.body.splitlines()
        if self.kind == "console":
            lines = [line[2:] for line in lines if line.startswith("$ ")]
        return [bare for line in lines if (bare := re.sub(r"(^|\s+)#\s.*$", "", line).strip())]


def _blocks() -> list[Block]:
    pages = [ROOT / "README.md", *sorted(page for page in (ROOT / "docs").glob("*.md") if page.name not in GENERATED)]
    found = []
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for match in _BLOCK.finditer(text):
            line = text[: match.start("body")].count("\n")
            found.append(Block(page, line, match["kind"], match["body"], match["reason"]))
    return found


BLOCKS = _blocks()
SHELL = [block for block in BLOCKS if block.kind in _SHELL]
RUN = [block for block in SHELL if block.reason is None]
PYTHON = sorted({block.page for block in BLOCKS if block.kind == "python" and block.reason is None})


def test_every_block_is_found() -> None:
    fences = sum(
        len(re.findall(r"^```", page.read_text(encoding="utf-8"), re.M)) for page in {block.page for block in BLOCKS}
    )
    assert fences == 2 * len(BLOCKS)
    assert RUN and PYTHON


def test_a_reason_names_tests_that_there_are() -> None:
    for block in BLOCKS:
        for path in re.findall(r"tests/[\w/.]+", block.reason or ""):
            assert (ROOT / path.rstrip(".")).exists(), f"{block}: there is no {path}"


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_every_command_is_one_that_the_command_line_takes(block: Block) -> None:
    for line in block.commands:
        for command in re.split(r"\s*(?:&&|;)\s*", line):
            words = [word for word in shlex.split(command) if "…" not in word]
            names = [number for number, word in enumerate(words) if word.rsplit("/", 1)[-1] == "galloway"]
            if names:
                _take(cli, words[names[0] + 1 :])


def _take(command: click.Command, words: list[str]) -> None:
    """Parse the words down to the command that they name. Fails for an option or a choice that there is not."""
    context = click.Context(command)
    values, rest, _ = command.make_parser(context).parse_args(list(words))
    for parameter in command.params:
        given = values.get(str(parameter.name))
        if isinstance(parameter.type, click.Choice) and given is not None:
            for value in given if isinstance(given, (list, tuple)) else [given]:
                assert str(value) in parameter.type.choices, f"{value} is none of {parameter.type.choices}"
    if isinstance(command, click.Group) and rest:
        found = command.get_command(context, rest[0])
        assert found is not None, f"there is no command {rest[0]}"
        _take(found, rest[1:])


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which blocks run, to be copied: everything was asked and answered, nothing is merged."""
    app = built_app(tmp_path_factory.mktemp("docs") / "shop", faces=9)
    folder = app.workspace.root
    assert galloway(app, "publish", "--yes").returncode == 0
    answer_everything(app)
    assert galloway(app, "collect").returncode == 0
    for name, side in (("faces", Side.B), ("faces_a", Side.A), ("faces_b", Side.B)):
        shutil.copytree(app.workspace.faces_dir(side), folder / name)
    rows = [f"w{worker},{face.name},keep" for face in app.store.faces(Side.B) for worker in (1, 2)]
    (folder / "votes.csv").write_text("\n".join(["worker,task,label", *rows, "w3,x.png,reject"]) + "\n")
    (folder / "gold.csv").write_text(f"task,label\n{app.store.faces(Side.B)[0].name},keep\n")
    upright = sound_video(folder / "upright.mp4")
    ffmpeg("-display_rotation", 90, "-i", upright, "-c", "copy", folder / "clip.mp4")
    upright.unlink()
    return folder


@pytest.fixture
def folder(prepared: Path, tmp_path: Path) -> Path:
    copy = Path(shutil.copytree(prepared, tmp_path / "shop"))
    record_place(copy)
    return copy


@pytest.mark.parametrize("block", RUN, ids=str)
def test_a_block_of_commands_runs(block: Block, folder: Path, tmp_path: Path) -> None:
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    script = bin_ / "galloway"
    script.write_text('#!/bin/sh\nexec "$PYTHON" -m galloway "$@"\n')
    script.chmod(0o755)
    path = f"{bin_}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHON": sys.executable, "PYTHONPATH": str(ROOT)}
    for command in block.commands:
        ran = subprocess.run(
            ["bash", "-c", command], cwd=folder, capture_output=True, text=True, timeout=120, env=environment
        )
        assert ran.returncode in _ENDS.get(" ".join(command.split()[:3]), (0,)), (
            f"{block}: {command}\n{ran.stdout}{ran.stderr}"
        )
        if block.kind == "console" and (shown := _shown(block, command)):
            assert ran.stdout.strip() == shown


def _shown(block: Block, command: str) -> str:
    """What a console block shows below a command."""
    _, _, after = block.body.partition(f"$ {command}\n")
    return after.partition("\n$ ")[0].strip()


@pytest.mark.parametrize("page", PYTHON, ids=lambda page: page.name)
def test_the_python_of_a_page_runs(page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    names: dict[str, object] = {}
    for block in BLOCKS:
        if block.page == page and block.kind == "python" and block.reason is None:
            exec(compile(block.body, str(block), "exec"), names)
