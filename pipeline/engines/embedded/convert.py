"""Conversion: the faces of the approved alignments swapped, everything else as it was, sound and timing kept.

The mp4, the side-by-side video and the contact sheet are each written beside their targets and renamed when they are
whole, so a run that was killed leaves nothing broken and is simply run again.
"""

from __future__ import annotations

from collections.abc import Iterator

from ....curation.spread import Spread
from ....curation.types import Progress
from ...video.numbers import numbers_of
from ..base import ConvertRequest, ConvertResult, EngineError, spans
from ..beside import sheet_numbers, show_beside
from ..disclosure import METADATA
from ..encodings import chosen_encoding
from ..film import rewrite_all
from ..frames import Change, Frame, Source, open_source
from .blend import MASKS
from .colours import COLOURS
from .drawing import spread_changes
from .swapper import Swapper, prepare

__all__ = ["convert"]


def convert(request: ConvertRequest, progress: Progress, spread: Spread | None = None) -> ConvertResult:
    """Swap the faces of `request.source`; see `ConvertRequest`. With `spread`, its workers draw the same faces.

    `options["side"]` says whose faces the source shows, "a" (the default) or "b", and `options["draw"]` whose are
    drawn, "b" (the default) or "a": with both the same, a person is drawn again as a check of the model. What lies
    before a face is not painted over where training taught an occlusion mask and `options["occlusion"]` is not "no".
    Raises EngineError where there is no model, where the alignments belong to another source, where an option has
    another value or where the source breaks off; `output` is then as it was before.
    """
    _check_options(request)
    encoding = chosen_encoding(request.codec, request.crf, request.preset, request.output)
    source = open_source(request.source, rate=request.rate)
    swapper = prepare(request, source)
    total = source.frames

    def changes(frames: Iterator[Frame]) -> Iterator[tuple[Frame, Change]]:
        for frame, change in (
            swapper.changes(frames) if spread is None else spread_changes(swapper, source, frames, spread)
        ):
            yield frame, change
            progress("convert", frame.number, None if total is None else max(total, frame.number))

    metadata = {**METADATA, **request.metadata}
    made = rewrite_all(
        source, request.output, changes, metadata=metadata, encoding=encoding, label=request.label, mark=request.mark,
        kept=request.kept,
    )  # fmt: skip
    swapped = _count(swapper, source)
    seen = sheet_numbers(swapped)
    show_beside(source, request.output, seen, request.side_by_side, request.contact_sheet, progress)
    faces, shown = sum(swapped.values()), spans(sorted(swapped))
    return ConvertResult(
        request.output, made.frames, len(swapped), faces, made.has_sound, made.left_out, shown, spans(swapper.hidden)
    )


def _count(swapper: Swapper, source: Source) -> dict[int, int]:
    """How many faces are swapped in each frame of the result that shows any: those drawn now and those kept."""
    kept = swapper.request.kept
    numbers = numbers_of(swapper.faces, source.path)
    drawn = set(swapper.numbers)
    return {
        number: len(swapper.faces[name])
        for name, number in numbers.items()
        if number in drawn or (kept is not None and kept.shows_swap(number))
    }


def _check_options(request: ConvertRequest) -> None:
    known = (
        ("mask", request.mask, MASKS),
        ("color", request.color, tuple(COLOURS)),
        ("writer", request.writer, ("ffmpeg",)),
        ("side", request.options.get("side", "a"), ("a", "b")),
        ("draw", request.options.get("draw", "b"), ("a", "b")),
        ("occlusion", request.options.get("occlusion", "yes"), ("yes", "no")),
    )
    for option, value, values in known:
        if value not in values:
            raise EngineError(
                f"The embedded engine has no {option} {value!r}, only {', '.join(values)}. "
                "Choose one of them, or leave it out: galloway convert"
            )
