"""Videos that are written: frame by frame, or as copies of a source in which only some pixels are new.

A result is its source but for the pixels that changed: samples, matrix, primaries, transfer, range, pixel shape, rate,
times, sound, subtitles, chapters and titles are carried over; what a container cannot hold is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from ...curation.files import beside, put_in_place
from ..video.opening import open_video
from ..wording import typed
from .base import EngineError, Kept
from .compare import tracks_of
from .encodings import SIDE_BY_SIDE, Encoding, pixel_format
from .frames import RGB, Change, Frame, Source, changed_picture, open_source, read_container, stream_of
from .label import labelled
from .mark import marked
from .pixels import BT709, Look, drawn, is_full, narrowed, with_edges, with_parts
from .stills import write_stills
from .tracks import Tracks

__all__ = ["Changes", "Rewritten", "VideoWriter", "rewrite", "rewrite_all"]

_HDR = {16: "PQ", 18: "HLG"}
"""FFmpeg's numbers of the transfers of HDR (ITU-T H.273, table 3)."""

_INTERLACED = 1 << 18
"""FFmpeg's flag AV_CODEC_FLAG_INTERLACED_DCT: each frame is coded as two fields."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """How many frames were written, what of the source is not in the result, in words, and whether it has sound."""

    frames: int
    left_out: tuple[str, ...] = ()
    has_sound: bool = False


class VideoWriter(AbstractContextManager["VideoWriter"]):
    """Writes a video beside its target and renames it when it is whole; a failure leaves no file.

    `rate` is frames per second. Frames may carry their own time; else they follow one another at `rate`. Sizes that are
    odd are made even by repeating the last row or column where chroma is shared by two pixels, as players want it.
    `stored` is the planar pixel format (and bits) of what will be written, `look` what its values mean.
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
        encoding: Encoding = SIDE_BY_SIDE,
        stored: tuple[str, int] = ("yuv420p", 8),
        look: Look = BT709,
        fields: str = "",
    ) -> None:
        import av

        self._path = path
        self._partial = beside(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = {} if path.suffix.lower() == ".mkv" else {"movflags": "+faststart+use_metadata_tags"}
        self._container: av.container.OutputContainer = av.open(  # noqa: TID251 – it writes
            str(self._partial), "w", options=flags
        )
        self._container.metadata.update(metadata or {})
        self._time_base = time_base or 1 / Fraction(rate)
        self._format = pixel_format(encoding.codec, *stored)
        if stored[0].startswith("gb") and not self._format.startswith(("gb", "rgb", "bgr")):
            look = replace(BT709, aspect=look.aspect)
        if encoding.codec == "prores" and look.range == 2:
            look = replace(look, range=1)  # ProRes says nowhere that samples are full, and nobody reads them so
        self._look = look
        self._video = self._stream(encoding, width, height, Fraction(rate), stored[1], look, fields)
        self._like = av.VideoFrame(16, 16, self._format)
        self._like.colorspace, self._like.color_range = look.matrix, look.range
        kept = {"setsar": f"{look.aspect.numerator}/{look.aspect.denominator}"} if look.aspect != 1 else {}
        kept = kept if encoding.codec == "ffv1" else {}
        self._told = _telling(self._like, self._video, kept | ({"setfield": fields} if fields else {}))
        self._audio: Any = None
        self.written = 0
        self._last_pts: int | None = None
        self._lasting: dict[int, int] = {}

    def _stream(
        self, encoding: Encoding, width: int, height: int, rate: Fraction, bits: int, look: Look, fields: str
    ) -> Any:
        options = encoding.options(bits)
        if fields and encoding.codec == "h264":
            options["x264-params"] = f"{fields}=1"
        stream: Any = self._container.add_stream(encoding.encoder, rate=rate, options=options)
        across, down = ("420" in self._format or "422" in self._format), "420" in self._format
        stream.width, stream.height = width + width % 2 * across, height + height % 2 * down
        stream.pix_fmt = self._format
        context = stream.codec_context
        context.time_base = self._time_base
        context.colorspace, context.color_primaries = look.matrix, look.primaries
        context.color_trc, context.color_range = look.transfer, look.range
        if look.aspect != 1:
            context.sample_aspect_ratio = look.aspect
        if encoding.codec == "h265" and self._path.suffix.lower() != ".mkv":
            context.codec_tag = "hvc1"  # the other tag, hev1, is not played by Apple's players
        if encoding.codec == "ffv1":
            context.thread_count = 0
        if fields and encoding.codec == "prores":
            context.flags |= _INTERLACED
        return stream

    def lost(self, stored: tuple[str, int]) -> tuple[str, ...]:
        """What of samples that are `stored` so does not go into the video, in words."""
        return _lost_samples(stored, self._format)

    @property
    def container(self) -> Any:
        """The open file, for streams beside the picture."""
        return self._container

    @property
    def video(self) -> Any:
        """The picture's stream."""
        return self._video

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._flush()
        finally:
            try:
                self._container.close()
            finally:
                if kind is not None:
                    self._partial.unlink(missing_ok=True)
        if kind is None:
            put_in_place(self._partial, self._path)

    def _flush(self) -> None:
        self._encode(None)
        if self._audio is not None:
            for packet in self._audio.encode(None):
                self._container.mux(packet)

    def write(self, image: RGB, pts: int | None = None, duration: int = 0) -> None:
        """Add one frame; `pts` and `duration` count in the writer's time base, and `pts` must grow."""
        height, width = image.shape[:2]
        if (width, height) != (self._video.width, self._video.height):
            more = ((0, self._video.height - height), (0, self._video.width - width), (0, 0))
            image = np.pad(image, more, mode="edge")
        self.write_native(drawn(image, self._like), pts, duration)

    def write_native(self, frame: Any, pts: int | None = None, duration: int = 0) -> None:
        """Add one `av.VideoFrame` with the samples it has; what is said of its duration counts for the last one."""
        frame = with_edges(frame, self._video.width, self._video.height)
        if self._look.range == 1 and is_full(frame):
            frame = narrowed(frame)
        if frame.format.name != self._format:
            frame = _stored_as(frame, self._format)
        if pts is None:
            step = max(1, round(1 / (Fraction(self._video.codec_context.framerate) * self._time_base)))
            pts = 0 if self._last_pts is None else self._last_pts + step
        if self._last_pts is not None and pts <= self._last_pts:
            pts = self._last_pts + 1
        frame.pts, frame.time_base = pts, self._time_base
        frame.pict_type = 0  # the encoder chooses, not the source
        # ProRes writes these down with each frame, and a frame made anew does not know them.
        frame.color_primaries, frame.color_trc = self._look.primaries, self._look.transfer
        self._last_pts = pts
        if duration > 0:
            self._lasting[pts] = duration
        if self._told is not None:
            self._told.push(frame)
            frame = self._told.pull()
        self._encode(frame)
        self.written += 1

    def _encode(self, frame: Any) -> None:
        """Write what the encoder gives for a frame, None at the end. It takes each to last as long as all others."""
        for packet in self._video.encode(frame):
            packet.duration = self._lasting.pop(packet.pts, packet.duration)
            self._container.mux(packet)

    def add_sound(self, rate: int, layout: str = "stereo") -> None:
        """Make room for sound to be encoded as AAC."""
        self._audio = self._container.add_stream("aac", rate=rate, layout=layout)

    def write_sound(self, frame: Any) -> None:
        """Encode one `av.AudioFrame`."""
        for packet in self._audio.encode(frame):
            self._container.mux(packet)


def _telling(like: Any, video: Any, filters: dict[str, str]) -> Any:
    """What tells each frame the shape of its pixels, which FFV1 keeps of every frame and other encoders of the stream,
    and which of its two fields comes first: encoders believe the frame, and a frame made anew knows neither."""
    import av

    if not filters:
        return None
    graph = av.filter.Graph()
    form = av.VideoFormat(like.format.name, video.width, video.height)
    base = video.codec_context.time_base
    steps = [graph.add_buffer(width=video.width, height=video.height, format=form, time_base=base)]
    steps += [graph.add(name, value) for name, value in filters.items()]
    graph.link_nodes(*steps, graph.add("buffersink")).configure()
    return graph


def _stored_as(frame: Any, name: str) -> Any:
    """The frame in another pixel format of the same matrix and range; RGB becomes BT.709."""
    if frame.format.is_rgb and not name.startswith(("gb", "rgb", "bgr")):
        return frame.reformat(format=name, dst_colorspace=1, src_color_range=2, dst_color_range=1)
    return frame.reformat(format=name)


Changes = Callable[[Iterator[Frame]], Iterator[tuple[Frame, Change]]]
"""Takes the frames of a film and gives each back, in order, with what becomes of it. It may read ahead."""


def rewrite(
    source: Source,
    output: Path,
    change: Callable[[Frame], Change],
    *,
    metadata: dict[str, str] | None = None,
    size: tuple[int, int] | None = None,
    encoding: Encoding = SIDE_BY_SIDE,
    label: bool = False,
    mark: int | None = None,
    kept: Kept | None = None,
) -> Rewritten:
    """`rewrite_all` with frames that are changed one by one."""

    def changes(frames: Iterator[Frame]) -> Iterator[tuple[Frame, Change]]:
        for frame in frames:
            yield frame, change(frame)

    return rewrite_all(
        source, output, changes, metadata=metadata, size=size, encoding=encoding, label=label, mark=mark, kept=kept
    )


def rewrite_all(
    source: Source,
    output: Path,
    changes: Changes,
    *,
    metadata: dict[str, str] | None = None,
    size: tuple[int, int] | None = None,
    encoding: Encoding = SIDE_BY_SIDE,
    label: bool = False,
    mark: int | None = None,
    kept: Kept | None = None,
) -> Rewritten:
    """Write `source` to the video `output`, its frames through `changes`, with the source's times, sound and all else.

    Changed frames carry the `mark` in their pixels and, with `label`, say so, as `label.Shown` has it. `size` (width,
    height) is needed only where `changes` alters it; such a video is for looking at, in ordinary 4:2:0.
    With `kept`, only the frames of its ranges go their new way: the others are that film's, with the label and mark
    that they have. Raises EngineError for HDR, and where a film breaks off; `output` is then left as it was.
    """
    width, height = size or (source.width, source.height)
    changes = _signed_in_sight(changes, source.rate if label else None, mark, kept)
    if source.look.transfer in _HDR:
        raise EngineError(
            f"{source.path.name} is HDR ({_HDR[source.look.transfer]}); a drawn face would not match it. "
            f"Mend it, then ingest and extract what that makes: galloway video fix {typed(source.path)}"
        )
    if not output.suffix:
        frames = write_stills(source, output, changes, metadata or {})
        return Rewritten(frames, _not_in_pictures(source))
    if source.is_video:
        return _rewrite_video(source, output, changes, metadata, (width, height), encoding)
    stored = ("gbrp", 8) if encoding.codec in ("ffv1", "png") else ("yuv420p", 8)
    look = Look(0, 1, 13, 2) if stored[0] == "gbrp" else BT709
    writer = VideoWriter(
        output, width=width, height=height, rate=source.rate, metadata=metadata, encoding=encoding, stored=stored,
        look=look,
    )  # fmt: skip
    others = 0
    with writer:
        for frame, change in changes(source.read()):
            others += frame.size != (source.width, source.height)
            writer.write(fitted(changed_picture(frame, change), width, height))
    return Rewritten(writer.written, (*writer.lost(source.stored), *_fitted_in(others, source)))


def _signed_in_sight(changes: Changes, label_at: Fraction | None, mark: int | None, kept: Kept | None) -> Changes:
    """The changes with mark and label; the label last, so that it is as it was drawn. Then what is kept."""

    def signed(frames: Iterator[Frame]) -> Iterator[tuple[Frame, Change]]:
        made = changes(frames)
        made = made if mark is None else marked(made, mark)
        if label_at is not None:
            made = labelled(made, label_at, kept.shows_swap if kept else None)
        return made if kept is None else _with_kept(made, kept)

    return signed


def _with_kept(made: Iterator[tuple[Frame, Change]], kept: Kept) -> Iterator[tuple[Frame, Change]]:
    """The frames with what becomes of each: outside the ranges what the film that is kept shows of a swap."""
    earlier = open_source(kept.film).read()
    for frame, change in made:
        before = next(earlier, None)
        if before is None:
            raise EngineError(
                f"{kept.film.name} ends before frame {frame.number}, so it is not kept. Make it whole: galloway convert"
            )
        yield frame, before.native if kept.shows_swap(frame.number) else change


def _fitted_in(others: int, source: Source) -> tuple[str, ...]:
    if not others:
        return ()
    told = (
        f"the size of {others} of {source.frames} pictures, fitted into the first one's {source.width}x{source.height}"
    )
    return (f"{told} (--codec png keeps each one's own)",)


def _not_in_pictures(source: Source) -> tuple[str, ...]:
    notes = [f"pictures keep no time: these are {source.rate} a second"]
    held = tracks_of(source.path) if source.is_video else {}
    lost = [f"{what} ({text})" for what, text in held.items() if text not in ("none", "0")]
    notes += [f"{', '.join(lost)}: none of it goes into pictures"] if lost else []
    return (*notes, *_lost_samples(source.stored, "rgba" if source.is_video else "rgb24"))


def _lost_samples(stored: tuple[str, int], written: str) -> tuple[str, ...]:
    """What of samples that are `stored` so is not in those of the format that is written, in words."""
    import av

    there = av.VideoFormat(written, 16, 16).components
    bits = max(component.bits for component in there)
    notes = [f"{stored[1]} bits a sample became {bits}"] if stored[1] > bits else []
    alpha = any(component.is_alpha for component in av.VideoFormat(stored[0], 16, 16).components)
    if alpha and not any(component.is_alpha for component in there):
        notes.append("transparency: what shone through is opaque")
    return tuple(notes)


def fitted(image: RGB, width: int, height: int) -> RGB:
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
    changes: Changes,
    metadata: dict[str, str] | None,
    size: tuple[int, int],
    encoding: Encoding,
) -> Rewritten:
    import av

    number = 0
    try:
        with open_video(source.path) as container:
            video = stream_of(container, source.path)
            base = video.time_base or 1 / source.rate
            shift = clock_start(container)
            writer = VideoWriter(
                output, width=size[0], height=size[1], rate=source.rate, time_base=base, encoding=encoding,
                stored=("yuv420p", 8) if size != (source.width, source.height) else source.stored,
                look=source.look, fields=source.fields,
            )  # fmt: skip
            with writer:
                tracks = Tracks(container, video, writer.container, output.suffix.lower(), shift)
                tracks.describe(writer.video, metadata or {})
                for frame, change in changes(_frames(source, container, video, tracks)):
                    _write_changed(writer, frame, change, size, round(shift / base))
                    number = frame.number
                tracks.finish()
    except av.FFmpegError as error:
        raise EngineError(
            f"{source.path} breaks off after frame {number} ({error}); {output.name} was not written. "
            f"Mend it with: galloway video fix {typed(source.path)}"
        ) from error
    return Rewritten(number, (*writer.lost(source.stored), *tracks.left_out), tracks.has_sound)


def _frames(source: Source, container: Any, video: Any, tracks: Tracks) -> Iterator[Frame]:
    """The frames of a film; packets of other tracks go on as they come."""
    for packet, frame in read_container(source, container, [video, *tracks.streams]):
        if frame is None:
            tracks.pass_on(packet)
        else:
            yield frame


def _write_changed(writer: VideoWriter, frame: Frame, change: Change, size: tuple[int, int], shift: int) -> None:
    """The frame as it was decoded where nothing changed, else with the new samples; its time less `shift`."""
    when = (None if frame.pts is None else frame.pts - shift, frame.duration)
    if change is None or change is frame.image:
        writer.write_native(frame.native, *when)
    elif isinstance(change, np.ndarray):
        if change.shape != (frame.native.height, frame.native.width, 3):
            writer.write(fitted(change, *size), *when)
        else:
            writer.write_native(with_parts(frame.native, [(0, 0, frame.image, change)]), *when)
    else:
        writer.write_native(change, *when)


def clock_start(container: Any) -> Fraction:
    """What to take off every time, in seconds: where a container's clock starts anywhere, it starts at zero."""
    if container.format.name in ("mpegts", "mpeg", "mpegvideo", "rm", "asf") and container.start_time:
        return Fraction(container.start_time, 1_000_000)
    return Fraction(0)
