"""When each frame of a video is shown."""

from __future__ import annotations

from pathlib import Path

from .facts import is_unseen
from .opening import films_in, open_video

__all__ = ["frame_times"]


def frame_times(path: Path) -> list[float]:
    """Seconds at which the frames of a video's first picture stream are shown, rising, by the file's own clock, which
    need not begin at 0; nothing is decoded. Packets whose pictures are not shown have no time: those that an edit list
    hides, and VP8's references."""
    with open_video(path) as container:
        stream = next(iter(films_in(container)), None)
        if stream is None:
            return []
        base = stream.time_base
        return sorted(
            float(packet.pts * base)
            for packet in container.demux(stream)
            if packet.pts is not None and packet.size and not packet.is_discard and not is_unseen(packet, stream)
        )
