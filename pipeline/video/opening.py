"""The one door through which a video is opened for reading.

FFmpeg picks its reader by what a file holds, not by its name, and some readers open other files and addresses that the
file names (playlists of ffconcat, HLS and DASH, session descriptions). Here the containers of real footage are named,
and nothing but the file itself is opened. `ruff check` refuses `av.open` anywhere else.
"""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = [
    "DEMUXERS",
    "FFMPEG_INPUT",
    "codec_of",
    "decoded",
    "duration_of",
    "films_in",
    "frames_in",
    "open_video",
    "playlist",
]

DEMUXERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,m4v,h264,hevc,ogg,asf,flv,mxf,dv,gif"
"""FFmpeg's names of the containers that are read."""
FFMPEG_INPUT = ("-protocol_whitelist", "file", "-format_whitelist", DEMUXERS)
"""The same for an ffmpeg command, before its `-i`."""
_HEAD = 64 << 10


def open_video(path: Path) -> Any:
    """PyAV's container of the video. Raises av.FFmpegError, also for what is no container of DEMUXERS."""
    import av

    options = {"protocol_whitelist": "file", "format_whitelist": DEMUXERS}
    return av.open(str(path), options=options)  # noqa: TID251 – this is the door


def films_in(container: Any) -> list[Any]:
    """The picture streams of a container that are films, not the picture on a cover; first the one that players and
    ffmpeg show: that which is marked as default, else the largest."""
    from av.stream import Disposition

    films = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]

    def shown(stream: Any) -> tuple[bool, int]:
        context = stream.codec_context
        size = 0 if context is None else context.width * context.height
        return bool(stream.disposition & Disposition.default), size

    return sorted(films, key=shown, reverse=True)


def codec_of(stream: Any) -> str | None:
    """FFmpeg's name of what a stream is coded in, whichever of its decoders reads it: "av1", not "libdav1d"; None where
    no decoder is known."""
    context = stream.codec_context
    return None if context is None else str(context.codec.canonical_name)


def decoded(packet: Any) -> Any:
    """The frames that a packet brings. An empty one with a time says that the frame before stays (Theora, AVI), which
    decoders take for an error; one without is the end, and brings what the decoder holds back."""
    return [] if not packet.size and packet.dts is not None else packet.decode()


def duration_of(container: Any, stream: Any, shown: Any) -> int:
    """For how long a frame of the stream, or that of a packet, is `shown`, in ticks; 0 where the file does not say. An
    mp4 says when the next one is decoded, which is something else where that is not the next to be shown."""
    reordered = "mov" in container.format.name.split(",") and stream.codec_context.has_b_frames
    return 0 if reordered else int(shown.duration or 0)


def frames_in(container: Any, stream: Any) -> Iterator[Any]:
    """Every frame of a stream from where the container stands."""
    for packet in container.demux(stream):
        yield from decoded(packet)


def playlist(path: Path) -> str:
    """What kind of list of other files `path` is, whatever its name; "" for anything else. Raises OSError, also for a
    pipe or a device, whose reading might never end."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "It is no file but a pipe or a device", str(path))
    with path.open("rb") as stream:
        head = stream.read(_HEAD).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"ffconcat"):
        return "an ffconcat playlist"
    if head.startswith(b"#extm3u"):
        return "an HLS playlist"
    if head.startswith(b"<") and (b"<mpd" in head or b"dash:profile:" in head):
        return "a DASH manifest"
    if head.startswith(b"v=0") and b"\nc=in ip" in head:
        return "a session description"
    return ""
