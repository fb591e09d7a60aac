"""Frames of a video or of a folder of pictures, read and written with PyAV: numbers, timing and sound are kept.

Frames are named as faceswap names them (alignments 2.4): `<stem>_%06d<extension>` counted from 1 for a video, the
file's own name for a picture. A rotation flag is applied while reading, so a frame is as a player shows it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ...curation.errors import FacesetError
from ...curation.files import PICTURE_SUFFIXES, beside, picture_files, put_in_place
from ...curation.pictures import picture_pixels
from .base import EngineError

if TYPE_CHECKING:
    import av

__all__ = [
    "Frame",
    "Source",
    "VideoWriter",
    "frame_names",
    "distinct_stems",
    "load_picture",
    "open_source",
    "rewrite",
]

PICTURE_RATE = Fraction(25)
"""Frames per second of a video made from a folder of pictures."""
MP4_SOUND = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus"})
"""Sound codecs that go into an mp4 as they are; others are encoded anew as AAC."""

RGB = NDArray[np.uint8]
"""A picture, uint8 (height, width, 3), RGB."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. `number` counts from 1; `pts` is in `time_base` seconds, None for pictures and broken streams."""

    number: int
    name: str
    image: RGB
    pts: int | None = None
    time_base: Fraction | None = None
    keyframe: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of a source before its frames are read.

    `frames` is the count that the container or the folder gives, None where it does not say. `rate` is in frames per
    second. `rotation` is the flag in degrees, already applied to `width` and `height`.
    """

    path: Path
    is_video: bool
    width: int
    height: int
    frames: int | None
    rate: Fraction
    has_sound: bool
    rotation: int = 0

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
        raise EngineError(f"{source} is no readable video. Look: galloway video check {source}")
    return [f"{source.stem}_{number:06d}{source.suffix}" for number in range(1, facts.frames + 1)]
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


def open_source(path: Path) -> Source:
    """Look at a video or a folder of pictures. Raises EngineError with the remedy where it cannot be read."""
    if path.is_dir():
        return _open_pictures(path)
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
        with av.open(str(path)) as container:
            stream = _video_stream(container, path)
            first = next(container.decode(stream), None)
            if first is None:
                raise EngineError(f"{path} holds no frame that can be read. {_REMEDY.format(path=path)}")
            rotation = int(first.rotation) % 360
            turned = rotation in (90, 270)
            return Source(
                path=path,
                is_video=True,
                width=first.height if turned else first.width,
                height=first.width if turned else first.height,
                frames=stream.frames or _guess_frames(container, stream),
                rate=Fraction(stream.average_rate or stream.base_rate or PICTURE_RATE),
                has_sound=bool(container.streams.audio),
                rotation=rotation,
            )
    except av.FFmpegError as error:
        raise EngineError(f"{path} cannot be read as a video ({error}). {_REMEDY.format(path=path)}") from error


_REMEDY = "Look at it with: galloway video check {path}"


def _video_stream(container: Any, path: Path) -> Any:
    if not container.streams.video:
        raise EngineError(f"{path} has no video in it. {_REMEDY.format(path=path)}")
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    return stream


def _guess_frames(container: Any, stream: Any) -> int | None:
    """Frames from duration and rate, None where the container gives neither."""
    if container.duration and stream.average_rate:
        return max(1, round(float(container.duration / 1_000_000 * stream.average_rate)))
    return None


def _open_pictures(folder: Path) -> Source:
    files = picture_files(folder)
    if not files:
        raise EngineError(f"{folder} holds no pictures. Put {', '.join(PICTURES[:4])} files into it and try again.")
    height, width = load_picture(files[0]).shape[:2]
    return Source(folder, False, width, height, len(files), PICTURE_RATE, has_sound=False)


def load_picture(path: Path) -> RGB:
    """The picture, upright. Raises EngineError, naming the file, where it cannot be read."""
    try:
        return picture_pixels(path, upright=True)
    except FacesetError as error:
        raise EngineError(str(error)) from error


def _read_pictures(source: Source) -> Iterator[Frame]:
    for number, path in enumerate(picture_files(source.path), start=1):
        yield Frame(number, path.name, load_picture(path), number - 1, 1 / PICTURE_RATE)


def _read_video(source: Source) -> Iterator[Frame]:
    import av

    number = 0
    try:
        with av.open(str(source.path)) as container:
            for decoded in container.decode(_video_stream(container, source.path)):
                number += 1
                yield _frame(source, number, decoded)
    except av.FFmpegError as error:
        raise EngineError(
            f"{source.path} breaks off after frame {number} ({error}). Mend it with: galloway video fix {source.path}"
        ) from error


def _frame(source: Source, number: int, decoded: Any) -> Frame:
    image = decoded.to_ndarray(format="rgb24")
    if source.rotation:
        # FFmpeg's flag counts counter-clockwise, as numpy.rot90 does.
        image = np.ascontiguousarray(np.rot90(image, source.rotation // 90))
    return Frame(number, source.frame_name(number), image, decoded.pts, decoded.time_base, bool(decoded.key_frame))


class VideoWriter(AbstractContextManager["VideoWriter"]):
    """Writes an mp4 (H.264, AAC) beside its target and renames it when it is whole; a failure leaves no file.

    `rate` is frames per second. Frames may carry their own time; else they follow one another at `rate`. Sizes that are
    odd are made even by repeating the last row or column, because players do not show odd 4:2:0 pictures.
    """

    def __init__(
        self,
        path: Path,
        *,
        width: int,
        height: int,
        rate: Fraction,
        time_base: Fraction | None = None,
        metadata: dict[str, str] | None = None,
        crf: int = 18,
    ) -> None:
        import av

        self._path = path
        self._partial = beside(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._container: av.container.OutputContainer = av.open(
            str(self._partial), "w", options={"movflags": "+faststart+use_metadata_tags"}
        )
        self._container.metadata.update(metadata or {})
        self._time_base = time_base or 1 / Fraction(rate)
        stream: Any = self._container.add_stream("libx264", rate=rate)
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = self._time_base
        # No B-frames: decoding order is showing order, so no reader has to honour an edit list to count frames.
        stream.options = {"crf": str(crf), "preset": "veryfast", "bf": "0"}
        self._video = stream
        self._audio: Any = None
        self._written = 0
        self._last_pts: int | None = None

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._flush()
        finally:
            self._container.close()
            if kind is None:
                put_in_place(self._partial, self._path)
            else:
                self._partial.unlink(missing_ok=True)

    def _flush(self) -> None:
        for packet in self._video.encode(None):
            self._container.mux(packet)
        if self._audio is not None and self._audio.codec_context.is_encoder:
            for packet in self._audio.encode(None):
                self._container.mux(packet)

    def write(self, image: RGB, pts: int | None = None) -> None:
        """Add one frame; `pts` counts in the writer's time base and must grow."""
        import av

        height, width = image.shape[:2]
        if width % 2 or height % 2:
            image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        if pts is None:
            step = max(1, round(1 / (Fraction(self._video.codec_context.framerate) * self._time_base)))
            pts = 0 if self._last_pts is None else self._last_pts + step
        if self._last_pts is not None and pts <= self._last_pts:
            pts = self._last_pts + 1
        frame.pts, frame.time_base = pts, self._time_base
        self._last_pts = pts
        for packet in self._video.encode(frame):
            self._container.mux(packet)
        self._written += 1

    def add_sound_like(self, template: Any) -> None:
        """Take a sound stream over as it is, packet by packet."""
        self._audio = self._container.add_stream_from_template(template)

    def add_sound(self, rate: int, layout: str = "stereo") -> None:
        """Make room for sound to be encoded as AAC."""
        self._audio = self._container.add_stream("aac", rate=rate, layout=layout)

    def mux_sound(self, packet: Any) -> None:
        """Pass one packet of the stream given to `add_sound_like`."""
        packet.stream = self._audio
        self._container.mux(packet)

    def write_sound(self, frame: Any) -> None:
        """Encode one `av.AudioFrame`."""
        for packet in self._audio.encode(frame):
            self._container.mux(packet)


def rewrite(
    source: Source,
    output: Path,
    change: Callable[[Frame], RGB],
    *,
    metadata: dict[str, str] | None = None,
    size: tuple[int, int] | None = None,
) -> int:
    """Write `source` to the mp4 `output`, each frame through `change`, with the source's times and sound.

    Returns the number of frames. `size` (width, height) is needed only where `change` alters it. Raises EngineError
    where the source breaks off; `output` is then left as it was.
    """
    width, height = size or (source.width, source.height)
    if source.is_video:
        return _rewrite_video(source, output, change, metadata, (width, height))
    writer = VideoWriter(output, width=width, height=height, rate=source.rate, metadata=metadata)
    with writer:
        for frame in source.read():
            writer.write(_fitted(change(frame), width, height))
        return writer._written


def _fitted(image: RGB, width: int, height: int) -> RGB:
    """`image` on a black canvas of the video's size; pictures of a folder may differ in size."""
    if image.shape[:2] == (height, width):
        return image
    canvas = Image.new("RGB", (width, height))
    fitted = ImageOps.contain(Image.fromarray(image), (width, height))
    canvas.paste(fitted, ((width - fitted.width) // 2, (height - fitted.height) // 2))
    return np.asarray(canvas)


def _rewrite_video(
    source: Source,
    output: Path,
    change: Callable[[Frame], RGB],
    metadata: dict[str, str] | None,
    size: tuple[int, int],
) -> int:
    import av

    number = 0
    try:
        with av.open(str(source.path)) as container:
            video = _video_stream(container, source.path)
            sound = container.streams.audio[0] if container.streams.audio else None
            base = video.time_base or 1 / source.rate
            writer = VideoWriter(
                output, width=size[0], height=size[1], rate=source.rate, time_base=base, metadata=metadata
            )
            with writer:
                copied = sound is not None and _prepare_sound(writer, sound)
                streams: list[Any] = [stream for stream in (video, sound) if stream is not None]
                for packet in container.demux(streams):
                    if packet.stream is not video:
                        _pass_sound(writer, packet, copied)
                        continue
                    decoded: Any
                    for decoded in packet.decode():
                        number += 1
                        frame = _frame(source, number, decoded)
                        writer.write(_fitted(change(frame), *size), decoded.pts)
    except av.FFmpegError as error:
        raise EngineError(
            f"{source.path} breaks off after frame {number} ({error}); {output.name} was not written. "
            f"Mend it with: galloway video fix {source.path}"
        ) from error
    return number


def _prepare_sound(writer: VideoWriter, sound: Any) -> bool:
    """Whether packets are passed on as they are (else they are encoded as AAC)."""
    if sound.codec_context.name in MP4_SOUND:
        writer.add_sound_like(sound)
        return True
    context = sound.codec_context
    rate = context.sample_rate if context.sample_rate in _AAC_RATES else 48000
    # PCM streams often do not name their layout, only count their channels.
    writer.add_sound(rate, _LAYOUTS.get(context.channels, "stereo"))
    return False


_AAC_RATES = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000})
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}


def _pass_sound(writer: VideoWriter, packet: Any, copied: bool) -> None:
    if copied:
        if packet.dts is not None:
            writer.mux_sound(packet)
        return
    for frame in packet.decode():
        writer.write_sound(frame)
