"""Extract: an engine finds faces in each source; each face gets its immutable id and a row."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ...curation.faceset.png.headers import FaceHeader, read_header
from ...curation.faceset.png.identity import face_id
from ...curation.files import picture_files
from ...curation.pictures import FACE_PIXELS, picture_pixels
from ...curation.spread import Spread
from ...curation.types import Face, Progress, Side, no_progress
from ..app import App
from ..asking.sight import look_at
from ..engines.base import Engine, EngineError, ExtractRequest
from ..errors import NothingToDo, StageError
from ..wording import counted
from ..workspace.acts import note_act
from ..workspace.records import Source, note_extracted, sources
from .names import NUMBERED

__all__ = ["Extracted", "extract", "register_faces"]


@dataclass(frozen=True, slots=True)
class Extracted:
    """What was found in one source; `new` counts faces that were not known before."""

    source: Source
    frames: int
    faces: int
    new: int


def extract(
    app: App,
    side: Side | None = None,
    *,
    engine: str | None = None,
    size: int | None = None,
    every_nth: int | None = None,
    detector: str | None = None,
    aligner: str | None = None,
    options: dict[str, str] | None = None,
    again: bool = False,
    spread: Spread | None = None,
    progress: Progress = no_progress,
) -> list[Extracted]:
    """Extract every source that was not extracted yet (`again`: every source); raises NothingToDo if there is none.
    Faces that were extracted elsewhere are passed over. The workers of `spread` do it, where there are any.

    `every_nth` thins side B's films, whose faces are only learnt from, and folders of frames; photographs are all
    taken. Of side A every frame is looked at: one whose face was not found is not swapped, and a film in which every
    second one is flickers.

    A side that was merged is not extracted into: new faces would stand among approved ones unasked. Undo first, or
    ingest into a new workspace. A source that cannot be read does not hold up the others: StageError names all of them
    at the end.
    """
    todo = [item for item in sources(app.workspace, side) if item.kind != "faces" and (again or item.faces is None)]
    if not sources(app.workspace, side):
        raise StageError("There is no footage yet. Add some: galloway ingest --side a VIDEO")
    if options:
        app.engine(engine).check_options("extract", options)
    if not todo:
        raise NothingToDo("All footage is extracted. Next: galloway publish (or extract --again)")
    if side is Side.A and every_nth not in (None, 1):
        raise StageError(
            "Side A is taken whole: frames that are passed over would not be swapped, and the film would flicker. "
            "Thin side B instead: galloway extract --side b --every-nth N"
        )
    worker = app.engine(engine, spread)
    results: list[Extracted] = []
    failed: list[str] = []
    for source in todo:
        request = ExtractRequest(
            source=source.path,
            faces_dir=app.workspace.faces_dir(source.side),
            alignments=app.workspace.alignments_dir(source.side) / f"{source.name}_alignments.fsa",
            work_dir=app.workspace.root / "runs" / f"extract-{source.side.value}-{source.name}",
            size=size or app.settings.engine.face_size,
            every_nth=every_nth or app.settings.engine.every_nth if _is_thinned(source) else 1,
            min_size=app.settings.engine.min_face,
            detector=detector,
            aligner=aligner,
            options=options or {},
        )
        try:
            results.append(_extract_one(app, worker, source, request, progress))
        except EngineError as error:
            if len(todo) == 1:
                raise
            failed.append(f"{source.name}: {error}")
    if results:
        found = sum(item.faces for item in results)
        note_act(app.workspace, "extract", counted(len(results), "source"), counted(found, "face"))
    if app.settings.ask.learns:
        for one in dict.fromkeys(done.source.side for done in results):
            look_at(app, one, progress, spread)
    if failed:
        raise StageError(f"{len(failed)} of {len(todo)} sources were not extracted:", *failed)
    return results


def _is_thinned(source: Source) -> bool:
    """Whether frames of a source may be passed over: those of side B's films, and of folders of their frames."""
    if source.kind != "photos" or source.side is Side.A:
        return source.side is Side.B
    ends = [NUMBERED.fullmatch(path.stem) for path in picture_files(source.path)]
    found = {(end["name"], int(end["number"])) for end in ends if end is not None}
    if len(found) < max(len(ends), _LEAST_FRAMES):
        return False
    names, numbers = zip(*found, strict=True)
    # One after the other without a gap, and more of them than a camera's series: the frames of a film.
    return len(set(names)) == 1 and max(numbers) - min(numbers) + 1 == len(numbers)


_LEAST_FRAMES = 25


def _extract_one(app: App, worker: Engine, source: Source, request: ExtractRequest, progress: Progress) -> Extracted:
    if app.standing_merge(source.side) is not None:
        raise StageError(
            f"Side {source.side.value} is merged; extracting into it would put unasked faces among approved ones. "
            f"Take the merge back first: galloway merge undo --side {source.side.value}"
        )
    for folder in (request.faces_dir, request.alignments.parent, request.work_dir):
        folder.mkdir(parents=True, exist_ok=True)
    found = worker.extract(request, progress)
    new = register_faces(app, source, found.faces, progress)
    note_extracted(app.workspace, source, frames=found.frames, faces=len(found.faces), engine=worker.name)
    return Extracted(source, found.frames, len(found.faces), new)


def register_faces(app: App, source: Source, names: tuple[str, ...], progress: Progress = no_progress) -> int:
    """Give each face file its id and its row; the number that was new. Known faces keep theirs."""
    known = {face.name for face in app.store.faces(source.side, rejected=True)}
    batch: list[Face] = []
    new = 0
    for done, name in enumerate(names, 1):
        if name not in known:
            batch.append(_face(app.workspace.face_path(source.side, name), source))
        if len(batch) >= 500:
            new += app.store.add_faces(batch)
            batch.clear()
        progress("registering faces", done, len(names))
    return new + app.store.add_faces(batch)


def _face(path: Path, source: Source) -> Face:
    header: FaceHeader = read_header(path)
    pixels = picture_pixels(path, pixels=FACE_PIXELS)
    at = header.alignment
    return Face(
        face_id=face_id(source.side, header, pixels),
        side=source.side,
        name=path.name,
        source=source.name,
        source_name=header.source.source_filename,
        face_index=header.source.face_index,
        frame_number=_frame_number(header.source.source_filename) if header.source.source_is_video else None,
        box=(at.x, at.y, at.w, at.h),
    )


def _frame_number(frame: str) -> int | None:
    match = re.search(r"_(\d{6,})\.\w+$", frame)
    return int(match.group(1)) if match else None
