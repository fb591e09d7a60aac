"""How good are an engine's pictures for its minutes? Reconstruction of held-back faces, ours against faceswap.

    python bench/engines.py [--quick] [--minutes 2] [--footage FOLDER]

Both engines train on the demo's approved faces for the same minutes, then draw the right person's faces of frames that
they never saw (side B's faces through B's decoder). Counted is how near they come: SSIM inside the face at 128 pixels
(1 is perfect) and the distance of dlib's 68 landmarks, in shares of the distance between the outer corners of the eyes,
with the CPU minutes that training took. The peer is faceswap's `lightweight`, run where GALLOWAY_FACESWAP_HOME and
GALLOWAY_FACESWAP_PYTHON name one; a mean face that needs no training is shown beside them as the floor.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from curation.faceset.alignments import read_alignments, write_alignments
from curation.faceset.headers import read_header
from curation.faceset.types import Alignments, FaceAlignment, FrameFaces
from curation.types import Side, no_progress
from pipeline.engines.base import ConvertRequest, Engine, ExtractRequest, TrainRequest
from pipeline.engines.embedded import EmbeddedEngine
from pipeline.engines.embedded_align import face_matrix, hull_mask, transform_points, warp
from pipeline.engines.embedded_detect import FaceFinder
from pipeline.engines.frames import Frame, VideoWriter, open_source
from pipeline.footage import Truth, load_truth, make_footage, truth_of_face

CROP = 128
HELD_BACK = 4
"""Every fourth wanted frame of side B is held back."""
ENDLESS = 10**7


@dataclass(frozen=True)
class Score:
    """What one engine came to."""

    engine: str
    iterations: int
    cpu_minutes: float
    ssim: float
    landmarks: float
    faces: int


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few seconds of training, without the peer")
    parser.add_argument("--minutes", type=float, default=2.0, help="training time of each engine, by the clock")
    parser.add_argument("--footage", type=Path, help="a folder that make_footage wrote (default: made anew)")
    parser.add_argument("--train", nargs=3, metavar=("ENGINE", "FOLDER", "MINUTES"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.train:
        print(json.dumps(train(options.train[0], Path(options.train[1]), float(options.train[2]))))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        prepare(folder, options.footage, small=options.quick)
        minutes = 0.1 if options.quick else options.minutes
        scores = [mean_face(folder), measure("embedded", folder, minutes)]
        if peer() is None or options.quick:
            print("faceswap is not measured: give GALLOWAY_FACESWAP_HOME and _PYTHON, and leave --quick out.")
        else:
            scores.append(measure("faceswap", folder, minutes))
    report(scores)


def report(scores: list[Score]) -> None:
    """The table, the ratio and the line of JSON."""
    print(f"{'engine':22}{'iterations':>11}{'CPU min':>9}{'SSIM':>8}{'landmarks':>11}{'faces':>7}")
    for score in scores:
        print(
            f"{score.engine:22}{score.iterations:11}{score.cpu_minutes:9.2f}{score.ssim:8.3f}"
            f"{score.landmarks:11.4f}{score.faces:7}"
        )
    figures: dict[str, Any] = {"scores": [asdict(score) for score in scores]}
    if len(scores) == 3:
        ours, theirs = scores[1], scores[2]
        figures["dssim_ratio"] = round((1 - theirs.ssim) / (1 - ours.ssim), 2)
        figures["landmarks_ratio"] = round(theirs.landmarks / ours.landmarks, 2)
        figures["cpu_ratio"] = round(theirs.cpu_minutes / ours.cpu_minutes, 2)
        print(
            f"faceswap's pictures are {figures['dssim_ratio']} times as far away (1 - SSIM), its landmarks "
            f"{figures['landmarks_ratio']} times, for {figures['cpu_ratio']} times the CPU time"
        )
    print(json.dumps(figures))


def peer() -> Engine | None:
    """The faceswap that the environment names."""
    home, python = os.environ.get("GALLOWAY_FACESWAP_HOME"), os.environ.get("GALLOWAY_FACESWAP_PYTHON")
    if not home:
        return None
    from pipeline.engines.faceswap import FaceswapEngine

    return FaceswapEngine.from_settings(Path(home), Path(python) if python else None)


def engine_of(name: str) -> Engine:
    """The engine by its name."""
    engine = EmbeddedEngine() if name == "embedded" else peer()
    if engine is None:
        raise SystemExit("faceswap is gone from the environment")
    return engine


def prepare(folder: Path, footage: Path | None, *, small: bool) -> None:
    """Footage, faces of both sides, and a clip of held-back frames with its alignments, below `folder`."""
    source = footage or make_footage(folder / "footage", small=small).truth.parent
    truth = load_truth(source / "truth.json")
    for side in Side:
        extracted = folder / f"all_{side.value}"
        clip = source / truth.files[side]
        EmbeddedEngine().extract(
            ExtractRequest(clip, extracted, folder / f"{clip.stem}_alignments.fsa", folder / "work"), no_progress
        )
        keep_wanted(truth, side, extracted, folder / side.value)
    hold_back(folder, source / truth.files[Side.B])


def keep_wanted(truth: Truth, side: Side, extracted: Path, target: Path) -> None:
    """Copy the faces that belong into the approved faceset."""
    target.mkdir()
    for path in sorted(extracted.glob("*.png")):
        header = read_header(path)
        if truth_of_face(truth, side, header.source.source_filename, header.alignment.box).wanted:
            shutil.copy(path, target)


def hold_back(folder: Path, clip: Path) -> None:
    """Take every HELD_BACKth face of B away from training and put its frame into `held.mp4`."""
    names = sorted(path.name for path in (folder / "b").glob("*.png"))[::HELD_BACK]
    faces: dict[str, FaceAlignment] = {}
    for name in names:
        header = read_header(folder / "b" / name)
        faces[header.source.source_filename] = header.alignment
        (folder / "b" / name).unlink()
    frames: list[Frame] = [frame for frame in open_source(clip).read() if frame.name in faces]
    height, width = frames[0].image.shape[:2]
    with VideoWriter(folder / "held.mp4", width=width, height=height, rate=Fraction(10), crf=8) as writer:
        for frame in frames:
            writer.write(frame.image)
    known = {f"held_{n:06d}.mp4": FrameFaces([faces[frame.name]]) for n, frame in enumerate(frames, start=1)}
    write_alignments(folder / "held_alignments.fsa", Alignments(known), "v2.3")


def measure(name: str, folder: Path, minutes: float) -> Score:
    """Train in a process of its own, so that its CPU time can be told, then convert and compare."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, __file__, "--train", name, str(folder), str(minutes)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / 60
    trained = json.loads(said.splitlines()[-1])
    output = folder / f"{name}.mp4"
    engine_of(name).convert(
        ConvertRequest(
            source=folder / "held.mp4",
            alignments=folder / "held_alignments.fsa",
            model_dir=folder / f"model_{name}",
            output=output,
            work_dir=folder / f"run_{name}",
            color="none",
            options={"side": "b"} if name == "embedded" else {},
        ),
        no_progress,
    )
    pictures = [frame.image for frame in open_source(output).read()]
    ssim, landmarks = compare(folder, pictures)
    return Score(trained["engine"], trained["iterations"], cpu, ssim, landmarks, len(pictures))


def train(name: str, folder: Path, minutes: float) -> dict[str, Any]:
    """In the child: train one engine."""
    engine = engine_of(name)
    model = "original" if name == "embedded" else "lightweight"
    result = engine.train(
        TrainRequest(
            faces_a=folder / "a",
            faces_b=folder / "b",
            model_dir=folder / f"model_{name}",
            work_dir=folder / f"run_{name}",
            model=model,
            iterations=ENDLESS,
            save_every=100,
            timelapse=False,
            minutes=minutes,
        ),
        lambda event: print(event.text, file=sys.stderr, flush=True) if event.text else None,
    )
    report = engine.check()
    label = f"{report.engine} {report.line if name != 'embedded' else ''}".strip()
    return {"engine": f"{label} {model}", "iterations": result.iterations, "seconds": time.process_time()}


def compare(folder: Path, drawn: list[NDArray[np.uint8]]) -> tuple[float, float]:
    """Mean SSIM inside the face and mean landmark distance of drawn frames against the held-back ones."""
    finder = FaceFinder()
    held = open_source(folder / "held.mp4")
    alignments = read_alignments(folder / "held_alignments.fsa").frames
    ssim_of: Any = structural_similarity
    likeness, distances = [], []
    for frame, picture in zip(held.read(), drawn, strict=True):
        points = alignments[frame.name].faces[0].landmarks
        matrix = face_matrix(points, CROP)
        inside = hull_mask(transform_points(matrix, points), (CROP, CROP), extended=False) > 0
        want, have = warp(frame.image, matrix, CROP), warp(picture, matrix, CROP)
        _, local = ssim_of(want, have, channel_axis=2, full=True, data_range=255)
        likeness.append(float(local[inside].mean()))
        found = finder.find(picture)
        if found:
            nearest = min(found, key=lambda face: float(np.abs(face.landmarks - points).mean()))
            eyes = float(np.hypot(*(points[36] - points[45])))
            distances.append(float(np.hypot(*(nearest.landmarks - points).T).mean()) / eyes)
    return float(np.mean(likeness)), float(np.mean(distances)) if distances else float("nan")


def mean_face(folder: Path) -> Score:
    """The floor: every held-back face drawn as the mean of the training faces."""
    from pipeline.engines.embedded_blend import blend
    from pipeline.engines.embedded_data import centre_crops, load_faces

    mean = np.clip(centre_crops(load_faces(folder / "b", 64)).mean(axis=0) * 255, 0, 255).astype(np.uint8)
    alignments = read_alignments(folder / "held_alignments.fsa").frames
    drawn = []
    for frame in open_source(folder / "held.mp4").read():
        points = alignments[frame.name].faces[0].landmarks
        matrix = face_matrix(points, 64)
        drawn.append(blend(frame.image, mean, matrix, points, mask="extended", colour="none"))
    ssim, landmarks = compare(folder, drawn)
    return Score("mean face", 0, 0.0, ssim, landmarks, len(drawn))


if __name__ == "__main__":
    main()
