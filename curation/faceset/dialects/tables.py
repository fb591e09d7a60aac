"""A faceset as a table (CSV, Parquet) and as COCO: one row or annotation per face."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....extras import require
from ...errors import FacesetError
from ...files import write_atomic
from ...spreadsheet import csv_text
from ...types import Progress, no_progress
from ..fsa.alignments import read_alignments
from ..index import FaceIndex, FacesetPaths
from ..png.headers import read_header
from ..png.types import FaceAlignment

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["coco", "faces_table", "write_coco", "write_table"]

COLUMNS = (
    "name", "face_id", "alignments", "frame", "place", "x", "y", "w", "h", "frame_height", "frame_width", "masks",
    "identities", "landmarks",
)  # fmt: skip

_PARTS = (
    ("jaw", 17), ("right_brow", 5), ("left_brow", 5), ("nose_bridge", 4), ("nose_tip", 5), ("right_eye", 6),
    ("left_eye", 6), ("outer_lip", 12), ("inner_lip", 8),
)  # fmt: skip
KEYPOINTS = tuple(f"{part}_{number}" for part, count in _PARTS for number in range(1, count + 1))
"""iBUG's 68 points, in the order that alignments hold them."""


def _rows(paths: FacesetPaths, index: FaceIndex) -> Iterator[dict[str, Any]]:
    """One row per face of the alignments, with its picture where there is one; then the pictures left over."""
    pictures = {(face.frame, face.index): face for face in index.faces.values()}
    for file in index.files.values():
        for frame, faces in read_alignments(file.path).frames.items():
            for place, face in enumerate(faces.faces):
                known = pictures.pop((frame, place), None)
                dims: tuple[int | None, int | None] = (None, None)
                if known is not None:
                    dims = read_header(paths.faces_dir / known.name).source.source_frame_dims
                name, own = (known.name, known.face_id) if known else (None, None)
                yield _row(name, own, file.path.name, frame, place, face, dims)
    for (frame, place), known in sorted(pictures.items()):
        header = read_header(paths.faces_dir / known.name)
        dims = header.source.source_frame_dims
        yield _row(known.name, known.face_id, None, frame, place, header.alignment, dims)


def _row(
    name: str | None, own: str | None, file: str | None, frame: str, place: int, face: FaceAlignment,
    dims: tuple[int | None, int | None],
) -> dict[str, Any]:  # fmt: skip
    values = (
        name, own, file, frame, place, face.x, face.y, face.w, face.h, *dims, sorted(face.masks),
        sorted(face.identity), [round(float(value), 3) for value in face.landmarks.reshape(-1)],
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def faces_table(paths: FacesetPaths, *, ids: bool = False, progress: Progress = no_progress) -> pd.DataFrame:
    """One row per face: columns COLUMNS, landmarks as 136 numbers x, y, x, y … in frame pixels.

    `name` is None for a face without a picture, `alignments` for a picture without a face. `ids` fills `face_id`,
    for which every new picture is decoded once.
    """
    import pandas as pd

    index = FaceIndex.load(paths).refresh(ids=ids, content=False, progress=progress)
    index.save()
    return pd.DataFrame(list(_rows(paths, index)), columns=list(COLUMNS))


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write `.csv` (lists as JSON; a name like `=…` is no formula in a spreadsheet) or `.parquet` atomically."""
    if path.suffix == ".parquet":
        require("pyarrow")
        stream = io.BytesIO()
        table.to_parquet(stream, index=False)
        write_atomic(path, stream.getvalue())
        return
    if path.suffix != ".csv":
        raise FacesetError(f"{path} is neither .csv nor .parquet. Name the output so.")
    plain = table.assign(**{column: table[column].map(json.dumps) for column in ("masks", "identities", "landmarks")})
    write_atomic(path, csv_text(plain).encode())


def coco(paths: FacesetPaths) -> dict[str, Any]:
    """COCO keypoints: images are frames, annotations faces; boxes and points in frame pixels.

    Frames without faces are images too. Sizes are those that the PNG headers know, else 0.
    """
    index = FaceIndex.load(paths).refresh(ids=False, content=False)
    index.save()
    frames: dict[str, dict[str, Any]] = {}
    for file in index.files.values():
        for frame in file.frames:
            frames[frame] = {"id": len(frames) + 1, "file_name": frame, "height": 0, "width": 0}
    annotations: list[dict[str, Any]] = []
    for row in _rows(paths, index):
        image = frames.setdefault(
            row["frame"], {"id": len(frames) + 1, "file_name": row["frame"], "height": 0, "width": 0}
        )
        if row["frame_height"]:
            image["height"], image["width"] = row["frame_height"], row["frame_width"]
        points = row["landmarks"]
        annotations.append(
            {
                "id": len(annotations) + 1,
                "image_id": image["id"],
                "category_id": 1,
                "bbox": [row["x"], row["y"], row["w"], row["h"]],
                "area": row["w"] * row["h"],
                "iscrowd": 0,
                "num_keypoints": len(points) // 2,
                "keypoints": [v for at in range(0, len(points), 2) for v in (points[at], points[at + 1], 2)],
                "attributes": {"picture": row["name"], "place": row["place"]},
            }
        )
    category = {"id": 1, "name": "face", "supercategory": "person", "keypoints": list(KEYPOINTS), "skeleton": []}
    return {"images": list(frames.values()), "annotations": annotations, "categories": [category]}


def write_coco(paths: FacesetPaths, output: Path) -> int:
    """Write COCO JSON atomically; returns the number of faces."""
    values = coco(paths)
    write_atomic(output, json.dumps(values).encode())
    return len(values["annotations"])
