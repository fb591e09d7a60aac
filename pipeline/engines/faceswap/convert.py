"""Conversion: faceswap swaps the frames that need it, one picture each; the video is put together here.

faceswap's own video writer drops the sound as soon as frames are chosen, and writes at one constant rate. So it is
given only the frames that hold an approved face and are to be swapped, and its pictures replace those frames in a copy
of the source that keeps times and sound. All other frames keep their original pixels.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....curation.errors import FacesetError
from ....curation.faceset.fsa.alignments import read_alignments
from ....curation.faceset.png.types import FrameFaces
from ....curation.files import picture_files, write_atomic
from ....curation.pictures import open_picture, picture_pixels
from ....curation.types import Progress
from ...wording import typed
from ..base import ConvertRequest, ConvertResult, EngineError, FrameRange, spans
from ..beside import sheet_numbers, show_beside
from ..disclosure import METADATA
from ..encodings import chosen_encoding
from ..film import rewrite
from ..frames import Frame, Source, open_source
from ..pixels import mixed
from .masks import masked_alignments
from .model import check_runs_nothing
from .parse import Bar, Event
from .run import Program
from .switches import Switch, switches

__all__ = ["OPTIONS", "convert", "joined", "wanted_frames"]

COLORS = ("none", "avg-color", "color-transfer", "manual-balance", "match-hist", "seamless-clone")
_MADE_MASKS = ("components", "extended", "none", "predicted")
MASKS = (
    *_MADE_MASKS,
    "bisenet-fp_face",
    "bisenet-fp_head",
    "custom_face",
    "custom_head",
    "unet-dfl",
    "vgg-clear",
    "vgg-obstructed",
)
"""The masks of both lines. Those that are not made from landmarks or by the model must be stored with every face."""
WRITERS = ("ffmpeg", "opencv", "pillow")
"""What the result is: an mp4, or an mp4 and the swapped frames as pictures made by OpenCV or Pillow beside it."""


# The same in both lines.
OPTIONS = {
    "face_scale": Switch("-S"),
    "jobs": Switch("-j"),
    "swap_model": Switch("-s", "nothing"),
    "single_process": Switch("-P", "nothing"),
}


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which frames are swapped, by number from 1: their faces, those of frames that are kept, and the name of the
    picture that faceswap writes."""

    source: Source
    frames: int
    faces: dict[int, int]
    kept: dict[int, int]
    pictures: dict[int, str]


def wanted_frames(frames: int, ranges: Iterable[FrameRange], skip: Iterable[FrameRange]) -> list[int]:
    """The frame numbers of `ranges` (none given: all) without those of `skip`."""
    chosen, left_out = tuple(ranges), tuple(skip)
    return [
        number
        for number in range(1, frames + 1)
        if (not chosen or any(number in part for part in chosen)) and not any(number in part for part in left_out)
    ]


def joined(numbers: Iterable[int]) -> list[str]:
    """Rising numbers as faceswap writes ranges: `["1-3", "7-7"]`."""
    return [f"{span.first}-{span.last}" for span in spans(numbers)]


def convert(program: Program, request: ConvertRequest, progress: Progress) -> ConvertResult:
    """Swap and write the mp4; see `ConvertRequest`. A killed conversion goes on with the frames it had not done."""
    _check(program, request)
    plan = _plan(request)
    stage = request.work_dir / "convert" / request.source.name
    _prepare(stage, _signature(program, request))
    left = [number for number, picture in plan.pictures.items() if not _whole(stage / "out" / picture)]
    if left:
        progress("convert", len(plan.pictures) - len(left), len(plan.pictures))
        _swap(program, request, stage, plan, left, progress)
    missing = [name for name in plan.pictures.values() if not (stage / "out" / name).is_file()]
    if missing:
        raise EngineError(
            f"faceswap left out {len(missing)} of {len(plan.pictures)} frames of {request.source.name} "
            f"(first {missing[0]}). It may count frames differently: galloway video check {typed(request.source)}"
        )
    return _write(request, stage, plan, progress)


def _check(program: Program, request: ConvertRequest) -> None:
    chosen_encoding(request.codec, request.crf, request.preset, request.output)
    if request.color not in COLORS:
        raise EngineError(f"faceswap has no colour {request.color!r}. Choose one of: {', '.join(COLORS)}.")
    if request.writer not in WRITERS:
        raise EngineError(f"There is no writer {request.writer!r}. Choose one of: {', '.join(WRITERS)}.")
    if not request.alignments.is_file():
        raise EngineError(f"{request.alignments} does not exist. Extract and merge first: galloway merge")
    if not list(request.model_dir.glob("*_state.json")):
        raise EngineError(f"{request.model_dir} holds no trained model. Train one: galloway train")
    _check_mask(program, request)
    check_runs_nothing(request.model_dir)


def _check_mask(program: Program, request: ConvertRequest) -> None:
    """Raise EngineError for a mask that the line does not have; and for `predicted` where the model learnt none, of
    which faceswap only warns, and takes another mask."""
    mask = request.mask.lower()
    plugins = (program.home.root / "plugins" / "extract" / "mask").glob("[!_]*.py")
    own = {path.stem.replace("_", "-") for path in plugins if not path.stem.endswith("_defaults")}
    known = sorted({*MASKS, *own.difference(("bisenet-fp", "custom"))})
    if mask not in known:
        raise EngineError(f"faceswap has no mask {request.mask!r}. Choose one of: {', '.join(known)}.")
    if mask == "predicted" and _learnt_no_mask(request.model_dir):
        raise EngineError(
            f"The model in {request.model_dir} learnt no mask, so it predicts none. Choose another --mask; or "
            "train a new model with learn_mask = True in [global.loss] of faceswap/train.ini."
        )


def _learnt_no_mask(model_dir: Path) -> bool:
    """Whether the model's state says so; one that says nothing of it is left to faceswap."""
    for path in model_dir.glob("*_state.json"):
        with suppress(OSError, ValueError, LookupError, TypeError, RecursionError):
            return json.loads(path.read_bytes())["config"]["learn_mask"] is False
    return False


def _check_stored(request: ConvertRequest, approved: Mapping[str, FrameFaces]) -> None:
    mask = request.mask.lower()
    faces = [face for frame in approved.values() for face in frame.faces]
    without = 0 if mask in _MADE_MASKS else sum(mask not in face.masks for face in faces)
    if without:
        raise EngineError(
            f"{without} of {len(faces)} faces in {request.alignments.name} have no mask {request.mask!r}, and faceswap "
            "takes only one that all have. Choose --mask extended; or add it with faceswap's own: tools.py mask"
        )


def _plan(request: ConvertRequest) -> _Plan:
    source = open_source(request.source, rate=request.rate)
    names = _names(request, source)
    approved = read_alignments(request.alignments).frames
    _check_stored(request, approved)
    every = {number: len(approved[name].faces) for number, name in enumerate(names, 1) if name in approved}
    faces = {n: every[n] for n in wanted_frames(len(names), request.ranges, request.skip) if every.get(n)}
    kept = {n: count for n, count in every.items() if request.kept is not None and request.kept.shows_swap(n)}
    if not faces and request.kept is None:
        raise EngineError(
            f"No approved face of {request.alignments.name} lies in the chosen frames of {request.source.name}. "
            "Choose other frames, or look at the alignments: galloway faceset verify --side a. Whether regions "
            f"mask faces out: galloway source mask --side a {typed(request.source.stem)}"
        )
    pictures = {number: f"{Path(names[number - 1]).stem}.png" for number in faces}
    return _Plan(source, len(names), faces, kept, pictures)


def _names(request: ConvertRequest, source: Source) -> list[str]:
    """Every frame's name. Raises EngineError for a video whose frames the two lines would count differently."""
    if not source.is_video:
        return [path.name for path in picture_files(request.source)]
    from ...video import check_video

    report = check_video(request.source, decode=False)
    timing = [
        f
        for f in report.findings
        if f.code in ("variable_frame_rate", "empty_places", "late_start", "edit_list", "rotated")
    ]
    if timing:
        raise EngineError(
            f"{request.source.name} would be counted or turned differently by faceswap: {timing[0].what} "
            f"Mend it and extract again: galloway video fix {typed(request.source)}"
        )
    return [source.frame_name(number) for number in range(1, report.facts.frames + 1)]


def _signature(program: Program, request: ConvertRequest) -> dict[str, Any]:
    """What the swapped pictures depend on; the choice of frames is not among it."""
    files = [request.source, request.alignments, *sorted(request.model_dir.glob("*_state.json"))]
    return {
        "line": program.home.line,
        "files": [[path.name, path.stat().st_size, path.stat().st_mtime_ns] for path in files],
        "settings": [request.mask, request.color, request.writer],
        "options": dict(sorted(request.options.items())),
        "ini": program.effective("convert.ini"),
    }


def _prepare(stage: Path, wanted: dict[str, Any]) -> None:
    note = stage / "signature.json"
    try:
        same = json.loads(note.read_text(encoding="utf-8")) == wanted
    except (OSError, ValueError):
        same = False
    if not same:
        shutil.rmtree(stage, ignore_errors=True)
        (stage / "out").mkdir(parents=True)
        write_atomic(note, json.dumps(wanted), durable=False)


def _whole(picture: Path) -> bool:
    """Whether a picture was written to its end; a killed run may have torn the last ones."""
    try:
        data = picture.read_bytes()
        open_picture(data)
        return data[-8:-4] == b"IEND"
    except (OSError, FacesetError):
        return False


def _swap(
    program: Program, request: ConvertRequest, stage: Path, plan: _Plan, left: list[int], progress: Progress
) -> None:
    folder = stage / "input"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    # A copy: faceswap may rewrite an alignments file of an older version, and v2.3.0 wants masks in it.
    alignments = stage / "alignments.fsa"
    masked_alignments(request.alignments, alignments, program.home.line)
    arguments = ["convert", "-i", str(_stage_frames(request, folder, plan, left)), "-o", str(stage / "out")]
    arguments += ["-m", str(request.model_dir), "-p", str(alignments), "-M", request.mask, "-c", request.color]
    arguments += ["-w", "pillow" if request.writer == "pillow" else "opencv"]
    if plan.source.is_video:
        arguments += ["-R", *joined(left)]
    arguments += switches(request.options, OPTIONS)
    arguments += ["-F", str(request.work_dir / "faceswap-convert.log")]
    done_before = len(plan.pictures) - len(left)

    def tell(event: Event) -> None:
        if isinstance(event, Bar) and event.what == "Converting":
            progress("convert", done_before + min(event.done, len(left)), len(plan.pictures))

    program.run("faceswap.py", arguments, request.work_dir, tell)


def _stage_frames(request: ConvertRequest, folder: Path, plan: _Plan, left: list[int]) -> Path:
    """The video under its own name, or a folder of just the pictures that are to be swapped."""
    if plan.source.is_video:
        link = folder / request.source.name
        link.symlink_to(request.source.resolve())
        return link
    pictures = picture_files(request.source)
    for number in left:
        (folder / pictures[number - 1].name).symlink_to(pictures[number - 1].resolve())
    return folder


def _write(request: ConvertRequest, stage: Path, plan: _Plan, progress: Progress) -> ConvertResult:
    swapped = _Swapped(stage / "out", plan, request)
    metadata = {**METADATA, **request.metadata}

    def change(frame: Frame) -> NDArray[np.uint8] | None:
        progress("write", frame.number, plan.frames)
        return swapped.picture(frame)

    encoding = chosen_encoding(request.codec, request.crf, request.preset, request.output)
    made = rewrite(
        plan.source, request.output, change, metadata=metadata, encoding=encoding, label=request.label,
        mark=request.mark, kept=request.kept,
    )  # fmt: skip
    if made.frames != plan.frames:
        raise EngineError(
            f"{request.source.name} gave {made.frames} frames, {plan.frames} were counted. "
            f"Look at it with: galloway video check {typed(request.source)}"
        )
    swapped_faces = {**plan.kept, **plan.faces}
    seen = sheet_numbers(swapped_faces)
    show_beside(plan.source, request.output, seen, request.side_by_side, request.contact_sheet, progress)
    if request.writer != "ffmpeg":
        kept = request.output.with_name(f"{request.output.stem}_frames")
        kept.mkdir(exist_ok=True)
        for name in plan.pictures.values():
            shutil.copyfile(stage / "out" / name, kept / name)
    return ConvertResult(
        request.output,
        made.frames,
        len(swapped_faces),
        sum(swapped_faces.values()),
        made.has_sound,
        made.left_out,
        spans(sorted(swapped_faces)),
    )


class _Swapped:
    """The frames as they come out: faceswap's picture where there is one, else the original."""

    def __init__(self, folder: Path, plan: _Plan, request: ConvertRequest) -> None:
        self._folder, self._plan, self._request = folder, plan, request

    def picture(self, frame: Frame) -> NDArray[np.uint8] | None:
        """uint8 (height, width, 3), RGB; None where the frame stays as it is."""
        name = self._plan.pictures.get(frame.number)
        if name is None:
            return None
        share = self._request.share_at(frame.number)
        made = picture_pixels(self._folder / name)
        return made if share == 1 else mixed(frame.image, made, share)
