"""Faces of two clips, and the films that need no engine: what `bench.swap` and other benches measure beside theirs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from galloway.curation.faceset.fsa.alignments import read_alignments, write_alignments
from galloway.curation.faceset.png.types import Alignments, FrameFaces
from galloway.curation.types import Side, no_progress
from galloway.pipeline.demo.footage import load_truth, make_footage
from galloway.pipeline.engines.align import face_matrix
from galloway.pipeline.engines.base import ConvertRequest, ExtractRequest, TrainRequest
from galloway.pipeline.engines.embedded.blend import blend
from galloway.pipeline.engines.embedded.data import centre_crops, load_faces
from galloway.pipeline.engines.embedded.engine import EmbeddedEngine
from galloway.pipeline.engines.encodings import chosen_encoding
from galloway.pipeline.engines.film import rewrite
from galloway.pipeline.engines.frames import Frame, open_source
from galloway.pipeline.measures.figures import measure
from galloway.pipeline.measures.see import look, people_of
from galloway.pipeline.measures.values import Measured, People
from numpy.typing import NDArray

from bench.engines import ENDLESS, HOW, MEAN_SIDE, engine_of, keep_wanted

CRF = 12


@dataclass(frozen=True)
class Set:
    """Two clips with their faces, below `folder`: `a` and `b` hold the faces, `clips` the footage."""

    folder: Path
    clips: dict[Side, Path]

    def alignments(self, side: Side) -> Path:
        return self.folder / f"{self.clips[side].stem}_alignments.fsa"


def prepared(folder: Path, a: Path | None, b: Path | None, *, small: bool) -> Set:
    """Faces of both sides, one a frame, the wanted person's where the demo's truth knows."""
    truth = None
    if a is None or b is None:
        footage = make_footage(folder / "footage", small=small).truth.parent
        truth = load_truth(footage / "truth.json")
        a, b = (footage / truth.files[side] for side in Side)
    chosen = Set(folder, {Side.A: a, Side.B: b})
    for side, clip in chosen.clips.items():
        found, known = folder / f"all_{side.value}", chosen.alignments(side)
        EmbeddedEngine().extract(
            ExtractRequest(clip, found, known, folder / f"work_{side.value}", size=512), no_progress
        )
        if truth is None:
            found.rename(folder / side.value)
        else:
            keep_wanted(truth, side, found, folder / side.value)
        keep_faces(known, clip, folder / side.value)
    return chosen


def keep_faces(known: Path, clip: Path, faces: Path) -> None:
    """Leave one face a frame in folder and alignments: the largest of those that lie in the folder."""
    kept = {}
    for name, frame in read_alignments(known).frames.items():
        stem = name.removesuffix(clip.suffix)
        there = [n for n in range(len(frame.faces)) if (faces / f"{stem}_{n}.png").is_file()]
        if not there:
            continue
        best = max(there, key=lambda n: frame.faces[n].w * frame.faces[n].h)
        for n in there:
            if n != best:
                (faces / f"{stem}_{n}.png").unlink()
        kept[name] = FrameFaces([frame.faces[best]])
    write_alignments(known, Alignments(kept), "v2.3")


def measured(chosen: Set, side: Side, film: Path, b: NDArray[np.float64]) -> tuple[Measured, People]:
    """A film's measures beside the clip of `side`."""
    faces = read_alignments(chosen.alignments(side)).frames
    seen = look(open_source(chosen.clips[side]), open_source(film), faces, no_progress)
    people = people_of(seen, b)
    return measure(seen, people), people


def ceiling(chosen: Set, b: NDArray[np.float64], people: People) -> tuple[Measured, People]:
    """B's own clip: no error, and the identity that a perfect swap would have."""
    faces = read_alignments(chosen.alignments(Side.B)).frames
    clip = open_source(chosen.clips[Side.B])
    known = People(people.a, b)
    return measure(look(clip, clip, faces, no_progress), known), known


def swapped(chosen: Set, name: str, minutes: float) -> Path:
    """Train for so many minutes and convert side A's clip."""
    engine, model = engine_of(name), chosen.folder / f"model_{name}"
    engine.train(
        TrainRequest(
            faces_a=chosen.folder / "a",
            faces_b=chosen.folder / "b",
            model_dir=model,
            work_dir=chosen.folder / f"run_{name}",
            model="original" if name == "embedded" else "lightweight",
            iterations=ENDLESS,
            save_every=100,
            timelapse=False,
            minutes=minutes,
        ),
        lambda event: None,
    )
    output = chosen.folder / f"{name}.mp4"
    engine.convert(
        ConvertRequest(
            source=chosen.clips[Side.A],
            alignments=chosen.alignments(Side.A),
            model_dir=model,
            output=output,
            work_dir=chosen.folder / f"run_{name}",
            crf=CRF,
            options=HOW[name]["ab"],
        ),
        no_progress,
    )
    return output


def mean_face(chosen: Set) -> Path:
    """Every face of A's clip covered by the mean of B's: what needs no training at all."""
    crops = centre_crops(load_faces(chosen.folder / "b", MEAN_SIDE).images, MEAN_SIDE)
    mean = np.clip(crops.mean(axis=0) * 255 + 0.5, 0, 255).astype(np.uint8)
    faces = read_alignments(chosen.alignments(Side.A)).frames

    def change(frame: Frame) -> NDArray[np.uint8] | None:
        if frame.name not in faces:
            return None
        points = np.asarray(faces[frame.name].faces[0].landmarks, np.float64)
        matrix = face_matrix(points, MEAN_SIDE)
        return blend(frame.image, mean, matrix, points, mask="extended", colour="avg-color")

    output = chosen.folder / "mean.mp4"
    encoding = chosen_encoding(None, CRF, None, output)
    rewrite(open_source(chosen.clips[Side.A]), output, change, metadata={}, encoding=encoding)
    return output
