"""What `galloway doctor` says of a faceswap: line, Python, packages, GPU, weights, conflicts, and each remedy."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..base import Check
from .home import Home, Line

__all__ = ["judge", "probe"]

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
_IMPORTS = {
    "v2.3.0": ("tkinter", "numpy", "cv2", "fastcluster", "sklearn", "imageio", "tensorflow", "tensorboard"),
    "master": ("tkinter", "numpy", "cv2", "fastcluster", "sklearn", "av", "torch", "torchvision", "tensorboard"),
}
_SECONDS = 600
"""The first import of Torch from a cold disk takes minutes."""


def probe(home: Home, python: Path, environment: dict[str, str]) -> dict[str, Any] | str:
    """What faceswap's Python says of itself, or why it says nothing."""
    script = _PROBE % {"packages": _PACKAGES, "imports": _IMPORTS[home.line]}
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
        return Check("faceswap backend", False, f"cpu, though there is a GPU: {', '.join(gpus)}", remedy)
    if not gpus and backend not in ("cpu", "apple_silicon", "directml"):
        remedy = "Set FACESWAP_BACKEND=cpu, or mend the driver."
        return Check("faceswap backend", False, f"{backend}, but no GPU is found", remedy)
    return Check("faceswap backend", True, f"{backend}{': ' + ', '.join(gpus) if gpus else ', no GPU found'}")


_WEIGHTS = {"s3fd": "s3fd", "fan": "face-alignment-network_2d4"}
"""How the files begin in both lines, e.g. face-alignment-network_2d4_keras_v2.h5 and …_v4.pth."""


def _weights(home: Home) -> Check:
    """Weights are wished for, not needed: detections can be imported."""
    names = sorted(path.name for path in home.weights.glob("*")) if home.weights.is_dir() else []
    missing = [name for name, start in _WEIGHTS.items() if not any(have.startswith(start) for have in names)]
    remedy = (
        f"They are fetched at the first extraction, or put into {home.weights} by hand; "
        "our own detections (JSON import) need none: galloway extract --engine faceswap --detector galloway"
    )
    detail = f"missing: {', '.join(missing)}" if missing else ", ".join(names)
    return Check("faceswap weights", not missing, detail, remedy if missing else "")
