"""Our own detections and landmarks, in the JSON that both lines import: extraction without downloaded weights."""

from __future__ import annotations

import json
from pathlib import Path

from ....curation.files import write_atomic
from ....curation.types import Progress
from ..base import ExtractRequest
from ..frames import open_source

__all__ = ["detect"]


def detect(request: ExtractRequest, target: Path, progress: Progress) -> None:
    """Find the faces of every nth frame and write them to `target`; what is there already is kept.

    Frames that are passed over are written with no faces, so that the program does not warn of each.
    """
    if target.is_file():
        return
    from ..embedded.detect import FaceFinder

    finder = FaceFinder()
    source = open_source(request.source)
    found = {}
    for frame in source.read():
        looked_at = (frame.number - 1) % request.every_nth == 0
        faces = finder.find(frame.image, request.min_size) if looked_at else []
        found[frame.name] = [
            {"detected": [round(side) for side in face.box], "landmarks_2d": face.landmarks.tolist()} for face in faces
        ]
        progress("detect", frame.number, source.frames)
    write_atomic(target, json.dumps(found))
