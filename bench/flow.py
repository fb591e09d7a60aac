"""What the way from a video to a swapped video costs, in seconds of the processor, step by step, and what it finds.

    python -m bench.flow [VIDEO] [--minute] [--frames N] [--quick] [--keep ROOM]
                         [--faceswap CHECKOUT --faceswap-python PYTHON]
    python -m bench.flow --labels FOLDER

Without VIDEO the demo's footage is taken; `--minute` makes one real minute at 1080p of it, looped and scaled. Each step
is run as the commands run it (embedded engine, all cores): the doctor's check, extraction, screening's embeddings,
conversion, the film beside its source. With `--keep` what is done stays in the folder ROOM and a run that was stopped
goes on with the step in which it was. The floor of extraction, measured in the same run on the same frames: decoding,
68 landmarks and one PNG a face. The peer is the detector alone, run whole on every frame; where faceswap is installed
(`--faceswap`, or GALLOWAY_FACESWAP_HOME and GALLOWAY_FACESWAP_PYTHON) also its own extraction of the same film, given
our boxes as JSON (that run needs faceswap's packages, not its weights); where it is not, that is said.
`convert` draws with a model of one iteration, which costs what any model of its size costs. What is spent once, however
long the film is, is told apart and not spread over its frames: loading the libraries, and what extraction and
conversion begin with (detector and landmarks; model, look and graph). Processor seconds, not the clock's; a machine
that is shared makes them longer, so compare ratios.

FOLDER holds `labels.csv` (clip, frame from 0, x, y, w, h, identity, reason, landmarks68) and its clips by the names in
the column `clip`, or `clips.csv` (source, clip) that says which clip a source is. Printed is what was missed, by
identity, size and pose, and how far landmarks lie from the labels'.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pandas as pd
from galloway.curation.faceset.fsa.alignments import read_alignments
from galloway.curation.faceset.png.headers import read_header, read_png, write_png
from galloway.curation.faceset.png.types import FaceAlignment
from galloway.curation.screen.crops import Crop, observe_crops
from galloway.curation.screen.pixels import ALIGNED
from galloway.curation.screen.pose import poses
from galloway.curation.types import FaceId, Side, no_progress
from galloway.pipeline.demo.footage import make_footage
from galloway.pipeline.engines.base import ConvertRequest, EngineError, ExtractRequest, TrainRequest
from galloway.pipeline.engines.beside import show_beside
from galloway.pipeline.engines.embedded.detect import OVERLAP, FaceFinder, overlap
from galloway.pipeline.engines.embedded.engine import EmbeddedEngine
from galloway.pipeline.engines.embedded.model import tensorflow
from galloway.pipeline.engines.embedded.swapper import prepare
from galloway.pipeline.engines.encodings import Encoding
from galloway.pipeline.engines.faceswap.engine import FaceswapEngine
from galloway.pipeline.engines.film import VideoWriter
from galloway.pipeline.engines.frames import Source, open_source
from galloway.pipeline.video import check_video
from numpy.typing import NDArray
from PIL import Image

QUICK = 48
SAMPLE = 24
"""Frames on which floor and peer are measured."""


def main() -> None:
    """Parse the command line, measure and print; the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path, nargs="?", help="default: the demo's footage")
    parser.add_argument("--frames", type=int, help="take so many frames only")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} frames")
    parser.add_argument("--minute", action="store_true", help="loop and scale VIDEO to one minute at 1080p first")
    parser.add_argument("--labels", type=Path, metavar="FOLDER", help="recall on labelled clips instead")
    parser.add_argument("--keep", type=Path, metavar="ROOM", help="keep what is done there, and go on with it")
    home, python = (os.environ.get(f"GALLOWAY_FACESWAP_{name}") for name in ("HOME", "PYTHON"))
    parser.add_argument(
        "--faceswap", type=Path, metavar="CHECKOUT", default=home, help="run its own extraction beside ours"
    )
    parser.add_argument(
        "--faceswap-python", type=Path, metavar="PYTHON", default=python, help="the Python that it is installed with"
    )
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory() as room:
        root = Path(room)
        root.mkdir(parents=True, exist_ok=True)
        if options.labels is not None:
            print(json.dumps(recall(options.labels, root)))
            return
        video = options.video or make_footage(root / "footage").clips[Side.A]
        if options.minute:
            video = one_minute(video, root / "minute.mp4")
        limit = QUICK if options.quick else options.frames
        clip = first_frames(video, root / "clip.mp4", limit) if limit else video
        figures = measure(clip, root)
        print(json.dumps(figures | peer(clip, root, options.faceswap, options.faceswap_python, figures["extract"])))


def one_minute(video: Path, target: Path) -> Path:
    """A minute at 1920x1080 and 30 frames a second, made of the video by repeating and enlarging it."""
    if target.is_file():
        return target
    fit = "scale=1920:1080:force_original_aspect_ratio=decrease,pad=1920:1080:-1:-1,setsar=1,fps=30"
    x264 = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "16", "-pix_fmt", "yuv420p"]
    source = ["-stream_loop", "-1", "-i", str(video), "-t", "60", "-an", "-vf", fit]
    made = target.with_name(f"half-{target.name}")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *source, *x264, str(made)]
    subprocess.run(command, check=True)
    return made.replace(target)


def peer(clip: Path, root: Path, checkout: Path | None, python: Path | None, ours: float) -> dict[str, float | None]:
    """faceswap's own extraction of the same film beside ours, in processor seconds a frame; None where it is not
    installed, which is said with its reason."""
    if checkout is None:
        print("faceswap beside: not installed (no --faceswap CHECKOUT, no GALLOWAY_FACESWAP_HOME)\n")
        return {"faceswap": None}
    cost: dict[str, float] = {}
    request = ExtractRequest(clip, root / "theirs", root / "theirs.fsa", root / "theirs-work")
    try:
        with counted(cost, "faceswap"):
            found = FaceswapEngine.from_settings(checkout, python).extract(request, no_progress)
    except EngineError as error:
        print(f"faceswap beside: it does not run here ({error})\n")
        return {"faceswap": None}
    theirs = cost["faceswap"] / found.frames
    print(f"faceswap, with our boxes and landmarks    {theirs:.4f}   ours takes {ours / theirs:.2f} of that\n")
    return {"faceswap": round(theirs, 4), "ratio_to_faceswap": round(ours / theirs, 2)}


def recall(folder: Path, root: Path) -> dict[str, float]:
    """Print which labelled faces extraction misses and how far its landmarks lie from the labels'."""
    rows = pd.read_csv(folder / "labels.csv")
    if (folder / "clips.csv").is_file():
        rows = rows.merge(pd.read_csv(folder / "clips.csv"), on="source")
    rows = rows[rows["reason"] != "not_face"]
    apart, missed = [0.0], []
    for clip in sorted(set(rows["clip"])):
        mine = rows[rows["clip"] == clip]
        request = ExtractRequest(folder / clip, root / f"{clip}-f", root / f"{clip}.fsa", root / f"{clip}-w")
        cost: dict[str, float] = {}
        with counted(cost, "extract"):
            done = EmbeddedEngine().extract(request, no_progress)
        print(f"{clip}: {done.frames} frames, {len(done.faces)} faces, {cost['extract'] / done.frames:.4f} a frame")
        read = read_alignments(request.alignments).frames
        faces = {int(name.rpartition("_")[2][:6]) - 1: frame.faces for name, frame in read.items()}
        for row in mine.itertuples():
            distance = _nearest(row, faces[row.frame])
            if distance is None:
                size, why = min(row.w, row.h), row.reason if isinstance(row.reason, str) else "clear"
                missed.append(f"{clip} frame {row.frame}: {row.identity}, {size} px, {_pose(row)}, {why}")
            else:
                apart.append(distance)
    middle, most = np.quantile(apart, (0.5, 0.9))
    print(f"found {len(rows) - len(missed)} of {len(rows)} labelled faces; landmarks lie {middle:.4f} of the distance")
    print(
        f"between the eyes from the labels' (nine of ten below {most:.4f}); missed:", *(missed or ["none"]), sep="\n  "
    )
    return {
        "labelled": len(rows),
        "missed": len(missed),
        "landmarks": round(middle, 4),
        "landmarks_p90": round(most, 4),
    }


def _nearest(row: Any, faces: list[FaceAlignment]) -> float | None:
    """How far the landmarks of the face at a labelled box lie from the label's; None where no face is there."""
    box, points = (row.x, row.y, row.x + row.w, row.y + row.h), _points(row)
    near = [face for face in faces if overlap((face.x, face.y, face.x + face.w, face.y + face.h), box) > OVERLAP]
    if not near or points is None:
        return 0.0 if near else None
    eyes = float(np.linalg.norm(points[36] - points[45]))
    return min(float(np.linalg.norm(face.landmarks - points, axis=1).mean()) for face in near) / eyes


def _points(row: Any) -> NDArray[np.float32] | None:
    if not isinstance(row.landmarks68, str):
        return None
    return np.array([pair.split(",") for pair in row.landmarks68.split()], np.float32)


def _pose(row: Any) -> str:
    points = _points(row)
    if points is None:
        return "pose unknown"
    found = poses(points[None])
    return f"yaw {found.yaw[0]:.0f}, pitch {found.pitch[0]:.0f}"


def measure(clip: Path, root: Path) -> dict[str, float]:
    """Figures by step: processor seconds a frame, those of "once" seconds, and ratios."""
    source, engine = open_source(clip), EmbeddedEngine()
    once = {"libraries": seconds_of(_libraries)}  # each time: a room that is kept keeps no library loaded
    faces, alignments, work, model = (root / name for name in ("faces", "clip_alignments.fsa", "work", "model"))
    asked = ExtractRequest(clip, faces, alignments, work)
    cost = {"check": paid(root, "check", lambda: check_video(clip))}
    cost["extract"] = paid(root, "extract", lambda: engine.extract(asked, no_progress), faces, alignments, work)
    found = engine.extract(asked, no_progress)  # done already, so this only reads
    frames, names = found.frames, found.faces
    jobs = os.cpu_count() or 1
    screened = paid(root, "screen", lambda: observe_crops(_crops(faces, names), jobs=jobs, place=ALIGNED))
    cost["screen"] = screened / max(1, len(names)) * frames  # told a face below
    trial = TrainRequest(faces, faces, model, root / "work", iterations=1, timelapse=False)
    paid(root, "(one iteration)", lambda: engine.train(trial, lambda _event: None), model)
    request = ConvertRequest(clip, alignments, model, root / "swapped.mp4", root / "work")
    cost["convert"] = paid(root, "convert", lambda: engine.convert(request, no_progress))
    once |= {"extract": seconds_of(FaceFinder), "convert": seconds_of(lambda: _begun(request, source))}
    for step in ("extract", "convert"):
        cost[step] -= once[step]
    beside = root / "beside.mp4", root / "sheet.png"
    seen = range(1, 9)
    cost["beside"] = paid(root, "beside", lambda: show_beside(source, request.output, seen, *beside, no_progress))
    figures = {step: seconds / frames for step, seconds in cost.items()}
    floor, detector = sampled(source, faces, names, frames)
    _print(frames, len(names), figures, once, floor, detector)
    return {
        "frames": frames,
        **{name: round(value, 4) for name, value in figures.items()},
        **{f"once_{name}": round(seconds, 2) for name, seconds in once.items()},
        "floor": round(floor, 4),
        "detector": round(detector, 4),
        "ratio_to_floor": round(figures["extract"] / floor, 2),
        "ratio_to_detector": round(figures["extract"] / detector, 2),
    }


def _libraries() -> None:
    """Load what steps load when they first need it."""
    FaceFinder()
    tensorflow()


def _begun(request: ConvertRequest, source: Source) -> None:
    """What a conversion does before its second frame."""
    swapper = prepare(request, source)
    swapper.drawn(list(islice(source.read(), 1)))


def seconds_of(work: Callable[[], object]) -> float:
    """The processor seconds of some work."""
    cost: dict[str, float] = {}
    with counted(cost, "work"):
        work()
    return cost["work"]


def paid(room: Path, step: str, work: Callable[[], object], *made: Path) -> float:
    """The processor seconds of a step, done now or by an earlier run with this room. What a stopped run has `made` of
    it goes first, so that all of it is counted."""
    kept = room / "cost.json"
    cost: dict[str, float] = json.loads(kept.read_text()) if kept.is_file() else {}
    if step not in cost:
        for path in made:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        with counted(cost, step):
            work()
        kept.write_text(json.dumps(cost))
    return cost[step]


def sampled(source: Source, faces: Path, names: tuple[str, ...], frames: int) -> tuple[float, float]:
    """(floor, the detector alone) in processor seconds a frame."""
    finder = FaceFinder()
    began = time.process_time()
    some = list(islice(source.read(), SAMPLE))
    pictures = [frame.image for frame in some]
    floor = (time.process_time() - began) / len(some)
    began = time.process_time()
    boxes = [finder.search(picture) for picture in pictures]
    detector = (time.process_time() - began) / len(some)
    seen = [(picture, found) for picture, found in zip(pictures, boxes, strict=True) if found]
    if not seen or not names:
        return floor, detector
    began = time.process_time()
    for picture, found in seen:
        finder.detections(picture, found[:1], 0)
    landmarks = (time.process_time() - began) / len(seen)
    header, pixels = read_png(faces / names[0])
    began = time.process_time()
    for _ in range(SAMPLE):
        write_png(faces / "bench.png", Image.fromarray(pixels), header)
    png = (time.process_time() - began) / SAMPLE
    return floor + (landmarks + png) * len(names) / frames, detector


def first_frames(video: Path, target: Path, count: int) -> Path:
    """A copy of the first frames, as they are stored."""
    source = open_source(video)
    writer = VideoWriter(
        target, width=source.width, height=source.height, rate=source.rate, encoding=Encoding("h264", 12),
        stored=source.stored, look=source.look,
    )  # fmt: skip
    with writer:
        for frame in islice(source.read(), count):
            writer.write_native(frame.native)
    return target


@contextmanager
def counted(cost: dict[str, float], step: str) -> Iterator[None]:
    """Add the processor seconds of a block, with those of the processes that it started."""
    clock: Callable[[], float] = lambda: sum(os.times()[:4])  # noqa: E731
    began = clock()
    yield
    cost[step] = clock() - began


def _crops(folder: Path, names: tuple[str, ...]) -> list[Crop]:
    crops = []
    for number, name in enumerate(names):
        header = read_header(folder / name)
        frame = int(header.source.source_filename.rpartition("_")[2][:6])
        landmarks = header.alignment.landmarks
        crops.append(Crop(FaceId(f"{number:032x}"), folder / name, "clip", frame, landmarks=landmarks))
    return crops


def _print(
    frames: int, faces: int, figures: dict[str, float], once: dict[str, float], floor: float, detector: float
) -> None:
    print(f"{frames} frames, {faces} faces; processor seconds a frame (screen: a face)\n")
    for step, seconds in figures.items():
        print(f"  {step:<10} {seconds:.4f}")
    print("\nspent once, seconds: " + ", ".join(f"{what} {seconds:.2f}" for what, seconds in once.items()))
    print("\nextract beside")
    for what, seconds in (
        ("its floor: decode, landmarks, PNG", floor),
        ("the detector alone on every frame", detector),
    ):
        print(f"  {what:<36} {seconds:.4f}   {figures['extract'] / seconds:.1f} times that")
    print()


if __name__ == "__main__":
    main()
