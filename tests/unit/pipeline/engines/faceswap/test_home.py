"""Finding faceswap, judging it, explaining why it stopped, and mending model folders: all without running it."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from galloway.pipeline.engines.base import EngineError, FrameRange
from galloway.pipeline.engines.faceswap import FaceswapEngine, model
from galloway.pipeline.engines.faceswap.check import judge, probe
from galloway.pipeline.engines.faceswap.convert import joined, wanted_frames
from galloway.pipeline.engines.faceswap.diagnose import WeightsWatch, diagnose
from galloway.pipeline.engines.faceswap.home import Home, backend_of, find_home, model_name
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.faceswap_standin.extract import WEIGHTS
from tests.support.faceswap import LINES, standin_engine, standin_home


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_told_by_its_files(line: str, tmp_path: Path) -> None:
    home = find_home(standin_home(tmp_path / "fs", line))
    assert (home.line, home.version) == (line, line)


def test_what_is_no_faceswap_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="GALLOWAY_FACESWAP_HOME"):
        find_home(tmp_path)
    (tmp_path / "faceswap.py").touch()
    with pytest.raises(EngineError, match="line that is not known"):
        find_home(tmp_path)


def test_settings_name_home_and_python(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="GALLOWAY_FACESWAP_HOME"):
        FaceswapEngine.from_settings(None, None)
    home = standin_home(tmp_path / "fs", "master")
    with pytest.raises(EngineError, match="GALLOWAY_FACESWAP_PYTHON"):
        FaceswapEngine.from_settings(home, None)
    (home / "venv" / "bin").mkdir(parents=True)
    (home / "venv" / "bin" / "python").symlink_to(sys.executable)
    engine = FaceswapEngine.from_settings(home, None)
    assert engine.program.python == home / "venv" / "bin" / "python" and engine.name == "faceswap"


def test_the_backend_is_never_left_to_a_prompt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = find_home(standin_home(tmp_path / "fs", "master"))
    monkeypatch.delenv("FACESWAP_BACKEND", raising=False)
    assert backend_of(home, None) == "cpu"
    (home.root / "config").mkdir()
    (home.root / "config" / ".faceswap").write_text('{"backend": "nvidia"}')
    assert backend_of(home, None) == "nvidia"
    monkeypatch.setenv("FACESWAP_BACKEND", "rocm")
    assert backend_of(home, None) == "rocm"
    with pytest.raises(EngineError, match="no backend 'directml'"):
        backend_of(home, "directml")


def test_models_have_one_spelling() -> None:
    assert model_name("DFL_SAE") == "dfl-sae"
    with pytest.raises(EngineError, match="villain"):
        model_name("gan")


def test_the_environment_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    old, new = (standin_engine(tmp_path / line, line).program.environment(tmp_path) for line in LINES)
    assert "PYTHONPATH" not in old and "KERAS_BACKEND" not in old
    assert new["KERAS_BACKEND"] == "torch" and new["FACESWAP_BACKEND"] == "cpu"
    assert new["KERAS_HOME"].startswith(str(tmp_path))


def said(**versions: str) -> dict[str, Any]:
    return {"python": [3, 11, 7], "versions": versions, "imports": {"tkinter": ""}, "gpu": []}


GOOD_MASTER = {"torch": "2.9.1+cpu", "torchvision": "0.24.1", "keras": "3.14.1", "numpy": "2.4.6"}


def failing(line: str, values: dict[str, Any] | str, backend: str = "cpu", root: Path = Path("/fs")) -> set[str]:
    home = Home(root, line, line)  # type: ignore[arg-type]
    checks = judge(home, Path("python"), backend, values)
    assert all(check.ok or check.remedy for check in checks)
    return {check.name.removeprefix("faceswap ") for check in checks if not check.ok} - {"weights"}


def test_a_good_master_and_its_known_conflicts() -> None:
    assert failing("master", said(**GOOD_MASTER)) == set()
    assert failing("master", said(**{**GOOD_MASTER, "torch": "2.13.0"})) == {"torch", "torchvision"}
    assert failing("master", said(**{**GOOD_MASTER, "torchvision": "0.29.1"})) == {"torchvision"}
    assert failing("master", said(**{**GOOD_MASTER, "keras": "3.10.0"})) == {"keras"}
    assert failing("master", said(**{**GOOD_MASTER, "numpy": "2.5.0"})) == {"numpy"}
    assert failing("master", {**said(**GOOD_MASTER), "python": [3, 10, 1]}) == {"python"}
    assert failing("master", said()) == {"torch", "torchvision", "keras"}


def test_a_good_v2_and_its_known_conflicts() -> None:
    good = {**said(**{"tensorflow-cpu": "2.10.1", "numpy": "1.26.4"}), "python": [3, 10, 13]}
    assert failing("v2.3.0", good) == set()
    broken = {**good, "imports": {"fastcluster": "ImportError: numpy.core", "tkinter": "ModuleNotFoundError"}}
    assert failing("v2.3.0", broken) == {"imports fastcluster", "imports tkinter"}
    assert failing("v2.3.0", {**good, "versions": {"tensorflow": "2.15.0", "numpy": "2.1.0"}}) == {
        "tensorflow",
        "numpy",
    }


def test_backend_and_gpu_must_fit() -> None:
    with_gpu = {**said(**GOOD_MASTER), "gpu": ["NVIDIA A10"]}
    assert failing("master", with_gpu, "cpu") == {"backend"}
    assert failing("master", with_gpu, "nvidia") == set()
    assert failing("master", said(**GOOD_MASTER), "nvidia") == {"backend"}
    assert judge(Home(Path("/fs"), "master", "master"), Path("python"), "nvidia", said(**GOOD_MASTER))[-2].wish


def test_a_python_that_does_not_answer_is_named() -> None:
    assert failing("master", "No such file") == {"python"}


def test_weights_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    home = Home(tmp_path / "fs", "master", "master")
    missing = judge(home, Path("python"), "cpu", said(**GOOD_MASTER))[-1]
    assert not missing.ok and missing.wish and "JSON import" in missing.remedy
    assert missing.detail == "missing: s3fd (s3fd_torch_v3.pth), fan (face-alignment-network_2d4_v4.pth)"
    assert home.weights == tmp_path / "cache" / "galloway" / "faceswap-master"


@pytest.mark.parametrize("line", LINES)
def test_a_lines_own_weights_count_and_no_others(tmp_path: Path, line: str) -> None:
    home = find_home(standin_home(tmp_path / "fs", line))
    mine, others = WEIGHTS[line], next(names for other, names in WEIGHTS.items() if other != line)
    for name in (*others, *(f"{Path(name).stem}.zip" for name in mine), "s3fd_keras_v1.h5"):
        (home.weights / name).touch()
    assert judge(home, Path("python"), "cpu", said())[-1].detail == f"missing: s3fd ({mine[0]}), fan ({mine[1]})"
    for name in mine:
        (home.weights / name).touch()
    assert judge(home, Path("python"), "cpu", said())[-1].ok


@pytest.mark.parametrize(
    ("line", "module"),
    [("master", "av"), ("master", "tensorboard"), ("master", "sklearn"), ("v2.3.0", "sklearn"), ("v2.3.0", "imageio")],
)
def test_an_environment_without_what_the_line_imports_does_not_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, module: str
) -> None:
    seen: list[list[str]] = []

    def ran(command: list[str], **_settings: object) -> subprocess.CompletedProcess[str]:
        seen.append(command)
        return subprocess.CompletedProcess(command, 0, "{}", "")

    monkeypatch.setattr(subprocess, "run", ran)
    probe(Home(tmp_path, line, line), Path("python"), {})  # type: ignore[arg-type]
    assert f"'{module}'" in seen[0][-1]


def test_remedies_are_those_of_the_line() -> None:
    broken = {"fastcluster": "ImportError", "torchvision": "ImportError"}
    for line, pinned in (("v2.3.0", True), ("master", False)):
        home = Home(Path("/fs"), line, line)  # type: ignore[arg-type]
        checks = judge(home, Path("python"), "cpu", {**said(**GOOD_MASTER), "imports": broken})
        remedy = next(check.remedy for check in checks if check.name == "faceswap imports fastcluster")
        assert ("1.2.6" in remedy) == pinned
    without = judge(Home(Path("/fs"), "master", "master"), Path("python"), "cpu", said())
    assert not any("0.15" in check.remedy for check in without)


def test_doctor_runs_the_python_once(tmp_path: Path) -> None:
    assert standin_engine(tmp_path / "good", "master").check().usable
    home = standin_home(tmp_path / "fs", "master")
    report = FaceswapEngine(home, Path(sys.executable)).check()
    assert report.line == "master" and not report.usable
    assert any(check.name == "faceswap torch" and "not there" in check.detail for check in report.checks)


@pytest.mark.parametrize(
    ("lines", "code", "words"),
    [
        (["ERROR A NaN was detected and you have NaN protection enabled."], 1, "NaN"),
        (["tensorflow.python.framework.errors_impl.ResourceExhaustedError: OOM"], 1, "--batch-size"),
        (["torch.OutOfMemoryError: CUDA out of memory."], 1, "--batch-size"),
        (["numpy.core._exceptions.MemoryError: Unable to allocate"], 1, "machine ran out of memory"),
        (["OSError: [Errno 28] No space left on device"], 1, "disk is full"),
        (["ModuleNotFoundError: No module named 'tensorflow'"], 1, "KERAS_BACKEND"),
        (["EOFError: EOF when reading a line"], 1, "FACESWAP_BACKEND"),
        (["The maximum supported PyTorch is version (2, 12)"], 1, "Torch 2.3 to 2.12"),
        (["RuntimeError: operator torchvision::nms does not exist"], 1, "torchvision"),
        (
            [
                "TypeError: Caught TypeError in DataLoader worker process 0.",
                "TypeError: cannot unpack non-iterable NoneType object",
            ],
            1,
            "numpy>=2.4,<2.5",
        ),
        (
            ["Failed to load image 'a_1.png'. Original Error: value: <class 'list'> field: NDArray"],
            1,
            "numpy>=2.4,<2.5",
        ),
        (["ERROR Side B contains fewer than 25 images."], 1, "fewer than 25 faces"),
        (["ERROR something odd"], 1, "something odd"),
        ([], 3, "exit code 3"),
        (["Traceback (most recent call last):", "AssertionError", "CRITICAL An unexpected crash"], 1, "AssertionError"),
        (["libcublasLt.so.12: failed to map segment from shared object"], 1, "machine ran out of memory"),
        ([], -9, "want of memory"),
        ([], -11, "where memory runs out"),
        ([], -15, "signal 15"),
    ],
)
def test_why_it_stopped(lines: list[str], code: int, words: str) -> None:
    message = diagnose("train", code, lines)
    assert words in message and message.startswith("faceswap's train")


def test_weights_that_cannot_be_had_are_told_with_what_to_do(tmp_path: Path) -> None:
    address = "https://example.com/v11.3/s3fd_torch_v3.zip"
    failed = f"Failed to download model. Exiting. (Error: '{{}}', URL: '{address}')"
    for said, words in (
        (failed.format("[Errno 28] No space left on device"), "could not be fetched ([Errno 28] No space left"),
        (failed.format("HTTP Error 416: Requested Range Not Satisfiable"), f"Delete s3fd_torch_v3.zip in {tmp_path}"),
        ("Failed to download model. Exiting.", f"Fetch it from {address}"),
        ("Unable to extract model file: Bad CRC-32", "cannot be unpacked (Bad CRC-32)"),
    ):
        watch = WeightsWatch()
        watch.feed(f"Downloading model: 's3fd_torch' from: {address}")
        assert watch.missing is None
        watch.feed(said)
        assert watch.missing is not None and words in watch.missing.told("extract", tmp_path)


frame_ranges = st.lists(
    st.tuples(st.integers(1, 60), st.integers(0, 20)).map(lambda pair: FrameRange(pair[0], sum(pair))), max_size=4
)


@given(st.integers(0, 80), frame_ranges, frame_ranges)
def test_chosen_frames_are_those_of_the_ranges_but_never_skipped_ones(
    frames: int, ranges: list[FrameRange], skip: list[FrameRange]
) -> None:
    numbers = wanted_frames(frames, ranges, skip)
    for number in range(1, frames + 1):
        chosen = not ranges or any(number in part for part in ranges)
        assert (number in numbers) == (chosen and not any(number in part for part in skip))
    spelled = [tuple(map(int, part.split("-"))) for part in joined(numbers)]
    assert [number for first, last in spelled for number in range(first, last + 1)] == numbers
    assert all(after[0] > before[1] + 1 for before, after in pairwise(spelled))


def hdf5(length: int, promised: int | None = None, version: int = 0) -> bytes:
    at = {0: 40, 2: 28}[version]
    head = bytearray(b"\x89HDF\r\n\x1a\n" + bytes([version]) + bytes(55))
    head[at : at + 8] = struct.pack("<Q", promised or length)
    return bytes(head) + bytes(length - 64)


def state(folder: Path, iterations: int, ending: str = "") -> None:
    (folder / f"dfl_sae_state.json{ending}").write_text(json.dumps({"iterations": iterations}))


@pytest.mark.parametrize("version", [0, 2])
def test_a_whole_model_is_left_alone(tmp_path: Path, version: int) -> None:
    assert model.mend(tmp_path, "dfl-sae") is None
    (tmp_path / "dfl_sae.h5").write_bytes(hdf5(200, version=version))
    state(tmp_path, 7)
    assert model.mend(tmp_path, "dfl-sae") is None
    assert model.iterations(tmp_path, "dfl-sae") == 7


@pytest.mark.parametrize("torn", ["short", "missing", "state", "nothing"])
def test_a_torn_model_gets_its_backup(tmp_path: Path, torn: str) -> None:
    (tmp_path / "dfl_sae.h5").write_bytes(hdf5(200, promised=100000 if torn == "short" else None))
    (tmp_path / "dfl_sae.h5.bk").write_bytes(hdf5(300))
    state(tmp_path, 9)
    state(tmp_path, 5, ".bk")
    if torn == "missing":
        (tmp_path / "dfl_sae.h5").unlink()
    if torn == "state":
        (tmp_path / "dfl_sae_state.json").write_text('{"itera')
    if torn == "nothing":
        (tmp_path / "dfl_sae.h5").write_bytes(b"")
    assert "iteration 5" in str(model.mend(tmp_path, "dfl-sae"))
    assert (tmp_path / "dfl_sae.h5").read_bytes() == hdf5(300)


def test_a_torn_zip_of_the_master_line(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "dfl_sae.keras.bk", "w") as file:
        file.writestr("x", "y")
    (tmp_path / "dfl_sae.keras").write_bytes((tmp_path / "dfl_sae.keras.bk").read_bytes()[:20])
    state(tmp_path, 9)
    state(tmp_path, 5, ".bk")
    assert model.mend(tmp_path, "dfl-sae") is not None
    assert zipfile.is_zipfile(tmp_path / "dfl_sae.keras")


def test_damaged_backups_are_no_help(tmp_path: Path) -> None:
    (tmp_path / "dfl_sae.h5").write_bytes(b"torn")
    (tmp_path / "dfl_sae.h5.bk").write_bytes(b"torn as well")
    state(tmp_path, 9)
    with pytest.raises(EngineError, match="damaged"):
        model.mend(tmp_path, "dfl-sae")


def test_a_folder_is_held_by_one(tmp_path: Path) -> None:
    with model.locked(tmp_path / "m"), pytest.raises(EngineError, match="still training"), model.locked(tmp_path / "m"):
        pass
    with model.locked(tmp_path / "m") as descriptor:
        assert descriptor > 2
