"""Facesets for `bench/people.py`: a folder of labelled crops as a workspace holds faces, and tracks grown from it.

A crop is a detector's box with half its size around it; faceswap's engines write heads with the face lower down. So
each crop is set into a larger square (edges repeated) with its face where theirs is, and gets a header and a frame
number.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from galloway.curation.pictures import open_picture
from galloway.curation.screen.crops import read_pixels
from galloway.curation.screen.pixels import ALIGNED, CENTRED
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

__all__ = ["COLUMNS", "LabelledFace", "LabelledSet", "grown", "read_sets", "together"]

COLUMNS = ["file", "set", "source", "frame", "w", "h", "identity", "keep", "reason"]
_PLACE = ["x", "y"]
_STILLS_APART = 100
"""Photographs are no moments of one clip: their numbers are farther apart than any near-copy may be."""
_REASONS = {
    "not_face": "not_a_face",
    "other_identity": "another_person",
    "blurred": "blurred",
    "occluded": "covered",
    "extreme_pose": "bad_crop",
}


@dataclass(frozen=True, slots=True)
class LabelledFace:
    """A crop and what is true of it. `step` counts the moments of a grown track; 0 is the crop as it is."""

    path: Path
    frame: int
    wanted: bool
    reason: str | None
    box: tuple[int, int, int, int]
    step: int = 0

    def pixels(self) -> NDArray[np.uint8]:
        """RGB, the face where a head crop has it."""
        placed = _placed(read_pixels(self.path))
        return placed if not self.step else _a_moment_later(placed, self.step, f"{self.path.name}-{self.step}")


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """The faces of one set, in frame order, and photographs of the person who is wanted."""

    name: str
    faces: tuple[LabelledFace, ...]
    references: tuple[Path, ...]

    @property
    def wanted(self) -> int:
        return sum(face.wanted for face in self.faces)


def read_sets(folder: Path) -> list[LabelledSet]:
    """Every set of the folder. A labelled `duplicate` is as good a face as the one that it repeats."""
    rows = _rows(folder)
    photographs = pd.read_csv(folder / "references.csv")
    return [
        LabelledSet(
            str(name),
            tuple(_faces(folder, part)),
            tuple(folder / str(file) for file in photographs[photographs["set"] == name]["file"]),
        )
        for name, part in rows.groupby("set", sort=True)
    ]


def together(folder: Path) -> list[LabelledSet]:
    """All faces of the folder as one set, once for the person of each set. A stranger of one set may be the person who
    is wanted from another."""
    rows = _rows(folder)
    sets = []
    for item in pd.read_csv(folder / "references.csv").itertuples():
        everything = rows.copy()
        same = everything["identity"].astype(str) == str(item.identity)
        everything.loc[~same & _kept(everything), ["keep", "reason"]] = [0, "other_identity"]
        everything.loc[same & (everything["reason"] == "other_identity"), ["keep", "reason"]] = [1, None]
        sets.append(LabelledSet(f"all:{item.set}", tuple(_faces(folder, everything)), (folder / str(item.file),)))
    return sets


def grown(labelled: LabelledSet, faces: int) -> LabelledSet:
    """The set with as many faces: each one's track goes on, turned, relit, blurred a little and encoded once more."""
    count = len(labelled.faces)
    moments: list[LabelledFace] = []
    number = 1
    for place, face in enumerate(labelled.faces):
        for step in range(faces // count + (place < faces % count)):
            moments.append(LabelledFace(face.path, number, face.wanted, face.reason, face.box, step))
            number += 1
        number += _STILLS_APART
    return LabelledSet(labelled.name, tuple(moments), labelled.references)


def _faces(folder: Path, rows: pd.DataFrame) -> Iterator[LabelledFace]:
    number = 1
    kept = _kept(rows)
    last: tuple[str, int] | None = None
    for row, wanted in zip(rows.itertuples(), kept.tolist(), strict=True):
        clip, frame = str(row.source), int(row.frame) if str(row.source).endswith(".mp4") else -1
        same = last is not None and last[0] == clip and frame > last[1] >= 0
        number += min(frame - last[1], _STILLS_APART) if same and last is not None else _STILLS_APART
        last = (clip, frame)
        reason = None if wanted else _REASONS.get(str(row.reason), "bad_crop")
        yield LabelledFace(folder / str(row.file), number, bool(wanted), reason, _box(row, number, frame >= 0))


def _rows(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "labels.csv", usecols=lambda name: name in {*COLUMNS, *_PLACE})


def _box(row: Any, number: int, moving: bool) -> tuple[int, int, int, int]:
    """Where the face was in its frame; photographs, and faces whose place is not told, share none with another."""
    apart = 0 if moving and hasattr(row, "x") else 1_000 * (number // _STILLS_APART % 60)
    return int(getattr(row, "x", 0)) + apart, int(getattr(row, "y", 0)), int(row.w), int(row.h)


def _kept(rows: pd.DataFrame) -> pd.Series:
    return (rows["keep"] == 1) | (rows["reason"] == "duplicate")


def _placed(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The crop in a square in which its face is where head crops have it."""
    size = crop.shape[0]
    side = round(size * CENTRED.side / ALIGNED.side)
    left = round(side * ALIGNED.x - size * CENTRED.x)
    top = round(side * ALIGNED.y - size * CENTRED.y)
    beyond = max(left, top, side - size - left, side - size - top, 0)
    wide = np.pad(crop, ((beyond, beyond), (beyond, beyond), (0, 0)), mode="edge")
    return np.ascontiguousarray(wide[beyond - top :, beyond - left :][:side, :side])


def _a_moment_later(pixels: NDArray[np.uint8], step: int, name: str) -> NDArray[np.uint8]:
    """The same face later in its track: what changes from one moment to the next, and nothing that makes it unfit."""
    rng = np.random.default_rng(list(name.encode()))
    side = pixels.shape[0]
    picture = Image.fromarray(pixels)
    angle, zoom = rng.normal(0, 4), rng.uniform(0.95, 1.05)
    half, shift = side * zoom / 2, rng.normal(0, 0.015 * side, 2)
    middle = side / 2 + shift
    picture = picture.rotate(angle, Image.Resampling.BICUBIC).resize(
        (side, side),
        Image.Resampling.BICUBIC,
        box=tuple(np.clip([*(middle - half), *(middle + half)], 0, side).tolist()),
    )
    picture = ImageEnhance.Brightness(picture).enhance(rng.uniform(0.75, 1.2))
    picture = ImageEnhance.Contrast(picture).enhance(rng.uniform(0.85, 1.1))
    picture = picture.filter(ImageFilter.GaussianBlur(abs(rng.normal(0, 0.5))))
    encoded = io.BytesIO()
    picture.save(encoded, "JPEG", quality=int(rng.integers(60, 95)))

    return np.asarray(open_picture(encoded.getvalue()))
