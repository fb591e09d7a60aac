"""Extract: an engine finds faces in each source; each face gets its immutable id and a row."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from ...curation.faceset.index import FaceIndex
from ...curation.faceset.png.headers import FaceHeader, read_header
from ...curation.faceset.png.identity import face_id
from ...curation.files import picture_files, write_atomic
from ...curation.pictures import FACE_PIXELS, picture_pixels
from ...curation.spread import Spread
from ...curation.types import Face, FaceId, Progress, Side, no_progress
from ..app import App
from ..asking.progress import waiting_pairs
from ..asking.sight import look_at
from ..engines.base import Engine, EngineError, ExtractRequest, MadeOtherwise
from ..errors import NothingToDo, StageError
from ..wording import counted, typed
from ..workspace.acts import note_act
from ..workspace.figures import drop_figures
from ..workspace.gated import drop_gated
from ..workspace.records import Source, drop_tiles, frozen_batches, note_extracted, sources
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
    ingest into a new workspace. Extracting `again` with other settings replaces a source's faces, whose ids are others
    then; where people voted on them, took some out or changed some, or pages still show them, nothing is changed. A
    source that cannot be read does not hold up the others: StageError names all of them at the end.
    """
    footage = [item for item in sources(app.workspace, side) if item.kind != "faces"]
    todo = [item for item in footage if again or item.faces is None or (_work_dir(app, item) / _REPLACING).is_file()]
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
            work_dir=_work_dir(app, source),
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
    former = _former(app, source)
    refusal = _refusal(app, source, former, request, progress) if former else None
    if refusal is not None and not request.alignments.is_file():
        raise EngineError(
            f"{request.alignments} is gone, but not what people said of its faces. Nothing was changed. Put it back, "
            f"or make it anew: galloway faceset from-faces --side {source.side.value} -o {typed(request.alignments)}"
        )
    replaced = None if refusal is not None else frozenset(face.name for face in former)
    replacing = request.work_dir / _REPLACING
    if replaced:
        write_atomic(replacing, "The faces of this source are being replaced.\n")
    try:
        found = worker.extract(replace(request, replaces=replaced, made_by=source.engine), progress)
    except MadeOtherwise as error:
        raise refusal or error from None
    if replaced:
        _forget_replaced(app, source, progress)
    new = register_faces(app, source, found.faces, progress)
    note_extracted(app.workspace, source, frames=found.frames, faces=len(found.faces), engine=worker.name)
    replacing.unlink(missing_ok=True)
    return Extracted(source, found.frames, len(found.faces), new)


_REPLACING = "replacing"
"""In a source's work folder while its faces are replaced: killed in between, they are not what their rows say."""


def _work_dir(app: App, source: Source) -> Path:
    return app.workspace.root / "runs" / f"extract-{source.side.value}-{source.name}"


def _former(app: App, source: Source) -> list[Face]:
    """The faces that earlier extractions of the source made, those that were taken out among them."""
    return [face for face in app.store.faces(source.side, rejected=True) if face.source == source.name]


def _refusal(
    app: App, source: Source, former: list[Face], request: ExtractRequest, progress: Progress
) -> EngineError | None:
    """Why the faces of the source cannot be replaced by others: what people did hangs on them. None: nothing does.

    A face's id is made of its pixels, so one that is cut otherwise is another: votes and pages would be of faces that
    are no more.
    """
    rest = (
        ": that would be lost. Nothing was changed. Go on with these faces; or extract the footage in a new workspace; "
        "or take it out with all that was said of it, and bring it in again: "
        f"galloway source remove --side {source.side.value} {typed(source.name)} --with-votes"
    )
    votes = app.store.votes_on_source(source.side, source.name)
    if votes:
        return EngineError(
            f"{source.name} was extracted otherwise, and people gave {counted(votes, 'vote')} on its faces{rest}"
        )
    markets = {batch.market for batch in frozen_batches(app.workspace)}
    shown = {face_id for market in markets for face_id, _ in waiting_pairs(app, market)}
    if asked := sum(face.face_id in shown for face in former):
        said = counted(asked, "face")
        return EngineError(f"{source.name} was extracted otherwise, and {said} of it stand on open pages{rest}")
    standing = {face.face_id for face in app.store.faces(source.side) if face.source == source.name}
    if out := len(former) - len(standing):
        said = counted(out, "face")
        return EngineError(f"{source.name} was extracted otherwise, and {said} of it were taken out{rest}")
    if (request.work_dir / _REPLACING).is_file():
        return None
    there = _ids_by_name(app, source.side, progress)
    changed = [face.name for face in former if there.get(face.name) != face.face_id]
    if changed:
        said = counted(len(changed), "picture")
        return EngineError(
            f"{source.name} was extracted otherwise, and {said} of it were changed or deleted by hand, such as "
            f"{changed[0]}{rest}"
        )
    return None


def _ids_by_name(app: App, side: Side, progress: Progress) -> dict[str, FaceId | None]:
    """The id of each face that lies in the side's folder; only files that changed are read."""
    index = FaceIndex.load(app.faceset_paths(side)).refresh(ids=True, content=False, frames=False, progress=progress)
    index.save()
    return {face.name: face.face_id for face in index.faces.values()}


def _forget_replaced(app: App, source: Source, progress: Progress) -> None:
    """Remove the rows of faces that were cut anew, or not found again."""
    there = _ids_by_name(app, source.side, progress)
    gone = [face.face_id for face in _former(app, source) if there.get(face.name) != face.face_id]
    if gone:
        drop_tiles(app.workspace, gone)
        drop_gated(app.workspace, gone)
        app.store.forget_faces(gone)
        drop_figures(app.workspace)


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
