"""What every swapped video says of itself, whichever engine made it."""

from __future__ import annotations

from pathlib import Path

from ..video.opening import open_video

__all__ = ["METADATA", "says_face_swap", "stranger"]

METADATA = {"comment": "Face swap: the faces in this video were replaced by a computer.", "synthetic": "face swap"}
"""Tags of every converted video and picture, under what the request adds."""


def says_face_swap(video: Path) -> bool:
    """Whether a video's own tags, or those of all pictures of a folder, say that Galloway made it; False for what is
    neither."""
    import av

    if video.is_dir():
        return stranger(video) is None and any(_pictures_in(video))
    try:
        with open_video(video) as container:
            # Matroska writes the names of its tags in capitals.
            told = {name.lower(): text for name, text in container.metadata.items()}
            return told.get("synthetic") == METADATA["synthetic"]
    except (av.FFmpegError, OSError):
        return False


def stranger(folder: Path) -> Path | None:
    """The first thing in a folder that is no picture of a face swap; what is hidden is none of it."""
    return next((path for path in _pictures_in(folder) if not _told(path)), None)


def _pictures_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _told(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        # An iTXt chunk as `stills` writes it: keyword, five bytes of flags, text.
        return b"iTXtsynthetic\0\0\0\0\0face swap" in file.read(4096)
