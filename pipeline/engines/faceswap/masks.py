"""Masks for faceswap v2.3.0, which refuses faces without stored ones: those that the master line extracted."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

from ....curation.faceset.fsa.alignments import read_alignments, write_alignments
from ....curation.faceset.png.chunk import header_bytes
from ....curation.faceset.png.headers import header_text, read_header, replace_header
from ....curation.files import replacing
from ..landmark_masks import with_masks
from .home import Line

__all__ = ["masked_alignments", "masked_faces"]


def masked_alignments(alignments: Path, target: Path, line: Line) -> None:
    """Copy an alignments file to `target`; for v2.3.0 every face in it gets the masks that are made from landmarks."""
    if line == "v2.3.0":
        known = read_alignments(alignments)
        frames = {
            name: replace(frame, faces=[with_masks(face) for face in frame.faces])
            for name, frame in known.frames.items()
        }
        if any(frames[name].faces != frame.faces for name, frame in known.frames.items()):
            write_alignments(target, replace(known, frames=frames), "v2.3")
            return
    shutil.copyfile(alignments, target)


def masked_faces(faces: Path, target: Path, line: Line) -> Path:
    """The folder that `line` can train on: `faces` itself, or where v2.3.0 lacks masks a copy of it in `target`.

    The approved faceset is never written to. The copy is brought up to date when it is asked for again: faces that are
    gone are taken out of it, and what is not of the very file that stands now is made anew. (An undo brings files back
    with the time that they had, so older and newer say nothing.)
    """
    names = sorted(path.name for path in faces.glob("*.png"))
    headers = {name: read_header(faces / name) for name in names} if line == "v2.3.0" else {}
    complete = {name: replace(header, alignment=with_masks(header.alignment)) for name, header in headers.items()}
    if all(complete[name].alignment is headers[name].alignment for name in headers):
        return faces
    target.mkdir(parents=True, exist_ok=True)
    for left in target.glob("*.png"):
        if left.name not in complete:
            left.unlink()
    for name, header in complete.items():
        face, copy = faces / name, target / name
        stands = face.stat()
        size = stands.st_size + len(header_text(header)) - len(header_bytes(face))
        if not _is(copy, size, stands.st_mtime_ns):
            with replacing(copy, durable=False) as partial:
                shutil.copyfile(face, partial)
                replace_header(partial, header)
                os.utime(partial, ns=(stands.st_atime_ns, stands.st_mtime_ns))
    return target


def _is(path: Path, size: int, mtime_ns: int) -> bool:
    try:
        stat = path.stat()
    except OSError:
        return False
    return (stat.st_size, stat.st_mtime_ns) == (size, mtime_ns)
