"""What every swapped video says of itself, whichever engine made it."""

from __future__ import annotations

from pathlib import Path

from ..video.opening import open_video

__all__ = ["METADATA", "says_face_swap"]

METADATA = {"comment": "Face swap: the faces in this video were replaced by a computer.", "synthetic": "face swap"}
"""Tags of every converted video and picture, under what the request adds."""


def says_face_swap(video: Path) -> bool:
    """Whether a video's own tags, or those of a folder's first picture, say that Galloway made it; False for what is
    neither."""
    import av

    if video.is_dir():
        first = min(video.iterdir(), default=None)
        # An iTXt chunk as `stills` writes it: keyword, five bytes of flags, text.
        return first is not None and b"iTXtsynthetic\0\0\0\0\0face swap" in first.read_bytes()[:4096]
    try:
        with open_video(video) as container:
            return bool(container.metadata.get("synthetic") == METADATA["synthetic"])
    except (av.FFmpegError, OSError):
        return False
