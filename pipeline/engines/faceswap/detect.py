"""Our own detections and landmarks, in the JSON that both lines import: extraction without downloaded weights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ....curation.files import write_atomic
from ....curation.types import Progress
from ..base import ExtractRequest
from ..frames import Frame, open_source

__all__ = ["detect"]


def detect(request: ExtractRequest, target: Path, progress: Progress) -> None:
    """Find the faces of every nth frame and write them to `target`; what is there already is kept.

    Frames that are passed over are written with no faces, so that the program does not warn of each.
    """
    if target.is_file():
        return
    from ..embedded.detect import FaceFinder
    from ..embedded.follow import follow

    finder = FaceFinder()
    source = open_source(request.source)
    found: dict[str, list[dict[str, Any]]] = {}

    def looked_at() -> Iterator[Frame]:
        for frame in source.read():
            found[frame.name] = []
            if (frame.number - 1) % request.every_nth == 0:
                yield frame

    boxes = follow(looked_at(), finder) if source.is_video else ((f, finder.search(f.image)) for f in looked_at())
    for frame, there in boxes:
        found[frame.name] = [
            {"detected": [round(side) for side in face.box], "landmarks_2d": face.landmarks.tolist()}
            for face in finder.detections(frame.image, there, request.min_size)
        ]
        progress("detect", frame.number, source.frames)
    write_atomic(target, json.dumps(found))
