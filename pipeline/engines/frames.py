"""Frames of a video or of a folder of pictures, read with PyAV: numbers, times and the samples themselves are kept.

Frames are named as faceswap names them (alignments 2.4): `<stem>_%06d<extension>` counted from 1 for a video, the
file's own name for a picture. A rotation flag is applied while reading, so a frame is as a player shows it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...curation.errors import FacesetError
from ...curation.files import PICTURE_SUFFIXES, picture_files
from ...curation.pictures import held_by, picture_pixels
from ..video.opening import decoded, duration_of, films_in, frames_in, open_video
from ..wording import typed
from .base import EngineError
from .pixels import (
    ALIGNED,
    UNTOLD,
    Look,
    Samples,
    cut,
    differing,
    light,
    planar,
    samples_of,
    to_rgb,
    turned,
    with_parts,
    with_samples,
)

__all__ = [
    "Change",
    "Frame",
    "Part",
    "Patch",
    "Source",
    "changed_picture",
    "distinct_stems",
    "frame_names",
    "frame_names_of",
    "load_picture",
    "numbered",
    "open_source",
    "read_container",
    "stream_of",
]

PICTURE_RATE = Fraction(25)
"""Frames per second of a video made from a folder of pictures."""
RGB = NDArray[np.uint8]
"""A picture, uint8 (height, width, 3), RGB."""
Corner = tuple[float, float] | NDArray[np.float64]


@dataclass(frozen=True)
class Frame:
    """One frame. `number` counts from 1; `pts` is in `time_base` seconds, None for broken streams; so is `duration`, 0
    where the file does not say.

    `make` gives the RGB picture, which is made when it is first asked for. `native` is the decoded `av.VideoFrame`,
    upright and planar, None for pictures.
    """

    number: int
    name: str
    make: Callable[[], RGB] = field(repr=False, compare=False)
    pts: int | None = None
    time_base: Fraction | None = None
    keyframe: bool = False
    native: Any = field(default=None, repr=False, compare=False)
    duration: int = 0

    @cached_property
    def image(self) -> RGB:
        """The picture, uint8 (height, width, 3), RGB."""
        return self.make()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return (self.native.width, self.native.height) if self.native else (self.image.shape[1], self.image.shape[0])

    def part(self, left: int, top: int, right: int, bottom: int) -> RGB:
        """The picture between these edges, of which left and top are multiples of `ALIGNED`; of a video's frame no more
        than that is turned into RGB. At edges within the frame colours may differ a little from the whole's."""
        if self.native is None or "image" in self.__dict__:
            return np.ascontiguousarray(self.image[top:bottom, left:right])
        return to_rgb(cut(self.native, left, top, right, bottom))

    def around(self, low: Corner, high: Corner) -> tuple[RGB, tuple[int, int]]:
        """A part that holds what the frame has between two corners (x, y), and where the part begins."""
        width, height = self.size
        left, top = (
            min(max(int(edge), 0), most - 1) // ALIGNED * ALIGNED
            for edge, most in zip(low, (width, height), strict=True)
        )
        right, bottom = max(left + 1, min(int(high[0]) + 2, width)), max(top + 1, min(int(high[1]) + 2, height))
        return self.part(left, top, right, bottom), (left, top)

    def light(self, low: Corner, high: Corner, step: int) -> NDArray[np.float32]:
        """Every `step`th pixel's brightness between two corners (x, y), in 8-bit steps; not to be compared with another
        film's."""
        width, height = self.size
        left, top = max(int(low[0]), 0), max(int(low[1]), 0)
        right, bottom = min(int(high[0]), width), min(int(high[1]), height)
        if self.native is None:
            return np.asarray(self.image[top:bottom:step, left:right:step, 1], np.float32)
        return light(self.native, left, top, right, bottom, step)

    def with_parts(self, parts: Sequence[Part], *, picture: bool = False) -> Change:
        """The frame with new pictures in some places; as a `picture`, samples that colours share are not mixed."""
        if self.native is not None and not picture:
            return with_parts(self.native, [(part.left, part.top, part.before, part.after) for part in parts])
        image = self.image.copy()
        for part in parts:
            changed = differing(part.before, part.after)
            height, width = changed.shape
            image[part.top : part.top + height, part.left : part.left + width][changed] = part.after[changed]
        return image

    def patches(self, parts: Sequence[Part], *, picture: bool = False) -> list[Patch]:
        """What `with_parts` has under these parts, for `patched`: less to send than the frame."""
        change, found = self.with_parts(parts, picture=picture), []
        for part in parts:
            height, width = part.after.shape[:2]
            edges = part.left, part.top, part.left + width, part.top + height
            whole = isinstance(change, np.ndarray)
            planes = (change[edges[1] : edges[3], edges[0] : edges[2]],) if whole else samples_of(change, *edges)
            found.append((part.left, part.top, planes))
        return found

    def patched(self, patches: Sequence[Patch], *, picture: bool = False) -> Change:
        """What `with_parts` made of this frame where `patches` come from."""
        if self.native is not None and not picture:
            return with_samples(self.native, patches)
        image = self.image.copy()
        for left, top, (pixels,) in patches:
            image[top : top + len(pixels), left : left + pixels.shape[1]] = pixels
        return image


@dataclass(frozen=True, slots=True)
class Part:
    """A new picture for a part of a frame: left and top are multiples of `ALIGNED`, `before` is what `Frame.part` gave,
    `after` what takes its place."""

    left: int
    top: int
    before: RGB = field(repr=False)
    after: RGB = field(repr=False)


Patch = tuple[int, int, tuple[Samples, ...]]
"""New samples for a part of a frame, plane by plane, or its new picture: left, top, samples."""
Change = Any
"""What becomes of a frame: a whole new RGB picture, an `av.VideoFrame`, or None where it stays."""


def changed_picture(frame: Frame, change: Change) -> RGB:
    """The whole picture after a change."""
    if change is None:
        return frame.image
    return change if isinstance(change, np.ndarray) else to_rgb(change)


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of a source before its frames are read.

    `frames` is the count that the container or the folder gives, None where it does not say. `rate` is in frames per
    second. `rotation` is the flag in degrees, already applied to `width`, `height` and `look`. `stored` is the planar
    pixel format with its bits, `fields` "tff" or "bff" where each frame holds two moments.
    """

    path: Path
    is_video: bool
    width: int
    height: int
    frames: int | None
    rate: Fraction
    rotation: int = 0
    stored: tuple[str, int] = ("gbrp", 8)
    look: Look = UNTOLD
    fields: str = ""

    def frame_name(self, number: int) -> str:
        """faceswap's name of a video's frame `number`, e.g. `clip_000001.mp4`."""
        return f"{self.path.stem}_{number:06d}{self.path.suffix}"

    def read(self) -> Iterator[Frame]:
        """Every frame in order. Raises EngineError where the file breaks off."""
        return _read_video(self) if self.is_video else _read_pictures(self)


def frame_names(source: Path) -> list[str]:
    """`<stem>_%06d.<ext>` from 1 for a video, without decoding it; the file names, sorted, for a folder.

    Raises EngineError for a file that is no readable video.
    """
    if source.is_dir():
        return [path.name for path in picture_files(source)]
    from ..video.facts import measure

    facts = measure(source, decode=False)
    if not facts.readable or not facts.frames:
        raise EngineError(f"{source} is no readable video. Look: galloway video check {typed(source)}")
    return [f"{source.stem}_{number:06d}{source.suffix}" for number in range(1, facts.frames + 1)]


def frame_names_of(several: Sequence[Path]) -> list[str]:
    """The frames of several videos and folders, in order. Raises EngineError as `frame_names` does."""
    return [name for source in several for name in frame_names(source)]


def distinct_stems(names: Sequence[str]) -> dict[str, str]:
    """File name -> what its faces are called after: its stem, or the whole name where another file has that stem.

    Upper and lower case count as the same: a copy of the faceset may lie on a disk that cannot tell them apart.
    """
    shared = Counter(Path(name).stem.casefold() for name in names)
    taken: set[str] = set()
    stems: dict[str, str] = {}
    for name in names:
        stem = Path(name).stem if shared[Path(name).stem.casefold()] == 1 else name
        while stem.casefold() in taken:
            stem += "-2"
        taken.add(stem.casefold())
        stems[name] = stem
    return stems


def open_source(path: Path, *, rate: Fraction | None = None) -> Source:
    """Look at a video or a folder of pictures, which are `rate` a second (None: PICTURE_RATE).

    Raises EngineError with the remedy where it cannot be read.
    """
    if path.is_dir():
        return _open_pictures(path, rate or PICTURE_RATE)
    if not path.is_file():
        raise EngineError(
            f"{path} does not exist. Name a video or a folder of pictures: galloway ingest --side a VIDEO"
        )
    if path.suffix.lower() in PICTURE_SUFFIXES:
        raise EngineError(
            f"{path} is one picture. Put it into a folder and ingest the folder: galloway ingest --side b FOLDER"
        )
    import av

    try:
        with open_video(path) as container:
            stream = stream_of(container, path)
            first = next(frames_in(container, stream), None)
            if first is None:
                raise EngineError(f"{path} holds no frame that can be read. {_remedy(path)}")
            return _source(path, container, stream, first)
    except av.FFmpegError as error:
        raise EngineError(f"{path} cannot be read as a video ({error}). {_remedy(path)}") from error


def _source(path: Path, container: Any, stream: Any, first: Any) -> Source:
    rotation = int(getattr(first, "rotation", 0)) % 360
    upright = turned(planar(first), rotation // 90)
    return Source(
        path=path,
        is_video=True,
        width=upright.width,
        height=upright.height,
        frames=stream.frames or _guess_frames(container, stream),
        rate=Fraction(stream.average_rate or stream.base_rate or PICTURE_RATE),
        rotation=rotation,
        stored=(upright.format.name, max(component.bits for component in upright.format.components)),
        look=_look(stream, first, rotation in (90, 270)),
        fields=_fields(first),
    )


def _look(stream: Any, first: Any, sideways: bool) -> Look:
    """What the samples mean: as the frame says, else as the stream does."""
    context = stream.codec_context
    aspect = Fraction(stream.sample_aspect_ratio or context.sample_aspect_ratio or 1) or Fraction(1)

    def told(name: str) -> int:
        of_frame = int(getattr(first, name))
        return of_frame if of_frame not in (0, 2) else int(getattr(context, name))

    return Look(
        matrix=told("colorspace"),
        primaries=told("color_primaries"),
        transfer=told("color_trc"),
        range=int(first.color_range) or (2 if first.format.name.startswith("yuvj") else int(context.color_range)),
        aspect=1 / aspect if sideways else aspect,
    )


def _fields(first: Any) -> str:
    """Which of a frame's two fields comes first. What containers say of it contradicts itself from one to the next; the
    frame's own flag decides, which nothing here shows but the filter that takes fields apart."""
    if not first.interlaced_frame:
        return ""
    import av

    graph: Any = av.filter.Graph()
    source = graph.add_buffer(width=first.width, height=first.height, format=first.format, time_base=Fraction(1, 25))
    graph.link_nodes(source, graph.add("separatefields"), graph.add("buffersink")).configure()
    graph.push(first)
    field, whole = (frame.to_ndarray(format="gray") for frame in (graph.pull(), first))
    return "tff" if np.array_equal(field, whole[::2]) else "bff"


def _remedy(path: Path) -> str:
    return f"Look at it with: galloway video check {typed(path)}"


def stream_of(container: Any, path: Path) -> Any:
    """The picture's stream, decoded on all cores. Raises EngineError where there is none."""
    stream = next(iter(films_in(container)), None)
    if stream is None:
        raise EngineError(f"{path} has no video in it. {_remedy(path)}")
    stream.thread_type = "AUTO"
    return stream


def _guess_frames(container: Any, stream: Any) -> int | None:
    """Frames from duration and rate, None where the container gives neither. Matroska's duration ends where its clock
    does, wherever that began."""
    if not container.duration or not stream.average_rate:
        return None
    began = (container.start_time or 0) if "matroska" in container.format.name else 0
    length = container.duration - began if 0 < began < container.duration else container.duration
    return max(1, round(float(Fraction(length, 1_000_000) * stream.average_rate)))


def _open_pictures(folder: Path, rate: Fraction) -> Source:
    files = picture_files(folder)
    if not files:
        raise EngineError(
            f"{folder} holds no pictures. Put {', '.join(PICTURE_SUFFIXES[:4])} files into it and try again."
        )
    height, width = load_picture(files[0]).shape[:2]
    return Source(folder, False, width, height, len(files), rate, stored=_stored(files[0]))


def _stored(picture: Path) -> tuple[str, int]:
    """A planar format like a picture's own samples, with its bits. Pictures are read opaque and with eight bits: what a
    result loses by that is said."""
    bits, clear = held_by(picture)
    return ("gbrap" if clear else "gbrp") + (f"{bits}le" if bits > 8 else ""), bits


def load_picture(path: Path) -> RGB:
    """The picture, upright. Raises EngineError, naming the file, where it cannot be read."""
    try:
        return picture_pixels(path, upright=True)
    except FacesetError as error:
        raise EngineError(str(error)) from error


def _read_pictures(source: Source) -> Iterator[Frame]:
    for number, path in enumerate(picture_files(source.path), start=1):
        yield Frame(number, path.name, partial(load_picture, path), number - 1, 1 / PICTURE_RATE)


def _read_video(source: Source) -> Iterator[Frame]:
    import av

    number = 0
    try:
        with open_video(source.path) as container:
            stream = stream_of(container, source.path)
            for _, frame in read_container(source, container, [stream]):
                if frame is not None:
                    number = frame.number
                    yield frame
    except av.FFmpegError as error:
        raise EngineError(
            f"{source.path} breaks off after frame {number} ({error}). "
            f"Mend it with: galloway video fix {typed(source.path)}"
        ) from error


def read_container(source: Source, container: Any, streams: Sequence[Any]) -> Iterator[tuple[Any, Frame | None]]:
    """The packets of `streams`, of which the first is the picture: each packet of another stream as (packet, None),
    each decoded frame as (packet, frame)."""
    number = 0
    for packet in container.demux(*streams):
        if packet.stream.index != streams[0].index:
            yield packet, None
            continue
        for frame in decoded(packet):
            number += 1
            yield packet, numbered(source, number, frame, duration_of(container, streams[0], frame))


def shown(source: Source, frame: Any) -> Any:
    """A decoded `av.VideoFrame` of the source upright and planar."""
    # FFmpeg's flag counts counter-clockwise, as `turned` does.
    return turned(planar(frame), source.rotation // 90)


def numbered(source: Source, number: int, frame: Any, duration: int = 0) -> Frame:
    """A decoded `av.VideoFrame` as the source's frame of that number, from 1. Raises EngineError where the picture has
    another size than it began with."""
    native = shown(source, frame)
    if (native.width, native.height) != (source.width, source.height):
        raise EngineError(
            f"{source.path} begins as {source.width}x{source.height} and is {native.width}x{native.height} from frame "
            f"{number} on; faces and frames have one size. Mend it, then ingest what that makes: "
            f"galloway video fix {typed(source.path)}"
        )
    name = source.frame_name(number)
    make, key = partial(to_rgb, native), bool(frame.key_frame)
    return Frame(number, name, make, frame.pts, frame.time_base, key, native, duration)
