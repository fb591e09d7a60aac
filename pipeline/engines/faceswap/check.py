"""What `galloway doctor` says of a faceswap: line, Python, packages, GPU, weights, conflicts, and each remedy."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..base import Check
from .home import Home, Line

__all__ = ["judge", "probe", "without_card"]

_PACKAGES = ("numpy", "tensorflow", "tensorflow-cpu", "torch", "torchvision", "keras", "fastcluster", "opencv-python")

# Runs in faceswap's Python and prints one JSON object. It imports libraries, nothing of faceswap.
_PROBE = """
import importlib, json, sys
from importlib import metadata
out = {"python": list(sys.version_info[:3]), "versions": {}, "imports": {}, "gpu": None}
for name in %(packages)r:
    try:
        out["versions"][name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        pass
for name in %(imports)r:
    try:
        importlib.import_module(name)
        out["imports"][name] = ""
    except Exception as error:
        out["imports"][name] = f"{type(error).__name__}: {error}"[:300]
try:
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        out["gpu"] = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    elif "tensorflow" in sys.modules:
        out["gpu"] = [gpu.name for gpu in sys.modules["tensorflow"].config.list_physical_devices("GPU")]
except Exception as error:
    out["gpu_error"] = str(error)[:300]
print("\\n" + json.dumps(out))
"""
_IMPORTS: dict[Line, tuple[str, ...]] = {
    "v2.3.0": ("tkinter", "numpy", "cv2", "fastcluster", "sklearn", "imageio", "tensorflow", "tensorboard"),
    "master": ("tkinter", "numpy", "cv2", "fastcluster", "sklearn", "av", "torch", "torchvision", "tensorboard"),
}
_SECONDS = 600
"""The first import of Torch from a cold disk takes minutes."""
_ON_CARDS = ("nvidia", "rocm")
"""Backends whose cards Torch and TensorFlow name; of the others they say nothing that helps."""


def probe(
    home: Home, python: Path, environment: dict[str, str], imports: tuple[str, ...] | None = None
) -> dict[str, Any] | str:
    """What faceswap's Python says of itself and of `imports` (default: all that the line imports), or why it says
    nothing."""
    script = _PROBE % {"packages": _PACKAGES, "imports": imports or _IMPORTS[home.line]}
    try:
        run = subprocess.run(
            [str(python), "-c", script],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env=environment,
            timeout=_SECONDS,
            check=False,
        )
        said: dict[str, Any] = json.loads(run.stdout.strip().splitlines()[-1])
        return said
    except subprocess.TimeoutExpired:
        return f"it did not answer within {_SECONDS} s"
    except (IndexError, ValueError):
        return (run.stderr.strip().splitlines() or ["it said nothing"])[-1]
    except OSError as error:
        return str(error)


def without_card(home: Home, python: Path, backend: str, environment: dict[str, str]) -> str:
    """In words that a training for a graphics card will use the processor; empty where it will not, or who knows.

    Neither line says so: v2.3.0 asks the driver for cards, and silences TensorFlow, which then finds no CUDA; master
    asks Torch, and goes on without. So the library is asked (seconds, for its import).
    """
    name = "TensorFlow" if home.line == "v2.3.0" else "Torch"
    said = probe(home, python, environment, (name.lower(),)) if backend in _ON_CARDS else ""
    # Where the library cannot be imported, gpu is null, and the training says so itself.
    if isinstance(said, str) or said.get("gpu") != []:
        return ""
    return (
        f"The backend is {backend}, but faceswap's {name} finds no graphics card: it trains on the processor, many "
        f"times slower. Mend the driver, or install the {name} that is built for the card; see: galloway faceswap check"
    )


def judge(home: Home, python: Path, backend: str, said: dict[str, Any] | str) -> tuple[Check, ...]:
    """One line each, in the order of what to mend first. Pure: takes what `probe` gave."""
    checks = [Check("faceswap", True, f"{home.line} line, version {home.version}, in {home.root}")]
    if isinstance(said, str):
        remedy = "Set GALLOWAY_FACESWAP_PYTHON to the Python of the environment that faceswap was installed into."
        return (*checks, Check("faceswap python", False, f"{python} cannot be used: {said}", remedy))
    return (
        *checks,
        _python(home, python, tuple(said["python"])),
        *_imports(home.line, said),
        *(_v2 if home.line == "v2.3.0" else _master)(said["versions"]),
        _backend(backend, said.get("gpu") or []),
        _weights(home),
    )


def _python(home: Home, python: Path, version: tuple[int, ...]) -> Check:
    low, high = ((3, 10), (3, 10)) if home.line == "v2.3.0" else ((3, 11), (3, 13))
    spelled = ".".join(map(str, version))
    wanted = "3.10" if low == high else "3.11 to 3.13"
    remedy = f"Make an environment of Python {wanted} for faceswap {home.line} and set GALLOWAY_FACESWAP_PYTHON to it."
    return Check("faceswap python", low <= version[:2] <= high, f"Python {spelled} at {python}", remedy)


def _imports(line: Line, said: dict[str, Any]) -> Iterator[Check]:
    for name, error in said["imports"].items():
        if error:
            remedy = _IMPORT_REMEDY_V2.get(name) if line == "v2.3.0" else None
            remedy = remedy or _IMPORT_REMEDY.get(name) or _INSTALL.format(name=_PACKAGE_OF.get(name, name))
            yield Check(f"faceswap imports {name}", False, error, remedy)


_INSTALL = "Install faceswap's requirements into its own environment ({name} is missing or broken)."
_PACKAGE_OF = {"cv2": "opencv-python", "sklearn": "scikit-learn"}
_IMPORT_REMEDY = {
    "tkinter": "Use a Python that was built with Tk (Debian: apt install python3-tk); no window is ever opened.",
    "torchvision": "Install the torchvision that belongs to the Torch there: 0.(minor + 15), e.g. Torch 2.9 with 0.24.",
}
_IMPORT_REMEDY_V2 = {
    "fastcluster": "fastcluster 1.3.0 is not built for NumPy 1.26: pip install fastcluster==1.2.6",
}


def _numbers(version: str) -> tuple[int, int]:
    """The first two numbers of a version; (0, 0) where it has none."""
    parts = version.split("+")[0].split(".")
    try:
        return int(parts[0]), int(parts[1])
    except (ValueError, IndexError):
        return (0, 0)


def _v2(versions: dict[str, str]) -> Iterator[Check]:
    tensorflow = versions.get("tensorflow") or versions.get("tensorflow-cpu") or ""
    yield Check(
        "faceswap tensorflow",
        _numbers(tensorflow) == (2, 10),
        f"TensorFlow {tensorflow or 'is not there'}",
        "v2.3.0 runs on TensorFlow 2.10 only: pip install 'tensorflow-cpu>=2.10,<2.11' (or tensorflow for a GPU)",
    )
    numpy = versions.get("numpy", "")
    yield Check(
        "faceswap numpy",
        bool(numpy) and _numbers(numpy) < (2, 0),
        f"NumPy {numpy or 'is not there'}",
        "TensorFlow 2.10 needs NumPy 1: pip install numpy==1.26.4 fastcluster==1.2.6",
    )


def _master(versions: dict[str, str]) -> Iterator[Check]:
    torch, vision, keras = (versions.get(name, "") for name in ("torch", "torchvision", "keras"))
    yield Check(
        "faceswap torch",
        (2, 3) <= _numbers(torch) <= (2, 12),
        f"Torch {torch or 'is not there'}",
        "master refuses Torch below 2.3 and above 2.12: pip install 'torch>=2.3,<2.13'",
    )
    pair = (0, _numbers(torch)[1] + 15)
    yield Check(
        "faceswap torchvision",
        bool(vision) and (not torch or _numbers(vision) == pair),
        f"torchvision {vision or 'is not there'}",
        f"It must belong to the Torch there: pip install 'torchvision=={pair[0]}.{pair[1]}.*'"
        if torch
        else "Install Torch first, then the torchvision of its release: 0.(minor + 15), e.g. Torch 2.9 with 0.24.",
    )
    yield Check(
        "faceswap keras",
        _numbers(keras) == (3, 14),
        f"Keras {keras or 'is not there'}, run on Torch (KERAS_BACKEND is set for each run)",
        "pip install 'keras>=3.14.1,<3.15'",
    )
    if numpy := versions.get("numpy"):
        yield Check(
            "faceswap numpy",
            _numbers(numpy) < (2, 5),
            f"NumPy {numpy}",
            "master does not understand its own faces' headers with NumPy 2.5: pip install 'numpy>=2.4,<2.5'",
        )


def _backend(backend: str, gpus: list[str]) -> Check:
    if gpus and backend == "cpu":
        remedy = "Set FACESWAP_BACKEND=nvidia (or rocm) to train on it."
        return Check("faceswap backend", False, f"cpu, though there is a GPU: {', '.join(gpus)}", remedy, wish=True)
    if not gpus and backend in _ON_CARDS:
        remedy = "Set FACESWAP_BACKEND=cpu, or mend the driver."
        return Check("faceswap backend", False, f"{backend}, but no GPU is found", remedy, wish=True)
    return Check("faceswap backend", True, f"{backend}{': ' + ', '.join(gpus) if gpus else ', no GPU found'}")


_WEIGHTS: dict[Line, dict[str, str]] = {
    "v2.3.0": {"s3fd": "s3fd_keras_v2.h5", "fan": "face-alignment-network_2d4_keras_v2.h5"},
    "master": {"s3fd": "s3fd_torch_v3.pth", "fan": "face-alignment-network_2d4_v4.pth"},
}
"""Of the detector and the aligner that a line takes by itself: the file that it loads, no other will do."""


def _weights(home: Home) -> Check:
    """Weights are wished for, not needed: detections can be imported."""
    files = _WEIGHTS[home.line]
    missing = [f"{name} ({file})" for name, file in files.items() if not (home.weights / file).is_file()]
    remedy = (
        f"They are fetched at the first extraction, or put into {home.weights} by hand; "
        "our own detections (JSON import) need none: galloway extract --engine faceswap --detector galloway"
    )
    detail = f"missing: {', '.join(missing)}" if missing else ", ".join(files.values())
    return Check("faceswap weights", not missing, detail, remedy if missing else "", wish=True)
