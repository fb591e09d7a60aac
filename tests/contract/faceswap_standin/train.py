"""The stand-in's train: counts iterations, saves as each line does, and obeys SIGINT."""

from __future__ import annotations

import argparse
import configparser
import json
import math
import shutil
import signal
import struct
import sys
import time
import zipfile
from pathlib import Path

from galloway.curation.faceset.png.headers import read_header

from tests.contract.faceswap_standin.program import Voice, crash, die, fault

__all__ = ["run"]

_PACE = 0.02
_EXIT = (
    "Exit requested! The trainer will complete its current cycle, save the models and quit (This can take a couple of "
    "minutes depending on your training speed). If you want to kill it now, press Ctrl + c"
)


class _Model:
    """A model folder: weights, state and their backups, written in place as faceswap writes them."""

    def __init__(self, voice: Voice, folder: Path, name: str) -> None:
        stem = name.replace("-", "_")
        self.voice = voice
        self.weights = folder / f"{stem}{'.h5' if voice.old else '.keras'}"
        self.state = folder / f"{stem}_state.json"
        self.saves = 0
        self.best = math.inf
        folder.mkdir(parents=True, exist_ok=True)

    def load(self) -> int:
        """Iterations so far. A torn model is a crash in the real program; here it is found by the file's length."""
        if not self.weights.is_file():
            self.voice.info("No existing state file found. Generating.")
            return 0
        self.voice.info("Using configuration saved in state file")
        self.voice.info(f"Loaded model from disk: '{self.weights}'")
        return int(json.loads(self.state.read_text())["iterations"])

    def save(self, iterations: int, average: float) -> bool:
        """Write the model; True where a backup was made because the loss fell."""
        self.saves += 1
        better = average < self.best and self.saves > 1
        self.best = min(self.best, average)
        if better:
            for path in (self.weights, self.state):
                backup = path.with_name(path.name + ".bk")
                shutil.move(path, backup) if self.voice.old else shutil.copyfile(path, backup)
        self._write(iterations)
        self.state.write_text(json.dumps({"iterations": iterations, "name": self.weights.stem}))
        return better

    def _write(self, iterations: int) -> None:
        body = f"iterations {iterations}".encode() * 50
        if not self.voice.old:
            if fault("tear") == self.saves:
                self.weights.write_bytes(b"PK\x03\x04" + body)
                die()
            with zipfile.ZipFile(self.weights, "w") as file:
                file.writestr("model.weights.h5", body)
            return
        # An HDF5 superblock of version 0: the end-of-file address stands at byte 40.
        head = b"\x89HDF\r\n\x1a\n" + bytes(32) + struct.pack("<Q", 64 + len(body)) + bytes(16)
        if fault("tear") == self.saves:
            self.weights.write_bytes(head + body[:100])
            die()
        self.weights.write_bytes(head + body)


def run(voice: Voice, arguments: argparse.Namespace, folder: Path) -> None:
    """Train; the order of lines is as recorded."""
    for side, faces in (("A", arguments.input_A), ("B", arguments.input_B)):
        count = len(list(Path(faces).glob("*.png")))
        if count < 25:
            voice.log("ERROR", f"Side {side} contains fewer than 25 images.")
            sys.exit(1)
        voice.info(f"Model {side} Directory: '{faces}' ({count} images)")
        if voice.old:
            _require_masks(voice, Path(faces), folder)
    if arguments.no_logs and not voice.old:
        crash(voice, folder, "AssertionError: self._tensorboard")
    if voice.old:
        voice.log("WARNING", "At least one of your input folders contains fewer than 250 images.")
    voice.info("Loading data, this may take a while...")
    voice.info(f"Loading Model from {arguments.trainer.title()} plugin...")
    model = _Model(voice, Path(arguments.model_dir), arguments.trainer)
    start = model.load()
    voice.info("Loading Trainer from Original plugin...")
    stopping: list[int] = []

    def stop(_number: int, _frame: object) -> None:
        stopping.append(1)
        voice.info(_EXIT)

    signal.signal(signal.SIGINT, stop)
    _loop(voice, arguments, folder, model, start, stopping)
    if not stopping:
        voice.info(_EXIT)


def _require_masks(voice: Voice, faces: Path, folder: Path) -> None:
    """v2.3.0 trains on faces with the stored mask of its settings only."""
    settings = configparser.RawConfigParser()
    settings.read(folder / "config" / "train.ini")
    wanted = settings.get("global.loss", "mask_type", fallback="extended").lower()
    for path in sorted(faces.glob("*.png")) if wanted != "none" else []:
        if wanted not in read_header(path).alignment.masks:
            voice.log("ERROR", "Caught exception in thread: '_training'")
            voice.log(
                "ERROR",
                f"You have selected the mask type '{wanted}' but at least one face does not contain the selected mask.",
            )
            voice.log("ERROR", f"The face that failed was: '{path}'")
            sys.exit(1)


def _loop(
    voice: Voice, arguments: argparse.Namespace, folder: Path, model: _Model, start: int, stopping: list[int]
) -> None:
    every, saved_last, losses = int(arguments.save_interval), False, []
    for iteration in range(start + 1, start + int(arguments.iterations) + 1):
        time.sleep(_PACE)
        _trouble(voice, folder, iteration)
        a, b = 0.4 / math.sqrt(iteration), 0.38 / math.sqrt(iteration)
        if fault("collapse") is not None and iteration >= (fault("collapse") or 0):
            a *= 50
        losses.append((a, b))
        voice.loss(iteration, a, b)
        saving = iteration == start + 1 or (iteration - start) % every == 0
        if saved_last and arguments.write_image:
            _preview(folder, iteration)
            if not saving:
                voice.clear()
                voice.info("[Preview Updated]")
        saved_last = saving
        if stopping:
            break
        if saved_last:
            _save(voice, arguments, model, iteration, losses)
            losses.clear()
    _save(voice, arguments, model, iteration, losses, final=True)


def _save(
    voice: Voice,
    arguments: argparse.Namespace,
    model: _Model,
    iteration: int,
    losses: list[tuple[float, float]],
    *,
    final: bool = False,
) -> None:
    voice.clear()
    if not voice.old:
        voice.info("Saving Model...")
    mean = [sum(side) / len(losses) for side in zip(*losses, strict=True)] if losses else []
    backed_up = model.save(iteration, sum(mean) if mean else math.inf)
    if not mean:
        voice.info("[Saved model]")
    elif voice.old:
        voice.info(f"[Saved model] - Average loss since last save: face_a: {mean[0]:.5f}, face_b: {mean[1]:.5f}")
    else:
        text = f"[Saved model] - Average total loss since last save: {sum(mean):.5f}"
        voice.info(text + (" [Model backed up]" if backed_up else ""))
    if arguments.timelapse_output and not final:
        out = Path(arguments.timelapse_output)
        out.mkdir(parents=True, exist_ok=True)
        (out / f"{int(time.time() * 1000)}.jpg").write_bytes(b"time-lapse")


def _preview(folder: Path, iteration: int) -> None:
    from PIL import Image

    Image.new("RGB", (64, 32), (iteration % 256, 80, 120)).save(folder / "training_preview.png")


def _trouble(voice: Voice, folder: Path, iteration: int) -> None:
    if fault("kill") == iteration:
        die()
    if fault("nan") == iteration:
        voice.loss(iteration, math.nan, 0.2)
        voice.clear()
        voice.log("CRITICAL", "NaN Detected. Loss: [nan, 0.2]")
        voice.log("ERROR", "A NaN was detected and you have NaN protection enabled. Training has been terminated.")
        sys.exit(1)
    if fault("oom") == iteration:
        what = "ResourceExhaustedError: OOM when allocating tensor" if voice.old else "torch.OutOfMemoryError: CUDA"
        crash(voice, folder, what)
