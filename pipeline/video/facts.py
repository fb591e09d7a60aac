"""What a video file is made of, measured by reading it: every packet, and every frame unless told not to."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from ..wording import counted, noun
from .boxes import Boxes, read_boxes
from .ends import missing_bytes
from .opening import codec_of, decoded, duration_of, films_in, open_video

__all__ = ["SoundFacts", "VideoFacts", "is_unseen", "measure", "sha256_of"]

logger = logging.getLogger(__name__)

_RATES = tuple(Fraction(n, d) for n, d in ((24000, 1001), (30000, 1001), (60000, 1001), (120000, 1001))) + tuple(
    Fraction(n) for n in (12, 15, 24, 25, 30, 48, 50, 60, 100, 120)
)
_TRANSFERS = {1: "bt709", 6: "smpte170m", 13: "srgb", 14: "bt2020-10", 16: "smpte2084", 18: "arib-std-b67"}
"""FFmpeg's numbers for transfer characteristics (ITU-T H.273, table 3)."""

_SLIP = 0.1
"""Seconds by which a clock may go back without having begun anew: ffmpeg's own bound for MPEG streams."""


@dataclass(frozen=True, slots=True)
class SoundFacts:
    """The first sound stream; `start` in seconds of the file's clock."""

    codec: str
    start: float
    duration: float | None


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """A video as it is. Times are seconds, rates are frames per second.

    `width` and `height` are the stored picture, before `rotation` (degrees counter-clockwise, 0 to 359) and
    `pixel_aspect`. `promised` is the container's own frame count (None: it gives none), `packets` how many are there,
    `hidden` how many of them an edit list hides, `decoded` how many came out of the decoder (None: not decoded).
    A packet without a picture to show (VP8's alternate references) counts nowhere. `off_grid` is how far a frame lies
    from its place at a constant `rate`, at most, in frames; `empty` how many places at that rate hold no frame in an
    AVI, where all its frames lie on one. `sizes` holds the sizes of frames, in the order in which they first come (of
    what was decoded); `restarts` says before which frames, counted from 1, the clock goes back, as in a file that was
    joined of several: all times are then those of a clock that goes on. `torn` is how many frames at the end are
    damaged. `missing_bytes` are those that the file says it has and has not. `trouble` lists what the reader
    complained about, `stream` is the number of the film among the file's streams; with `readable` False nothing else is
    filled but container, boxes and missing bytes.
    """

    container: str
    readable: bool
    trouble: tuple[str, ...] = ()
    boxes: Boxes | None = None
    missing_bytes: int = 0
    codec: str = ""
    pixel_format: str = ""
    bits: int = 8
    transfer: str = "unknown"
    interlaced: bool = False
    width: int = 0
    height: int = 0
    sizes: tuple[tuple[int, int], ...] = ()
    restarts: tuple[int, ...] = ()
    torn: int = 0
    rotation: int = 0
    pixel_aspect: Fraction = Fraction(1)
    promised: int | None = None
    packets: int = 0
    hidden: int = 0
    decoded: int | None = None
    rate: Fraction = Fraction(0)
    start: float = 0.0
    file_start: float = 0.0
    duration: float = 0.0
    step_min: float = 0.0
    step_max: float = 0.0
    off_grid: float = 0.0
    empty: int = 0
    sound: SoundFacts | None = None
    extra_sound: int = 0
    extra_pictures: int = 0
    stream: int = 0

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height as a player shows them: turned, with square pixels."""
        width, height = round(self.width * self.pixel_aspect), self.height
        return (height, width) if self.rotation in (90, 270) else (width, height)

    @property
    def frames(self) -> int:
        """Frames that a careful reader gets."""
        return self.decoded if self.decoded is not None else self.packets - self.hidden


@dataclass
class _Tally:
    """What passes by while reading; `last` is when the last frame comes, and for how long it stays."""

    times: list[int] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)
    last: tuple[int, int] | None = None
    sizes: dict[tuple[int, int], None] = field(default_factory=dict)
    packets: int = 0
    hidden: int = 0
    decoded: int = 0
    corrupt: int = 0
    torn: int = 0
    first: Any = None
    trouble: list[str] = field(default_factory=list)


def sha256_of(path: Path) -> str:
    """The file's SHA-256, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def measure(path: Path, *, decode: bool = True) -> VideoFacts:
    """Read `path` and say what it is made of; never raises for a broken video.

    `decode` False reads packets only: faster, but a damaged picture inside is not noticed.
    """
    boxes = read_boxes(path)
    missing = boxes.missing_bytes if boxes is not None else missing_bytes(path)
    return replace(_measured(path, decode), boxes=boxes, missing_bytes=missing)


def _measured(path: Path, decode: bool) -> VideoFacts:
    """What a reader finds in it."""
    import av

    try:
        with open_video(path) as container:
            streams = films_in(container)
            if not streams:
                return VideoFacts(container.format.name, False, ("There is no video stream in it.",))
            return _facts(container, streams[0], _read(container, streams[0], decode), decode)
    except (av.FFmpegError, ValueError) as error:
        logger.info("cannot open %s: %s", path, error)
        return VideoFacts(path.suffix.lstrip("."), False, (_plain(error),))


def _plain(error: BaseException) -> str:
    """FFmpeg's words without the path."""
    return str(getattr(error, "strerror", "") or error)


def _read(container: Any, stream: Any, decode: bool) -> _Tally:
    """Demux (and decode) one video stream to its end, however damaged."""
    import av

    tally = _Tally()
    stream.thread_type = "AUTO"
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return tally
        except av.FFmpegError as error:
            tally.trouble.append(_plain(error))
            return tally
        _count(tally, packet, container, stream)
        if decode or tally.first is None:
            _decode(tally, packet)


def _count(tally: _Tally, packet: Any, container: Any, stream: Any) -> None:
    if not packet.size or is_unseen(packet, stream):
        return
    tally.packets += 1
    if getattr(packet, "is_discard", False):
        tally.hidden += 1
        return
    time = packet.pts if packet.pts is not None else packet.dts
    if time is not None:
        tally.times.append(time)
        if tally.last is None or time > tally.last[0]:
            tally.last = time, duration_of(container, stream, packet)


def is_unseen(packet: Any, stream: Any) -> bool:
    """Whether a packet's picture is only there for others to be made of: VP8's show_frame bit (RFC 6386 §9.1)."""
    return codec_of(stream) == "vp8" and not bytes(packet)[0] & 0x10


def _decode(tally: _Tally, packet: Any) -> None:
    import av

    try:
        for frame in decoded(packet):
            tally.decoded += 1
            tally.first = tally.first or frame
            tally.sizes[frame.width, frame.height] = None
            if frame.pts is not None:
                tally.shown.append(frame.pts)
            tally.corrupt += bool(frame.is_corrupt)
            tally.torn = tally.torn + 1 if frame.is_corrupt else 0
    except av.FFmpegError as error:
        tally.trouble.append(_plain(error))


def _facts(container: Any, stream: Any, tally: _Tally, decode: bool) -> VideoFacts:
    context, first = stream.codec_context, tally.first
    if first is None:
        trouble = (*tally.trouble, "No frame in it can be decoded.")
        return VideoFacts(container.format.name, False, trouble, codec=codec_of(stream) or "unknown")
    # What is shown counts, where it was decoded and knows its time; packets may be more, fewer or timed otherwise.
    known = decode and len(tally.shown) == tally.decoded
    restarts = _restarts(tally.shown, stream) if known else []
    times = _going_on(tally.shown, restarts) if restarts else sorted(tally.shown if known else tally.times)
    rate, off_grid = _grid(times, stream)
    steps = [(after - before) * stream.time_base for before, after in pairwise(times)]
    if tally.corrupt:
        tally.trouble.append(f"{counted(tally.corrupt, 'frame')} {noun(tally.corrupt, 'is', 'are')} damaged.")
    start = float(times[0] * stream.time_base) if times else 0.0
    sound = next(iter(container.streams.audio), None)
    return VideoFacts(
        container=container.format.name,
        readable=True,
        trouble=tuple(dict.fromkeys(tally.trouble)),
        codec=codec_of(stream) or "unknown",
        pixel_format=first.format.name,
        bits=max(component.bits for component in first.format.components),
        transfer=_TRANSFERS.get(int(getattr(first, "color_trc", None) or context.color_trc or 0), "unknown"),
        interlaced=bool(first.interlaced_frame),
        width=first.width,
        height=first.height,
        rotation=int(first.rotation) % 360,
        sizes=tuple(tally.sizes),
        restarts=tuple(place + 1 for place in restarts),
        torn=tally.torn,
        pixel_aspect=Fraction(stream.sample_aspect_ratio or 1) or Fraction(1),
        promised=stream.frames or None,
        packets=tally.packets,
        hidden=tally.hidden,
        decoded=tally.decoded if decode else None,
        rate=rate,
        start=start,
        file_start=(container.start_time or 0) / 1_000_000,
        duration=float((times[-1] - times[0]) * stream.time_base + _held(tally, times, rate, stream)) if times else 0.0,
        step_min=float(min(steps, default=0)),
        step_max=float(max(steps, default=0)),
        off_grid=off_grid,
        empty=_empty(times, rate, stream) if off_grid > 0.25 and container.format.name == "avi" else 0,
        sound=_sound(sound) if sound is not None else None,
        extra_sound=max(0, len(container.streams.audio) - 1),
        extra_pictures=len(container.streams.video) - 1,
        stream=stream.index,
    )


def _sound(stream: Any) -> SoundFacts:
    return SoundFacts(
        codec_of(stream) or "unknown",
        float((stream.start_time or 0) * stream.time_base),
        float(stream.duration * stream.time_base) if stream.duration else None,
    )


def _held(tally: _Tally, times: Sequence[int], rate: Fraction, stream: Any) -> Fraction:
    """For how long the last frame stays: as its packet says, else as long as frames usually do."""
    time, duration = tally.last or (0, 0)
    if duration > 0 and time == times[-1]:
        return Fraction(duration * stream.time_base)
    return 1 / rate if rate else Fraction(0)


def _grid(times: list[int], stream: Any) -> tuple[Fraction, float]:
    """The rate of a stream, and how many frames the worst frame lies off a constant rate.

    A stream on a grid gets its measured rate; one that is not gets the rate of its usual step, so that mending it
    neither throws real frames away nor invents more than it must. Both snap to a broadcast rate within 0.2 %.
    """
    if len(times) < 2 or times[-1] == times[0]:
        return snap(Fraction(stream.average_rate or stream.base_rate or 25)), 0.0
    span = times[-1] - times[0]
    step = Fraction(span, len(times) - 1)
    worst = max(abs(time - times[0] - index * step) for index, time in enumerate(times))
    off_grid = float(worst / step)
    # One tick of the container's clock either way is rounding, not timing, unless its ticks are whole frames.
    if off_grid > 0.25 and (worst > 1 or step < 4):
        usual = Fraction(int(median(after - before for before, after in pairwise(times))) or 1)
        return snap(min(1 / (usual * stream.time_base), Fraction(120))), off_grid
    return snap(1 / (step * stream.time_base)), off_grid


def _restarts(shown: Sequence[int], stream: Any) -> list[int]:
    """Which frames, from 0, are shown earlier than the one before, by more than what ffmpeg takes for a slip."""
    return [at + 1 for at, (one, two) in enumerate(pairwise(shown)) if (one - two) * stream.time_base > _SLIP]


def _going_on(shown: Sequence[int], restarts: Sequence[int]) -> list[int]:
    """The times of pieces after one another, each as long after the last as frames usually are."""
    pieces = [sorted(shown[first:last]) for first, last in pairwise([0, *restarts, len(shown)])]
    steps = [after - before for piece in pieces for before, after in pairwise(piece)]
    usual = int(median(steps)) if steps else 1
    times: list[int] = []
    for piece in pieces:
        shift = times[-1] + usual - piece[0] if times else 0
        times += [time + shift for time in piece]
    return times


def _empty(times: list[int], rate: Fraction, stream: Any) -> int:
    """How many places at `rate` hold no frame, 0 where some frame lies on none."""
    step = 1 / (rate * stream.time_base)
    places = [float((time - times[0]) / step) for time in times]
    if any(abs(place - round(place)) > 0.25 for place in places) or len({round(place) for place in places}) < len(
        places
    ):
        return 0
    return round(places[-1]) + 1 - len(places)


def snap(rate: Fraction) -> Fraction:
    """The broadcast rate within 0.2 % of `rate`, else `rate` in thousandths."""
    near = min(_RATES, key=lambda known: abs(known - rate))
    return near if abs(near - rate) <= near / 500 else Fraction(round(rate * 1000), 1000)
