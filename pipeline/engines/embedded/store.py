"""The saved model: one `.npz` with weights, optimiser and state, replaced in one step, with the save before as backup.

Nothing in it is pickled. `embedded_state.json` beside it repeats the state for people to read; only the `.npz` counts.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ....curation.errors import FacesetError
from ....curation.files import replacing, write_atomic
from ..base import EngineError

__all__ = ["MODEL_NAME", "OPTIMISER", "ModelState", "load_model", "save_model"]

MODEL_NAME = "embedded.npz"
OPTIMISER = "optimiser"
"""The part of a model that training alone needs."""
_STATE = "state"


@dataclass(frozen=True, slots=True)
class ModelState:
    """What a model is and how far it is trained. `history` holds (iteration, loss A, loss B) of each save, `share` how
    much of the full learning rate the last iteration had, `faces` the digests of both sides' faces that the looks are
    of. Of a run with an end (`until`, else 0): where it began, and the share that it went on from; who goes on to the
    same end goes on with the same rates."""

    kind: str
    size: int
    seed: int
    iterations: int = 0
    loss_a: float | None = None
    loss_b: float | None = None
    share: float = 0.05
    until: int = 0
    began: int = 0
    before: float | None = None
    faces: tuple[str, ...] = ()
    history: tuple[tuple[int, float, float], ...] = ()


def save_model(folder: Path, arrays: dict[str, NDArray[Any]], state: ModelState) -> Path:
    """Write the model; a kill at any instant leaves this save or the one before. Raises EngineError (disk full …)."""
    path = folder / MODEL_NAME
    text = json.dumps(asdict(state))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            with partial.open("wb") as stream:
                _write(stream, {_STATE: np.frombuffer(text.encode(), np.uint8), **arrays})
            if path.exists():
                backup = path.with_suffix(".npz.bk")
                backup.unlink(missing_ok=True)
                try:
                    backup.hardlink_to(path)
                except OSError:  # no hard links there (exFAT, some network shares)
                    shutil.copyfile(path, backup)
        write_atomic(folder / "embedded_state.json", json.dumps(asdict(state), indent=1) + "\n", durable=False)
    except (OSError, FacesetError) as error:
        raise EngineError(
            f"{path} could not be saved ({error}). The save before stands. Make room, then: galloway train"
        ) from error
    return path


def _write(stream: IO[bytes], arrays: dict[str, Any]) -> None:
    np.savez(stream, **arrays)


def load_model(folder: Path, *, drawing: bool = False) -> tuple[ModelState, dict[str, NDArray[Any]]] | None:
    """The saved model, None where there is none. A damaged file gives way to its backup. For `drawing` alone its
    optimiser is left where it is.

    Raises EngineError where neither can be read.
    """
    candidates = [folder / MODEL_NAME, folder / (MODEL_NAME + ".bk")]
    present = [path for path in candidates if path.is_file()]
    if not present:
        return None
    problem: Exception | None = None
    for path in present:
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
                names = [name for name in stored.files if not (drawing and name.startswith(f"{OPTIMISER}/"))]
                arrays = {name: stored[name] for name in names}
            return _state(arrays.pop(_STATE)), arrays
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            problem = problem or error
    raise EngineError(
        f"{present[0]} cannot be read ({problem}), and no backup can. Move it away and train anew: galloway train"
    )


def _state(stored: NDArray[np.uint8]) -> ModelState:
    value = json.loads(stored.tobytes().decode())
    history = tuple((int(i), float(a), float(b)) for i, a, b in value.pop("history"))
    return ModelState(**value | {"faces": tuple(value.get("faces", ()))}, history=history)
