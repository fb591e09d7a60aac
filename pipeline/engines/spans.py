"""Some frames of a film, read where they begin, with the numbers that they have when all are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..video.opening import frames_in, open_video
from .base import EngineError
from .frames import Frame, Source, numbered, stream_of

__all__ = ["Span", "SpanReader", "Uncounted", "frame_ticks", "read_span"]


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
    with closing(SpanReader(source)) as reader:
        yield from reader.read(span)


class SpanReader:
    """Reads spans of one film. From one to a later one it goes on where it is, unless a key frame lies between: so
    several that take turns with spans decode a film once each, and not from the same key frame again and again."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._open = ExitStack()
        self._stream: Any = None
        self._decoded: Iterator[Any] = iter(())
        self._at: int | None = None
        """When the last frame is shown that was read, None where that is not known."""

    def read(self, span: Span) -> Iterator[Frame]:
        """The frames of a span, as `read_span` gives them. What was read before it must have been read to its end."""
        import av

        try:
            if self._at is None or not self._at < span.ticks[0] or self._key_before(span) > self._at:
                self._seek(span)
            self._at = None
            yield from _read(self._source, span, self._decoded)
            self._at = span.ticks[-1]
        except av.FFmpegError as error:
            raise Uncounted(f"{self._source.path} cannot be read from frame {span.first} on ({error}).") from error

    def close(self) -> None:
        """Let go of the film."""
        self._at = None
        self._open.close()

    def _key_before(self, span: Span) -> float:
        """When the key frame is decoded from which a span would be read; for ever, where the container has no index."""
        known = self._stream.index_entries
        at = known.search_timestamp(span.ticks[0], backward=True) if len(known) else -1
        return float(known[at].timestamp) if at >= 0 else float("inf")

    def _seek(self, span: Span) -> None:
        self._open.close()
        container = self._open.enter_context(open_video(self._source.path))
        self._stream = stream_of(container, self._source.path)
        container.seek(span.ticks[0], stream=self._stream, backward=True)
        self._decoded = frames_in(container, self._stream)


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
