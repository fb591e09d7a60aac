"""Extraction: frames in, face PNGs and an alignments file out, resumable after any kill.

Every frame that is done is one line of a journal in `work_dir`, written after its PNGs. A run that was killed reads the
journal, passes over what is done and goes on; PNGs of a half-done frame are written again, the same bytes. The
alignments file is written once, from the journal, when the last frame is done.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import os
import re
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ....curation.errors import UnsafeFile
from ....curation.faceset.fsa.alignments import write_alignments
from ....curation.faceset.png.headers import write_png
from ....curation.faceset.png.types import Alignments, FaceAlignment, FaceHeader, FaceSource, FrameFaces
from ....curation.files import check_name, picture_files
from ....curation.spread import Spread
from ....curation.types import Progress
from ..base import EngineError, ExtractRequest, ExtractResult, check_options
from ..frames import Frame, Source, distinct_stems, open_source
from ..landmark_masks import landmark_masks
from ..spans import Uncounted
from .chip import head_chip
from .detect import THRESHOLD, Detection, FaceFinder, Found
from .follow import follow, stretch_start

__all__ = ["Done", "Journal", "extract", "write_frame"]

_log = logging.getLogger(__name__)

THUMBNAIL = 96
THUMBNAIL_QUALITY = 60
"""Size and JPEG quality of faceswap's own thumbnails."""
_GAP = 1.3
"""Crops are averaged in whole blocks first, to so many times a thumbnail's size at least: half the time."""
JOURNAL_VERSION = 6
"""Of how faces are found. A finished journal of another version stands; an unfinished one is begun anew."""
_AHEAD = 8
"""Frames whose faces are found while those of earlier ones are being written."""


@dataclass(frozen=True, slots=True)
class Done:
    """One line of the journal: a frame with its faces and the names of their PNGs."""

    number: int
    name: str
    faces: tuple[FaceAlignment, ...]
    files: tuple[str, ...]

    def to_json(self) -> str:
        faces = [
            {
                "box": list(face.box),
                "landmarks": np.round(face.landmarks.astype(float), 2).tolist(),
                "thumb": base64.b64encode(face.thumb or b"").decode("ascii"),
            }
            for face in self.faces
        ]
        return json.dumps(
            {"number": self.number, "name": self.name, "files": list(self.files), "faces": faces},
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, line: str) -> Done:
        value = json.loads(line)
        faces = tuple(
            _alignment(_four(face["box"]), np.array(face["landmarks"], np.float32), base64.b64decode(face["thumb"]))
            for face in value["faces"]
        )
        # These names are joined to a folder, and deleted: a journal may have come with a stranger's workspace.
        files = tuple(check_name(name, where="The journal of an extraction") for name in value["files"])
        return cls(int(value["number"]), str(value["name"]), faces, files)


def _four(box: list[int]) -> tuple[int, int, int, int]:
    x, y, width, height = box
    return x, y, width, height


def _alignment(box: tuple[int, int, int, int], landmarks: NDArray[np.float32], thumb: bytes) -> FaceAlignment:
    return FaceAlignment(*box, landmarks=landmarks, masks=landmark_masks(landmarks), thumb=thumb)


class Journal:
    """What was asked and which frames are done; lines cut off by a kill are dropped when it is opened."""

    def __init__(self, path: Path, asked: dict[str, Any]) -> None:
        self.path = path
        self.done: dict[int, Done] = {}
        self.complete = False
        self.same_request = True
        if path.is_file():
            try:
                self._read(asked)
            except (ValueError, LookupError, TypeError, AttributeError, RecursionError, UnsafeFile) as error:
                raise EngineError(
                    f"{path} is damaged ({error}). Nothing was changed. Delete it: the extraction begins anew."
                ) from error
        if not path.is_file() or not self.same_request:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._first_line = json.dumps({"asked": asked})
        else:
            self._first_line = ""

    def _read(self, asked: dict[str, Any]) -> None:
        data = self.path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        lines = whole.decode("utf-8").splitlines()
        if not lines:
            self.path.unlink()
            return
        before = json.loads(lines[0]).get("asked")
        for line in lines[1:]:
            if line == '"complete"':
                self.complete = True
            else:
                frame = Done.from_json(line)
                self.done[frame.number] = frame
        if self.complete and isinstance(before, dict):
            before["version"] = asked["version"]
        self.same_request = before == asked
        if len(whole) < len(data):
            with self.path.open("r+b") as stream:
                stream.truncate(len(whole))

    def restart(self, faces_dir: Path, source: Source) -> None:
        """Forget an unfinished run with other settings: its PNGs go, they are nobody's yet. Some may not be in the
        journal, because frames are written side by side."""
        for frame in self.done.values():
            for name in frame.files:
                (faces_dir / name).unlink(missing_ok=True)
        if source.is_video and faces_dir.is_dir():
            own = re.compile(re.escape(source.path.stem) + r"_\d{6,}_\d+\.png")
            for path in faces_dir.iterdir():
                if own.fullmatch(path.name):
                    path.unlink()
        self.path.unlink()
        self.done.clear()

    def begin(self) -> None:
        """Say what was asked before the first PNG is written, so that a killed run's are known by it."""
        if self._first_line:
            self._append("")

    def add(self, frame: Done) -> None:
        self.done[frame.number] = frame
        self._append(frame.to_json())

    def finish(self) -> None:
        self.complete = True
        self._append('"complete"')

    def _append(self, line: str) -> None:
        with self.path.open("a", encoding="utf-8") as stream:
            if self._first_line:
                stream.write(self._first_line + "\n")
                self._first_line = ""
            if line:
                stream.write(line + "\n")


def extract(request: ExtractRequest, progress: Progress, spread: Spread | None = None) -> ExtractResult:
    """Find the faces of `request.source`; see `ExtractRequest` for what is written. With `spread`, its workers do it,
    and write the same.

    `options["threshold"]` sets the detector's (0 to 1). Raises EngineError where the source cannot be read, where
    packages are missing, or where this source was already extracted with other settings.
    """
    source = open_source(request.source)
    threshold = _threshold(request)
    asked = _asked(request, source, threshold)
    journal = Journal(request.work_dir / f"extract-{request.source.stem}.jsonl", asked)
    if request.alignments.is_file():
        return _already_there(request, journal)
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
        from .parts import spread_frames  # workers import it, and it needs this module

        frames = spread_frames(request, source, journal, threshold, progress, spread)
    for frame in frames:
        journal.add(frame)


def _threshold(request: ExtractRequest) -> float:
    check_options(request.options, ("threshold",), "The embedded engine's extract")
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
    if not journal.done or not journal.same_request:
        raise EngineError(
            f"{request.alignments} is there already and was made otherwise. To extract {request.source.name} anew, "
            f"move it and its faces away first; to go on with it: galloway publish"
        )
    if not journal.complete:
        journal.finish()
    files = [name for number in sorted(journal.done) for name in journal.done[number].files]
    return ExtractResult(
        len(journal.done),
        tuple(name for name in files if (request.faces_dir / name).is_file()),
        request.alignments,
    )


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


def write_frame(
    request: ExtractRequest, source: Source, frame: Frame, finder: FaceFinder, found: list[Found], stem: str
) -> Done:
    """Write the PNGs of a frame's faces, named `<stem>_<index>`; gives its line of the journal."""
    alignments, files = [], []
    for index, face in enumerate(_faces(frame, finder, found, request.min_size)):
        name = f"{stem}_{index}.png"
        # The journal keeps two decimals; a resumed run must write what an undisturbed one writes.
        landmarks = np.round(face.landmarks, 2)
        crop = Image.fromarray(head_chip(frame, landmarks, request.size))
        left, top, right, bottom = (round(edge) for edge in face.box)
        alignment = _alignment((left, top, right - left, bottom - top), landmarks, _thumbnail(crop))
        where = FaceSource(name, index, frame.name, source.is_video, (frame.image.shape[0], frame.image.shape[1]))
        write_png(request.faces_dir / name, crop, FaceHeader(alignment, where))
        alignments.append(alignment)
        files.append(name)
    return Done(frame.number, frame.name, tuple(alignments), tuple(files))


def _faces(frame: Frame, finder: FaceFinder, found: list[Found], min_size: float) -> list[Detection]:
    """The faces with their landmarks, from left to right; of the frame, only what lies around each is looked at."""
    faces = []
    for (left, top, right, bottom), score in found:
        around = max(right - left, bottom - top)
        picture, (x, y) = frame.around((left - around, top - around), (right + around, bottom + around))
        for face in finder.detections(picture, [((left - x, top - y, right - x, bottom - y), score)], min_size):
            at = face.landmarks + np.array([x, y], np.float32)
            faces.append(Detection((left, top, right, bottom), score, at))
    return sorted(faces, key=lambda face: face.box)


def _thumbnail(crop: Image.Image) -> bytes:
    stream = io.BytesIO()
    small = crop.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BICUBIC, reducing_gap=_GAP)
    small.save(stream, "JPEG", quality=THUMBNAIL_QUALITY)
    return stream.getvalue()
