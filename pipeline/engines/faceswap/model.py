"""A model folder between runs: who trains in it, where it stands, and what a kill in the middle of a save left."""

from __future__ import annotations

import json
import os
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ....curation.files import replacing
from ..base import EngineError
from .locks import Held, held, note, noted

__all__ = ["check_runs_nothing", "iterations", "locked", "mend", "same_model"]

_HDF5 = b"\x89HDF\r\n\x1a\n"
_PROGRAM = re.compile(rb'"__lambda__"|"(?:function|output_shape|mask)_type"\s*:\s*"lambda"')
"""How Keras 3 and Keras 2 write down a function as code of its own, which loading the model would run."""
_BLOCK = 1 << 20
_CONFIG_BYTES = 64 << 20


@contextmanager
def locked(model_dir: Path) -> Iterator[int]:
    """Hold the folder for one run; yields the lock's file descriptor, to be passed to faceswap, and to be noted on.

    A faceswap that outlived a killed galloway still holds it. Raises EngineError where somebody else does.
    """
    model_dir.mkdir(parents=True, exist_ok=True)
    lock = model_dir / ".galloway.lock"
    try:
        with held(lock) as descriptor:
            note(descriptor, os.getpid())
            yield descriptor
    except Held as error:
        process = noted(lock)
        who, stop = (
            ("Something", "kill -INT PID, which `ps` shows")
            if process is None
            else (f"Process {process}", f"kill -INT {process}")
        )
        raise EngineError(
            f"{who} is still training in {model_dir}. Wait for its last save, or have it save and stop: {stop}"
        ) from error


def check_runs_nothing(model_dir: Path) -> None:
    """Raise EngineError where a saved model holds code that loading it would run: a Lambda layer of Keras.

    A workspace may come from anybody, and faceswap loads the models in it. Its own models hold no such layers.
    """
    for path in sorted(model_dir.rglob("*")):
        if path.suffix in (".h5", ".keras", ".bk", ".hdf5") and path.is_file() and _holds_program(path):
            raise EngineError(
                f"{path} holds a program (a Lambda layer with code of its own), which would be run when it is loaded; "
                "faceswap's own models hold none. Nothing was run. Delete that file if it is not yours, and train anew."
            )


def _holds_program(path: Path) -> bool:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(".json"):
                    with archive.open(name) as member:
                        if _PROGRAM.search(member.read(_CONFIG_BYTES)):
                            return True
        return False
    before = b""
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            if _PROGRAM.search(before + block):
                return True
            before = block[-64:]
    return False


def same_model(model_dir: Path, name: str) -> None:
    """Raise EngineError where the folder holds a model of another kind: convert could not tell them apart."""
    others = [
        path.name.removesuffix("_state.json")
        for path in model_dir.glob("*_state.json")
        if path.name != f"{_stem(name)}_state.json"
    ]
    if others:
        raise EngineError(
            f"{model_dir} holds a {others[0]!r} model, not {name!r}. Go on with --model {others[0].replace('_', '-')}, "
            "or train into another folder."
        )


def _stem(name: str) -> str:
    """How both lines name a model's files."""
    return name.replace("-", "_")


def iterations(model_dir: Path, name: str) -> int:
    """Iterations of the last save, 0 where there is none."""
    try:
        state = json.loads((model_dir / f"{_stem(name)}_state.json").read_text(encoding="utf-8"))
        return int(state["iterations"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def mend(model_dir: Path, name: str) -> str | None:
    """Put faceswap's own backup in the place of a model that a kill tore in the middle of a save.

    Returns what was done, None where all is well. v2.3.0 moves the model to `.bk` before it writes the next one;
    without this it would find none and start from nothing. Raises EngineError where there is no backup to go back to.
    """
    state = model_dir / f"{_stem(name)}_state.json"
    weights = [model_dir / f"{_stem(name)}{ending}" for ending in (".h5", ".keras")]
    backups = [path for path in weights if path.with_name(path.name + ".bk").is_file()]
    torn = [path for path in weights if path.is_file() and not _whole(path)]
    lost = [path for path in backups if not path.is_file()]
    if not torn and not lost and _readable(state):
        return None
    if not any(path.is_file() for path in (*weights, *backups, state)):
        return None
    if not backups:
        raise EngineError(
            f"{model_dir} was torn in the middle of its first saves and has no backup (.bk). "
            "Move it away and train anew."
        )
    for path in (*backups, state):
        backup = path.with_name(path.name + ".bk")
        if backup.is_file() and _whole(backup, path.suffix):
            with replacing(path) as partial:
                shutil.copyfile(backup, partial)
    if not (_readable(state) and all(_whole(path) for path in backups)):
        raise EngineError(f"{model_dir} and its backups (.bk) are damaged. Move it away and train anew.")
    return f"The last save was cut off; the backup of iteration {iterations(model_dir, name)} took its place."


def _readable(state: Path) -> bool:
    try:
        return isinstance(json.loads(state.read_text(encoding="utf-8")), dict)
    except (OSError, ValueError, RecursionError):
        return False


def _whole(path: Path, suffix: str | None = None) -> bool:
    """Whether a model file was written to its end: an HDF5 file knows its length, a zip ends with its index."""
    suffix = suffix or path.suffix
    if suffix == ".keras":
        return zipfile.is_zipfile(path)
    if suffix == ".json":
        return _readable(path)
    with path.open("rb") as file:
        head = file.read(64)
    # HDF5 specification, superblock versions 0 and 1 (offsets of 8 bytes): end of file address at 40 and 44; version 2
    # and 3 at 28.
    if not head.startswith(_HDF5) or len(head) < 64:
        return False
    at = {0: 40, 1: 44, 2: 28, 3: 28}.get(head[8])
    return at is not None and int.from_bytes(head[at : at + 8], "little") <= path.stat().st_size
