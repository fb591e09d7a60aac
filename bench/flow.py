"""What the way from a video to a swapped video costs, in seconds of the processor, step by step.

    python -m bench.flow [VIDEO] [--frames N] [--quick]

Without VIDEO the demo's footage is taken. Each step is run as the commands run it (embedded engine, all cores): the
doctor's check, extraction, screening's embeddings, conversion. The floor of extraction, measured in the same run on the
same frames: decoding, 68 landmarks and one PNG a face. The peer is the detector alone, run whole on every frame.
`convert` draws with a model of one iteration, which costs what any model of its size costs. Processor seconds, not the
clock's: they are the same on a busy machine.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from galloway.curation.faceset.png.headers import read_header, read_png, write_png
from galloway.curation.screen.crops import Crop, observe_crops
from galloway.curation.screen.pixels import ALIGNED
from galloway.curation.types import FaceId, Side, no_progress
from galloway.pipeline.demo.footage import make_footage
from galloway.pipeline.engines.base import ConvertRequest, ExtractRequest, TrainRequest
from galloway.pipeline.engines.embedded.detect import FaceFinder
from galloway.pipeline.engines.embedded.engine import EmbeddedEngine
from galloway.pipeline.engines.encodings import Encoding
from galloway.pipeline.engines.film import VideoWriter
from galloway.pipeline.engines.frames import Source, open_source
from galloway.pipeline.video import check_video
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
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryDirectory() as room:
        root = Path(room)
        video = options.video or make_footage(root / "footage").clips[Side.A]
        limit = QUICK if options.quick else options.frames
        clip = first_frames(video, root / "clip.mp4", limit) if limit else video
        print(json.dumps(measure(clip, root)))


def measure(clip: Path, root: Path) -> dict[str, float]:
    """Figures by step, all but the last two in processor seconds a frame."""
    source = open_source(clip)
    cost: dict[str, float] = {}
    with counted(cost, "check"):
        report = check_video(clip)
    frames = report.facts.frames
    faces, alignments = root / "faces", root / "clip_alignments.fsa"
    with counted(cost, "extract"):
        found = EmbeddedEngine().extract(ExtractRequest(clip, faces, alignments, root / "work"), no_progress)
    with counted(cost, "screen"):
        observe_crops(_crops(faces, found.faces), jobs=os.cpu_count() or 1, place=ALIGNED)
    model = root / "model"
    EmbeddedEngine().train(
        TrainRequest(faces, faces, model, root / "work", iterations=1, timelapse=False), lambda _event: None
    )
    with counted(cost, "convert"):
        EmbeddedEngine().convert(
            ConvertRequest(clip, alignments, model, root / "swapped.mp4", root / "work"), no_progress
        )
    cost["screen"] = cost["screen"] / max(1, len(found.faces)) * frames  # told a face below
    figures = {step: seconds / frames for step, seconds in cost.items()}
    floor, detector = sampled(source, faces, found.faces, frames)
    _print(frames, len(found.faces), figures, floor, detector)
    return {
        **{name: round(value, 4) for name, value in figures.items()},
        "floor": round(floor, 4),
        "detector": round(detector, 4),
        "ratio_to_floor": round(figures["extract"] / floor, 2),
        "ratio_to_detector": round(figures["extract"] / detector, 2),
    }


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


def _print(frames: int, faces: int, figures: dict[str, float], floor: float, detector: float) -> None:
    print(f"{frames} frames, {faces} faces; processor seconds a frame (screen: a face)\n")
    for step, seconds in figures.items():
        print(f"  {step:<10} {seconds:.4f}")
    print("\nextract beside")
    for what, seconds in (
        ("its floor: decode, landmarks, PNG", floor),
        ("the detector alone on every frame", detector),
    ):
        print(f"  {what:<36} {seconds:.4f}   {figures['extract'] / seconds:.1f} times that")
    print()


if __name__ == "__main__":
    main()
