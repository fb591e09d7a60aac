"""A stretch of a source as a film of its own, without loss."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ...curation.files import picture_files
from ..video.opening import frames_in, open_video
from ..video.times import frame_times
from .base import EngineError, FrameRange
from .encodings import Encoding
from .film import VideoWriter
from .frames import Source, open_source, shown, stream_of

__all__ = ["cut_out"]


def cut_out(source: Source, span: FrameRange, folder: Path) -> Source:
    """The frames of `span` in a new folder: a video of one rate, or links to the pictures. Frames before it are passed
    over from the key frame before. Raises EngineError where they cannot be read."""
    folder.mkdir(parents=True)
    if not source.is_video:
        for path in picture_files(source.path)[span.first - 1 : span.last]:
            (folder / path.name).symlink_to(path.resolve())
        return open_source(folder, rate=source.rate)
    target = folder / f"{source.path.stem}.mkv"
    start = frame_times(source.path)[span.first - 1]
    wanted = span.last - span.first + 1
    with (
        open_video(source.path) as container,
        VideoWriter(
            target, width=source.width, height=source.height, rate=source.rate, encoding=Encoding("ffv1"),
            stored=source.stored, look=source.look,
        ) as writer,
    ):  # fmt: skip
        stream = stream_of(container, source.path)
        base = stream.time_base or 1 / source.rate
        container.seek(round(start / base), stream=stream, backward=True)
        for decoded in frames_in(container, stream):
            if decoded.pts is None or float(decoded.pts * base) < start - 1e-4:
                continue
            writer.write_native(shown(source, decoded))
            if writer.written == wanted:
                break
    if writer.written != wanted:
        raise EngineError(f"{source.path} has only {writer.written} frames from {start:.2f} s on that can be read.")
    return replace(open_source(target), rotation=0)
