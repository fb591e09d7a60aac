"""Extraction: frames in, face PNGs and an alignments file out, resumable after any kill.

Every frame that is done is one line of a journal in `work_dir`, written after its PNGs. A run that was killed reads the
journal, passes over what is done and goes on; PNGs of a half-done frame are written again, the same bytes. The
alignments file is written once, from the journal, when the last frame is done. An extraction that replaces another is
made in a folder of its own in `work_dir`, and comes in when it is whole.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from typing import Any

from ....curation.faceset.fsa.alignments import write_alignments
from ....curation.faceset.png.types import Alignments, FrameFaces
from ....curation.files import picture_files
from ....curation.spread import Spread
from ....curation.types import Progress
from ..base import EngineError, ExtractRequest, ExtractResult, MadeOtherwise
from ..frames import Frame, Source, distinct_stems, open_source
from ..incoming import bring_in, place
from ..spans import Uncounted
from .detect import THRESHOLD, FaceFinder, Found
from .follow import follow, stretch_start
from .journal import Done, Journal
from .parts import spread_frames
from .writing import write_frame

__all__ = ["extract"]

_log = logging.getLogger(__name__)

JOURNAL_VERSION = 7
"""Of how faces are found and cut. A finished journal of another version stands; an unfinished one is begun anew."""
_AHEAD = 8
"""Frames whose faces are found while those of earlier ones are being written."""


def extract(request: ExtractRequest, progress: Progress, spread: Spread | None = None) -> ExtractResult:
    """Find the faces of `request.source`; see `ExtractRequest` for what is written. With `spread`, its workers do it,
    and write the same.

    `options["threshold"]` sets the detector's (0 to 1). Raises EngineError where the source cannot be read, where
    packages are missing, and MadeOtherwise where the faces that stand may not be replaced.
    """
    source = open_source(request.source)
    threshold = _threshold(request)
    asked = _asked(request, source, threshold)
    journal = Journal(request.work_dir / f"extract-{request.source.stem}.jsonl", asked)
    anew = request.work_dir / f"anew-{request.source.stem}"
    if request.alignments.is_file():
        if journal.done and journal.same_request and request.made_by in (None, "embedded"):
            shutil.rmtree(anew, ignore_errors=True)
            return _already_there(request, journal)
        return _replaced(request, journal, anew, progress, spread)
    if not journal.same_request:
        journal.restart(request.faces_dir, source)
        journal = Journal(journal.path, asked)
    request.faces_dir.mkdir(parents=True, exist_ok=True)
    journal.begin()
    try:
        _find(request, source, journal, threshold, progress, spread)
    except Uncounted as why:
        _log.warning("%s It is read in one piece, by this process alone.", why)
        journal.restart(request.faces_dir, source)
        journal = Journal(journal.path, asked)
        journal.begin()
        _find(request, source, journal, threshold, progress, None)
    done = [journal.done[number] for number in sorted(journal.done)]
    request.alignments.parent.mkdir(parents=True, exist_ok=True)
    frames = {frame.name: FrameFaces(list(frame.faces)) for frame in done}
    write_alignments(request.alignments, Alignments(frames), "v2.3")
    journal.finish()
    return ExtractResult(len(done), tuple(name for frame in done for name in frame.files), request.alignments)


def _find(
    request: ExtractRequest,
    source: Source,
    journal: Journal,
    threshold: float,
    progress: Progress,
    spread: Spread | None,
) -> None:
    """Fill the journal. Raises Uncounted where workers cannot know which frame is which."""
    if spread is None:
        frames = _new_frames(request, source, journal, threshold, progress)
    else:
        frames = spread_frames(request, source, journal, threshold, progress, spread)
    for frame in frames:
        journal.add(frame)


def _threshold(request: ExtractRequest) -> float:
    text = request.options.get("threshold", str(THRESHOLD))
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1:
        raise EngineError(f"The detector's threshold must lie between 0 and 1, not {text!r}: -o threshold=0.2")
    for what, known in (("detector", "centerface"), ("aligner", "dlib")):
        chosen = getattr(request, what)
        if chosen not in (None, known):
            raise EngineError(
                f"The embedded engine has no {what} {chosen!r}, only {known}. "
                f"Leave --{what} out, or use faceswap: galloway extract --engine faceswap"
            )
    return value


def _asked(request: ExtractRequest, source: Source, threshold: float) -> dict[str, Any]:
    """What decides the result: settings, and the source's name, size and frame count."""
    size = request.source.stat().st_size if source.is_video else 0
    return {
        "version": JOURNAL_VERSION,
        "source": [request.source.name, size, source.frames, source.width, source.height],
        "size": request.size,
        "every_nth": request.every_nth,
        "min_size": request.min_size,
        "threshold": threshold,
    }


def _already_there(request: ExtractRequest, journal: Journal) -> ExtractResult:
    """The result of a finished run: nothing is done again, so that faces that people took out stay out."""
    if not journal.complete:
        journal.finish()
    files = [name for number in sorted(journal.done) for name in journal.done[number].files]
    return ExtractResult(
        len(journal.done),
        tuple(name for name in files if (request.faces_dir / name).is_file()),
        request.alignments,
    )


def _replaced(
    request: ExtractRequest, journal: Journal, anew: Path, progress: Progress, spread: Spread | None
) -> ExtractResult:
    """Extract into `anew`, where a killed run goes on, and bring that in: faces first, then alignments and journal."""
    if request.replaces is None:
        raise MadeOtherwise(
            f"{request.alignments} is there already and was made otherwise. To extract {request.source.name} anew, "
            "move it and its faces away first; to go on with it: galloway publish"
        )
    own = replace(
        request,
        faces_dir=anew / "faces",
        alignments=anew / request.alignments.name,
        work_dir=anew,
        replaces=frozenset(),
        made_by=None,
    )
    found = extract(own, progress, spread)
    former = {*request.replaces, *(name for frame in journal.done.values() for name in frame.files)}
    names = bring_in(own.faces_dir, request.faces_dir, former, anew / "coming.json")
    place(own.alignments, request.alignments)
    place(anew / journal.path.name, journal.path)
    shutil.rmtree(anew)
    return ExtractResult(found.frames, names, request.alignments)


def _new_frames(
    request: ExtractRequest, source: Source, journal: Journal, threshold: float, progress: Progress
) -> Iterator[Done]:
    """Frames that the journal does not have yet, in order, their PNGs written."""
    stems = {} if source.is_video else distinct_stems([path.name for path in picture_files(source.path)])
    wanted = None if source.frames is None else -(-source.frames // request.every_nth)
    before = len(journal.done)
    progress(f"extract {source.path.name}", before, wanted)
    waiting: deque[Future[Done]] = deque()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for seen, (frame, finder, found) in enumerate(_found(request, source, journal, threshold), before + 1):
            stem = stems.get(frame.name) or f"{source.path.stem}_{frame.number:06d}"
            waiting.append(pool.submit(write_frame, request, source, frame, finder, found, stem))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
            progress(f"extract {source.path.name}", seen, None if wanted is None else max(wanted, seen))
        while waiting:
            yield waiting.popleft().result()


def _found(
    request: ExtractRequest, source: Source, journal: Journal, threshold: float
) -> Iterator[tuple[Frame, FaceFinder, list[Found]]]:
    """Frames that the journal does not have with the boxes of their faces. Photographs are searched one by one; of a
    video, what was done of an unfinished stretch is found again, so that the rest is found as it would have been."""
    every = request.every_nth
    frames = (frame for frame in source.read() if (frame.number - 1) % every == 0)
    if not source.is_video:
        frames = (frame for frame in frames if frame.number not in journal.done)
        first = next(frames, None)
        finder = FaceFinder(threshold=threshold) if first is not None else None
        for frame in chain((first,), frames):
            if frame is not None and finder is not None:
                yield frame, finder, finder.search(frame.image)
        return
    undone = count()
    start = stretch_start(next(place for place in undone if place * every + 1 not in journal.done))
    ahead = (frame for frame in frames if (frame.number - 1) // every >= start)
    first = next(ahead, None)
    if first is None:
        return
    finder = FaceFinder(threshold=threshold)
    for frame, found in follow(chain((first,), ahead), finder):
        if frame.number not in journal.done:
            yield frame, finder, found
