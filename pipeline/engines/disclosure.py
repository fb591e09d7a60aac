"""What every swapped video says of itself, whichever engine made it."""

from __future__ import annotations

from pathlib import Path

from .videos import open_video

__all__ = ["METADATA", "says_face_swap"]

METADATA = {"comment": "Face swap: the faces in this video were replaced by a computer.", "synthetic": "face swap"}
"""Tags of every converted mp4, under what the request adds."""


def says_face_swap(video: Path) -> bool:
    """Whether a video's own tags say that Galloway made it; False for what is no video."""
    import av

    try:
        with open_video(video) as container:
            return bool(container.metadata.get("synthetic") == METADATA["synthetic"])
    except (av.FFmpegError, OSError):
        return False
