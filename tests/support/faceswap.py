"""Builders for the faceswap engine's tests: stand-in homes of both lines, and the real ones where there are any."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from galloway.curation.faceset.fsa.alignments import export_json
from galloway.curation.faceset.png.types import Alignments, FaceAlignment, FrameFaces
from galloway.curation.types import no_progress
from galloway.pipeline.engines.base import ConvertRequest, ExtractRequest, TrainRequest
from galloway.pipeline.engines.faceswap import FaceswapEngine
from galloway.pipeline.engines.faceswap.detect import detect

from tests.contract.faceswap_standin.extract import WEIGHTS
from tests.contract.faceswap_standin.settings import write_settings
from tests.support.engines import EngineCase

__all__ = [
    "FRAMES",
    "LINES",
    "ROOT",
    "convert_request",
    "detections",
    "extract_request",
    "faceswap_cases",
    "real_engine",
    "standin_engine",
    "standin_home",
    "standin_python",
    "train_request",
]

LINES = ("v2.3.0", "master")
ROOT = Path(__file__).resolve().parents[2]
FRAMES = 50
"""Of the clip that the requests are about."""

_LAUNCHER = """import sys
sys.path.insert(0, {root!r})
from tests.contract.faceswap_standin.program import main
main({line!r})
"""


def standin_home(folder: Path, line: str, *, weights: bool = False) -> Path:
    """A faceswap folder of `line` whose program is the stand-in."""
    marker = "scripts/fsmedia.py" if line == "v2.3.0" else "scripts/fs_media.py"
    for name in (marker, "lib/cli/launcher.py", "plugins/readme.txt", "tools/readme.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    if line == "master":
        (folder / "lib" / "infer").mkdir()
    write_settings(folder, line)
    for script in ("faceswap.py", "tools.py"):
        (folder / script).write_text(_LAUNCHER.format(root=str(ROOT), line=line), encoding="utf-8")
    (folder / ".fs_cache").mkdir()
    for name in WEIGHTS[line] if weights else ():
        (folder / ".fs_cache" / name).touch()
    return folder


_PYTHON = """#!{python}
import json, os, sys
if sys.argv[1] == "-c":
    print(json.dumps({said!r}))
else:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
"""
_SAID: dict[str, dict[str, object]] = {
    "v2.3.0": {
        "python": [3, 10, 13],
        "versions": {"tensorflow-cpu": "2.10.1", "numpy": "1.26.4", "fastcluster": "1.2.6"},
        "imports": {"tkinter": "", "tensorflow": ""},
        "gpu": [],
    },
    "master": {
        "python": [3, 11, 7],
        "versions": {"torch": "2.9.1", "torchvision": "0.24.1", "keras": "3.14.1", "numpy": "2.4.6"},
        "imports": {"tkinter": "", "torch": ""},
        "gpu": [],
    },
}
"""What the Pythons of two working installations said of themselves."""


def standin_python(folder: Path, line: str, cards: tuple[str, ...] = ()) -> Path:
    """A Python that says of itself what a working installation's said, with these graphics cards, and runs the
    stand-in with ours."""
    path = folder / "python"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(_PYTHON.format(python=sys.executable, said={**_SAID[line], "gpu": list(cards)}), encoding="utf-8")
    path.chmod(0o755)
    return path


def standin_engine(folder: Path, line: str, *, weights: bool = False) -> FaceswapEngine:
    """The engine on a stand-in home below `folder`."""
    home = standin_home(folder / "home", line, weights=weights)
    return FaceswapEngine(home, standin_python(folder, line), "cpu")


@contextmanager
def imported(source: Path) -> Iterator[dict[str, str]]:
    """Extraction options that hand over our own detections of `source`; needs no weights."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "known.json"
        detect(ExtractRequest(source, Path(folder), target, Path(folder)), target, no_progress)
        yield {"import_json": str(target)}


def faceswap_cases() -> tuple[EngineCase, ...]:
    """The stand-in of each line, and the real faceswap where the environment names one, for the engine contract."""
    train: dict[str, object] = {"model": "lightweight", "batch_size": 4, "timelapse": False}
    cases = [
        EngineCase(f"faceswap {line}, recorded", partial(standin_engine, line=line), imported, train) for line in LINES
    ]
    real = real_engine()
    if real is not None:
        cases.append(EngineCase(f"faceswap {real.program.home.line}, real", lambda _folder: real, imported, train))
    return tuple(cases)


def real_engine() -> FaceswapEngine | None:
    """The faceswap that GALLOWAY_FACESWAP_HOME and _PYTHON name, None where they name none."""
    home, python = os.environ.get("GALLOWAY_FACESWAP_HOME"), os.environ.get("GALLOWAY_FACESWAP_PYTHON")
    return FaceswapEngine.from_settings(Path(home), Path(python) if python else None) if home else None


def landmarks(x: int, y: int, size: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """68 points in the rough layout of a face, in a square of `size` at x, y."""
    points = np.zeros((68, 2), np.float32)
    jaw = np.linspace(np.pi, 0, 17)
    points[:17] = np.stack([0.5 + 0.48 * np.cos(jaw), 0.35 + 0.62 * np.sin(jaw)], axis=1)
    points[17:22] = np.stack([np.linspace(0.12, 0.42, 5), [0.24, 0.19, 0.18, 0.2, 0.23]], axis=1)
    points[22:27] = np.stack([np.linspace(0.58, 0.88, 5), [0.23, 0.2, 0.18, 0.19, 0.24]], axis=1)
    points[27:31] = np.stack([np.full(4, 0.5), np.linspace(0.32, 0.55, 4)], axis=1)
    points[31:36] = np.stack([np.linspace(0.4, 0.6, 5), [0.6, 0.62, 0.63, 0.62, 0.6]], axis=1)
    circle = np.linspace(0, 2 * np.pi, 6, endpoint=False) + np.pi
    for start, centre in ((36, 0.29), (42, 0.71)):
        points[start : start + 6] = np.stack([centre + 0.09 * np.cos(circle), 0.34 + 0.04 * np.sin(circle)], axis=1)
    mouth = np.linspace(0, 2 * np.pi, 20, endpoint=False) + np.pi
    points[48:68] = np.stack([0.5 + 0.17 * np.cos(mouth), 0.77 + 0.08 * np.sin(mouth)], axis=1)
    return points * size + np.array([x, y], np.float32)


def detections(names: list[str], size: int = 60, small: tuple[str, ...] = ()) -> dict[str, object]:
    """Import JSON: one face in each frame, tiny (12 px) in the frames of `small`."""
    frames = {}
    for index, name in enumerate(names):
        width = 12 if name in small else size
        x, y = 20 + index % 30, 15 + index % 20
        face = FaceAlignment(x, y, width, width, landmarks(x, y, width))
        frames[name] = FrameFaces([face])
    return dict(export_json(Alignments(frames)))


def extract_request(clip: Path, tmp_path: Path, **changes: object) -> ExtractRequest:
    names = [f"clip_{number:06d}.mp4" for number in range(1, FRAMES + 1)]
    known = tmp_path / "known.json"
    if not known.exists():
        known.write_text(json.dumps(detections(names, small=(names[3],))))
    values: dict[str, object] = {
        "source": clip,
        "faces_dir": tmp_path / "faces",
        "alignments": tmp_path / "alignments" / "clip_alignments.fsa",
        "work_dir": tmp_path / "run",
        "size": 64,
        "options": {"import_json": str(known)},
    }
    return ExtractRequest(**{**values, **changes})  # type: ignore[arg-type]


def train_request(tmp_path: Path, **changes: object) -> TrainRequest:
    values: dict[str, object] = {
        "faces_a": tmp_path / "faces",
        "faces_b": tmp_path / "faces",
        "model_dir": tmp_path / "model",
        "work_dir": tmp_path / "run",
        "model": "lightweight",
        "iterations": 6,
        "batch_size": 2,
        "save_every": 3,
    }
    return TrainRequest(**{**values, **changes})  # type: ignore[arg-type]


def convert_request(clip: Path, tmp_path: Path, **changes: object) -> ConvertRequest:
    values: dict[str, object] = {
        "source": clip,
        "alignments": tmp_path / "alignments" / "clip_alignments.fsa",
        "model_dir": tmp_path / "model",
        "output": tmp_path / "result.mp4",
        "work_dir": tmp_path / "run",
    }
    return ConvertRequest(**{**values, **changes})  # type: ignore[arg-type]
