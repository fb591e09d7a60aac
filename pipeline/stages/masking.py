"""Mask out: parts of a film in which no face counts. Kept beside the footage; the footage itself is never touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ...curation.faceset.fsa.alignments import read_alignments, write_alignments
from ...curation.faceset.png.types import Alignments
from ...curation.files import write_atomic
from ...curation.types import Face, Progress, Side, no_progress
from ..app import App
from ..engines.disclosure import METADATA
from ..engines.film import rewrite
from ..engines.frames import RGB, Frame, open_source
from ..errors import NothingToDo, StageError
from ..video.numbers import numbers_of
from ..video.regions import Regions, parse_regions, regions_json
from ..wording import counted
from ..workspace.acts import note_act
from ..workspace.masked import faces_in_regions, kept_regions, regions_path
from ..workspace.records import Source, sources

__all__ = [
    "Masked",
    "clear_regions",
    "draw_regions",
    "find_source",
    "frame_at",
    "masked_faces",
    "preview",
    "set_regions",
    "standing_alignments",
    "unmasked",
]

_SHADE = (208, 48, 160)


@dataclass(frozen=True, slots=True)
class Masked:
    """A source's regions, and which of its faces lie in one."""

    source: Source
    regions: Regions
    faces: tuple[Face, ...]


def find_source(app: App, side: Side, name: str) -> Source:
    """The side's video or photographs of that name. Raises StageError where there is none."""
    there = [item for item in sources(app.workspace, side) if item.kind != "faces"]
    found = next((item for item in there if item.name == name), None)
    if found is None:
        names = ", ".join(item.name for item in there) or "none"
        raise StageError(f"Side {side.value} has no footage named {name!r}. There is: {names}")
    return found


def set_regions(app: App, source: Source, text: str | bytes, called: str) -> Masked:
    """Keep the regions of a JSON text as those of the source; what they mask. The caller decides anew.

    Raises StageError for what is wrong with it; what was kept before stands then.
    """
    regions = parse_regions(text, called, frames=source.frames if source.kind == "video" else None)
    write_atomic(regions_path(app.workspace, source.side, source.name), regions_json(regions))
    masked = masked_faces(app, source)
    note_act(app.workspace, "mask", f"side {source.side.value}", counted(len(masked.faces), "face"))
    return masked


def clear_regions(app: App, source: Source) -> None:
    """Forget the regions of the source. Raises NothingToDo where there are none."""
    path = regions_path(app.workspace, source.side, source.name)
    if not path.is_file():
        raise NothingToDo(f"{source.name} has no masked regions.")
    path.unlink()
    note_act(app.workspace, "mask", f"side {source.side.value}: nothing any more")


def masked_faces(app: App, source: Source) -> Masked:
    """The source's regions and the faces in them."""
    regions = kept_regions(app.workspace, source.side, source.name)
    faces = [face for face in app.store.faces(source.side, rejected=True) if face.source == source.name]
    return Masked(source, regions, tuple(faces_in_regions(app.workspace, source, faces)))


def unmasked(app: App, source: Source, alignments: Path, copy: Path) -> Path:
    """The alignments to convert with: `alignments` themselves, or `copy`, written without the faces in regions."""
    if not kept_regions(app.workspace, source.side, source.name):
        return alignments
    copy.parent.mkdir(parents=True, exist_ok=True)
    write_alignments(copy, standing_alignments(app, source, alignments))
    return copy


def standing_alignments(app: App, source: Source, alignments: Path) -> Alignments:
    """The source's alignments without the faces in its regions."""
    known, regions = read_alignments(alignments), kept_regions(app.workspace, source.side, source.name)
    if not regions:
        return known
    numbers = numbers_of(known.frames, source.path)
    frames = {
        name: replace(frame, faces=[f for f in frame.faces if not regions.masks(numbers.get(name), f.box)])
        for name, frame in known.frames.items()
    }
    return Alignments(frames, known.dialect, known.version)


def draw_regions(picture: RGB, number: int, regions: Regions) -> RGB:
    """The picture with the regions of that frame shaded; the same object where there is none."""
    shapes = [corners for region in regions.regions if (corners := region.at(number))]
    if not shapes:
        return picture
    image = Image.fromarray(picture)
    shade = Image.new("L", image.size)
    ink = ImageDraw.Draw(shade)
    for corners in shapes:
        ink.polygon(list(corners), fill=110)
    image.paste(Image.new("RGB", image.size, _SHADE), mask=shade)
    lines = ImageDraw.Draw(image)
    for corners in shapes:
        lines.line([*corners, corners[0]], fill=_SHADE, width=max(2, image.width // 320))
    return np.asarray(image)


def preview(app: App, source: Source, output: Path, progress: Progress = no_progress) -> Path:
    """Write the film with its regions shaded, to look at. Raises NothingToDo without regions, StageError over a file
    that is there."""
    regions = kept_regions(app.workspace, source.side, source.name)
    if not regions:
        raise NothingToDo(f"{source.name} has no masked regions to show. Set them: galloway source mask --from FILE")
    if output.exists():
        raise StageError(f"{output} is there already; name another file.")
    film = open_source(source.path)

    def change(frame: Frame) -> RGB | None:
        progress("preview", frame.number, film.frames)
        drawn = draw_regions(frame.image, frame.number, regions)
        return None if drawn is frame.image else drawn

    rewrite(film, output, change, metadata={**METADATA, "title": "Masked regions"})
    return output


def frame_at(source: Source, number: int) -> RGB | None:
    """One frame's picture, None after the film's end. Frames before it are decoded, too."""
    frames: Iterator[Frame] = open_source(source.path).read()
    return next((frame.image for frame in frames if frame.number == number), None)
