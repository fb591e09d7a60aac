"""How near drawn faces come: to the frames they stand for, to the expression they follow, to the person they show."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from galloway.curation.faceset.fsa.alignments import read_alignments
from galloway.curation.faceset.png.headers import read_png
from galloway.curation.screen.embed import DlibEmbedder
from galloway.pipeline.engines.align import (
    face_matrix,
    head_matrix,
    hull_mask,
    normalising_matrix,
    transform_points,
    warp,
)
from galloway.pipeline.engines.embedded.detect import FaceFinder
from galloway.pipeline.engines.frames import Frame, open_source
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

__all__ = ["Following", "held_frames", "reconstruction", "swapped"]

CROP = 128
FACES_OF_A_PERSON = 30

Picture = NDArray[np.uint8]
Points = NDArray[np.float64]


@dataclass(frozen=True)
class Following:
    """How swapped faces follow side A, and whom they show.

    `distance` is how far their landmarks are from A's, aligned by the inner face and each counted from its own mean,
    in shares of the distance between the eyes' outer corners; 0 is the same expression. `agreement` is the correlation
    of the same movements (1 is perfect). `like_b` is the share of faces nearer to B than to A in the embedding that
    screening uses.
    """

    distance: float
    agreement: float
    like_b: float


def held_frames(folder: Path, side: str) -> list[tuple[Frame, Points]]:
    """The held-back frames of a side, each with its face's landmarks."""
    alignments = read_alignments(folder / f"held_{side}_alignments.fsa").frames
    frames = open_source(folder / f"held_{side}.mp4").read()
    return [(frame, np.asarray(alignments[frame.name].faces[0].landmarks, np.float64)) for frame in frames]


def reconstruction(held: list[tuple[Frame, Points]], drawn: list[Picture]) -> tuple[float, float]:
    """Mean SSIM inside the face at CROP pixels, and mean distance of the landmarks that are found in both."""
    ssim_of: Any = structural_similarity
    likeness, distances = [], []
    for (frame, points), picture in zip(held, drawn, strict=True):
        matrix = face_matrix(points, CROP)
        inside = hull_mask(transform_points(matrix, points), (CROP, CROP), extended=False) > 0
        want, have = warp(frame.image, matrix, CROP), warp(picture, matrix, CROP)
        _, local = ssim_of(want, have, channel_axis=2, full=True, data_range=255)
        likeness.append(float(local[inside].mean()))
        found = _landmarks(picture, points)
        if found is not None:
            distances.append(float(np.hypot(*(found - points).T).mean()) / _eyes(points))
    return float(np.mean(likeness)), float(np.mean(distances)) if distances else float("nan")


def swapped(folder: Path, held: list[tuple[Frame, Points]], drawn: list[Picture]) -> Following:
    """How side A's swapped frames follow the frames they were made from; `folder` holds both sides' faces."""
    embed, person = _embedder(), {side: _person(folder / side) for side in "ab"}
    wanted, had, like_b = [], [], []
    for (_, points), picture in zip(held, drawn, strict=True):
        found = _landmarks(picture, points)
        if found is not None:
            wanted.append(transform_points(normalising_matrix(points), points)[17:])
            had.append(transform_points(normalising_matrix(found), found)[17:])
        vector = embed(picture, points.astype(np.float32)).vector
        to = {side: float(np.linalg.norm(vector - person[side])) for side in "ab"}
        like_b.append(to["b"] < to["a"])
    if len(wanted) < 2:
        return Following(float("nan"), float("nan"), float(np.mean(like_b)))
    one, other = (np.stack(shapes) - np.mean(shapes, axis=0) for shapes in (wanted, had))
    eyes = float(np.mean([np.hypot(*(shape[28] - shape[19])) for shape in wanted]))
    distance = float(np.hypot(*(one - other).reshape(-1, 2).T).mean()) / eyes
    agreement = float((one * other).sum() / np.sqrt((one**2).sum() * (other**2).sum()))
    return Following(distance, agreement, float(np.mean(like_b)))


@cache
def _finder() -> FaceFinder:
    """Loaded once: it takes as long as finding in ten frames."""
    return FaceFinder()


@cache
def _embedder() -> DlibEmbedder:
    return DlibEmbedder()


def _landmarks(picture: Picture, near: Points) -> Points | None:
    """The landmarks of the face that is found nearest to `near`."""
    found = _finder().find(picture)
    if not found:
        return None
    return np.asarray(min(found, key=lambda face: float(np.abs(face.landmarks - near).mean())).landmarks, np.float64)


def _eyes(points: Points) -> float:
    return float(np.hypot(*(points[36] - points[45])))


@cache
def _person(folder: Path) -> NDArray[np.float32]:
    """The mean embedding of a person's faces; they are the same for every engine."""
    embed = _embedder()
    paths = sorted(folder.glob("*.png"))
    vectors = []
    for path in paths[:: max(1, len(paths) // FACES_OF_A_PERSON)]:
        header, pixels = read_png(path)
        landmarks = header.alignment.landmarks
        inside = transform_points(head_matrix(landmarks, pixels.shape[0]), landmarks)
        vectors.append(embed(pixels, inside.astype(np.float32)).vector)
    return np.asarray(np.mean(vectors, axis=0), np.float32)
