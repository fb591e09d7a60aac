"""Some frames of a film, read where they begin, with the numbers that they have when all are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..video.opening import frames_in, open_video
from .base import EngineError
from .frames import Frame, Source, numbered, stream_of

__all__ = ["Span", "Uncounted", "frame_ticks", "read_span"]


class Uncounted(EngineError):
    """A film's frames do not come as its index says, so that their numbers are known only by reading all of it."""


@dataclass(frozen=True, slots=True)
class Span:
    """Frames that follow one another: the number of the first, from 1, and when each is shown, in ticks of the stream.
    `ends` where nothing follows."""

    first: int
    ticks: tuple[int, ...]
    ends: bool


def frame_ticks(path: Path) -> tuple[int, ...] | None:
    """When each frame of a film is shown, rising, in ticks of its stream; None where the container does not say it of
    each. Nothing is decoded."""
    ticks: list[int] = []
    with open_video(path) as container:
        for packet in container.demux(stream_of(container, path)):
            if not packet.size or packet.is_discard:
                continue
            if packet.pts is None:
                return None
            ticks.append(packet.pts)
    ticks.sort()
    return tuple(ticks) if len(set(ticks)) == len(ticks) else None


def read_span(source: Source, span: Span) -> Iterator[Frame]:
    """The frames of a span, the same as when all of the film is read.

    Decoding begins at the key frame before. Raises Uncounted where other frames come than the span names.
    """
    import av

    try:
        with open_video(source.path) as container:
            stream = stream_of(container, source.path)
            container.seek(span.ticks[0], stream=stream, backward=True)
            yield from _read(source, span, frames_in(container, stream))
    except av.FFmpegError as error:
        raise Uncounted(f"{source.path} cannot be read from frame {span.first} on ({error}).") from error


def _read(source: Source, span: Span, decoded: Iterator[Any]) -> Iterator[Frame]:
    expected = iter(enumerate(span.ticks, span.first))
    following = next(expected, None)
    for frame in decoded:
        if frame.pts is not None and frame.pts < span.ticks[0]:
            continue
        if following is None:
            if span.ends:
                raise _other(source, span)
            return
        number, tick = following
        if frame.pts != tick or frame.is_corrupt:
            raise _other(source, span)
        yield numbered(source, number, frame)
        following = next(expected, None)
        if following is None and not span.ends:
            return
    if following is not None:
        raise _other(source, span)


def _other(source: Source, span: Span) -> Uncounted:
    return Uncounted(f"{source.path} has other frames from number {span.first} on than its index says.")
