"""The faceswap engine: the real program, run as one, behind the protocol of `pipeline.engines.base`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from ....curation.types import Progress
from ..base import (
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
from .check import judge, probe
from .config import differing
from .convert import OPTIONS as OF_CONVERT
from .convert import convert
from .extract import IMPORTS, extract
from .extract import OPTIONS as OF_EXTRACT
from .home import backend_of, find_home, model_name
from .model import iterations
from .run import Program
from .switches import Switch, existing, switches
from .train import OPTIONS as OF_TRAIN
from .train import train

__all__ = ["FaceswapEngine"]

_OPTIONS: dict[Step, dict[str, Switch]] = {"extract": OF_EXTRACT, "train": OF_TRAIN, "convert": OF_CONVERT}


class FaceswapEngine:
    """A faceswap checkout and its Python. Nothing of it is imported, nothing is written into it."""

    def __init__(self, home: Path, python: Path, backend: str | None = None, settings: Path | None = None) -> None:
        """`settings` is a folder of settings to lay over the user's own.

        Raises EngineError where `home` is no faceswap of a known line or `backend` is none of its own.
        """
        found = find_home(home)
        # Not resolved: a virtual environment's Python is a link, and knows its environment by the link's place.
        self.program = Program(found, Path(python).absolute(), backend_of(found, backend), settings)

    @classmethod
    def from_settings(cls, home: Path | None, python: Path | None, settings: Path | None = None) -> FaceswapEngine:
        """The engine that settings or environment name; the Python may lie in the checkout's own `venv`."""
        if home is None:
            raise EngineError(
                "Where faceswap is is not known. Set GALLOWAY_FACESWAP_HOME to its folder and GALLOWAY_FACESWAP_PYTHON "
                "to its Python, or use the embedded engine: --engine embedded"
            )
        if python is None:
            beside = [home / name / "bin" / "python" for name in ("venv", ".venv")]
            python = next((path for path in beside if path.exists()), None)
        if python is None:
            raise EngineError("Set GALLOWAY_FACESWAP_PYTHON to the Python that faceswap was installed with.")
        return cls(home, python, settings=settings)

    @property
    def name(self) -> str:
        return "faceswap"

    def check(self) -> EngineReport:
        """Line, version, Python, packages, GPU, weights and conflicts; runs faceswap's Python once (seconds)."""
        program = self.program
        with tempfile.TemporaryDirectory() as folder:
            said = probe(program.home, program.python, program.environment(Path(folder)))
        checks = judge(program.home, program.python, program.backend, said)
        usable = all(check.ok or check.wish for check in checks)
        return EngineReport("faceswap", program.home.line, program.home.version, usable, checks)

    def versions(self) -> dict[str, str]:
        """The checkout's version, its line and the backend."""
        home = self.program.home
        return {"faceswap": home.version, "line": home.line, "backend": self.program.backend}

    def settings(self) -> list[str]:
        """What the workspace's own ini files set, e.g. `train.ini [global] learning_rate = 2e-5`."""
        found = differing(self.program.settings)
        return [f"{file} [{section}] {option} = {value}" for file, section, option, value in found]

    def check_options(self, step: Step, options: Mapping[str, str]) -> None:
        """See `Engine.check_options`."""
        imports = IMPORTS if step == "extract" else ()
        check_options(options, (*_OPTIONS[step], *imports), f"faceswap's {step}")
        switches(options, _OPTIONS[step])
        for option in imports:
            if value := options.get(option):
                existing(option, value)

    def extract(self, request: ExtractRequest, progress: Progress) -> ExtractResult:
        self.check_options("extract", request.options)
        return extract(self.program, request, progress)

    def train(self, request: TrainRequest, on_event: Callable[[TrainEvent], None]) -> TrainResult:
        self.check_options("train", request.options)
        return train(self.program, request, on_event)

    def trained(self, model_dir: Path, model: str) -> int:
        """See `Engine.trained`."""
        return iterations(model_dir, model_name(model))

    def convert(self, request: ConvertRequest, progress: Progress) -> ConvertResult:
        self.check_options("convert", request.options)
        return convert(self.program, request, progress)
