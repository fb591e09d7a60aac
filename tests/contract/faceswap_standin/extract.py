"""The stand-in's extract: imports detections, or finds one made-up face in each frame where weights are there."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from galloway.curation.faceset.fsa.alignments import read_alignments, write_alignments
from galloway.curation.faceset.png.headers import write_png
from galloway.curation.faceset.png.types import Alignments, FaceAlignment, FaceHeader, FaceSource, FrameFaces
from galloway.pipeline.engines.frames import Frame, open_source
from PIL import Image

from tests.contract.faceswap_standin.program import Voice, die, fault

__all__ = ["WEIGHTS", "run"]

_URL = "https://github.com/deepfakes-models/faceswap-models/releases/download/{}.zip"
_S3FD = {"v2.3.0": "v11.2/s3fd_keras_v2", "master": "v11.3/s3fd_torch_v3"}
_RETINAFACE, _VGGFACE, _BISENET = "v26/retinaface", "v10.2/vggface2", "v14.3/bisnet"
WEIGHTS = {
    "v2.3.0": ("s3fd_keras_v2.h5", "face-alignment-network_2d4_keras_v2.h5"),
    "master": ("s3fd_torch_v3.pth", "face-alignment-network_2d4_v4.pth"),
}
"""Of the detector and the aligner that each line takes by itself."""


def run(voice: Voice, arguments: argparse.Namespace, folder: Path) -> None:
    """Extract one source."""
    source = Path(arguments.input_dir)
    imported = arguments.detector in ("external", "file")
    target = source / "alignments.fsa" if source.is_dir() else source.with_name(f"{source.stem}_alignments.fsa")
    known = _imported(voice, source, target) if imported else None
    if known is None and not (folder / ".fs_cache" / WEIGHTS[voice.line][0]).is_file():
        hangs = not voice.old and arguments.detector == "retinaface"
        _no_weights(voice, folder, _RETINAFACE if hangs else _S3FD[voice.line], hangs=hangs)
    for wanted, model in ((arguments.filter, _VGGFACE), (arguments.masker, _BISENET)):
        if wanted:
            _no_weights(voice, folder, model, hangs=not voice.old)
    done = Alignments(dialect="v2.3" if voice.old else "v3")
    if arguments.skip_existing and target.is_file():
        done = read_alignments(target)
        voice.info(f"Skipping {len(done.frames)} frames due to skip_existing/skip_existing_faces.")
    _frames(voice, arguments, known, done, target)
    write_alignments(target, done, "v2.3" if voice.old else "v3")
    voice.info("-------------------------")
    voice.info(f"Images found:        {len(done.frames)}")
    voice.info(f"Faces detected:      {sum(len(frame.faces) for frame in done.frames.values())}")
    voice.info("-------------------------")


def _imported(voice: Voice, source: Path, target: Path) -> Alignments:
    if voice.old:
        path = (source if source.is_dir() else source.parent) / "import.json"
        voice.info("Importing external data for Detect and Align from json file...")
    else:
        path = target.with_suffix(".json")
    if not path.is_file():
        voice.log("ERROR", "'File' has been selected for a Detect or Align plugin, but no alignments file was found.")
        sys.exit(1)
    json.loads(path.read_text())
    alignments = read_alignments(path)
    voice.info(f"Imported {len(alignments.frames)} frames from '{path}'")
    return alignments


def _no_weights(voice: Voice, folder: Path, model: str, *, hangs: bool) -> None:
    """Both lines say so and leave; but for s3fd, master's other threads wait for ever for the one that left."""
    url, file = _URL.format(model), model.rsplit("/", 1)[-1]
    name = file.rsplit("_", 1)[0]
    voice.info(f"Downloading model: '{name}' from: {url}")
    if fault("unzip"):
        (folder / ".fs_cache" / f"{file}.zip").write_text("<html>Sign in to the network</html>")
        for percent in range(0, 101, 5):
            sys.stderr.write(f"\rDownloading: {percent:3d}%|##    | {percent}.0k/100k [00:01<00:02, 30.1kB/s]")
        voice.info(f"Extracting: '{name}'")
        voice.log("ERROR", "Unable to extract model file: File is not a zip file")
    else:
        for attempt in range(2, 7):
            voice.log("WARNING", f"Error downloading model (<urlopen error>). Retrying {attempt} of 6...")
        voice.log("ERROR", f"Failed to download model. Exiting. (Error: '<urlopen error>', URL: '{url}')")
        voice.info("You can try running again to resume the download.")
    while hangs:
        time.sleep(1)
    sys.exit(1)


def _frames(
    voice: Voice, arguments: argparse.Namespace, known: Alignments | None, done: Alignments, target: Path
) -> None:
    source = open_source(Path(arguments.input_dir))
    frames = [f for f in source.read() if (f.number - 1) % int(arguments.extract_every_n or 1) == 0]
    every = int(arguments.save_interval or 0)
    for count, frame in enumerate(frames, start=1):
        what = "Running pass 1 of 1: Extraction" if voice.old else "Extracting faces"
        voice.bar(what, count, len(frames), stderr=not voice.old)
        if fault("kill") == count:
            die()
        if frame.name in done.frames:
            continue
        faces = known.frames.get(frame.name, FrameFaces()).faces if known else [_made_up(frame)]
        done.frames[frame.name] = FrameFaces(
            [_write(arguments, voice, frame, index, face) for index, face in enumerate(faces)]
        )
        if every and count % every == 0:
            write_alignments(target, done, "v2.3" if voice.old else "v3")
    print(flush=True)


def _made_up(frame: Frame) -> FaceAlignment:
    height, width = frame.image.shape[:2]
    box = (width // 4, height // 4, width // 2, height // 2)
    steps = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    points = np.stack(
        [box[0] + box[2] / 2 + np.cos(steps) * box[2] / 2, box[1] + box[3] / 2 + np.sin(steps) * box[3] / 2], axis=1
    )
    return FaceAlignment(*box, points.astype(np.float32))


def _write(arguments: argparse.Namespace, voice: Voice, frame: Frame, index: int, face: FaceAlignment) -> FaceAlignment:
    size = int(arguments.size)
    crop = Image.fromarray(frame.image).crop((face.x, face.y, face.x + face.w, face.y + face.h)).resize((size, size))
    name = f"{Path(frame.name).stem}_{index}.png"
    video = Path(arguments.input_dir).is_file()
    height, width = frame.image.shape[:2]
    header = FaceHeader(face, FaceSource(name, index, frame.name, video, (height, width)))
    Path(arguments.output_dir).mkdir(parents=True, exist_ok=True)
    write_png(Path(arguments.output_dir) / name, crop, header, dialect="v2.3" if voice.old else "v3")
    return face
