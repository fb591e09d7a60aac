"""The embedded engine: installs from the package index, needs nothing else, for trying and for small work.

Detector and landmarks from packages that ship their weights, a shared-encoder two-decoder autoencoder in Keras on
TensorFlow, conversion with mask, colour match and the original sound. Its files are faceswap's, so work moves on.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from ....curation.spread import Spread
from ....curation.types import Progress
from ....extras import install
from ..base import (
    Check,
    ConvertRequest,
    ConvertResult,
    EngineError,
    EngineReport,
    ExtractRequest,
    ExtractResult,
    Step,
    TrainEvent,
    TrainRequest,
    TrainResult,
    check_options,
)

__all__ = ["EmbeddedEngine"]

REMEDY = install("embedded")
_PACKAGES = (
    ("onnxruntime", ("onnxruntime",)),
    ("dlib", ("dlib-bin", "dlib")),
    ("tensorflow", ("tensorflow", "tensorflow_cpu")),
    ("keras", ("keras",)),
)
"""Modules that are imported, and the distributions that bring them."""
_OPTIONS: dict[Step, tuple[str, ...]] = {
    "extract": ("threshold",),
    "train": ("size", "mirror", "occlusion", "detail"),
    "convert": ("side", "draw", "occlusion"),
}


class EmbeddedEngine:
    """`pipeline.engines.base.Engine` in this process, or with its frames `spread` over workers. Holds no state."""

    name = "embedded"

    def __init__(self, spread: Spread | None = None) -> None:
        self._spread = spread

    def check(self) -> EngineReport:
        """Whether packages and weights are there; nothing heavy is imported."""
        checks = (*(_package_check(*package) for package in _PACKAGES), *_weight_checks())
        usable = all(check.ok for check in checks)
        return EngineReport("embedded", "embedded", importlib.metadata.version("galloway"), usable, checks)

    def versions(self) -> dict[str, str]:
        """Of the packages that do the work, as they are installed."""
        found = {"galloway": importlib.metadata.version("galloway")}
        for _, distributions in _PACKAGES:
            for distribution in distributions:
                with suppress(importlib.metadata.PackageNotFoundError):
                    found[distribution] = importlib.metadata.version(distribution)
        return found

    def settings(self) -> list[str]:
        """None: everything is an option of the command."""
        return []

    def check_options(self, step: Step, options: Mapping[str, str]) -> None:
        """See `Engine.check_options`."""
        check_options(options, _OPTIONS[step], f"The embedded engine's {step}")

    def extract(self, request: ExtractRequest, progress: Progress) -> ExtractResult:
        """See `Engine.extract`; resumable."""
        self.check_options("extract", request.options)
        from .extract import extract

        return extract(request, progress, self._spread)

    def train(self, request: TrainRequest, on_event: Callable[[TrainEvent], None]) -> TrainResult:
        """See `Engine.train`; goes on with a model that is there."""
        self.check_options("train", request.options)
        self._require_packages()
        from .train import train

        return train(request, on_event)

    def trained(self, model_dir: Path, model: str) -> int:
        """See `Engine.trained`."""
        from .store import load_model

        saved = load_model(model_dir, drawing=True)
        return saved[0].iterations if saved else 0

    def convert(self, request: ConvertRequest, progress: Progress) -> ConvertResult:
        """See `Engine.convert`; the mp4 appears whole or not at all."""
        self.check_options("convert", request.options)
        self._require_packages()
        from .convert import convert

        return convert(request, progress, self._spread)

    def _require_packages(self) -> None:
        missing = [check.name for check in self.check().checks if not check.ok]
        if missing:
            raise EngineError(f"The embedded engine lacks {', '.join(missing)}. Install what is missing: {REMEDY}")


def _package_check(module: str, distributions: tuple[str, ...]) -> Check:
    if importlib.util.find_spec(module) is None:
        return Check(module, False, f"the package {distributions[0]} is not installed", REMEDY, "embedded")
    for distribution in distributions:
        try:
            return Check(module, True, f"{distribution} {importlib.metadata.version(distribution)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return Check(module, True, "installed")


def _weight_checks() -> list[Check]:
    from .detect import centerface_file, landmarks_file

    checks = []
    for name, find in (("face detector", centerface_file), ("face landmarks", landmarks_file)):
        try:
            path = find()
        except EngineError as error:
            checks.append(Check(name, False, str(error).split(". ")[0], REMEDY, "embedded"))
        else:
            checks.append(Check(name, True, f"{path.name}, {path.stat().st_size / 1e6:.1f} MB"))
    return checks
