"""The files for other people's machines: the notebook runs to its end, also after a kill, and its zip comes home."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import nbformat
import pytest
import yaml
from galloway.pipeline.app import App
from galloway.pipeline.engines.embedded.store import load_model
from galloway.pipeline.workspace.runs import runs

from tests.support.workspace import built_app, galloway

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[App, Path]:
    """A workspace with approved facesets, and a bundle for a notebook of 20 iterations."""
    root = tmp_path_factory.mktemp("hosted")
    app = built_app(root / "shop", faces=26)
    for side in "ab":
        assert galloway(app, "merge", "--side", side, "--open", "keep").returncode == 0
    words = ["--engine", "embedded", "-i", "20", "-s", "4", "-b", "11"]
    done = galloway(app, "bundle", "make", str(root / "out"), "--for", "jupyter", *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(root / "out" / "train.ipynb")
    return app, root / "out"


def execute(bundle: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the notebook as a person would, with a Python that counts in the place of one that trains."""
    program = folder / "python"
    script = ROOT / "tests" / "support" / "box_python.py"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -W ignore {script} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    environment = {**os.environ, "GALLOWAY_PYTHON": str(program), "IPYTHONDIR": str(folder / "ipython")}
    command = [sys.executable, "-m", "jupyter", "execute", str(bundle / "train.ipynb")]
    return subprocess.run(command, env=environment, cwd=bundle, capture_output=True, text=True)


def test_a_notebook_goes_on_after_a_kill_and_its_result_comes_home(made: tuple[App, Path], tmp_path: Path) -> None:
    app, bundle = made
    nbformat.validate(nbformat.read(bundle / "train.ipynb", as_version=4))

    def kill() -> None:
        events = bundle / "events.jsonl"
        while not (events.is_file() and '"saved"' in events.read_text(encoding="utf-8")):
            time.sleep(0.02)
        os.kill(int((bundle / "run.lock").read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    cut = execute(bundle, tmp_path)
    killer.join()
    assert cut.returncode != 0 and "it goes on" in cut.stderr
    missing = galloway(app, "bundle", "take", str(bundle))
    assert missing.returncode == 1 and "its training has not ended" in missing.stderr
    whole = execute(bundle, tmp_path)
    assert whole.returncode == 0, whole.stderr[-2000:]
    result = bundle.parent / f"{runs(app.workspace)[0].id}-result.zip"
    taken = galloway(app, "bundle", "take", str(result))
    assert taken.returncode == 0, taken.stderr
    saved = load_model(app.workspace.root / "models" / "embedded-original")
    assert saved is not None and float(saved[1]["sum"][0]) == 210
    assert runs(app.workspace)[0].state == "done"
    assert galloway(app, "bundle", "take", str(bundle)).returncode == 0, "taken twice, it is there once"


def test_a_zip_that_leaves_its_folder_is_refused(made: tuple[App, Path], tmp_path: Path) -> None:
    app, _ = made
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../../galloway.toml", "x")
    refused = galloway(app, "bundle", "take", str(tmp_path / "evil.zip"))
    assert refused.returncode == 1 and "leaves its folder" in refused.stderr
    (tmp_path / "text.zip").write_text("no zip", encoding="utf-8")
    assert "cannot be read" in galloway(app, "bundle", "take", str(tmp_path / "text.zip")).stderr


@pytest.mark.parametrize(("host", "name"), [("kaggle", "train.ipynb"), ("colab", "train.ipynb")])
def test_each_host_gets_a_notebook_of_its_own(made: tuple[App, Path], tmp_path: Path, host: str, name: str) -> None:
    app, _ = made
    said = galloway(app, "bundle", "make", str(tmp_path / "out"), "--for", host, "--engine", "embedded")
    book = nbformat.read(tmp_path / "out" / name, as_version=4)
    nbformat.validate(book)
    for cell in book.cells:
        if cell.cell_type == "code":
            compile(cell.source, host, "exec")
    assert f"/{host}" in book.cells[1].source or f".{host}" in book.cells[1].source
    assert ("free tier forbid" in book.cells[0].source) == ("free tier forbid" in said.stderr) == (host == "colab")


@pytest.mark.parametrize(("host", "name"), [("skypilot", "sky.yaml"), ("dstack", ".dstack.yml")])
def test_schedulers_run_what_travels(made: tuple[App, Path], tmp_path: Path, host: str, name: str) -> None:
    app, _ = made
    assert galloway(app, "bundle", "make", str(tmp_path / "out"), "--for", host, "--engine", "embedded").returncode == 0
    task = yaml.safe_load((tmp_path / "out" / name).read_text(encoding="utf-8"))
    commands = task["run"] if host == "skypilot" else "\n".join(task["commands"])
    action, folder = commands.split("go.py ")[1].split()[:2]
    assert (action, Path(folder).name) == ("run", "sky_workdir" if host == "skypilot" else "bundle")
    assert json.loads((tmp_path / "out" / "bundle.json").read_text(encoding="utf-8"))["engine"] == "embedded"
