"""Conversion in parts: workers draw faces, this process reads the film once and writes it.

A worker reads its frames itself and gives back the samples that are new, as they are stored; the same eight frames are
drawn together as without workers, so that they get the same pixels.
"""

from __future__ import annotations

import gc
import logging
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path

from threadpoolctl import threadpool_limits

from ....curation.files import picture_files
from ....curation.spread import Spread
from ..base import ConvertRequest
from ..frames import PICTURE_RATE, Change, Frame, Patch, Source, load_picture
from ..spans import Span, SpanReader, Uncounted, frame_ticks
from .swapper import AT_ONCE, Swapper, prepare

__all__ = ["Drawing", "draw", "spread_changes"]

_log = logging.getLogger(__name__)
_FRAMES = 4 * AT_ONCE
"""Frames of a part. Larger ones decode less twice, from the key frame before, and hold more pixels at once."""
_MOST = 32
"""So many parts are on their way or wait to be written: writing a film takes a fourth of what drawing it takes."""

Drawn = list[tuple[list[Patch], bool]]
"""What is new in each frame, and whether most of a face is hidden in it."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a worker is given: frames of a film by their `span`, or `pictures` of a folder with their numbers. `run` is
    another word for each conversion: a worker keeps the model of one."""

    run: str
    request: ConvertRequest
    source: Source
    span: Span | None = None
    pictures: tuple[tuple[int, str], ...] = ()


def spread_changes(
    swapper: Swapper, source: Source, frames: Iterator[Frame], spread: Spread
) -> Iterator[tuple[Frame, Change]]:
    """Every frame in order with what becomes of it, as `Swapper.changes` gives it."""
    ticks = frame_ticks(source.path) if source.is_video else None
    if source.is_video and not ticks:
        _log.warning("%s does not say when each of its frames is shown: this process draws alone.", source.path.name)
        yield from swapper.changes(frames)
        return
    parts = _parts(swapper, source, ticks)
    made = spread.in_order(draw, parts.values(), most=_MOST)
    picture = not swapper.request.output.suffix
    while batch := list(islice(frames, _FRAMES)):
        try:
            _check(batch, ticks)
            drawn = next(made) if batch[0].number in parts else [([], False) for _ in batch]
        except Uncounted as why:
            _log.warning("%s The rest is drawn by this process alone.", why)
            yield from swapper.changes(chain(batch, frames))
            return
        for frame, (new, hidden) in zip(batch, drawn, strict=True):
            yield frame, swapper.noted(frame, frame.patched(new, picture=picture) if new else None, hidden)


def _check(frames: list[Frame], ticks: tuple[int, ...] | None) -> None:
    """Raise Uncounted where frames have other numbers than workers count."""
    for frame in frames:
        if ticks is not None and (frame.number > len(ticks) or frame.pts != ticks[frame.number - 1]):
            raise Uncounted(f"Frame {frame.number} is shown at another time than the film's index says.")


def _parts(swapper: Swapper, source: Source, ticks: tuple[int, ...] | None) -> dict[int, Drawing]:
    """The parts in which any face is swapped, by the number of their first frame."""
    run, request = secrets.token_hex(8), swapper.request
    names = [] if ticks else [path.name for path in picture_files(source.path)]
    total = len(ticks) if ticks else len(names)
    found = {}
    for start in range(0, total, _FRAMES):
        numbers = range(start + 1, min(start + _FRAMES, total) + 1)
        called = {number: source.frame_name(number) if ticks else names[number - 1] for number in numbers}
        if not any(swapper.of(number, name) for number, name in called.items()):
            continue
        if ticks:
            span = Span(start + 1, ticks[start : start + _FRAMES], False)
            found[start + 1] = Drawing(run, request, source, span)
        else:
            found[start + 1] = Drawing(run, request, source, pictures=tuple(called.items()))
    return found


def draw(part: Drawing) -> Drawn:
    """What is new in a part's frames."""
    part.source.path.stat()  # a worker that does not see the footage says so, and another one may
    worker, drawn = _worker(part), []
    # Two threads of a worker read on by themselves.
    reader = worker.readers.pop() if worker.readers else SpanReader(part.source)
    frames = _pictures(part) if part.span is None else reader.read(part.span)
    picture = not part.request.output.suffix
    with threadpool_limits(1):
        while batch := list(islice(frames, AT_ONCE)):
            made = zip(batch, worker.swapper.drawn(batch), strict=True)
            drawn += [(frame.patches(new.parts, picture=picture), new.hidden) for frame, new in made]
    worker.readers.append(reader)
    return drawn


def _pictures(part: Drawing) -> Iterator[Frame]:
    folder: Path = part.source.path
    for number, name in part.pictures:
        yield Frame(number, name, partial(load_picture, folder / name), number - 1, 1 / PICTURE_RATE)


@dataclass(frozen=True, slots=True)
class _Worker:
    """What a worker keeps of one conversion, its `run`: the model, loaded once, and where it is in the film."""

    run: str
    swapper: Swapper
    readers: list[SpanReader] = field(default_factory=list)


_here: list[_Worker] = []


def _worker(part: Drawing) -> _Worker:
    for worker in _here:
        if worker.run == part.run:
            return worker
    swapper = prepare(part.request, part.source)
    _ = swapper.model  # built before threads share it
    gc.freeze()  # as `Swapper.changes` does it
    worker = _Worker(part.run, swapper)
    _here[:] = [worker]
    return worker
