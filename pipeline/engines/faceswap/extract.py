"""Extraction: run in a folder of its own, then moved to its place, so that a kill leaves no half faceset."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ....curation.errors import UnsafeFile
from ....curation.faceset.fsa.alignments import export_json, read_alignments
from ....curation.faceset.png.types import Alignments
from ....curation.files import check_name, picture_files, write_atomic
from ....curation.types import Progress
from ...wording import typed
from ..base import EngineError, ExtractRequest, ExtractResult, MadeOtherwise
from ..incoming import bring_in, noted_names, place
from .detect import detect
from .parse import Bar, Event, Log
from .run import MissingWeights, Program
from .switches import Switch, existing, switches

__all__ = ["ALIGNERS", "DETECTORS", "IMPORTS", "OPTIONS", "OWN", "extract"]

DETECTORS = {"v2.3.0": ("s3fd", "mtcnn", "cv2-dnn"), "master": ("s3fd", "retinaface", "mtcnn", "cv2-dnn")}
ALIGNERS = {"v2.3.0": ("fan", "cv2-dnn"), "master": ("fan", "hrnet", "cv2-dnn")}

logger = logging.getLogger(__name__)

# The same in both lines.
OPTIONS = {
    "masker": Switch("-M", "values"),
    "filter": Switch("-f", "paths"),
    "nfilter": Switch("-n", "paths"),
    "ref_threshold": Switch("-l"),
    "normalization": Switch("-O"),
    "re_feed": Switch("-R"),
    "re_align": Switch("-a", "nothing"),
    "rotate_images": Switch("-r"),
}
IMPORTS = ("import_json", "import_alignments")
"""Options that name detections to import, a .json or .fsa file."""
OWN = ("galloway", "external", "file")
"""Detectors that mean: our own detections, handed over. The latter two are the lines' own words for it."""
_SAVE_EVERY = 100
"""Frames between saves of the alignments while detecting, so that a killed run goes on from there."""


@dataclass
class _Summary:
    """What extract says at its end."""

    progress: Progress
    frames: int = 0

    def __call__(self, event: Event) -> None:
        if isinstance(event, Bar):
            # v2.3.0's bar runs past its own total.
            self.progress("extract", min(event.done, event.total), event.total)
        elif isinstance(event, Log) and (found := re.match(r"Images found:\s+(\d+)", event.text)):
            self.frames = int(found[1])


def extract(program: Program, request: ExtractRequest, progress: Progress) -> ExtractResult:
    """Extract one source; see `ExtractRequest`. A finished extraction with the same settings is not run again, and one
    with others is replaced as a whole, or not at all."""
    if not request.source.exists():
        raise EngineError(
            f"{request.source} does not exist. Ingest it: galloway ingest --side a {typed(request.source)}"
        )
    stage = request.work_dir / "extract" / request.source.name
    wanted = _signature(program, request)
    done = _done(stage, wanted, request)
    if done is not None:
        return done
    if request.replaces is None and request.alignments.is_file():
        raise MadeOtherwise(
            f"{request.alignments} is there already and was made otherwise. To extract {request.source.name} anew, "
            "move it and its faces away first; to go on with it: galloway publish"
        )
    note = stage.with_name(f"{stage.name}.coming.json")
    _prepare(stage, wanted, note)
    source = _stage_source(stage, request)
    frames = _run(program, stage, source, request, progress)
    return _move_in(stage, wanted, request, frames, note)


def _run(program: Program, stage: Path, source: Path, request: ExtractRequest, progress: Progress) -> int:
    """Run the program and return the number of frames it read.

    Where no detector was asked for and the default's weights cannot be had, our own detections are handed over.
    """
    known = _stage_import(program, stage, source, request, progress)
    summary = _Summary(progress)
    try:
        program.run("faceswap.py", _arguments(program, stage, source, request, known), request.work_dir, summary)
    except MissingWeights:
        if known or request.detector is not None or request.aligner is not None:
            raise
        logger.warning("faceswap's weights are not to be had; our own detections of %s are used", request.source.name)
        return _run(program, stage, source, replace(request, detector=OWN[0], aligner=None), progress)
    return summary.frames


def _signature(program: Program, request: ExtractRequest) -> dict[str, Any]:
    """What a finished extraction depends on."""
    stat = request.source.stat()
    imported = _import_file(request)
    return {
        "line": program.home.line,
        "source": [request.source.name, stat.st_size, stat.st_mtime_ns],
        "settings": [request.size, request.every_nth, request.min_size, request.detector, request.aligner],
        "options": switches(request.options, OPTIONS),
        "ini": program.effective("extract.ini"),
        "import": hashlib.sha256(imported.read_bytes()).hexdigest() if imported is not None else None,
    }


def _done(stage: Path, wanted: dict[str, Any], request: ExtractRequest) -> ExtractResult | None:
    if request.made_by not in (None, "faceswap"):
        return None
    try:
        kept = json.loads((stage / "done.json").read_text(encoding="utf-8"))
        if kept["signature"] != wanted or not request.alignments.is_file():
            return None
        names, frames = _made_before(stage), int(kept["frames"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError, UnsafeFile):
        return None
    # Faces that a merge has taken out since stay out.
    there = tuple(name for name in names if (request.faces_dir / name).is_file())
    return ExtractResult(frames, there, request.alignments)


def _made_before(stage: Path) -> list[str]:
    """The faces that the finished extraction in `stage` made. Raises as reading it does."""
    return [check_name(name, where="done.json") for name in json.loads((stage / "done.json").read_bytes())["faces"]]


def _prepare(stage: Path, wanted: dict[str, Any], note: Path) -> None:
    """An empty stage, or the one a killed run with the same settings left. `note` keeps which faces came of it."""
    signature = stage / "signature.json"
    try:
        same = json.loads(signature.read_text(encoding="utf-8")) == wanted
    except (OSError, ValueError):
        same = False
    with suppress(OSError, ValueError, LookupError, TypeError, RecursionError, UnsafeFile):
        write_atomic(note, json.dumps(sorted({*_made_before(stage), *noted_names(note)})))
    if not same:
        shutil.rmtree(stage, ignore_errors=True)
    (stage / "done.json").unlink(missing_ok=True)
    (stage / "faces").mkdir(parents=True, exist_ok=True)
    write_atomic(signature, json.dumps(wanted), durable=False)


def _stage_source(stage: Path, request: ExtractRequest) -> Path:
    """The source under its own name in the stage: faceswap puts alignments and looks for imports beside it."""
    folder = stage / "input"
    folder.mkdir(parents=True, exist_ok=True)
    if request.source.is_file():
        return _link(request.source, folder)
    for picture in picture_files(request.source):
        _link(picture, folder)
    return folder


def _link(target: Path, folder: Path) -> Path:
    link = folder / target.name
    link.unlink(missing_ok=True)
    link.symlink_to(target.resolve())
    return link


def _import_file(request: ExtractRequest) -> Path | None:
    for option in IMPORTS:
        if value := request.options.get(option):
            return existing(option, value)
    return None


def _stage_import(program: Program, stage: Path, source: Path, request: ExtractRequest, progress: Progress) -> bool:
    """Write our detections where the line looks for them; False where there are none."""
    path = _import_file(request)
    if path is None and request.detector not in OWN:
        return False
    if path is None:
        path = stage / "detections.json"
        detect(request, path, progress)
    alignments = read_alignments(path)
    _check_keys(alignments, source, path)
    data = export_json(_large_enough(alignments, request.min_size))
    if program.home.line == "v2.3.0":
        folder = source if source.is_dir() else source.parent
        target = folder / "import.json"
    else:
        target = _alignments_in(stage, source).with_suffix(".json")
    write_atomic(target, json.dumps(data), durable=False)
    # Importing takes seconds and cannot be joined to what is there: a killed import starts anew.
    shutil.rmtree(stage / "faces")
    (stage / "faces").mkdir()
    _alignments_in(stage, source).unlink(missing_ok=True)
    return True


def _large_enough(alignments: Alignments, min_size: int) -> Alignments:
    """Without faces whose shorter side is below `min_size`: neither line filters what it imports."""
    for frame in alignments.frames.values():
        frame.faces = [face for face in frame.faces if min(face.w, face.h) >= min_size]
    return alignments


def _check_keys(alignments: Alignments, source: Path, path: Path) -> None:
    """Both lines pass over names that do not fit without a word; we do not."""
    if source.is_dir():
        pictures = {picture.name for picture in picture_files(source)}
        strange = [name for name in alignments.frames if name not in pictures]
        example = min(pictures, default="")
    else:
        pattern = re.compile(re.escape(source.stem) + r"_\d{6,}" + re.escape(source.suffix))
        strange = [name for name in alignments.frames if not pattern.fullmatch(name)]
        example = f"{source.stem}_000001{source.suffix}"
    if not alignments.frames:
        raise EngineError(f"{path} has no detections for {source.name}. Detect again.")
    if strange:
        raise EngineError(
            f"{path} names {len(strange)} frames (of {len(alignments.frames)}) that are not of {source.name}, the "
            f"first is {strange[0]}; they must be named like {example}. Detect again, or rename or remove these keys."
        )


def _alignments_in(stage: Path, source: Path) -> Path:
    """Where both lines put the alignments by themselves."""
    return source / "alignments.fsa" if source.is_dir() else stage / "input" / f"{source.stem}_alignments.fsa"


def _arguments(program: Program, stage: Path, source: Path, request: ExtractRequest, known: bool) -> list[str]:
    line = program.home.line
    if known:
        detector = aligner = "external" if line == "v2.3.0" else "file"
    else:
        detector = _chosen(request.detector or "s3fd", (*DETECTORS[line], OWN[0]), "detector", line)
        aligner = _chosen(request.aligner or "fan", ALIGNERS[line], "aligner", line)
    arguments = ["extract", "-i", str(source), "-o", str(stage / "faces"), "-D", detector, "-A", aligner]
    arguments += ["-z", str(request.size), "-N", str(request.every_nth)]
    if not known:
        arguments += ["-m", str(request.min_size), "-v", str(_SAVE_EVERY)]
        if _alignments_in(stage, source).is_file():
            arguments.append("-s")
    arguments += switches(request.options, OPTIONS)
    return [*arguments, "-F", str(request.work_dir / "faceswap-extract.log")]


def _chosen(name: str, known: tuple[str, ...], what: str, line: str) -> str:
    if name not in known:
        raise EngineError(f"faceswap {line} has no {what} {name!r}. Choose one of: {', '.join(known)}.")
    return name


def _move_in(stage: Path, wanted: dict[str, Any], request: ExtractRequest, frames: int, note: Path) -> ExtractResult:
    """Faces first, alignments last; done again after a kill in between, the result is the same. Faces of the extraction
    before that this one did not make go."""
    source = stage / "input" if request.source.is_dir() else stage / "input" / request.source.name
    produced = _alignments_in(stage, source)
    if not produced.is_file():
        raise EngineError(
            f"faceswap wrote no alignments for {request.source}. See {request.work_dir / 'faceswap-extract.log'}"
        )
    made = bring_in(stage / "faces", request.faces_dir, request.replaces or (), note)
    request.alignments.parent.mkdir(parents=True, exist_ok=True)
    place(produced, request.alignments)
    done = {"signature": wanted, "frames": frames, "faces": made}
    write_atomic(stage / "done.json", json.dumps(done))
    note.unlink(missing_ok=True)
    shutil.rmtree(stage / "input")
    shutil.rmtree(stage / "faces")
    return ExtractResult(frames, made, request.alignments)
