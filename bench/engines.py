"""How good are an engine's pictures for its minutes? Held-back faces drawn again and swapped, ours against faceswap.

    python -m bench.engines [--quick] [--minutes 2] [--footage FOLDER]

Both engines train on the demo's approved faces for the same minutes. Frames of both sides that they never saw are then
drawn through their own person's decoder, and counted is how near they come: SSIM inside the face at 128 pixels (1 is
perfect) and the distance of dlib's 68 landmarks, in shares of the distance between the outer corners of the eyes. Side
A's are also swapped, and counted is how well the face follows A's expression and whether it is nearer to B than to A.
CPU minutes are what training took. The peer is faceswap's `lightweight`, run where GALLOWAY_FACESWAP_HOME and
GALLOWAY_FACESWAP_PYTHON name one; a mean face that needs no training is the floor, and one iteration of ours shows
what it begins from.
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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from galloway.curation.faceset.fsa.alignments import write_alignments
from galloway.curation.faceset.png.headers import read_header
from galloway.curation.faceset.png.types import Alignments, FaceAlignment, FrameFaces
from galloway.curation.types import Side, no_progress
from galloway.pipeline.demo.footage import Truth, load_truth, make_footage, truth_of_face
from galloway.pipeline.engines.align import face_matrix
from galloway.pipeline.engines.base import ConvertRequest, Engine, ExtractRequest, TrainRequest
from galloway.pipeline.engines.embedded.engine import EmbeddedEngine
from galloway.pipeline.engines.encodings import Encoding
from galloway.pipeline.engines.film import VideoWriter
from galloway.pipeline.engines.frames import Frame, open_source
from numpy.typing import NDArray

from bench.likeness import Following, held_frames, reconstruction, swapped

HELD_BACK = 4
"""Every fourth wanted frame of each side is held back."""
MEAN_SIDE = 128
ENDLESS = 10**7

Picture = NDArray[np.uint8]


WAYS = ("aa", "bb", "ab")
"""Side A drawn as A, B as B, and A swapped for B."""
HOW = {
    "embedded": {"aa": {"draw": "a"}, "bb": {"side": "b"}, "ab": {}},
    "faceswap": {"aa": {"swap_model": "yes"}, "bb": {}, "ab": {}},
}
"""What each engine is told for that: faceswap's decoder B draws whatever face it is given."""


@dataclass(frozen=True)
class Score:
    """What one engine came to: (SSIM, landmarks' distance) of each side, and of the swap."""

    engine: str
    iterations: int
    cpu_minutes: float
    a: tuple[float, float]
    b: tuple[float, float]
    swap: Following


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three seconds of training, without the peer")
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
        minutes = 0.05 if options.quick else options.minutes
        scores = [mean_face(folder)]
        if not options.quick:
            scores.append(measure("embedded", folder, 0.0))
        scores.append(measure("embedded", folder, minutes, apart=not options.quick))
        ours = scores[-1]
        if peer() is None or options.quick:
            print("faceswap is not measured: give GALLOWAY_FACESWAP_HOME and _PYTHON, and leave --quick out.")
        else:
            scores.append(measure("faceswap", folder, minutes))
    report(scores, ours, against=scores[0] if scores[-1] is ours else scores[-1])


def report(scores: list[Score], ours: Score, against: Score) -> None:
    """The table, the ratio and the line of JSON."""
    print(f"{'':27}{'':11}{'':8}{'side A':>16}{'side B':>16}{'A swapped for B':>27}")
    heads = ("SSIM", "landm.", "SSIM", "landm.", "distance", "agrees", "like B")
    print(f"{'drawn by':27}{'iterations':>11}{'CPU min':>8}" + "".join(f"{head:>9}" for head in heads))
    for score in scores:
        values = (*score.a, *score.b, score.swap.distance, score.swap.agreement, score.swap.like_b)
        shown = "".join(
            f"{value:9.4f}" if head in ("landm.", "distance") else f"{value:9.3f}"
            for head, value in zip(heads, values, strict=True)
        )
        print(f"{score.engine:27}{score.iterations:11}{score.cpu_minutes:8.2f}{shown}")
    figures: dict[str, Any] = {"scores": [asdict(score) for score in scores]}
    figures["against"] = against.engine
    for side in Side:
        (have, near), (want, far) = getattr(ours, side.value), getattr(against, side.value)
        figures[f"dssim_ratio_{side.value}"] = round((1 - want) / (1 - have), 2)
        figures[f"landmarks_ratio_{side.value}"] = round(far / near, 2)
    print(
        f"{against.engine}: faces are {figures['dssim_ratio_a']} (A) and {figures['dssim_ratio_b']} (B) times as "
        f"far away as ours (1 - SSIM), landmarks {figures['landmarks_ratio_a']} and "
        f"{figures['landmarks_ratio_b']} times"
    )
    print(json.dumps(figures))


def peer() -> Engine | None:
    """The faceswap that the environment names."""
    home, python = os.environ.get("GALLOWAY_FACESWAP_HOME"), os.environ.get("GALLOWAY_FACESWAP_PYTHON")
    if not home:
        return None
    from galloway.pipeline.engines.faceswap import FaceswapEngine

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
    with ThreadPoolExecutor(len(Side)) as pool:
        list(pool.map(lambda side: prepare_side(folder, side, source / truth.files[side], truth), Side))


def prepare_side(folder: Path, side: Side, clip: Path, truth: Truth) -> None:
    """The faces of one side and its held-back frames."""
    extracted = folder / f"all_{side.value}"
    work = folder / f"work_{side.value}"
    EmbeddedEngine().extract(ExtractRequest(clip, extracted, folder / f"{clip.stem}_alignments.fsa", work), no_progress)
    keep_wanted(truth, side, extracted, folder / side.value)
    hold_back(folder, side, clip)


def keep_wanted(truth: Truth, side: Side, extracted: Path, target: Path) -> None:
    """Copy the faces that belong into the approved faceset."""
    target.mkdir()
    for path in sorted(extracted.glob("*.png")):
        header = read_header(path)
        if truth_of_face(truth, side, header.source.source_filename, header.alignment.box).wanted:
            shutil.copy(path, target)


def hold_back(folder: Path, side: Side, clip: Path) -> None:
    """Take every HELD_BACKth face of a side away from training and put its frame into `held_<side>.mp4`."""
    names = sorted(path.name for path in (folder / side.value).glob("*.png"))[::HELD_BACK]
    faces: dict[str, FaceAlignment] = {}
    for name in names:
        header = read_header(folder / side.value / name)
        faces[header.source.source_filename] = header.alignment
        (folder / side.value / name).unlink()
    frames: list[Frame] = [frame for frame in open_source(clip).read() if frame.name in faces]
    height, width = frames[0].image.shape[:2]
    held = folder / f"held_{side.value}.mp4"
    with VideoWriter(held, width=width, height=height, rate=Fraction(10), encoding=Encoding("h264", 8)) as writer:
        for frame in frames:
            writer.write(frame.image)
    known = {f"{held.stem}_{n:06d}.mp4": FrameFaces([faces[frame.name]]) for n, frame in enumerate(frames, start=1)}
    write_alignments(folder / f"{held.stem}_alignments.fsa", Alignments(known), "v2.3")


def measure(name: str, folder: Path, minutes: float, *, apart: bool = True) -> Score:
    """Train, then convert and compare; `apart` trains in a process of its own, so that one engine's memory and threads
    are gone before the next begins, at the price of loading TensorFlow twice."""
    whose = resource.RUSAGE_CHILDREN if apart else resource.RUSAGE_SELF
    before = resource.getrusage(whose)
    if apart:
        command = [sys.executable, "-m", "bench.engines", "--train", name, str(folder), str(minutes)]
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        trained = json.loads(said.splitlines()[-1])
    else:
        trained = train(name, folder, minutes)
    after = resource.getrusage(whose)
    cpu = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / 60
    drawn = {way: convert(name, folder, way) for way in WAYS}
    return score_of(folder, trained["engine"], trained["iterations"], cpu, drawn)


def score_of(folder: Path, engine: str, iterations: int, cpu: float, drawn: dict[str, list[Picture]]) -> Score:
    """Compare what was drawn of the held-back frames."""
    held = {side.value: held_frames(folder, side.value) for side in Side}
    own = {side: reconstruction(held[side], drawn[2 * side]) for side in held}
    return Score(engine, iterations, cpu, own["a"], own["b"], swapped(folder, held["a"], drawn["ab"]))


def convert(name: str, folder: Path, way: str) -> list[Picture]:
    """The held-back frames of one side as the engine draws them."""
    held = folder / f"held_{way[0]}.mp4"
    output = folder / f"{name}_{way}.mp4"
    engine_of(name).convert(
        ConvertRequest(
            source=held,
            alignments=folder / f"{held.stem}_alignments.fsa",
            model_dir=folder / f"model_{name}",
            output=output,
            work_dir=folder / f"run_{name}",
            color="avg-color" if way == "ab" else "none",
            options=HOW[name][way],
        ),
        no_progress,
    )
    return [frame.image for frame in open_source(output).read()]


def train(name: str, folder: Path, minutes: float) -> dict[str, Any]:
    """In the child: train one engine."""
    engine = engine_of(name)
    shutil.rmtree(folder / f"model_{name}", ignore_errors=True)
    model = "original" if name == "embedded" else "lightweight"
    result = engine.train(
        TrainRequest(
            faces_a=folder / "a",
            faces_b=folder / "b",
            model_dir=folder / f"model_{name}",
            work_dir=folder / f"run_{name}",
            model=model,
            iterations=ENDLESS if minutes else 1,
            save_every=100,
            timelapse=False,
            minutes=minutes or None,
        ),
        lambda event: print(event.text, file=sys.stderr, flush=True) if event.text else None,
    )
    report = engine.check()
    label = f"{report.engine} {report.line if name != 'embedded' else ''}".strip()
    return {
        "engine": f"{label} {model}" if minutes else "embedded, as it begins",
        "iterations": result.iterations,
        "seconds": time.process_time(),
    }


def mean_face(folder: Path) -> Score:
    """The floor: every held-back face drawn as the mean of the training faces."""
    from galloway.pipeline.engines.embedded.blend import blend
    from galloway.pipeline.engines.embedded.data import centre_crops, load_faces

    drawn = {}
    for way in WAYS:
        crops = centre_crops(load_faces(folder / way[1], MEAN_SIDE).images, MEAN_SIDE)
        mean = np.clip(crops.mean(axis=0) * 255, 0, 255).astype(np.uint8)
        drawn[way] = [
            blend(
                frame.image,
                mean,
                face_matrix(points, MEAN_SIDE),
                points,
                mask="extended",
                colour="avg-color" if way == "ab" else "none",
            )
            for frame, points in held_frames(folder, way[0])
        ]
    return score_of(folder, "the mean face", 0, 0.0, drawn)


if __name__ == "__main__":
    main()
